/*
 * Credentials: immutable once published and reference-counted, so that a reader needs no lock and
 * an open file can keep those of its opener. A change builds a copy and replaces the task's
 * pointer, which that task alone writes; others read it under the epoch. A process shows those of
 * its leading thread.
 */
#ifndef KERNEL_TASK_CRED_H
#define KERNEL_TASK_CRED_H

#include "kernel/sync/epoch.h"
#include "lib/types.h"

struct user;

#define CRED_ID_NONE   (~0U)
#define CRED_NR_GROUPS 65536U

/* Supplementary groups in ascending order; shared by the credentials that have them. */
struct cred_groups {
	u32 refs;  /* [a] */
	u32 nr;	   /* [I] */
	u32 gid[]; /* [I] */
};

struct cred {
	u32 refs;		    /* [a] */
	u32 uid, euid, suid, fsuid; /* [I] this and all below */
	u32 gid, egid, sgid, fsgid;
	u32 securebits;	   /* SECBIT_* */
	u64 cap_effective; /* bit per CAP_* */
	u64 cap_permitted;
	u64 cap_inheritable;
	u64 cap_bounding;
	u64 cap_ambient;
	struct user *user;	    /* of the real user id, a reference */
	struct cred_groups *groups; /* NULL: none */
	struct epoch_node free_node;
};

extern struct cred cred_root; /* what pid 1 has: uid 0, every capability */

void cred_init(void); /* tells kernel/fs who asks */
void cred_get(struct cred *c);
void cred_put(struct cred *c);

/* Those of the running task; valid until it changes them itself. */
const struct cred *cred_current(void);

/*
 * A change: a copy of the running task's, which the caller edits and then commits or puts. NULL when
 * out of memory.
 */
struct cred *cred_prepare(void);
void cred_commit(struct cred *c); /* takes the reference */

/* The real user id becomes `uid`. 0 or -ENOMEM. */
int cred_set_uid(struct cred *c, u32 uid);

/* An empty list for `nr` groups, or NULL; cred_set_groups() sorts it and takes the reference. */
struct cred_groups *cred_groups_alloc(u32 nr);
void cred_groups_put(struct cred_groups *g);
void cred_set_groups(struct cred *c, struct cred_groups *g);
/* `gid` is the file-system group of `c` or a supplementary one. */
bool cred_in_group(const struct cred *c, u32 gid);

/*
 * May the running task look into `t` (robust list, /proc, other processes' memory)? Its own
 * process, CAP_SYS_PTRACE, or the same ids, no further capabilities, and dumpable. Context: under
 * the epoch. Source: ptrace(2), access mode checking, real credentials.
 */
struct task;
bool task_may_inspect(struct task *t);
/* All ids of `other` are the real ones of `own`. */
bool cred_same_ids(const struct cred *own, const struct cred *other);

static inline bool cred_capable(const struct cred *c, u32 cap)
{
	return c->cap_effective & BIT(cap);
}

/* True if the running task has capability `cap` (CAP_* of abi/system.h). */
static inline bool capable(u32 cap)
{
	return cred_capable(cred_current(), cap);
}

/* ---- rules (cred_rules.c): what a change of one thing does to the others ---- */

/* Capabilities follow user ids: `c` is the edited copy of `old`. */
void cred_fix_uids(struct cred *c, const struct cred *old);
void cred_fix_fsuid(struct cred *c, const struct cred *old);

/*
 * For a program whose file has these owners and mode (0: no set-id bits count). *secure: more rights
 * than the caller's, so its environment is not trusted. `privileges`: the program may gain any.
 */
struct cred_exec_file {
	u32 uid, gid, mode;
};
void cred_exec(struct cred *c, const struct cred *old, const struct cred_exec_file *file,
	       bool privileges, bool *secure);

#endif
