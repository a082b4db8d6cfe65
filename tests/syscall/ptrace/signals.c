/*
 * Signal stops: seen, suppressed, replaced, with their siginfo; attaching and letting go.
 */
#include "tests/syscall/ptrace/ptrace.h"

static volatile sig_atomic_t got_signal, got_value, got_pid;

static void note_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got_signal = sig;
	got_value = info->si_value.sival_int;
	got_pid = info->si_pid;
}

static void handle(int sig)
{
	struct sigaction action = {.sa_sigaction = note_signal, .sa_flags = SA_SIGINFO};

	sigaction(sig, &action, NULL);
}

static int raise_and_tell(void)
{
	handle(SIGUSR1);
	handle(SIGUSR2);
	raise(SIGUSR1);
	return got_signal;
}

TEST(a_signal_is_delivered)
{
	pid_t pid = traced_child(raise_and_tell);

	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGUSR1));
	CHECK_EQ(trace(P_CONT, pid, 0, SIGUSR1), 0);
	CHECK_EQ(next_status(pid), SIGUSR1 << 8);
}

TEST(a_signal_is_suppressed)
{
	pid_t pid = traced_child(raise_and_tell);

	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGUSR1));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 0);
}

static int raise_and_tell_pid(void)
{
	int signal = raise_and_tell();

	return signal == SIGUSR2 && got_pid == getppid() ? 0 : 1;
}

TEST(a_signal_is_replaced)
{
	pid_t pid = traced_child(raise_and_tell_pid);

	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGUSR1));
	CHECK_EQ(trace(P_CONT, pid, 0, SIGUSR2), 0);
	CHECK_EQ(next_status(pid), 0);
}

static int raise_and_tell_value(void)
{
	raise_and_tell();
	return got_value;
}

TEST(siginfo_is_read_and_written)
{
	pid_t pid = traced_child(raise_and_tell_value);
	siginfo_t info;

	CHECK_EQ(trace(P_GETSIGINFO, pid, 0, &info), 0);
	CHECK_EQ(info.si_signo, SIGSTOP);
	CHECK_EQ(info.si_code, SI_TKILL);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(trace(P_GETSIGINFO, pid, 0, 8), -EFAULT);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGUSR1));
	CHECK_EQ(trace(P_GETSIGINFO, pid, 0, &info), 0);
	info.si_value.sival_int = 42;
	CHECK_EQ(trace(P_SETSIGINFO, pid, 0, 8), -EFAULT);
	CHECK_EQ(trace(P_SETSIGINFO, pid, 0, &info), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, SIGUSR1), 0);
	CHECK_EQ(next_status(pid), 42 << 8);
}

static int ignore_and_raise(void)
{
	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1);
	raise(SIGWINCH);
	raise(SIGTERM);
	return 3;
}

/* What is ignored, ignored by default, or deadly is seen all the same. */
TEST(ignored_signals_are_seen)
{
	pid_t pid = traced_child(ignore_and_raise);

	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGUSR1));
	CHECK_EQ(trace(P_CONT, pid, 0, SIGUSR1), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGWINCH));
	CHECK_EQ(trace(P_CONT, pid, 0, SIGWINCH), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGTERM));
	CHECK_EQ(trace(P_CONT, pid, 0, SIGTERM), 0);
	CHECK_EQ(next_status(pid), SIGTERM);
}

static volatile int *volatile bad_address = (volatile int *)8;

static int fault(void)
{
	*bad_address = 1;
	return 0;
}

TEST(a_fault_stops_and_kills)
{
	pid_t pid = traced_child(fault);
	siginfo_t info;

	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGSEGV));
	CHECK_EQ(trace(P_GETSIGINFO, pid, 0, &info), 0);
	CHECK_EQ(info.si_code, SEGV_MAPERR);
	CHECK_EQ((long)info.si_addr, 8);
	CHECK_EQ(trace(P_CONT, pid, 0, SIGSEGV), 0);
	CHECK_EQ(next_status(pid) & 0x7f, SIGSEGV);
}

TEST(attach_and_detach)
{
	pid_t pid = sleeping_child();
	siginfo_t info;

	WAIT_UNTIL(process_sleeps(pid));
	CHECK_EQ(trace(P_ATTACH, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGSTOP));
	CHECK_EQ(trace(P_GETSIGINFO, pid, 0, &info), 0);
	CHECK_EQ(info.si_code, SI_KERNEL);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	WAIT_UNTIL(process_sleeps(pid));
	CHECK_EQ(trace(P_DETACH, pid, 0, 0), -ESRCH);
	kill(pid, SIGUSR1);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGUSR1));
	CHECK_EQ(trace(P_DETACH, pid, 0, 0), 0);
	WAIT_UNTIL(process_sleeps(pid));
	kill(pid, SIGUSR2);
	CHECK_EQ(next_status(pid), SIGUSR2);
}

