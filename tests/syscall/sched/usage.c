/*
 * What was used: processor time in user and system mode, context switches, page faults, and that all who tell agree.
 */
#include "tests/syscall/harness.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>

#define US_PER_SEC 1000000LL

static int64_t us(struct timeval tv)
{
	return tv.tv_sec * US_PER_SEC + tv.tv_usec;
}

static void compute_for(int64_t ns)
{
	int64_t end = now_ns(CLOCK_PROCESS_CPUTIME_ID) + ns;

	do {
		for (volatile int i = 0; i < 200000; i++)
			;
	} while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < end);
}

static void call_for(int64_t ns)
{
	static char buf[65536];
	int64_t end = now_ns(CLOCK_PROCESS_CPUTIME_ID) + ns;
	int fd = open("/dev/zero", O_RDONLY);

	do {
		for (int i = 0; i < 50; i++)
			CHECK_EQ(read(fd, buf, sizeof(buf)), (long)sizeof(buf));
	} while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < end);
	close(fd);
}

#define MIB (1L << 20)

/* Writes to `size` bytes of new memory, and gives them back. */
static void touch(long size)
{
	char *p =
		mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (long i = 0; i < size; i += 4096)
		p[i] = 1;
	munmap(p, (size_t)size);
}

static long peak_of(int who)
{
	struct rusage ru;

	CHECK_EQ(getrusage(who, &ru), 0);
	return ru.ru_maxrss * 1024;
}

static int touch_and_exec(void)
{
	touch(96 * MIB);
	dup2(open("/dev/null", O_WRONLY), 1);
	execl("/proc/self/exe", "self", "no test of this name", NULL);
	return 2;
}

static int check_peaks(void)
{
	CHECK(peak_of(RUSAGE_SELF) < 32 * MIB);
	touch(48 * MIB);
	CHECK(peak_of(RUSAGE_SELF) >= 48 * MIB && peak_of(RUSAGE_SELF) < 80 * MIB);
	CHECK(peak_of(RUSAGE_THREAD) >= 48 * MIB);
	CHECK(proc_value("/proc/self/status", "VmHWM:") >= 48 * 1024);
	CHECK_EQ(peak_of(RUSAGE_CHILDREN), 0);
	/* The peak is the process's: a new program does not begin anew. */
	CHECK_EQ(WEXITSTATUS(child_status(touch_and_exec)), 1);
	CHECK(peak_of(RUSAGE_CHILDREN) >= 96 * MIB && peak_of(RUSAGE_CHILDREN) < 128 * MIB);
	CHECK(peak_of(RUSAGE_SELF) < 80 * MIB);
	return 0;
}

TEST(the_most_memory_ever_used)
{
	CHECK_EQ(child_status(check_peaks), 0);
}

TEST(computing_is_user_time)
{
	struct rusage before, after;
	int64_t user, system;

	getrusage(RUSAGE_SELF, &before);
	compute_for(400 * NS_PER_MS);
	getrusage(RUSAGE_SELF, &after);
	user = us(after.ru_utime) - us(before.ru_utime);
	system = us(after.ru_stime) - us(before.ru_stime);
	CHECK(user > 320000);
	CHECK(system < 80000);
}

TEST(calling_is_system_time)
{
	struct rusage before, after;
	int64_t user, system;

	getrusage(RUSAGE_SELF, &before);
	call_for(400 * NS_PER_MS);
	getrusage(RUSAGE_SELF, &after);
	user = us(after.ru_utime) - us(before.ru_utime);
	system = us(after.ru_stime) - us(before.ru_stime);
	if (!CHECK(system > 200000) || !CHECK(user < 200000))
		printf("# user %ld system %ld us\n", (long)user, (long)system);
}

TEST(all_clocks_agree)
{
	int64_t process, thread, calls, used;
	struct rusage ru;
	struct tms tms;
	long hz = sysconf(_SC_CLK_TCK);

	compute_for(100 * NS_PER_MS);
	process = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	thread = now_ns(CLOCK_THREAD_CPUTIME_ID);
	getrusage(RUSAGE_SELF, &ru);
	used = (us(ru.ru_utime) + us(ru.ru_stime)) * 1000;
	times(&tms);
	calls = (tms.tms_utime + tms.tms_stime) * (NS_PER_SEC / hz);
	CHECK(thread <= process + NS_PER_MS);
	CHECK(used > process - 10 * NS_PER_MS && used < process + 40 * NS_PER_MS);
	CHECK(calls > process - 40 * NS_PER_MS && calls < process + 40 * NS_PER_MS);
}

static void *compute_thread(void *arg)
{
	compute_for(50 * NS_PER_MS);
	return arg;
}

