/*
 * Futexes: what other folders may call. The system calls are in syscalls.c, the algorithm is told in waitwake.c.
 */
#ifndef KERNEL_FUTEX_FUTEX_H
#define KERNEL_FUTEX_FUTEX_H

#include "lib/types.h"

/* Boot hart, before the first task: the bucket table, the exit hook. */
void futex_init(void);

#endif
