#include "tests/syscall/harness.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define WATCHDOG_S 240

static struct test *first_test, **last_test = &first_test;
static bool failed, skipped; /* of the running test */
static const char *running = "";
static long rounds_factor = 1;

void test_register(struct test *test)
{
	*last_test = test;
	last_test = &test->next;
}

void test_fail(const char *file, int line, const char *what)
{
	__atomic_store_n(&failed, true, __ATOMIC_RELAXED);
	printf("# %s:%d: %s\n", file, line, what);
}

void test_fail_eq(const char *file, int line, const char *what, long got, long wanted)
{
	__atomic_store_n(&failed, true, __ATOMIC_RELAXED);
	printf("# %s:%d: %s is %ld (%#lx), not %ld (%#lx)\n", file, line, what, got,
	       (unsigned long)got, wanted, (unsigned long)wanted);
}

long test_rounds(long count)
{
	return count * rounds_factor;
}

void test_skip(const char *reason)
{
	skipped = true;
	printf("# skipped: %s\n", reason);
}

long sys_call(long nr, const long args[6])
{
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = args[0];
	register long a1 __asm__("a1") = args[1];
	register long a2 __asm__("a2") = args[2];
	register long a3 __asm__("a3") = args[3];
	register long a4 __asm__("a4") = args[4];
	register long a5 __asm__("a5") = args[5];

	__asm__ volatile("ecall"
			 : "+r"(a0)
			 : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7)
			 : "memory");
	return a0;
}

void check_errno_cases(const struct errno_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		long ret = sys_call(cases[i].nr, cases[i].args);
		int error = ret < 0 && ret > -4096 ? (int)-ret : 0;

		if (error != cases[i].error)
			test_fail_eq(cases[i].name, (int)i, "errno", error, cases[i].error);
	}
}

int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

void sleep_ms(long ms)
{
	struct timespec ts = timespec_of(ms * NS_PER_MS);

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

pthread_t thread_start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;
	int ret = pthread_create(&thread, NULL, fn, arg);

	if (ret) {
		printf("Bail out! pthread_create: %s\n", strerror(ret));
		_exit(1);
	}
	return thread;
}

void thread_join(pthread_t thread)
{
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

int child_status(int (*body)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		int ret;

		failed = false;
		ret = body();
		_exit(failed ? CHILD_FAILED : ret);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

static char *page_map(int prot)
{
	char *page = mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED) {
		printf("Bail out! mmap: %m\n");
		_exit(1);
	}
	return page;
}

long proc_value(const char *file, const char *key)
{
	char line[256];
	long number = -1;
	FILE *f = fopen(file, "r");

	if (!CHECK(f))
		return -1;
	while (number < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			number = atol(line + strlen(key));
	fclose(f);
	return number;
}

/* Whom the file `stat` is about sleeps in the kernel. */
static bool stat_sleeps(const char *path)
{
	char line[512] = "", *state;
	FILE *f = fopen(path, "r");

	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	state = strrchr(line, ')');
	return state && state[1] == ' ' && state[2] == 'S';
}

bool thread_sleeps(pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	return stat_sleeps(path);
}

bool process_sleeps(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return stat_sleeps(path);
}

char *page_unmapped(void)
{
	static char *page;

	if (!page) {
		/* A hole inside a mapping, which no later mmap fills: addresses are given out from above. */
		page = mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		page += 4096;
		munmap(page, 4096);
	}
	munmap(page, 4096);
	return page;
}

char *page_no_access(void)
{
	static char *page;

	if (!page)
		page = page_map(PROT_NONE);
	return page;
}

char *page_read_only(void)
{
	static char *page;

	if (!page) {
		page = page_map(PROT_READ | PROT_WRITE);
		page[0] = 0;
		mprotect(page, 4096, PROT_READ);
	}
	return page;
}

static void *watchdog(void *arg)
{
	(void)arg;
	sleep_ms(WATCHDOG_S * 1000L * rounds_factor);
	printf("Bail out! %s: no end after %ld s\n", running, WATCHDOG_S * rounds_factor);
	_exit(1);
}

int main(int argc, char **argv)
{
	const char *wanted = argc > 1 ? argv[1] : "";
	int count = 0, failures = 0;
	sigset_t all, old;

	if (argc > 2)
		rounds_factor = strtol(argv[2], NULL, 10);
	/* Signals to the process are for the tests: the watchdog takes none. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	pthread_detach(thread_start(watchdog, NULL));
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n");
	for (struct test *t = first_test; t; t = t->next) {
		if (!strstr(t->name, wanted))
			continue;
		failed = skipped = false;
		running = t->name;
		t->run();
		failures += failed;
		printf("%sok %d %s%s\n", failed ? "not " : "", ++count, t->name,
		       skipped ? " # SKIP" : "");
	}
	printf("1..%d\n", count);
	return failures != 0 || count == 0;
}
