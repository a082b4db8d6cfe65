/*
 * CPU-time clocks by number: of other processes, and of the threads of the own one.
 */
#include "tests/syscall/timer/timer.h"

#include <sys/wait.h>

/* Kernel numbers of clocks: clock_getres(2). */
#define CLOCK_OF(nr, bits)  ((clockid_t)(~(uint32_t)(nr) << 3 | (bits)))
#define CLOCK_PROFILED	    0
#define CLOCK_VIRTUAL	    1
#define CLOCK_SCHEDULED	    2
#define CLOCK_OF_DESCRIPTOR 3
#define CLOCK_PER_THREAD    4

static void compute_for_ever(void)
{
	for (;;)
		burn(NS_PER_MS);
}

/* A child that computes without end, or sleeps. */
static pid_t start_child(bool computes)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (computes)
		compute_for_ever();
	for (;;)
		pause();
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

static int64_t used(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return -errno;
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

TEST(the_clock_of_another_process)
{
	pid_t pid = start_child(true);
	clockid_t clock;
	siginfo_t info;
	int64_t last;

	CHECK_EQ(clock_getcpuclockid(pid, &clock), 0);
	WAIT_UNTIL(used(clock) > 30 * NS_PER_MS);
	CHECK(used(CLOCK_OF(pid, CLOCK_PROFILED)) > 0);
	CHECK(used(CLOCK_OF(pid, CLOCK_VIRTUAL)) >= 0);
	/* Its threads are its own affair. */
	CHECK_EQ(used(CLOCK_OF(pid, CLOCK_PER_THREAD | CLOCK_SCHEDULED)), -EINVAL);
	kill(pid, SIGKILL);
	CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	last = used(clock);
	CHECK(last > 30 * NS_PER_MS);
	CHECK_EQ(used(clock), last);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_EQ(used(clock), -EINVAL);
}

TEST(a_timer_on_the_clock_of_another_process)
{
	pid_t pid = start_child(true);
	struct itimerspec s = {.it_value = timespec_of(50 * NS_PER_MS)};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	clockid_t clock = CLOCK_OF(pid, CLOCK_SCHEDULED);
	int64_t start;
	siginfo_t info;
	timer_t id;

	block(SIGUSR1);
	CHECK_EQ(timer_create(clock, &event, &id), 0);
	start = used(clock);
	CHECK_EQ(timer_settime(id, 0, &s, NULL), 0);
	CHECK_EQ(take(SIGUSR1, 10 * NS_PER_SEC, &info), SIGUSR1);
	CHECK(used(clock) - start >= 50 * NS_PER_MS);
	/* A periodic one counts what went by. */
	s.it_interval = timespec_of(10 * NS_PER_MS);
	CHECK_EQ(timer_settime(id, 0, &s, NULL), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(take(SIGUSR1, 10 * NS_PER_SEC, &info), SIGUSR1);
	CHECK_EQ(timer_gettime(id, &s), 0);
	CHECK(s.it_value.tv_sec == 0 && s.it_value.tv_nsec > 0);
	end_child(pid);
	CHECK_EQ(sys4(SYS_timer_settime, id, 0, &s, 0), -ESRCH);
	CHECK_EQ(timer_gettime(id, &s), 0);
	CHECK(s.it_value.tv_sec == 0 && s.it_value.tv_nsec == 0);
	CHECK_EQ(timer_delete(id), 0);
	CHECK_EQ(sys3(SYS_timer_create, clock, &event, &id), -EINVAL);
}

/* Two processes with timers on each other's time. */
TEST(timers_on_each_other)
{
	pid_t parent = getpid(), pid = fork();
	struct itimerspec s = {.it_value = timespec_of(20 * NS_PER_MS),
			       .it_interval = timespec_of(NS_PER_MS)};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	siginfo_t info;
	timer_t id;

	block(SIGUSR1);
	CHECK_EQ(timer_create(CLOCK_OF(pid ? pid : parent, CLOCK_SCHEDULED), &event, &id), 0);
	CHECK_EQ(timer_settime(id, 0, &s, NULL), 0);
	for (int i = 0; i < 30; i++) {
		while (take(SIGUSR1, 0, &info) != SIGUSR1)
			burn(NS_PER_MS);
	}
	/* Nobody else moves the clock that the other waits for. */
	if (pid == 0)
		compute_for_ever();
	CHECK_EQ(timer_delete(id), 0);
	end_child(pid);
}

TEST(sleeping_by_the_clock_of_another_process)
{
	pid_t pid = start_child(true);
	clockid_t clock = CLOCK_OF(pid, CLOCK_SCHEDULED);
	struct timespec ts;
	int64_t start = used(clock);

	ts = timespec_of(20 * NS_PER_MS);
	CHECK_EQ(clock_nanosleep(clock, 0, &ts, NULL), 0);
	CHECK(used(clock) - start >= 20 * NS_PER_MS);
	start = used(clock);
	ts = timespec_of(start + 20 * NS_PER_MS);
	CHECK_EQ(clock_nanosleep(clock, TIMER_ABSTIME, &ts, NULL), 0);
	CHECK(used(clock) >= start + 20 * NS_PER_MS);
	end_child(pid);
	CHECK_EQ(sys4(SYS_clock_nanosleep, clock, 0, &ts, 0), -EINVAL);
}

static void nothing(int sig)
{
	(void)sig;
}

/* The clock does not move: the sleep ends by the signal, and tells what was left. */
static int interrupted_sleep(void)
{
	pid_t pid = start_child(false), self = getpid();
	struct timespec ts = timespec_of(NS_PER_SEC), rest = {0, 0};
	struct sigaction act = {.sa_handler = nothing};

	CHECK_EQ(sigaction(SIGUSR2, &act, NULL), 0);
	if (fork() == 0) {
		while (!process_sleeps(self))
			sleep_ms(1);
		sleep_ms(20);
		kill(self, SIGUSR2);
		_exit(0);
	}
	CHECK_EQ(sys4(SYS_clock_nanosleep, CLOCK_OF(pid, CLOCK_SCHEDULED), 0, &ts, &rest), -EINTR);
	CHECK(rest.tv_sec == 1 || rest.tv_nsec > 0);
	CHECK(wait(NULL) > 0);
	end_child(pid);
	return 0;
}

TEST(sleeping_by_a_clock_that_stands)
{
	CHECK_EQ(child_status(interrupted_sleep), 0);
}

static void *compute_thread(void *stop)
{
	while (!__atomic_load_n((int *)stop, __ATOMIC_RELAXED))
		;
	return NULL;
}

TEST(the_clock_of_another_thread)
{
	int stop = 0;
	pthread_t thread = thread_start(compute_thread, &stop);
	struct timespec ts = timespec_of(20 * NS_PER_MS);
	clockid_t clock;
	int64_t start;

	CHECK_EQ(pthread_getcpuclockid(thread, &clock), 0);
	start = used(clock);
	CHECK_EQ(clock_nanosleep(clock, 0, &ts, NULL), 0);
	CHECK(used(clock) - start >= 20 * NS_PER_MS);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	thread_join(thread);
	WAIT_UNTIL(used(clock) == -EINVAL);
}

TEST(numbers_of_clocks)
{
	struct timespec ts = {0, 0}, odd = {0, -1};

	CHECK_EQ(sys2(SYS_clock_getres, CLOCK_OF(0, CLOCK_SCHEDULED), &ts), 0);
	CHECK_EQ(ts.tv_nsec, 1);
	CHECK_EQ(sys2(SYS_clock_getres, CLOCK_OF(0, CLOCK_VIRTUAL), &ts), 0);
	CHECK_EQ(ts.tv_nsec, 4000000);
	CHECK_EQ(sys2(SYS_clock_gettime, CLOCK_OF(0, CLOCK_OF_DESCRIPTOR), &ts), -EINVAL);
	CHECK_EQ(sys2(SYS_clock_gettime, CLOCK_OF(0x3fffff, CLOCK_SCHEDULED), &ts), -EINVAL);
	CHECK_EQ(sys2(SYS_clock_settime, CLOCK_OF(0, CLOCK_SCHEDULED), &odd), -EPERM);
	CHECK_EQ(sys2(SYS_clock_settime, CLOCK_OF(getppid(), CLOCK_SCHEDULED), 8), -EFAULT);
	CHECK_EQ(sys2(SYS_clock_settime, CLOCK_OF(0, CLOCK_OF_DESCRIPTOR), &ts), -EINVAL);
	CHECK_EQ(sys2(SYS_clock_settime, CLOCK_PROCESS_CPUTIME_ID, &ts), -EINVAL);
	CHECK_EQ(sys2(SYS_clock_settime, CLOCK_MONOTONIC, 8), -EINVAL);
	CHECK_EQ(sys2(SYS_clock_settime, CLOCK_TAI, &ts), -EINVAL);
}
