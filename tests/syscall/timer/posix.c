/*
 * POSIX timers: clocks, notification, overrun, what is left.
 */
#include "tests/syscall/timer/timer.h"

#include <fcntl.h>
#include <sys/wait.h>

static int create(clockid_t clock, int notify, int sig, timer_t *id)
{
	struct sigevent event = {
		.sigev_notify = notify, .sigev_signo = sig, .sigev_value.sival_int = 77};

	return timer_create(clock, &event, id);
}

static int set(timer_t id, int flags, int64_t value, int64_t interval)
{
	struct itimerspec s = {.it_value = timespec_of(value), .it_interval = timespec_of(interval)};

	return timer_settime(id, flags, &s, NULL);
}

TEST(a_timer_sends_its_signal)
{
	struct itimerspec now;
	siginfo_t info;
	timer_t id;

	block(SIGUSR1);
	CHECK_EQ(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, &id), 0);
	CHECK_EQ(set(id, 0, 100 * NS_PER_SEC, 0), 0);
	CHECK_EQ(timer_gettime(id, &now), 0);
	CHECK(now.it_value.tv_sec > 0 && now.it_value.tv_sec <= 100);
	CHECK_EQ(set(id, 0, 20 * NS_PER_MS, 0), 0);
	CHECK_EQ(take(SIGUSR1, 5 * NS_PER_SEC, &info), SIGUSR1);
	CHECK_EQ(info.si_code, SI_TIMER);
	CHECK_EQ(info.si_value.sival_int, 77);
	CHECK_EQ(info.si_overrun, 0);
	CHECK_EQ(timer_getoverrun(id), 0);
	CHECK_EQ(timer_gettime(id, &now), 0);
	CHECK_EQ(now.it_value.tv_nsec, 0);
	CHECK_EQ(timer_delete(id), 0);
	CHECK_EQ(sys1(SYS_timer_delete, (long)id), -EINVAL);
}

TEST(periods_without_a_signal_are_overrun)
{
	int64_t start = now_ns(CLOCK_MONOTONIC);
	struct itimerspec now;
	siginfo_t info;
	timer_t id;

	CHECK_EQ(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, &id), 0);
	CHECK_EQ(set(id, 0, 10 * NS_PER_MS, 10 * NS_PER_MS), 0);
	sleep_ms(75);
	CHECK_EQ(timer_gettime(id, &now), 0);
	CHECK(now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 10 * NS_PER_MS);
	CHECK_EQ(take(SIGUSR1, 0, &info), SIGUSR1);
	CHECK(info.si_overrun >= 5 &&
	      info.si_overrun <= (now_ns(CLOCK_MONOTONIC) - start) / (10 * NS_PER_MS));
	CHECK_EQ(timer_getoverrun(id), info.si_overrun);
	CHECK_EQ(take(SIGUSR1, 5 * NS_PER_SEC, &info), SIGUSR1);
	CHECK_EQ(timer_delete(id), 0);
	CHECK_EQ(take(SIGUSR1, 30 * NS_PER_MS, &info), -1);
}

TEST(real_time_signals_of_timers_do_not_pile_up)
{
	siginfo_t info;
	timer_t id;

	block(SIGRTMIN);
	CHECK_EQ(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, &id), 0);
	CHECK_EQ(set(id, 0, NS_PER_MS, NS_PER_MS), 0);
	sleep_ms(20);
	CHECK_EQ(set(id, 0, 0, 0), 0);
	CHECK_EQ(take(SIGRTMIN, 0, &info), SIGRTMIN);
	CHECK_EQ(take(SIGRTMIN, 0, &info), -1);
	CHECK_EQ(timer_delete(id), 0);
}

TEST(a_timer_may_name_a_thread)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	siginfo_t info;
	timer_t id;

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &id), 0);
	CHECK_EQ(set(id, 0, NS_PER_MS, 0), 0);
	CHECK_EQ(take(SIGUSR1, 5 * NS_PER_SEC, &info), SIGUSR1);
	CHECK_EQ(timer_delete(id), 0);
	event._sigev_un._tid = 1;
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &id), -1);
	CHECK_EQ(errno, EINVAL);
}

static int called;

static void call(union sigval value)
{
	__atomic_store_n(&called, value.sival_int, __ATOMIC_RELEASE);
}

TEST(the_library_calls_functions)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD,
				 .sigev_value.sival_int = 5,
				 .sigev_notify_function = call};
	timer_t id;

	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &id), 0);
	CHECK_EQ(set(id, 0, NS_PER_MS, 0), 0);
	WAIT_UNTIL(__atomic_load_n(&called, __ATOMIC_ACQUIRE) == 5);
	CHECK_EQ(timer_delete(id), 0);
}

