/*
 * Signals of files (fcntl(2): F_SETOWN, F_SETSIG, O_ASYNC): whom a file tells of its events, and how.
 */
#ifndef KERNEL_TASK_SIGIO_H
#define KERNEL_TASK_SIGIO_H

#include "kernel/file/file.h"

struct abi_siginfo;

void sigio_init(void);

/*
 * F_SETOWN, F_SETOWN_EX: a process, or minus a group, 0: nobody; `thread`: one thread. 0, -EINVAL, -ESRCH. What the caller may send is
 * what the owner will be sent.
 */
int sigio_set_owner(struct file *f, s32 owner, bool thread);
/* F_SETSIG: 0 stands for SIGIO without particulars. 0, -EINVAL, -ENOMEM. Context: may sleep. */
int sigio_set_signal(struct file *f, u64 signal);
u32 sigio_signal(struct file *f);
/*
 * O_ASYNC on or off; `fd` is what the signals will name. 0, or -ENOMEM. A file that cannot do it stays as it is, as on Linux. Context:
 * may sleep.
 */
int sigio_set_async(struct file *f, int fd, bool on);
/* Sends `info` to the owner, as far as it may be. Context: no lock held, may not be a task's. */
void sigio_send(struct file *f, const struct abi_siginfo *info);

/* async_owner() of files that have no owner of themselves. */
s32 sigio_no_owner(struct file *f);

#endif
