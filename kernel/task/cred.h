/*
 * Credentials: immutable once published and reference-counted, so that a reader needs no lock and
 * an open file can keep those of its opener. A change builds a copy and replaces the process's
 * pointer.
 */
#ifndef KERNEL_TASK_CRED_H
#define KERNEL_TASK_CRED_H

#include "kernel/sync/epoch.h"
#include "lib/types.h"

struct cred {
	u32 refs;		    /* [a] */
	u32 uid, euid, suid, fsuid; /* [I] this and all below */
	u32 gid, egid, sgid, fsgid;
	u64 cap_effective; /* bit per CAP_* */
	u64 cap_permitted;
	u64 cap_inheritable;
	struct epoch_node free_node;
};

extern struct cred cred_root; /* what pid 1 has: uid 0, every capability */

void cred_init(void); /* tells kernel/fs who asks */
void cred_get(struct cred *c);
void cred_put(struct cred *c);

/* Those of the running task; valid until it changes them itself. */
const struct cred *cred_current(void);

/*
 * May the running task look into `t` (robust list, /proc, other processes' memory)? Its own
 * process, CAP_SYS_PTRACE, or the same ids, no further capabilities, and dumpable. Context: under
 * the epoch. Source: ptrace(2), access mode checking, real credentials.
 */
struct task;
bool task_may_inspect(struct task *t);

static inline bool cred_capable(const struct cred *c, u32 cap)
{
	return c->cap_effective & BIT(cap);
}

/* True if the running task has capability `cap` (CAP_* of abi/system.h). */
static inline bool capable(u32 cap)
{
	return cred_capable(cred_current(), cap);
}

#endif
