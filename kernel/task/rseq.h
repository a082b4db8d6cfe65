/*
 * Restartable sequences: the program learns on which hart each of its threads runs, and a critical
 * section that was interrupted starts again at its abort handler.
 */
#ifndef KERNEL_TASK_RSEQ_H
#define KERNEL_TASK_RSEQ_H

#include "lib/types.h"

struct task;
struct trap_frame;

/* Both for the running task: 0, -EINVAL, -EPERM (signature), -EBUSY (registered), -EFAULT. */
long rseq_register(u64 addr, u32 len, u32 signature);
long rseq_unregister(u64 addr, u32 len, u32 signature);

/* A new task: as `parent`, whose memory was copied, or nothing (NULL). */
void rseq_inherit(struct task *t, const struct task *parent);
/* exec: the program is gone. */
void rseq_forget(struct task *t);

/* A signal is about to change pc. False: the program's data is bad (SIGSEGV). Context: may sleep. */
bool rseq_interrupt(struct trap_frame *frame);
/* THREAD_WORK_RSEQ: aborts an interrupted section, tells the hart's number. Context: exit work. */
void rseq_resume(struct trap_frame *frame);

#endif