TEST(silent_timers_are_read)
{
	struct itimerspec now;
	timer_t id;

	CHECK_EQ(create(CLOCK_MONOTONIC, SIGEV_NONE, 0, &id), 0);
	CHECK_EQ(set(id, 0, NS_PER_MS, 0), 0);
	sleep_ms(5);
	CHECK_EQ(timer_gettime(id, &now), 0);
	CHECK_EQ(now.it_value.tv_nsec, 0);
	CHECK_EQ(set(id, 0, NS_PER_MS, 5 * NS_PER_MS), 0);
	sleep_ms(20);
	CHECK_EQ(timer_gettime(id, &now), 0);
	CHECK(now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 5 * NS_PER_MS);
	CHECK_EQ(timer_delete(id), 0);
}

static const clockid_t wall_clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};

TEST(absolute_times_on_all_clocks)
{
	siginfo_t info;
	timer_t id;

	for (size_t i = 0; i < ARRAY_SIZE(wall_clocks); i++) {
		int64_t start = now_ns(CLOCK_MONOTONIC);

		CHECK_EQ(create(wall_clocks[i], SIGEV_SIGNAL, SIGUSR1, &id), 0);
		CHECK_EQ(set(id, TIMER_ABSTIME, now_ns(wall_clocks[i]) + 20 * NS_PER_MS, 0), 0);
		CHECK_EQ(take(SIGUSR1, 5 * NS_PER_SEC, &info), SIGUSR1);
		CHECK(now_ns(CLOCK_MONOTONIC) - start >= 19 * NS_PER_MS);
		/* A time that has passed. */
		CHECK_EQ(set(id, TIMER_ABSTIME, 1, 0), 0);
		CHECK_EQ(take(SIGUSR1, 5 * NS_PER_SEC, &info), SIGUSR1);
		CHECK_EQ(timer_delete(id), 0);
	}
}

TEST(cpu_clocks_have_timers)
{
	const clockid_t clocks[] = {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
	siginfo_t info;
	timer_t id;

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		CHECK_EQ(create(clocks[i], SIGEV_SIGNAL, SIGUSR1, &id), 0);
		CHECK_EQ(set(id, 0, 30 * NS_PER_MS, 0), 0);
		CHECK_EQ(take(SIGUSR1, 60 * NS_PER_MS, &info), -1);
		burn(80 * NS_PER_MS);
		CHECK_EQ(take(SIGUSR1, 0, &info), SIGUSR1);
		CHECK_EQ(info.si_code, SI_TIMER);
		CHECK_EQ(timer_delete(id), 0);
	}
}

TEST(timers_end_with_the_program)
{
	int status;
	timer_t id;

	CHECK_EQ(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, &id), 0);
	if (fork() == 0)
		_exit(sys1(SYS_timer_delete, (long)id) == -EINVAL ? 0 : 1);
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(timer_delete(id), 0);
}

TEST(many_timers)
{
	enum { N = 300 };
	static timer_t ids[N];
	siginfo_t info;

	for (int i = 0; i < N; i++)
		CHECK_EQ(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, &ids[i]), 0);
	for (int i = 0; i < N; i++)
		CHECK_EQ(set(ids[i], 0, NS_PER_MS, 0), 0);
	for (int i = 0; i < N; i++)
		CHECK_EQ(take(SIGRTMIN, 5 * NS_PER_SEC, &info), SIGRTMIN);
	for (int i = 0; i < N; i++)
		CHECK_EQ(timer_delete(ids[i]), 0);
}

