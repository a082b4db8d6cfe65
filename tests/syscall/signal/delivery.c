/*
 * Actions, masks, queues, and which thread takes a signal.
 */
#include <sched.h>
#include <signal.h>

#include "tests/syscall/harness.h"

static volatile int seen[65], seen_count;
static siginfo_t last_info;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	seen[sig]++;
	seen_count++;
	last_info = *info;
}

static void handle(int sig, int flags, sigset_t *mask)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags};

	if (mask)
		action.sa_mask = *mask;
	CHECK_EQ(sigaction(sig, &action, NULL), 0);
	memset((void *)seen, 0, sizeof(seen));
	seen_count = 0;
}

static sigset_t set_of(int a, int b)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, a);
	if (b)
		sigaddset(&set, b);
	return set;
}

TEST(handler_runs_at_once)
{
	handle(SIGUSR1, 0, NULL);
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	CHECK_EQ(seen[SIGUSR1], 1);
	CHECK_EQ(last_info.si_code, SI_USER);
	CHECK_EQ(last_info.si_pid, getpid());
	CHECK_EQ(raise(SIGUSR1), 0);
	CHECK_EQ(seen[SIGUSR1], 2);
	CHECK_EQ(last_info.si_code, SI_TKILL);
}

TEST(blocked_signal_waits)
{
	sigset_t set = set_of(SIGUSR1, 0), pending;

	handle(SIGUSR1, 0, NULL);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK_EQ(seen[SIGUSR1], 0);
	CHECK_EQ(sigpending(&pending), 0);
	CHECK_EQ(sigismember(&pending, SIGUSR1), 1);
	CHECK_EQ(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
	CHECK_EQ(seen[SIGUSR1], 1); /* a standard signal is pending once */
}

TEST(realtime_signals_queue_in_order)
{
	sigset_t set = set_of(SIGRTMIN, SIGRTMIN + 1);

	handle(SIGRTMIN, 0, NULL);
	handle(SIGRTMIN + 1, 0, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}), 0);
		CHECK_EQ(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 10 + i}), 0);
	}
	for (int i = 0; i < 6; i++) {
		siginfo_t info;
		int sig = sigwaitinfo(&set, &info);

		/* The lowest number first, each in order of arrival. */
		CHECK_EQ(sig, i < 3 ? SIGRTMIN : SIGRTMIN + 1);
		CHECK_EQ(info.si_value.sival_int, i < 3 ? 10 + i : i - 3);
		CHECK_EQ(info.si_code, SI_QUEUE);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK_EQ(seen_count, 0);
}

