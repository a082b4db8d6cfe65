/*
 * Signals: handlers and what they are told, masks, queues, the alternate stack, interrupted calls.
 */
#include "tests/syscall/task/task.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

static volatile sig_atomic_t got_signal, got_code, got_count;
static volatile pid_t got_pid;
static void *volatile got_address;
static sigjmp_buf fault_return;

static void note_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got_signal = sig;
	got_code = info->si_code;
	got_pid = info->si_pid;
	got_address = info->si_addr;
	got_count++;
}

static void leave_fault(int sig, siginfo_t *info, void *context)
{
	note_signal(sig, info, context);
	siglongjmp(fault_return, 1);
}

TEST(signal_to_oneself_runs_the_handler_at_once)
{
	set_handler(SIGUSR1, note_signal, 0);
	got_signal = 0;
	CHECK_EQ(raise(SIGUSR1), 0);
	CHECK_EQ(got_signal, SIGUSR1);
	CHECK_EQ(got_code, SI_TKILL);
	CHECK_EQ(got_pid, getpid());
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	CHECK_EQ(got_code, SI_USER);
}

/* Runs `statement`, which must raise `sig` with `code` at `address`. */
#define CHECK_FAULT(statement, sig, code, address)                                                 \
	do {                                                                                       \
		got_signal = 0;                                                                    \
		if (!sigsetjmp(fault_return, 1))                                                   \
			statement;                                                                 \
		CHECK_EQ(got_signal, sig);                                                         \
		CHECK_EQ(got_code, code);                                                          \
		CHECK_EQ(got_address, address);                                                    \
	} while (0)

TEST(fault_tells_code_and_address)
{
	char *read_only = page_read_only(), *unmapped = page_unmapped();

	set_handler(SIGSEGV, leave_fault, SA_NODEFER);
	CHECK_FAULT(*(volatile char *)unmapped = 1, SIGSEGV, SEGV_MAPERR, unmapped);
	CHECK_FAULT((void)*(volatile char *)(unmapped + 9), SIGSEGV, SEGV_MAPERR, unmapped + 9);
	CHECK_FAULT(*(volatile char *)read_only = 1, SIGSEGV, SEGV_ACCERR, read_only);
	CHECK_FAULT(*(volatile char *)KERNEL_ADDRESS = 1, SIGSEGV, SEGV_MAPERR, KERNEL_ADDRESS);
	signal(SIGSEGV, SIG_DFL);
}

TEST(bad_instruction_and_breakpoint)
{
	set_handler(SIGILL, leave_fault, SA_NODEFER);
	set_handler(SIGTRAP, leave_fault, SA_NODEFER);
	got_signal = 0;
	if (!sigsetjmp(fault_return, 1))
		__asm__ volatile(".word 0");
	CHECK_EQ(got_signal, SIGILL);
	if (!sigsetjmp(fault_return, 1))
		__asm__ volatile("ebreak");
	CHECK_EQ(got_signal, SIGTRAP);
	CHECK_EQ(got_code, TRAP_BRKPT);
}

static void spoil_registers(int sig)
{
	(void)sig;
	got_count++;
	__asm__ volatile("fmv.d.x ft0, zero\n"
			 "li t6, 1\n" ::
				 : "ft0", "t6");
}

TEST(handler_leaves_every_register_alone)
{
	double before = 2.25, after;
	long ret, kept;

	signal(SIGUSR2, spoil_registers);
	got_count = 0;
	__asm__ volatile("fmv.d ft0, %3\n"
			 "li t6, 0x5555\n"
			 "mv a0, %4\n"
			 "mv a1, %5\n"
			 "li a2, 12\n"
			 "li a7, 131\n"
			 "ecall\n"
			 "fmv.d %0, ft0\n"
			 "mv %1, a0\n"
			 "mv %2, t6\n"
			 : "=f"(after), "=r"(ret), "=r"(kept)
			 : "f"(before), "r"((long)getpid()), "r"((long)gettid())
			 : "a0", "a1", "a2", "a7", "ft0", "t6", "memory");
	CHECK_EQ(got_count, 1);
	CHECK_EQ(ret, 0);
	CHECK_EQ(kept, 0x5555);
	CHECK(after == before);
}

