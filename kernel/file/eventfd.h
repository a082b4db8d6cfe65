/*
 * eventfd: a counter that is read, written and polled.
 */
#ifndef KERNEL_FILE_EVENTFD_H
#define KERNEL_FILE_EVENTFD_H

#include "kernel/file/file.h"

/* The counter goes up by one; at its end it stays. `f` is an eventfd. */
bool eventfd_is(const struct file *f);
void eventfd_signal(struct file *f);
/* `flags`: O_NONBLOCK. A read takes 1 of a semaphore, all of another. NULL when out of memory. */
struct file *eventfd_create(u32 count, bool semaphore, u32 flags);

#endif