TEST(sigtimedwait_times_out)
{
	sigset_t set = set_of(SIGUSR2, 0);
	struct timespec ts = timespec_of(20 * NS_PER_MS);

	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(sigtimedwait(&set, NULL, &ts) == -1 && errno == EAGAIN);
	raise(SIGUSR2);
	CHECK_EQ(sigtimedwait(&set, NULL, &ts), SIGUSR2);
	ts = (struct timespec){0, NS_PER_SEC};
	CHECK(sigtimedwait(&set, NULL, &ts) == -1 && errno == EINVAL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* The signal itself, and those of sa_mask, wait while the handler runs. */
static volatile int depth, deepest;

static void on_nested(int sig)
{
	depth++;
	deepest = depth > deepest ? depth : deepest;
	if (seen_count++ == 0) {
		raise(sig);
		raise(SIGUSR2);
	}
	depth--;
}

static int nested(int flags)
{
	struct sigaction action = {.sa_handler = on_nested, .sa_flags = flags};

	sigaddset(&action.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	seen_count = depth = deepest = 0;
	raise(SIGUSR1);
	CHECK_EQ(seen_count, 3);
	return deepest;
}

TEST(handlers_mask)
{
	CHECK_EQ(nested(0), 1);
	CHECK_EQ(nested(SA_NODEFER), 2);
}

TEST(resethand_is_used_once)
{
	struct sigaction old;

	handle(SIGUSR1, SA_RESETHAND, NULL);
	raise(SIGUSR1);
	CHECK_EQ(seen[SIGUSR1], 1);
	CHECK_EQ(sigaction(SIGUSR1, NULL, &old), 0);
	CHECK(old.sa_handler == SIG_DFL);
}

TEST(sigaction_returns_the_old)
{
	sigset_t mask = set_of(SIGUSR2, SIGHUP);
	struct sigaction old;

	handle(SIGUSR1, SA_RESTART, &mask);
	CHECK_EQ(sigaction(SIGUSR1, NULL, &old), 0);
	CHECK(old.sa_sigaction == on_signal);
	CHECK_EQ(old.sa_flags & (SA_SIGINFO | SA_RESTART | SA_NODEFER), SA_SIGINFO | SA_RESTART);
	CHECK_EQ(sigismember(&old.sa_mask, SIGUSR2), 1);
	CHECK_EQ(sigismember(&old.sa_mask, SIGHUP), 1);
	CHECK_EQ(sigismember(&old.sa_mask, SIGINT), 0);
	signal(SIGUSR1, SIG_DFL);
}

/* An ignored signal leaves nothing behind, also one that became ignored while it was pending. */
TEST(ignored_signals_vanish)
{
	sigset_t set = set_of(SIGUSR1, 0), pending;

	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	sigpending(&pending);
	CHECK_EQ(sigismember(&pending, SIGUSR1), 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(SIGUSR1);
	raise(SIGCHLD);
	raise(SIGWINCH);
	raise(SIGURG);
	raise(SIGCONT);
	signal(SIGUSR1, SIG_DFL);
}

static volatile int got_in;

static void on_thread_signal(int sig)
{
	(void)sig;
	got_in = (int)sys0(SYS_gettid);
}

static void *waits_for_signal(void *arg)
{
	int *tid = arg;

	__atomic_store_n(tid, (int)sys0(SYS_gettid), __ATOMIC_SEQ_CST);
	while (got_in == 0)
		usleep(1000);
	return NULL;
}

TEST(thread_signal_hits_the_thread)
{
	int tid = 0;
	pthread_t thread;

	got_in = 0;
	signal(SIGUSR1, on_thread_signal);
	thread = thread_start(waits_for_signal, &tid);
	WAIT_UNTIL(__atomic_load_n(&tid, __ATOMIC_SEQ_CST));
	CHECK_EQ(sys3(SYS_tgkill, getpid(), tid, SIGUSR1), 0);
	thread_join(thread);
	CHECK_EQ(got_in, tid);
	signal(SIGUSR1, SIG_DFL);
}

/* A process signal goes to a thread that takes it. */
TEST(process_signal_finds_an_unblocked_thread)
{
	sigset_t set = set_of(SIGUSR1, 0);
	int tid = 0;
	pthread_t thread;

	got_in = 0;
	signal(SIGUSR1, on_thread_signal);
	thread = thread_start(waits_for_signal, &tid);
	WAIT_UNTIL(__atomic_load_n(&tid, __ATOMIC_SEQ_CST));
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	thread_join(thread);
	/* The watchdog's thread would do as well. */
	CHECK(got_in != 0 && got_in != getpid());
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGUSR1, SIG_DFL);
}

static volatile bool storm_stop;
static volatile long storm_count;

static void on_storm(int sig)
{
	(void)sig;
	__atomic_add_fetch(&storm_count, 1, __ATOMIC_SEQ_CST);
}

static void *storm_main(void *arg)
{
	volatile double x = 1;
	long wrong = 0;

	(void)arg;
	while (!storm_stop) {
		register long s5 __asm__("s5") = 12345;

		for (int i = 0; i < 100; i++)
			x = x * 1.5 / 1.5;
		__asm__ volatile("" : "+r"(s5));
		wrong += x < 0.999 || x > 1.001 || s5 != 12345;
		sched_yield();
	}
	CHECK_EQ(wrong, 0);
	return NULL;
}

TEST(signals_do_not_disturb_the_program)
{
	pthread_t threads[4];

	signal(SIGUSR1, on_storm);
	storm_stop = false;
	storm_count = 0;
	for (int i = 0; i < 4; i++)
		threads[i] = thread_start(storm_main, NULL);
	for (int i = 0; i < 400; i++) {
		pthread_kill(threads[i % 4], SIGUSR1);
		if (i % 8 == 0)
			usleep(200);
	}
	WAIT_UNTIL(storm_count > 0);
	storm_stop = true;
	for (int i = 0; i < 4; i++)
		thread_join(threads[i]);
	signal(SIGUSR1, SIG_DFL);
}

TEST(sigsuspend_waits_under_its_mask)
{
	sigset_t block = set_of(SIGUSR1, SIGUSR2), empty;

	sigemptyset(&empty);
	handle(SIGUSR1, 0, NULL);
	sigprocmask(SIG_BLOCK, &block, NULL);
	raise(SIGUSR1);
	CHECK_EQ(seen[SIGUSR1], 0);
	CHECK(sigsuspend(&empty) == -1 && errno == EINTR);
	CHECK_EQ(seen[SIGUSR1], 1);
	raise(SIGUSR1);
	CHECK_EQ(seen[SIGUSR1], 1); /* blocked again */
	sigprocmask(SIG_UNBLOCK, &block, NULL);
	CHECK_EQ(seen[SIGUSR1], 2);
	signal(SIGUSR1, SIG_DFL);
}

TEST(signal_errors)
{
	static struct sigaction action;
	long gone = (long)page_unmapped(), pid = getpid();
	const struct errno_case cases[] = {
		{"action of 0", SYS_rt_sigaction, {0, 0, 0, 8}, EINVAL},
		{"action of 65", SYS_rt_sigaction, {65, 0, 0, 8}, EINVAL},
		{"action of SIGKILL", SYS_rt_sigaction, {SIGKILL, (long)&action, 0, 8}, EINVAL},
		{"action of SIGKILL, read", SYS_rt_sigaction, {SIGKILL, 0, (long)&action, 8}, 0},
		{"action, size", SYS_rt_sigaction, {SIGUSR1, 0, 0, 4}, EINVAL},
		{"action from nowhere", SYS_rt_sigaction, {SIGUSR1, gone, 0, 8}, EFAULT},
		{"action to nowhere", SYS_rt_sigaction, {SIGUSR1, 0, gone, 8}, EFAULT},
		{"mask, size", SYS_rt_sigprocmask, {SIG_BLOCK, 0, 0, 4}, EINVAL},
		{"mask, how", SYS_rt_sigprocmask, {9, (long)&action, 0, 8}, EINVAL},
		{"mask, how, no set", SYS_rt_sigprocmask, {9, 0, 0, 8}, 0},
		{"mask from nowhere", SYS_rt_sigprocmask, {SIG_BLOCK, gone, 0, 8}, EFAULT},
		{"mask to nowhere", SYS_rt_sigprocmask, {SIG_BLOCK, 0, gone, 8}, EFAULT},
		{"kill 65", SYS_kill, {pid, 65}, EINVAL},
		{"kill -1", SYS_kill, {pid, -1}, EINVAL},
		{"kill nobody", SYS_kill, {0x3fffff, 0}, ESRCH},
		{"kill myself softly", SYS_kill, {pid, 0}, 0},
		{"tgkill 0", SYS_tgkill, {0, 1, 0}, EINVAL},
		{"tgkill -1", SYS_tgkill, {pid, -1, 0}, EINVAL},
		{"tgkill nobody", SYS_tgkill, {pid, 0x3fffff, 0}, ESRCH},
		{"tkill 0", SYS_tkill, {0, 0}, EINVAL},
		{"sigpending, size", SYS_rt_sigpending, {(long)&action, 16}, EINVAL},
		{"sigpending to nowhere", SYS_rt_sigpending, {gone, 8}, EFAULT},
		{"sigsuspend, size", SYS_rt_sigsuspend, {(long)&action, 4}, EINVAL},
		{"sigsuspend nowhere", SYS_rt_sigsuspend, {gone, 8}, EFAULT},
		{"sigtimedwait, size", SYS_rt_sigtimedwait, {(long)&action, 0, 0, 4}, EINVAL},
		{"sigtimedwait nowhere", SYS_rt_sigtimedwait, {gone, 0, 0, 8}, EFAULT},
		{"sigqueue as the kernel", SYS_rt_sigqueueinfo, {1, SIGUSR1, (long)&action}, EPERM},
		{"sigqueue nowhere", SYS_rt_sigqueueinfo, {pid, SIGUSR1, gone}, EFAULT},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
}

/* SIGKILL and SIGSTOP cannot be blocked. */
TEST(mask_leaves_kill_out)
{
	sigset_t all, old, now;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	sigprocmask(SIG_SETMASK, &old, &now);
	CHECK_EQ(sigismember(&now, SIGKILL), 0);
	CHECK_EQ(sigismember(&now, SIGSTOP), 0);
	CHECK_EQ(sigismember(&now, SIGTERM), 1);
}