TEST(posix_timer_errors)
{
	struct sigevent bad_notify = {.sigev_notify = 9, .sigev_signo = SIGUSR1};
	struct sigevent bad_signal = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
	struct sigevent no_signal = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 0};
	struct itimerspec good = {0}, bad = {.it_value.tv_nsec = NS_PER_SEC};
	char *nothing = page_unmapped();
	int id;
	struct errno_case cases[] = {
		{"clock", SYS_timer_create, {99, 0, (long)&id}, EINVAL},
		{"coarse clock", SYS_timer_create, {CLOCK_REALTIME_COARSE, 0, (long)&id}, EOPNOTSUPP},
		{"raw clock", SYS_timer_create, {CLOCK_MONOTONIC_RAW, 0, (long)&id}, EOPNOTSUPP},
		{"event", SYS_timer_create, {0, (long)nothing, (long)&id}, EFAULT},
		{"clock and event", SYS_timer_create, {99, (long)nothing, (long)&id}, EFAULT},
		{"notify", SYS_timer_create, {0, (long)&bad_notify, (long)&id}, EINVAL},
		{"coarse, notify",
		 SYS_timer_create,
		 {CLOCK_REALTIME_COARSE, (long)&bad_notify, (long)&id},
		 EOPNOTSUPP},
		{"signal", SYS_timer_create, {0, (long)&bad_signal, (long)&id}, EINVAL},
		{"no signal", SYS_timer_create, {0, (long)&no_signal, (long)&id}, EINVAL},
		{"id", SYS_timer_create, {0, 0, (long)nothing}, EFAULT},
		{"get, none", SYS_timer_gettime, {999, (long)&good}, EINVAL},
		{"get, negative", SYS_timer_gettime, {-1, (long)&good}, EINVAL},
		{"set, none", SYS_timer_settime, {999, 0, (long)&good, 0}, EINVAL},
		{"set, null", SYS_timer_settime, {999, 0, 0, 0}, EINVAL},
		{"set, address", SYS_timer_settime, {999, 0, (long)nothing, 0}, EFAULT},
		{"set, time", SYS_timer_settime, {999, 0, (long)&bad, 0}, EINVAL},
		{"overrun, none", SYS_timer_getoverrun, {999}, EINVAL},
		{"delete, none", SYS_timer_delete, {999}, EINVAL},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
}

static long slurp(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, size - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

/* In a child, whose numbers begin anew. */
static int timers_listed(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
				 .sigev_signo = SIGRTMIN,
				 .sigev_value.sival_ptr = (void *)0x123456789aUL};
	char text[1024], wanted[1024];
	int pid = getpid();
	timer_t id;

	CHECK_EQ(slurp("/proc/self/timers", text, sizeof(text)), 0);
	event._sigev_un._tid = pid;
	CHECK_EQ(sys3(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), 0);
	CHECK_EQ(sys3(SYS_timer_create, CLOCK_BOOTTIME, 0, &id), 0);
	event.sigev_notify = SIGEV_NONE;
	event.sigev_signo = 0;
	CHECK_EQ(sys3(SYS_timer_create, CLOCK_PROCESS_CPUTIME_ID, &event, &id), 0);
	event.sigev_notify = SIGEV_THREAD;
	event.sigev_signo = SIGUSR2;
	CHECK_EQ(sys3(SYS_timer_create, CLOCK_REALTIME, &event, &id), 0);
	CHECK(slurp("/proc/self/timers", text, sizeof(text)) > 0);
	snprintf(wanted, sizeof(wanted),
		 "ID: 3\nsignal: 12/000000123456789a\nnotify: thread/pid.%d\nClockID: 0\n"
		 "ID: 2\nsignal: 0/000000123456789a\nnotify: none/pid.%d\nClockID: -6\n"
		 "ID: 1\nsignal: 14/0000000000000001\nnotify: signal/pid.%d\nClockID: 7\n"
		 "ID: 0\nsignal: %d/000000123456789a\nnotify: signal/tid.%d\nClockID: 1\n",
		 pid, pid, pid, SIGRTMIN, pid);
	if (!CHECK(!strcmp(text, wanted)))
		fprintf(stderr, "%s", text);
	CHECK_EQ(sys1(SYS_timer_delete, 2), 0);
	CHECK(slurp("/proc/self/timers", text, sizeof(text)) > 0);
	CHECK(!strstr(text, "ID: 2\n"));
	snprintf(text, sizeof(text), "/proc/self/task/%d/timers", pid);
	CHECK_EQ(open(text, O_RDONLY), -1);
	CHECK_EQ(errno, ENOENT);
	return 0;
}

TEST(timers_are_listed)
{
	CHECK_EQ(child_status(timers_listed), 0);
}

static int many_listed(void)
{
	static char text[256 << 10];
	timer_t id;
	int fd, nr = 0;
	long n, length = 0;

	while (nr < 2000 && sys3(SYS_timer_create, CLOCK_MONOTONIC, 0, &id) == 0)
		nr++;
	CHECK_EQ(nr, 2000);
	fd = open("/proc/self/timers", O_RDONLY);
	while ((n = read(fd, text + length, sizeof(text) - 1 - (size_t)length)) > 0)
		length += n;
	close(fd);
	for (const char *at = text; (at = strstr(at, "ClockID: 1\n")) != NULL; at++)
		nr--;
	CHECK_EQ(nr, 0);
	return 0;
}

TEST(many_timers_are_listed)
{
	CHECK_EQ(child_status(many_listed), 0);
}