TEST(blocked_signal_waits_and_shows_as_pending)
{
	sigset_t pending;

	set_handler(SIGUSR1, note_signal, 0);
	got_count = 0;
	block_signal(SIGUSR1, true);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK_EQ(got_count, 0);
	CHECK_EQ(sigpending(&pending), 0);
	CHECK_EQ(sigismember(&pending, SIGUSR1), 1);
	block_signal(SIGUSR1, false);
	CHECK_EQ(got_count, 1);
}

TEST(ignoring_drops_a_pending_signal)
{
	sigset_t pending;

	block_signal(SIGUSR1, true);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	sigpending(&pending);
	CHECK_EQ(sigismember(&pending, SIGUSR1), 0);
	block_signal(SIGUSR1, false);
}

TEST(realtime_signals_queue_in_order)
{
	const struct timespec now = {0}, soon = {0, NS_PER_MS};
	sigset_t set = one_signal(SIGRTMIN + 1);
	siginfo_t info;

	block_signal(SIGRTMIN + 1, true);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}), 0);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(sigtimedwait(&set, &info, &now), SIGRTMIN + 1);
		CHECK_EQ(info.si_value.sival_int, i);
		CHECK_EQ(info.si_code, SI_QUEUE);
	}
	CHECK_EQ(sigtimedwait(&set, &info, &soon), -1);
	CHECK_EQ(errno, EAGAIN);
	block_signal(SIGRTMIN + 1, false);
}

#define QUEUE_LIMIT 20

/* As an ordinary user with that limit: how many signals fit into its own queue. */
static int queue_until_full(void)
{
	struct rlimit limit = {QUEUE_LIMIT, QUEUE_LIMIT};
	int n = 0;

	CHECK_EQ(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
	CHECK_EQ(setresuid(54321, 54321, 54321), 0);
	block_signal(SIGRTMIN, true);
	while (n < QUEUE_LIMIT / 2 && sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0)
		n++;
	return n;
}

static int second_queue(void)
{
	int n = queue_until_full();

	/* Half of it is used by the other process, which is the same user. */
	CHECK_EQ(n, QUEUE_LIMIT / 2);
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN, (union sigval){0}), -1);
	CHECK_EQ(errno, EAGAIN);
	/* kill() goes without its siginfo, and what is taken makes room. */
	CHECK_EQ(kill(getpid(), SIGRTMIN), 0);
	sigset_t set = one_signal(SIGRTMIN);
	CHECK_EQ(sigtimedwait(&set, NULL, &(struct timespec){0}), SIGRTMIN);
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN, (union sigval){0}), 0);
	return 0;
}

