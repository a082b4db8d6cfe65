/*
 * Good arguments to begin with, and bad values for each kind of argument.
 */
#ifndef TESTS_SYSCALL_HOSTILE_HOSTILE_H
#define TESTS_SYSCALL_HOSTILE_HOSTILE_H

#include <stdbool.h>

/* What the good calls use. Pointers are to writable memory of a page and more. */
struct good {
	int file, dir, pipe_read, pipe_write, event, epoll, timer, socket;
	char *zero;   /* a page of zeros */
	char *buffer; /* a page to write to */
	char *path;   /* an existing file */
	char *dir_path;
	char *new_path; /* in an existing directory */
	long *vector;	/* { path, NULL } */
	long *iovec;	/* one segment: buffer, 16 */
	char *map;	/* four pages of their own, on a page boundary */
	long *second;	/* a timespec: nothing, 1 ns */
	long *mask;	/* a signal set: SIGUSR1 */
	long *limit;	/* a struct rlimit that stops nothing */
};
struct good *good_make(void);

struct bad_value {
	const char *name;
	long value;
};
/* The bad values of a kind, ended by one without a name. NULL: no such kind. */
const struct bad_value *bad_values(const char *kind);

#endif
