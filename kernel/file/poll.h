/*
 * Waiting for several files at once: the engine of poll, ppoll, select and pselect6.
 */
#ifndef KERNEL_FILE_POLL_H
#define KERNEL_FILE_POLL_H

#include "kernel/file/file.h"

struct poll_item {
	struct file *file; /* a reference of the caller; NULL: never ready */
	PollEvent events;  /* wanted; errors and hang-up are always reported */
	PollEvent revents; /* out */
};

/*
 * Sleeps until an item is ready: the number of ready items; 0 at `deadline` (ticks; 0 = do not
 * wait, PARK_FOREVER), -EINTR, -ENOMEM. Context: may sleep, no lock held.
 */
int poll_files(struct poll_item *items, u32 n, u64 deadline);

#endif
