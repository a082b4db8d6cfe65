/* /sys/kernel/tracing: control of the trace while the machine runs, under Linux's names where the meaning is the same. */
#ifndef KERNEL_TRACE_TRACEFS_H
#define KERNEL_TRACE_TRACEFS_H

/* Makes the files. 0 or -ENOMEM. Boot only, after fs_init(). */
int tracefs_init(void);

#endif
