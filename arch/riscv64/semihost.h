/*
 * Semihosting: the kernel asks QEMU to write host files (RISC-V semihosting specification 0.4, operations of Arm's). Works in
 * S-mode with paging on, needs no driver and no interrupt, so it serves a panic as well. Without QEMU's -semihosting-config
 * the call traps: callers go by a boot argument.
 */
#ifndef ARCH_RISCV64_SEMIHOST_H
#define ARCH_RISCV64_SEMIHOST_H

#include "lib/types.h"

#define SEMIHOST_OPEN  0x01
#define SEMIHOST_CLOSE 0x02
#define SEMIHOST_WRITE 0x05

/* Performs `op` with its argument block; the meaning of the result is the operation's. Context: any. */
long semihost_call(u64 op, const u64 *args);

/* Creates or truncates the host file `path` for binary writing. A descriptor, or -1. */
int semihost_open(const char *path);
/* Writes all of `size` bytes. 0, or -1. */
int semihost_write(int fd, const void *data, u64 size);
/* 0, or -1. */
int semihost_close(int fd);

#endif