TEST(queued_signals_are_limited_for_the_user)
{
	int pipes[2], status;
	char byte = 0;
	pid_t pid;

	CHECK_EQ(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		byte = (char)queue_until_full();
		(void)!write(pipes[1], &byte, 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(pipes[0], &byte, 1), 1);
	CHECK_EQ(byte, QUEUE_LIMIT / 2);
	CHECK_EQ(child_status(second_queue), 0);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	close(pipes[0]);
	close(pipes[1]);
}

static char spare_stack[65536];
static volatile bool was_on_alternate;

static void note_stack(int sig)
{
	stack_t now;
	char here;

	(void)sig;
	sigaltstack(NULL, &now);
	was_on_alternate = (now.ss_flags & SS_ONSTACK) && &here >= spare_stack &&
			   &here < spare_stack + sizeof(spare_stack);
}

TEST(alternate_stack)
{
	struct sigaction action = {.sa_handler = note_stack, .sa_flags = SA_ONSTACK};
	stack_t stack = {.ss_sp = spare_stack, .ss_size = sizeof(spare_stack)}, old;

	CHECK_EQ(sigaltstack(&stack, &old), 0);
	CHECK_EQ(old.ss_flags, SS_DISABLE);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	CHECK(was_on_alternate);
	stack.ss_flags = SS_DISABLE;
	CHECK_EQ(sigaltstack(&stack, &old), 0);
	CHECK(old.ss_sp == spare_stack);
	raise(SIGUSR1);
	CHECK(!was_on_alternate);
	stack = (stack_t){.ss_sp = spare_stack, .ss_size = 100};
	CHECK_EQ(sigaltstack(&stack, NULL), -1);
	CHECK_EQ(errno, ENOMEM);
}

/* Sends SIGUSR1 to the thread that made it, a little later. */
static void *signal_later(void *target)
{
	sleep_ms(20);
	pthread_kill(*(pthread_t *)target, SIGUSR1);
	return NULL;
}

TEST(sleep_ends_with_a_handler_and_tells_the_rest)
{
	struct timespec time = {2, 0}, rest = {9, 9};
	pthread_t self = pthread_self(), sender;

	set_handler(SIGUSR1, note_signal, SA_RESTART);
	sender = thread_start(signal_later, &self);
	CHECK_EQ(nanosleep(&time, &rest), -1);
	CHECK_EQ(errno, EINTR);
	CHECK_EQ(rest.tv_sec, 1);
	thread_join(sender);
}

TEST(sleep_goes_on_after_an_ignored_signal)
{
	pthread_t self = pthread_self(), sender;
	struct timespec time = {0, 60 * NS_PER_MS};
	int64_t start;

	signal(SIGUSR1, SIG_IGN);
	start = now_ns(CLOCK_MONOTONIC);
	sender = thread_start(signal_later, &self);
	CHECK_EQ(nanosleep(&time, NULL), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 60 * NS_PER_MS);
	thread_join(sender);
}

TEST(read_restarts_only_with_sa_restart)
{
	pthread_t self = pthread_self(), sender;
	char byte;
	int fds[2];

	CHECK_EQ(pipe(fds), 0);
	set_handler(SIGUSR1, note_signal, 0);
	sender = thread_start(signal_later, &self);
	CHECK_EQ(read(fds[0], &byte, 1), -1);
	CHECK_EQ(errno, EINTR);
	thread_join(sender);
	close(fds[0]);
	close(fds[1]);
}

TEST(sigsuspend_puts_the_mask_back)
{
	sigset_t empty, now;

	sigemptyset(&empty);
	set_handler(SIGUSR1, note_signal, 0);
	got_count = 0;
	block_signal(SIGUSR1, true);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(sigsuspend(&empty), -1);
	CHECK_EQ(errno, EINTR);
	CHECK_EQ(got_count, 1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK_EQ(sigismember(&now, SIGUSR1), 1);
	block_signal(SIGUSR1, false);
}

static void *wait_for_signal(void *arg)
{
	sigset_t set = one_signal(SIGUSR2);
	int sig = 0;

	(void)arg;
	sigwait(&set, &sig);
	return (void *)(long)sig;
}

TEST(signal_to_the_process_finds_the_thread_that_waits)
{
	pthread_t waiter;
	void *result;

	block_signal(SIGUSR2, true);
	waiter = thread_start(wait_for_signal, NULL);
	sleep_ms(5);
	kill(getpid(), SIGUSR2);
	CHECK_EQ(pthread_join(waiter, &result), 0);
	CHECK_EQ(result, SIGUSR2);
	block_signal(SIGUSR2, false);
}

TEST(signal_errors)
{
	struct errno_case cases[] = {
		{"kill, bad signal", SYS_kill, {getpid(), 65}, EINVAL},
		{"kill, no process", SYS_kill, {0x3fffff, 0}, ESRCH},
		{"kill, only asked", SYS_kill, {getpid(), 0}, 0},
		{"tkill, bad tid", SYS_tkill, {-1, 0}, EINVAL},
		{"tgkill, bad tid", SYS_tgkill, {getpid(), 0, 0}, EINVAL},
		{"tgkill, other process", SYS_tgkill, {getpid() + 1000, gettid(), 0}, ESRCH},
		{"sigaction, size", SYS_rt_sigaction, {SIGUSR1, 0, 0, 4}, EINVAL},
		{"sigaction, no signal", SYS_rt_sigaction, {0, 0, 0, 8}, EINVAL},
		{"sigaction, SIGKILL", SYS_rt_sigaction, {SIGKILL, (long)spare_stack, 0, 8}, EINVAL},
		{"sigaction, bad pointer", SYS_rt_sigaction, {SIGUSR1, 8, 0, 8}, EFAULT},
		{"sigprocmask, how", SYS_rt_sigprocmask, {7, (long)spare_stack, 0, 8}, EINVAL},
		{"sigprocmask, bad pointer", SYS_rt_sigprocmask, {SIG_BLOCK, 8, 0, 8}, EFAULT},
		{"sigprocmask, size", SYS_rt_sigprocmask, {SIG_BLOCK, 0, 0, 16}, EINVAL},
		{"sigpending, size", SYS_rt_sigpending, {(long)spare_stack, 9}, EINVAL},
		{"sigqueueinfo, bad pointer", SYS_rt_sigqueueinfo, {getpid(), SIGUSR1, 8}, EFAULT},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
}
