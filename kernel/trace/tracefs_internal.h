/* Private to tracefs. */
#ifndef KERNEL_TRACE_TRACEFS_INTERNAL_H
#define KERNEL_TRACE_TRACEFS_INTERNAL_H

#include "kernel/file/file.h"
#include "kernel/sync/mutex.h"

extern struct mutex tracefs_lock; /* RANK_FILE: one change at a time; trace_pipe holds it while it looks at rings */

extern const struct file_ops trace_pipe_ops;

/* The rings were replaced: readers begin anew. Context: tracefs_lock held. */
void trace_pipe_reset(void);

#endif
