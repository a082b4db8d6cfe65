/* Who waits for which lock, where, and how long: events of the trace, and /proc/lock_stat. */
#ifndef KERNEL_TRACE_LOCK_STAT_H
#define KERNEL_TRACE_LOCK_STAT_H

/* From here on waits are traced (if the trace has `lock`) and counted (if sys/kernel/lock_stat is 1). Boot only. */
void lock_trace_init(void);

/* Names the classes in the trace. Context: when recording begins. */
void lock_trace_classes(void);

/* Makes /proc/lock_stat and /proc/sys/kernel/lock_stat. 0 or -ENOMEM. Boot only, after fs_init(). */
int lock_stat_init(void);

#endif
