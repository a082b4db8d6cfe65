/*
 * inotify: what names and files report, in which order; masks; removal; overflow of a small buffer.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "tests/syscall/harness.h"

#define DIR "/tmp/special-inotify"

static int queue;

static void start(void)
{
	mkdir(DIR, 0755);
	queue = inotify_init1(IN_NONBLOCK);
	CHECK(queue >= 0);
}

static void end(void)
{
	close(queue);
	rmdir(DIR);
}

/* The events that are there, as "wd:mask:name " each. */
static const char *events(void)
{
	static char text[2048];
	char buf[4096] __attribute__((aligned(8)));
	long n = read(queue, buf, sizeof(buf)), at = 0, len = 0;

	text[0] = '\0';
	while (at < n) {
		struct inotify_event *e = (struct inotify_event *)(buf + at);

		len += snprintf(text + len, sizeof(text) - (size_t)len, "%d:%x:%s ", e->wd, e->mask,
				e->len ? e->name : "");
		at += (long)sizeof(*e) + e->len;
	}
	return text;
}

static void expect(int line, const char *wanted)
{
	const char *got = events();

	if (strcmp(got, wanted)) {
		printf("# line %d: got  %s\n# line %d: want %s\n", line, got, line, wanted);
		test_fail(__FILE__, line, "events");
	}
}
#define EXPECT(wanted) expect(__LINE__, wanted)

TEST(inotify_names)
{
	int fd;

	start();
	CHECK_EQ(inotify_add_watch(queue, DIR, IN_ALL_EVENTS), 1);
	fd = open(DIR "/a", O_CREAT | O_WRONLY, 0600);
	EXPECT("1:100:a 1:20:a ");
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(write(fd, "x", 1), 1);
	close(fd);
	EXPECT("1:2:a 1:8:a ");
	CHECK_EQ(chmod(DIR "/a", 0640), 0);
	CHECK_EQ(rename(DIR "/a", DIR "/b"), 0);
	EXPECT("1:4:a 1:40:a 1:80:b ");
	CHECK_EQ(mkdir(DIR "/d", 0700), 0);
	CHECK_EQ(rmdir(DIR "/d"), 0);
	EXPECT("1:40000100:d 1:40000200:d ");
	CHECK_EQ(symlink("b", DIR "/l"), 0);
	CHECK_EQ(link(DIR "/b", DIR "/c"), 0);
	EXPECT("1:100:l 1:100:c ");
	unlink(DIR "/l");
	unlink(DIR "/c");
	unlink(DIR "/b");
	EXPECT("1:200:l 1:200:c 1:200:b ");
	end();
}

TEST(inotify_of_a_file)
{
	char text[4];
	int fd;

	start();
	fd = open(DIR "/f", O_CREAT | O_RDWR, 0600);
	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_EQ(inotify_add_watch(queue, DIR "/f", IN_ALL_EVENTS), 1);
	CHECK_EQ(pread(fd, text, 3, 0), 3);
	CHECK_EQ(ftruncate(fd, 1), 0);
	EXPECT("1:1: 1:2: ");
	CHECK_EQ(rename(DIR "/f", DIR "/g"), 0);
	EXPECT("1:800: ");
	unlink(DIR "/g");
	EXPECT("1:4: ");
	close(fd);
	EXPECT("1:8: 1:400: 1:8000: ");
	CHECK_EQ(sys2(SYS_inotify_rm_watch, queue, 1), -EINVAL);
	end();
}

TEST(inotify_masks_and_removal)
{
	struct pollfd p;
	int bytes = 0;

	start();
	p = (struct pollfd){.fd = queue, .events = POLLIN};
	CHECK_EQ(inotify_add_watch(queue, DIR, IN_CREATE), 1);
	CHECK_EQ(inotify_add_watch(queue, DIR, IN_DELETE | IN_MASK_ADD), 1);
	CHECK_EQ(sys3(SYS_inotify_add_watch, queue, DIR, IN_DELETE | IN_MASK_CREATE), -EEXIST);
	CHECK_EQ(poll(&p, 1, 0), 0);
	close(open(DIR "/a", O_CREAT | O_WRONLY, 0600));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(ioctl(queue, FIONREAD, &bytes), 0);
	CHECK_EQ(bytes, 32);
	CHECK_EQ(sys3(SYS_read, queue, &p, 20), -EINVAL);
	unlink(DIR "/a");
	EXPECT("1:100:a 1:200:a ");
	CHECK_EQ(inotify_rm_watch(queue, 1), 0);
	EXPECT("1:8000: ");
	CHECK_EQ(inotify_add_watch(queue, DIR, IN_CREATE | IN_ONESHOT), 2);
	close(open(DIR "/a", O_CREAT | O_WRONLY, 0600));
	close(open(DIR "/b", O_CREAT | O_WRONLY, 0600));
	EXPECT("2:100:a 2:8000: ");
	CHECK_EQ(sys3(SYS_read, queue, &p, sizeof(p)), -EAGAIN);
	unlink(DIR "/a");
	unlink(DIR "/b");
	end();
}

TEST(inotify_errors)
{
	start();
	CHECK_EQ(sys1(SYS_inotify_init1, 1), -EINVAL);
	CHECK_EQ(sys3(SYS_inotify_add_watch, queue, DIR "/none", IN_CREATE), -ENOENT);
	CHECK_EQ(sys3(SYS_inotify_add_watch, queue, DIR, 0), -EINVAL);
	CHECK_EQ(sys3(SYS_inotify_add_watch, queue, "/etc/passwd", IN_CREATE | IN_ONLYDIR), -ENOTDIR);
	CHECK_EQ(sys3(SYS_inotify_add_watch, 0, DIR, IN_CREATE), -EINVAL);
	CHECK_EQ(sys3(SYS_inotify_add_watch, -1, DIR, IN_CREATE), -EBADF);
	CHECK_EQ(sys2(SYS_inotify_rm_watch, queue, 77), -EINVAL);
	end();
}

/* A file without a name is still a child of its directory, for those who do not say that they care. */
TEST(inotify_of_unlinked_files)
{
	int fd;

	start();
	fd = open(DIR "/a", O_CREAT | O_RDWR, 0600);
	CHECK_EQ(inotify_add_watch(queue, DIR, IN_MODIFY | IN_CLOSE), 1);
	CHECK_EQ(unlink(DIR "/a"), 0);
	CHECK_EQ(write(fd, "x", 1), 1);
	EXPECT("1:2:a ");
	CHECK_EQ(inotify_add_watch(queue, DIR, IN_MODIFY | IN_CLOSE | IN_EXCL_UNLINK), 1);
	CHECK_EQ(write(fd, "x", 1), 1);
	close(fd);
	EXPECT("");
	fd = open(DIR "/a", O_CREAT | O_RDWR, 0600);
	CHECK_EQ(write(fd, "x", 1), 1);
	EXPECT("1:2:a ");
	/* And the file itself. */
	CHECK_EQ(inotify_add_watch(queue, DIR "/a", IN_ALL_EVENTS | IN_EXCL_UNLINK), 2);
	CHECK_EQ(unlink(DIR "/a"), 0);
	CHECK_EQ(write(fd, "x", 1), 1);
	EXPECT("2:4: ");
	CHECK_EQ(fchmod(fd, 0640), 0);
	EXPECT("2:4: ");
	close(fd);
	EXPECT("2:400: 2:8000: ");
	end();
}