TEST(detach_delivers_a_signal)
{
	pid_t pid = sleeping_child();

	CHECK_EQ(trace(P_ATTACH, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGSTOP));
	CHECK_EQ(trace(P_DETACH, pid, 0, SIGTERM), 0);
	CHECK_EQ(next_status(pid), SIGTERM);
}

TEST(seize_and_interrupt)
{
	pid_t pid = sleeping_child();
	siginfo_t info;

	WAIT_UNTIL(process_sleeps(pid));
	CHECK_EQ(trace(P_SEIZE, pid, 0, O_SYSGOOD), 0);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	CHECK_EQ(trace(P_INTERRUPT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), GROUP_STOP(SIGTRAP));
	CHECK_EQ(trace(P_GETSIGINFO, pid, 0, &info), 0);
	CHECK_EQ(info.si_signo, SIGTRAP);
	CHECK_EQ(info.si_code, EVENT_STOP << 8 | SIGTRAP);
	/* The next one comes after this stop. */
	CHECK_EQ(trace(P_INTERRUPT, pid, 0, 0), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), GROUP_STOP(SIGTRAP));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	WAIT_UNTIL(process_sleeps(pid));
	CHECK_EQ(trace(P_KILL, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), SIGKILL);
}

static int sleep_long(void)
{
	struct timespec time = {0, 200000000}, left = {0, 0};

	return nanosleep(&time, &left) ? 1 : 0;
}

/* A call that is interrupted for a stop alone goes on as if nothing had been. */
TEST(an_interrupted_call_goes_on)
{
	int64_t start = now_ns(CLOCK_MONOTONIC);
	pid_t pid = fork();

	if (pid == 0)
		_exit(sleep_long());
	CHECK_EQ(trace(P_SEIZE, pid, 0, 0), 0);
	WAIT_UNTIL(process_sleeps(pid));
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(trace(P_INTERRUPT, pid, 0, 0), 0);
		CHECK_EQ(next_status(pid), GROUP_STOP(SIGTRAP));
		CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	}
	CHECK_EQ(next_status(pid), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 200 * NS_PER_MS);
}

static int wait_both(void)
{
	int status = 0;
	siginfo_t info = {0};
	pid_t pid = sleeping_child();

	if (trace(P_SEIZE, pid, 0, 0) || trace(P_INTERRUPT, pid, 0, 0))
		return 1;
	/* No WUNTRACED is needed, WNOWAIT leaves it, and it is told once. */
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | __WALL) || info.si_pid != pid ||
	    info.si_code != CLD_TRAPPED || info.si_status != (EVENT_STOP << 8 | SIGTRAP))
		return 2;
	if (waitpid(-1, &status, 0) != pid || status != GROUP_STOP(SIGTRAP))
		return 3;
	if (waitpid(pid, &status, WNOHANG | WUNTRACED) != 0)
		return 4;
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || status != SIGKILL)
		return 5;
	return waitpid(pid, &status, 0) == -1 && errno == ECHILD ? 0 : 6;
}

TEST(wait_tells_of_a_stop_once)
{
	CHECK_EQ(child_status(wait_both), 0);
}

static volatile sig_atomic_t nr_chld, chld_code, chld_status;

static void note_child(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	nr_chld++;
	chld_code = info->si_code;
	chld_status = info->si_status;
}

static int sigchld_body(void)
{
	struct sigaction action = {.sa_sigaction = note_child, .sa_flags = SA_SIGINFO | SA_RESTART};
	pid_t pid;
	int status;

	sigaction(SIGCHLD, &action, NULL);
	pid = sleeping_child();
	if (trace(P_ATTACH, pid, 0, 0))
		return 1;
	while (!nr_chld)
		sleep_ms(1);
	if (chld_code != CLD_TRAPPED || chld_status != SIGSTOP)
		return 2;
	if (waitpid(pid, &status, 0) != pid)
		return 3;
	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid && status == SIGKILL ? 0 : 4;
}

TEST(the_tracer_gets_sigchld)
{
	CHECK_EQ(child_status(sigchld_body), 0);
}
