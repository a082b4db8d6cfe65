#include "tests/syscall/hostile/hostile.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define PAGE	 4096L
#define DIR_PATH "/tmp/hostile"

static struct good good;
/* A page that may be read only, one without rights, and the last byte before one. */
static char *read_only, *no_access, *edge;

static char *map_pages(long n, int protection)
{
	return mmap(NULL, (size_t)(n * PAGE), protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void make_files(void)
{
	int pipes[2], sockets[2];

	mkdir(DIR_PATH, 0755);
	good.path = DIR_PATH "/file";
	good.dir_path = DIR_PATH;
	good.new_path = DIR_PATH "/new";
	good.file = open(good.path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (write(good.file, "0123456789abcdef", 16) != 16 || pipe(pipes) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		perror("hostile: files");
	good.dir = open(DIR_PATH, O_RDONLY | O_DIRECTORY);
	good.pipe_read = pipes[0];
	good.pipe_write = pipes[1];
	good.socket = sockets[0];
	if (write(good.pipe_write, "0123456789abcdef", 16) != 16)
		perror("hostile: pipe");
	good.event = eventfd(1, EFD_NONBLOCK);
	good.epoll = epoll_create1(0);
	good.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
}

struct good *good_make(void)
{
	char *hole;

	make_files();
	good.zero = map_pages(1, PROT_READ | PROT_WRITE);
	good.buffer = map_pages(16, PROT_READ | PROT_WRITE);
	good.map = map_pages(4, PROT_READ | PROT_WRITE);
	read_only = map_pages(1, PROT_READ);
	no_access = map_pages(1, PROT_NONE);
	hole = map_pages(2, PROT_READ | PROT_WRITE);
	mprotect(hole + PAGE, (size_t)PAGE, PROT_NONE);
	memset(hole, 'x', (size_t)PAGE);
	edge = hole + PAGE - 1;
	good.vector = (long *)(good.buffer + 2 * PAGE);
	good.vector[0] = (long)good.path;
	good.iovec = (long *)(good.buffer + 3 * PAGE);
	good.iovec[0] = (long)good.buffer;
	good.iovec[1] = 16;
	good.second = (long *)(good.buffer + 4 * PAGE);
	good.second[1] = 1;
	good.mask = (long *)(good.buffer + 5 * PAGE);
	good.mask[0] = 1L << (SIGUSR1 - 1);
	good.limit = (long *)(good.buffer + 6 * PAGE);
	good.limit[0] = 1000;
	good.limit[1] = 1000;
	return &good;
}

#define KERNEL_TEXT ((long)0xffffffff80200000UL)
#define LAST_WORDS  (-8L)

static struct bad_value pointers[16], strings[16], descriptors[16], flags[40];
static const struct bad_value lengths[] = {
	{"0", 0},
	{"1", 1},
	{"7", 7},
	{"-1", -1},
	{"int-max", INT_MAX},
	{"2^31", 1L << 31},
	{"2^32", 1L << 32},
	{"2^40", 1L << 40},
	{"long-max", LONG_MAX},
	{"long-min", LONG_MIN},
	{NULL, 0},
};
/* What one call may really write. */
static const struct bad_value sizes[] = {
	{"0", 0}, {"1", 1}, {"7", 7}, {"-1", -1}, {"long-min", LONG_MIN}, {NULL, 0},
};
static const struct bad_value numbers[] = {
	{"0", 0},
	{"-1", -1},
	{"1000", 1000},
	{"int-max", INT_MAX},
	{"int-min", INT_MIN},
	{"2^32", 1L << 32},
	{"long-min", LONG_MIN},
	{NULL, 0},
};
static const struct bad_value numbers_of_processes[] = {
	{"none", 4000000},
	{"int-max", INT_MAX},
	{"int-min", INT_MIN},
	{NULL, 0},
};
static const struct bad_value signals[] = {
	{"-1", -1}, {"65", 65}, {"1000", 1000}, {"int-min", INT_MIN}, {NULL, 0},
};

static void add(struct bad_value *list, const char *name, long value)
{
	while (list->name)
		list++;
	*list = (struct bad_value){name, value};
}

static const struct bad_value *pointer_values(void)
{
	if (!pointers[0].name) {
		add(pointers, "null", 0);
		add(pointers, "8", 8);
		add(pointers, "no-access", (long)no_access);
		add(pointers, "read-only", (long)read_only);
		add(pointers, "edge", (long)edge);
		add(pointers, "odd", (long)good.zero + 1);
		add(pointers, "kernel", KERNEL_TEXT);
		add(pointers, "user-top", 1L << 38);
		add(pointers, "non-canonical", 1L << 62);
		add(pointers, "-1", -1);
		add(pointers, "last-words", LAST_WORDS);
	}
	return pointers;
}

static const struct bad_value *string_values(void)
{
	static char longest[2 * PAGE], component[300 + 1];

	if (!strings[0].name) {
		memset(longest, '/', sizeof(longest) - 1);
		memset(component, 'c', sizeof(component) - 1);
		add(strings, "null", 0);
		add(strings, "no-access", (long)no_access);
		add(strings, "unterminated", (long)edge);
		add(strings, "kernel", KERNEL_TEXT);
		add(strings, "-1", -1);
		add(strings, "empty", (long)"");
		add(strings, "too-long", (long)longest);
		add(strings, "long-name", (long)component);
		add(strings, "missing", (long)DIR_PATH "/missing");
		add(strings, "missing-dir", (long)DIR_PATH "/missing/x");
		add(strings, "below-file", (long)DIR_PATH "/file/x");
		add(strings, "directory", (long)DIR_PATH);
		add(strings, "root", (long)"/");
	}
	return strings;
}

static const struct bad_value *descriptor_values(void)
{
	if (!descriptors[0].name) {
		add(descriptors, "-1", -1);
		add(descriptors, "closed", 999);
		add(descriptors, "int-max", INT_MAX);
		add(descriptors, "int-min", INT_MIN);
		add(descriptors, "file", good.file);
		add(descriptors, "directory", good.dir);
		add(descriptors, "pipe-read", good.pipe_read);
		add(descriptors, "pipe-write", good.pipe_write);
		add(descriptors, "eventfd", good.event);
		add(descriptors, "epoll", good.epoll);
		add(descriptors, "timerfd", good.timer);
		add(descriptors, "socket", good.socket);
		add(descriptors, "o-path", open(good.path, O_PATH));
		add(descriptors, "read-only", open(good.path, O_RDONLY));
		add(descriptors, "write-only", open(good.path, O_WRONLY));
	}
	return descriptors;
}

static const struct bad_value *flag_values(void)
{
	static char names[32][8];

	if (!flags[0].name) {
		add(flags, "0", 0);
		add(flags, "-1", -1);
		for (int i = 0; i < 32; i++) {
			snprintf(names[i], sizeof(names[i]), "bit%d", i);
			add(flags, names[i], 1L << i);
		}
		add(flags, "bit40", 1L << 40);
	}
	return flags;
}

const struct bad_value *bad_values(const char *kind)
{
	if (!kind)
		return NULL;
	if (strcmp(kind, "pointer") == 0)
		return pointer_values();
	if (strcmp(kind, "string") == 0)
		return string_values();
	if (strcmp(kind, "fd") == 0)
		return descriptor_values();
	if (strcmp(kind, "flags") == 0)
		return flag_values();
	if (strcmp(kind, "length") == 0)
		return lengths;
	if (strcmp(kind, "size") == 0)
		return sizes;
	if (strcmp(kind, "number") == 0)
		return numbers;
	if (strcmp(kind, "process") == 0)
		return numbers_of_processes;
	if (strcmp(kind, "signal") == 0)
		return signals;
	return NULL; /* "fixed" */
}
