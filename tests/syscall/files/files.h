/*
 * Shared by the tests of files: a fresh directory under /tmp for each test.
 */
#ifndef TESTS_SYSCALL_FILES_FILES_H
#define TESTS_SYSCALL_FILES_FILES_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>

#include "tests/syscall/harness.h"

/* The call failed, and with this errno. */
#define CHECK_ERRNO(call, wanted)                                                                  \
	({                                                                                         \
		errno = 0;                                                                         \
		long ret_ = (long)(call);                                                          \
                                                                                                   \
		CHECK_EQ(ret_ == -1 ? errno : 0, wanted);                                          \
	})

/* Makes a new empty directory the working directory. */
void enter_fresh_directory(void);
/* A file with this text. */
void write_file(const char *path, const char *text);
/* The file's text, at most size - 1 bytes, terminated; -1 if it cannot be read. */
long read_file(const char *path, char *buf, size_t size);

#endif