TEST(clocks_never_run_backwards)
{
	pthread_t threads[3];
	int64_t last[3] = {0};

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, compute_thread, NULL);
	for (int i = 0; i < 20000; i++) {
		struct rusage ru;
		int64_t now[3];

		getrusage(RUSAGE_SELF, &ru);
		now[0] = us(ru.ru_utime);
		now[1] = us(ru.ru_stime);
		now[2] = now_ns(CLOCK_PROCESS_CPUTIME_ID);
		for (int k = 0; k < 3; k++) {
			if (!CHECK(now[k] >= last[k]))
				printf("# clock %d: %ld after %ld\n", k, (long)now[k], (long)last[k]);
			last[k] = now[k];
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
}

TEST(a_thread_counts_its_own)
{
	struct rusage self, thread;
	pthread_t t;

	pthread_create(&t, NULL, compute_thread, NULL);
	pthread_join(t, NULL);
	getrusage(RUSAGE_THREAD, &thread);
	getrusage(RUSAGE_SELF, &self);
	CHECK(us(self.ru_utime) + us(self.ru_stime) >=
	      us(thread.ru_utime) + us(thread.ru_stime) + 45000);
}

TEST(wait4_tells_what_the_child_and_its_children_used)
{
	struct rusage ru, children;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		pid_t grandchild = fork();

		if (grandchild == 0) {
			compute_for(60 * NS_PER_MS);
			_exit(0);
		}
		waitpid(grandchild, &status, 0);
		compute_for(60 * NS_PER_MS);
		_exit(0);
	}
	CHECK_EQ(wait4(pid, &status, 0, &ru), pid);
	CHECK(us(ru.ru_utime) + us(ru.ru_stime) >= 110000);
	CHECK(ru.ru_minflt > 0);
	getrusage(RUSAGE_CHILDREN, &children);
	CHECK(us(children.ru_utime) >= us(ru.ru_utime));
	CHECK(children.ru_minflt >= ru.ru_minflt);
}

TEST(sleeping_is_a_voluntary_switch)
{
	struct rusage before, after;

	getrusage(RUSAGE_THREAD, &before);
	for (int i = 0; i < 20; i++)
		sleep_ms(1);
	getrusage(RUSAGE_THREAD, &after);
	CHECK(after.ru_nvcsw - before.ru_nvcsw >= 20);
	CHECK(after.ru_nvcsw - before.ru_nvcsw < 60);
}

static bool rival_stop;

static void *rival(void *arg)
{
	while (!__atomic_load_n(&rival_stop, __ATOMIC_RELAXED))
		;
	return arg;
}

TEST(losing_the_hart_is_an_involuntary_switch)
{
	struct rusage before, after;
	cpu_set_t all, one;
	pthread_t t;

	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	rival_stop = false;
	pthread_create(&t, NULL, rival, NULL);
	getrusage(RUSAGE_THREAD, &before);
	compute_for(100 * NS_PER_MS);
	getrusage(RUSAGE_THREAD, &after);
	CHECK(after.ru_nivcsw > before.ru_nivcsw);
	__atomic_store_n(&rival_stop, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	sched_setaffinity(0, sizeof(all), &all);
}

TEST(page_faults_are_counted)
{
	size_t pages = 1000, page = (size_t)sysconf(_SC_PAGESIZE);
	struct rusage before, after;
	char *map;

	getrusage(RUSAGE_SELF, &before);
	map = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = pages; i-- > 0;)
		map[i * page] = 1;
	getrusage(RUSAGE_SELF, &after);
	munmap(map, pages * page);
	CHECK(after.ru_minflt > before.ru_minflt);
	CHECK(after.ru_minflt - before.ru_minflt <= (long)pages + 20);
	CHECK_EQ(after.ru_majflt, before.ru_majflt);
}

static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, size - 1);

	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n > 0;
}

TEST(proc_stat_of_a_process_agrees)
{
	unsigned long minflt, utime, stime;
	long priority, nice;
	char text[1024];
	struct rusage ru;
	const char *rest;

	compute_for(50 * NS_PER_MS);
	CHECK(read_text("/proc/self/stat", text, sizeof(text)));
	getrusage(RUSAGE_SELF, &ru);
	rest = strrchr(text, ')');
	if (!CHECK(rest != NULL))
		return;
	CHECK_EQ(sscanf(rest + 2,
			"%*c %*d %*d %*d %*d %*d %*u %lu %*u %*u %*u %lu %lu %*d %*d %ld %ld",
			&minflt, &utime, &stime, &priority, &nice),
		 5);
	CHECK(minflt > 0 && minflt <= (unsigned long)ru.ru_minflt);
	CHECK((int64_t)(utime + stime) * 10000 <= us(ru.ru_utime) + us(ru.ru_stime) + 20000);
	CHECK((int64_t)(utime + stime) * 10000 >= us(ru.ru_utime) + us(ru.ru_stime) - 40000);
	CHECK_EQ(priority, 20);
	CHECK_EQ(nice, 0);
}

/* User, system and idle time of all harts, in clock ticks. */
static bool cpu_line(unsigned long out[3])
{
	char text[4096];

	return read_text("/proc/stat", text, sizeof(text)) &&
	       sscanf(text, "cpu %lu %*u %lu %lu", &out[0], &out[1], &out[2]) == 3;
}

TEST(proc_stat_counts_what_harts_did)
{
	unsigned long before[3], after[3];

	if (!CHECK(cpu_line(before)))
		return;
	compute_for(300 * NS_PER_MS);
	sleep_ms(200);
	if (!CHECK(cpu_line(after)))
		return;
	CHECK(after[0] - before[0] >=
	      10); /* of 30: ticks get lost where the host has no core for the guest */
	CHECK(after[2] > before[2]);
}
