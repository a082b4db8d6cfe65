/*
 * Resources taken until there are no more: the one who takes them fails with the right error or
 * dies, everybody else lives on, and when it is gone the memory is back.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "tests/syscall/harness.h"

#define PAGE	     4096UL
#define MIB	     (1UL << 20)
#define NR_THREADS   10000
#define NR_FILES     100000
#define NR_CHILDREN  60
#define THREAD_STACK (16UL << 10)

static long meminfo(const char *name)
{
	return proc_value("/proc/meminfo", name);
}

/*
 * Runs `fn` in a child and returns its wait status; free memory must be back to within 1% of all
 * memory.
 */
static int run_child(int (*fn)(void))
{
	long free_before = meminfo("MemAvailable:"), slack = meminfo("MemTotal:") / 100;
	int status = child_status(fn);

	WAIT_UNTIL(meminfo("MemAvailable:") > free_before - slack);
	return status;
}

static int take_all_memory(void)
{
	for (;;) {
		char *p = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (p == MAP_FAILED)
			return errno == ENOMEM ? 1 : 2;
		for (size_t i = 0; i < 16 * MIB; i += PAGE)
			p[i] = 1;
	}
}

TEST(one_process_takes_all_memory)
{
	int status = run_child(take_all_memory);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void *take_memory_thread(void *unused)
{
	(void)unused;
	take_all_memory();
	return NULL;
}

static int take_all_memory_together(void)
{
	for (int i = 0; i < 7; i++)
		thread_start(take_memory_thread, NULL);
	return take_all_memory();
}

TEST(many_threads_take_all_memory)
{
	int status = run_child(take_all_memory_together);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* The kernel, not the program itself, touches the memory. */
static int read_into_all_memory(void)
{
	int zero = open("/dev/zero", O_RDONLY);

	for (;;) {
		char *p = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (p == MAP_FAILED)
			return 1;
		if (read(zero, p, 16 * MIB) < 0)
			return errno == EFAULT ? 3 : 2;
	}
}

TEST(system_calls_take_all_memory)
{
	int status = run_child(read_into_all_memory);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST(a_bystander_survives_an_exhausted_memory)
{
	int pipes[2], status;
	char byte = 0;
	pid_t pid;

	CHECK_EQ(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		close(pipes[1]);
		_exit(read(pipes[0], &byte, 1) == 1 ? byte : 1);
	}
	close(pipes[0]);
	run_child(take_all_memory);
	byte = 7;
	CHECK_EQ(write(pipes[1], &byte, 1), 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	close(pipes[1]);
}

/* Writes to the caller's own oom_score_adj: 0 or -errno. */
static long adjust(const char *text)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);
	long n = sys3(SYS_write, fd, text, strlen(text));

	close(fd);
	return n < 0 ? n : 0;
}

static long proc_self_number(const char *name)
{
	char path[64];
	long value = -9999;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	f = fopen(path, "r");
	if (f) {
		CHECK_EQ(fscanf(f, "%ld", &value), 1);
		fclose(f);
	}
	return value;
}

static int check_adjustment(void)
{
	long before = proc_self_number("oom_score");

	CHECK_EQ(proc_self_number("oom_score_adj"), 0);
	CHECK_EQ(adjust("1001"), -EINVAL);
	CHECK_EQ(adjust("-1001"), -EINVAL);
	CHECK_EQ(adjust("x"), -EINVAL);
	CHECK_EQ(adjust("500\n"), 0);
	CHECK_EQ(proc_self_number("oom_score_adj"), 500);
	CHECK(proc_self_number("oom_score") >= before + 300);
	CHECK_EQ(adjust("-1000"), 0);
	CHECK_EQ(proc_self_number("oom_score"), 0);
	return 0;
}

TEST(oom_score_adj_is_kept)
{
	CHECK_EQ(run_child(check_adjustment), 0);
}

TEST(oom_score_adj_names_the_victim)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	CHECK_EQ(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		adjust("1000");
		CHECK_EQ(write(ready[1], "x", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	run_child(take_all_memory);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static int fill_file_system(void)
{
	static char block[256 << 10];
	int fd = open("/tmp/full", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct statfs st;
	int step = 0;
	ssize_t n;

	if (fd < 0)
		return 1;
	memset(block, 1, sizeof(block));
	while ((n = write(fd, block, sizeof(block))) > 0)
		;
	if (n == 0 || errno != ENOSPC)
		step = 2;
	else if (statfs("/tmp", &st) || st.f_bfree > st.f_blocks / 1000)
		step = 3;
	else if (pread(fd, block, sizeof(block), 0) != sizeof(block) || block[5] != 1)
		step = 4;
	if (ftruncate(fd, 0) || unlink("/tmp/full"))
		step = 5;
	close(fd);
	return step;
}

TEST(a_full_file_system)
{
	struct statfs before, after;
	int status;

	mkdir("/tmp", 0777);
	CHECK_EQ(statfs("/tmp", &before), 0);
	if (before.f_blocks == 0) {
		test_skip("the root file system has no limit");
		return;
	}
	status = run_child(fill_file_system);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
	CHECK_EQ(statfs("/tmp", &after), 0);
	CHECK_EQ(after.f_blocks, before.f_blocks);
	WAIT_UNTIL(statfs("/tmp", &after) == 0 && after.f_bfree + 512 > before.f_bfree);
}

#define LARGE_MIB 1024L /* of a guest with twice that */

/* What a whole MiB of the large file begins with. */
static void check_mark(const long *words, long i)
{
	CHECK_EQ(words[0], i + 1);
	CHECK_EQ(words[MIB / sizeof(long) - 1], 0);
}

static int keep_large_file(void)
{
	int fd = open("/large/file", O_RDWR | O_CREAT | O_EXCL, 0600);
	long *block = calloc(1, MIB);
	char *map;

	for (long i = 0; i < LARGE_MIB; i++) {
		block[0] = i + 1;
		if (!CHECK_EQ(write(fd, block, MIB), MIB))
			return 1;
	}
	map = mmap(NULL, LARGE_MIB * MIB, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	for (long i = 0; i < LARGE_MIB; i += 32) {
		CHECK_EQ(pread(fd, block, MIB, i * MIB), MIB);
		check_mark(block, i);
		check_mark((const long *)(map + i * MIB), i);
	}
	/* There is not as much room again. */
	errno = 0;
	while (write(fd, block, MIB) > 0)
		;
	CHECK_EQ(errno, ENOSPC);
	return 0;
}

/* The file outlives the process that made it, and goes with its file system. */
static int large_file(void)
{
	CHECK_EQ(mkdir("/large", 0700), 0);
	CHECK_EQ(mount("none", "/large", "tmpfs", 0, "size=1200m"), 0);
	CHECK_EQ(child_status(keep_large_file), 0);
	CHECK_EQ(umount("/large"), 0);
	CHECK_EQ(rmdir("/large"), 0);
	return 0;
}

TEST(a_file_of_half_the_memory)
{
	CHECK_EQ(run_child(large_file), 0);
}

static void *wait_for_end(void *gate)
{
	sys6(SYS_futex, gate, 128, 0, 0, 0, 0);
	return NULL;
}

static int make_threads(void)
{
	char *stacks = mmap(NULL, NR_THREADS * THREAD_STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	pthread_t *threads = malloc(NR_THREADS * sizeof(*threads));
	static uint32_t gate;
	pthread_attr_t attr;
	int made;

	pthread_attr_init(&attr);
	for (made = 0; made < NR_THREADS; made++) {
		pthread_attr_setstack(&attr, stacks + made * THREAD_STACK, THREAD_STACK);
		if (pthread_create(&threads[made], &attr, wait_for_end, &gate))
			break;
	}
	__atomic_store_n(&gate, 1, __ATOMIC_SEQ_CST);
	sys6(SYS_futex, &gate, 129, INT32_MAX, 0, 0, 0);
	for (int i = 0; i < made; i++)
		pthread_join(threads[i], NULL);
	return made == NR_THREADS ? 0 : 1;
}

TEST(ten_thousand_threads)
{
	int status = run_child(make_threads);

	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

static int open_files(void)
{
	struct rlimit limit = {NR_FILES, NR_FILES};
	int fd, last = -1;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		return 1;
	while ((fd = open("/", O_RDONLY | O_DIRECTORY)) >= 0)
		last = fd;
	if (errno != EMFILE || last != NR_FILES - 1)
		return 2;
	return 0;
}

TEST(a_hundred_thousand_descriptors)
{
	int status = run_child(open_files);

	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

/* Children that do the same until the limit is reached, as a user who is not above it. */
static int fork_bomb(void)
{
	struct rlimit limit = {NR_CHILDREN, NR_CHILDREN};
	pid_t group = getpid();

	if (sys3(SYS_setresuid, 1000, 1000, 1000))
		return 3;
	if (setpgid(0, 0) || setrlimit(RLIMIT_NPROC, &limit))
		return 1;
	for (;;) {
		pid_t pid = fork();

		if (pid < 0) {
			if (errno != EAGAIN)
				return 2;
			if (getpid() == group)
				break;
			sleep_ms(20);
		}
	}
	return 0;
}

TEST(a_fork_bomb_under_a_limit)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fork_bomb());
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	kill(-pid, SIGKILL);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}
