/*
 * /dev/kmsg and syslog(2): the kernel's log.
 */
#include "tests/syscall/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define CLEAR	      5
#define READ_ALL      3
#define READ_CLEAR    4
#define CONSOLE_LEVEL 8
#define SIZE_UNREAD   9
#define SIZE_BUFFER   10

/* The newline ends the record: Linux keeps one without it open for more, and shows it when the next one comes. */
static void log_text(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY);

	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Reads on until a record contains `text`: its bytes in `buf`, or -1. */
static int find_record(int fd, const char *text, char *buf, size_t size)
{
	for (;;) {
		ssize_t n = read(fd, buf, size - 1);

		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			return -1;
		buf[n] = '\0';
		if (strstr(buf, text))
			return (int)n;
	}
}

TEST(kmsg_gives_records)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK), n;
	char buf[2048];
	unsigned priority;
	unsigned long number, next, us;
	struct stat st;

	CHECK(fd >= 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(S_ISCHR(st.st_mode));
	CHECK_EQ(st.st_rdev, makedev(1, 11));
	CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
	log_text("<14>first \x01 \\ line\n");
	log_text("without a priority\n");
	log_text("<3>not from the kernel\n");
	n = find_record(fd, "first", buf, sizeof(buf));
	CHECK(n > 0);
	CHECK_EQ(sscanf(buf, "%u,%lu,%lu,", &priority, &number, &us), 3);
	CHECK_EQ(priority, 14);
	CHECK(strstr(buf, ";first \\x01 \\x5c line\n") != NULL);
	CHECK_EQ(strchr(buf, '\n') - buf, n - 1);
	CHECK(find_record(fd, "without", buf, sizeof(buf)) > 0);
	CHECK_EQ(sscanf(buf, "%u,%lu,", &priority, &next), 2);
	CHECK_EQ(priority, 12);
	CHECK(next > number);
	CHECK(find_record(fd, "not from", buf, sizeof(buf)) > 0);
	CHECK_EQ(sscanf(buf, "%u,", &priority), 1);
	CHECK_EQ(priority, 11);
	close(fd);
}

TEST(kmsg_positions_and_errors)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	struct pollfd p = {.events = POLLIN};
	char buf[2048];

	p.fd = fd;
	log_text("<14>before the end\n");
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(read(fd, buf, 1), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK(read(fd, buf, sizeof(buf)) > 10);
	CHECK_EQ(lseek(fd, 1, SEEK_SET), -1);
	CHECK_EQ(errno, ESPIPE);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
	CHECK_EQ(find_record(fd, "before the end", buf, sizeof(buf)), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(write(fd, "x", 1), -1);
	CHECK_EQ(errno, EBADF);
	close(fd);
}

static void *write_later(void *arg)
{
	sleep_ms(20);
	log_text("<14>news\n");
	return arg;
}

/* Readers and pollers hear of a record that comes while they sleep. */
TEST(kmsg_waits_for_records)
{
	int fd = open("/dev/kmsg", O_RDONLY);
	char buf[2048];

	for (int i = 0; i < 2; i++) {
		pthread_t thread;

		CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
		thread = thread_start(write_later, NULL);
		if (i) {
			struct pollfd p = {.fd = fd, .events = POLLIN};

			CHECK_EQ(poll(&p, 1, 10000), 1);
		}
		CHECK(find_record(fd, "news", buf, sizeof(buf)) > 0);
		thread_join(thread);
	}
	close(fd);
}

static int kmsg_waited_at;

static void *kmsg_wait_for_news(void *tid)
{
	char buf[8192];

	__atomic_store_n((int *)tid, gettid(), __ATOMIC_RELEASE);
	CHECK(read(kmsg_waited_at, buf, sizeof(buf)) > 0);
	return NULL;
}

/* Who waits for a record keeps nobody from the same descriptor. */
TEST(kmsg_seeks_while_another_waits)
{
	pthread_t reader;
	int tid = 0;

	kmsg_waited_at = open("/dev/kmsg", O_RDWR);
	CHECK_EQ(lseek(kmsg_waited_at, 0, SEEK_END), 0);
	reader = thread_start(kmsg_wait_for_news, &tid);
	WAIT_UNTIL(__atomic_load_n(&tid, __ATOMIC_ACQUIRE) && thread_sleeps(tid));
	CHECK_EQ(lseek(kmsg_waited_at, 0, SEEK_END), 0);
	log_text("<14>news\n");
	thread_join(reader);
	close(kmsg_waited_at);
}

TEST(syslog_gives_lines)
{
	static char buf[1 << 20];
	int n;

	CHECK(klogctl(SIZE_BUFFER, NULL, 0) > 1000);
	log_text("<14>a line of text\n");
	CHECK(klogctl(SIZE_UNREAD, NULL, 0) > 0);
	n = klogctl(READ_ALL, buf, sizeof(buf) - 1);
	CHECK(n > 0);
	buf[n] = '\0';
	CHECK(strstr(buf, "] a line of text\n") != NULL);
	CHECK_EQ(buf[0], '<');
	/* The end of it, in whole lines. */
	n = klogctl(READ_ALL, buf, 100);
	CHECK(n > 0 && n <= 100);
	CHECK_EQ(buf[0], '<');
	CHECK_EQ(buf[n - 1], '\n');
	CHECK_EQ(klogctl(CLEAR, NULL, 0), 0);
	log_text("<14>after it\n");
	n = klogctl(READ_CLEAR, buf, sizeof(buf) - 1);
	CHECK(n > 0);
	buf[n] = '\0';
	CHECK(strstr(buf, "a line of text") == NULL);
	CHECK(strstr(buf, "after it") != NULL);
}

static int without_rights(void)
{
	CHECK_EQ(setresuid(4000, 4000, 4000), 0);
	CHECK_EQ(sys3(SYS_syslog, SIZE_BUFFER, 0, 0), -EPERM);
	CHECK_EQ(open("/dev/kmsg", O_RDONLY), -1);
	CHECK_EQ(errno, EPERM);
	CHECK_EQ(open("/dev/kmsg", O_WRONLY), -1);
	CHECK_EQ(errno, EACCES);
	return 0;
}

TEST(syslog_errors)
{
	char buf[16];
	struct errno_case cases[] = {
		{"unknown", SYS_syslog, {11, 0, 0}, EINVAL},
		{"negative", SYS_syslog, {-1, 0, 0}, EINVAL},
		{"no buffer", SYS_syslog, {READ_ALL, 0, 10}, EINVAL},
		{"negative size", SYS_syslog, {READ_ALL, (long)buf, -1}, EINVAL},
		{"nothing", SYS_syslog, {READ_ALL, (long)buf, 0}, 0},
		{"kernel buffer", SYS_syslog, {READ_ALL, (long)KERNEL_ADDRESS, 4096}, EFAULT},
		{"level too low", SYS_syslog, {CONSOLE_LEVEL, 0, 0}, EINVAL},
		{"level too high", SYS_syslog, {CONSOLE_LEVEL, 0, 9}, EINVAL},
		{"open", SYS_syslog, {1, 0, 0}, 0},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	CHECK_EQ(child_status(without_rights), 0);
}
