/*
 * What the tests of AF_UNIX share.
 */
#ifndef TESTS_SYSCALL_UNIX_UNIX_H
#define TESTS_SYSCALL_UNIX_UNIX_H

#include "tests/syscall/harness.h"

#include <sys/socket.h>

void pair(int type, int e[2]);
void both_close(int e[2]);
/* Sends `data` with descriptors, at most eight. */
ssize_t send_fds(int s, const char *data, size_t n, const int *fds, size_t nr);
/* Receives at most n bytes and one descriptor (-1: none came). */
ssize_t recv_fd(int s, char *data, size_t n, int *fd, int *flags);

#endif
