/*
 * System calls on credentials: user and group ids, supplementary groups, capabilities. Ids are those
 * of the calling thread; libraries make all threads follow.
 */
#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/task.h"

#define UNCHANGED CRED_ID_NONE

long sys_getuid(SYSCALL_ARGS)
{
	return cred_current()->uid;
}

long sys_geteuid(SYSCALL_ARGS)
{
	return cred_current()->euid;
}

long sys_getgid(SYSCALL_ARGS)
{
	return cred_current()->gid;
}

long sys_getegid(SYSCALL_ARGS)
{
	return cred_current()->egid;
}

static long store_ids(u64 real_user, u32 real, u64 effective_user, u32 effective, u64 saved_user,
		      u32 saved)
{
	if (user_store_u32((u32 __user *)real_user, real) ||
	    user_store_u32((u32 __user *)effective_user, effective) ||
	    user_store_u32((u32 __user *)saved_user, saved))
		return -EFAULT;
	return 0;
}

long sys_getresuid(SYSCALL_ARGS)
{
	const struct cred *c = cred_current();

	return store_ids(a0, c->uid, a1, c->euid, a2, c->suid);
}

long sys_getresgid(SYSCALL_ARGS)
{
	const struct cred *c = cred_current();

	return store_ids(a0, c->gid, a1, c->egid, a2, c->sgid);
}

/*
 * ---- changing ids ----
 * One kind of id at a time: users and groups follow the same rules, of which only the capability
 * differs. A call fills `ids`, which is what remains of the credentials then.
 */

struct ids {
	u32 real, effective, saved, fs;
};

static struct ids ids_of_users(const struct cred *c)
{
	return (struct ids){c->uid, c->euid, c->suid, c->fsuid};
}

static struct ids ids_of_groups(const struct cred *c)
{
	return (struct ids){c->gid, c->egid, c->sgid, c->fsgid};
}

static long commit_users(const struct ids *ids)
{
	struct cred *c = cred_prepare();

	if (!c)
		return -ENOMEM;
	if (cred_set_uid(c, ids->real)) {
		cred_put(c);
		return -ENOMEM;
	}
	c->euid = ids->effective;
	c->suid = ids->saved;
	c->fsuid = ids->fs;
	cred_fix_uids(c, cred_current());
	cred_commit(c);
	return 0;
}

static long commit_groups(const struct ids *ids)
{
	struct cred *c = cred_prepare();

	if (!c)
		return -ENOMEM;
	c->gid = ids->real;
	c->egid = ids->effective;
	c->sgid = ids->saved;
	c->fsgid = ids->fs;
	cred_commit(c);
	return 0;
}

static bool one_of(const struct ids *ids, u32 id)
{
	return id == ids->real || id == ids->effective || id == ids->saved;
}

/* setuid, setgid. */
static long ids_set(struct ids *ids, u32 id, bool privileged)
{
	if (id == CRED_ID_NONE)
		return -EINVAL;
	if (privileged)
		ids->real = ids->saved = id;
	else if (id != ids->real && id != ids->saved)
		return -EPERM;
	ids->effective = ids->fs = id;
	return 0;
}

/* setreuid, setregid. */
static long ids_set_re(struct ids *ids, u32 real, u32 effective, bool privileged)
{
	struct ids old = *ids;

	if (real != UNCHANGED) {
		if (real != old.real && real != old.effective && !privileged)
			return -EPERM;
		ids->real = real;
	}
	if (effective != UNCHANGED) {
		if (!one_of(&old, effective) && !privileged)
			return -EPERM;
		ids->effective = effective;
	}
	if (real != UNCHANGED || (effective != UNCHANGED && effective != old.real))
		ids->saved = ids->effective;
	ids->fs = ids->effective;
	return 0;
}

/* setresuid, setresgid. */
static long ids_set_res(struct ids *ids, u32 real, u32 effective, u32 saved, bool privileged)
{
	struct ids old = *ids;

	if (!privileged && ((real != UNCHANGED && !one_of(&old, real)) ||
			    (effective != UNCHANGED && !one_of(&old, effective)) ||
			    (saved != UNCHANGED && !one_of(&old, saved))))
		return -EPERM;
	if (real != UNCHANGED)
		ids->real = real;
	if (effective != UNCHANGED)
		ids->effective = effective;
	if (saved != UNCHANGED)
		ids->saved = saved;
	ids->fs = ids->effective;
	return 0;
}

long sys_setuid(SYSCALL_ARGS)
{
	struct ids ids = ids_of_users(cred_current());
	long err = ids_set(&ids, (u32)a0, capable(CAP_SETUID));

	return err ? err : commit_users(&ids);
}

long sys_setgid(SYSCALL_ARGS)
{
	struct ids ids = ids_of_groups(cred_current());
	long err = ids_set(&ids, (u32)a0, capable(CAP_SETGID));

	return err ? err : commit_groups(&ids);
}

long sys_setreuid(SYSCALL_ARGS)
{
	struct ids ids = ids_of_users(cred_current());
	long err = ids_set_re(&ids, (u32)a0, (u32)a1, capable(CAP_SETUID));

	return err ? err : commit_users(&ids);
}

long sys_setregid(SYSCALL_ARGS)
{
	struct ids ids = ids_of_groups(cred_current());
	long err = ids_set_re(&ids, (u32)a0, (u32)a1, capable(CAP_SETGID));

	return err ? err : commit_groups(&ids);
}

long sys_setresuid(SYSCALL_ARGS)
{
	struct ids ids = ids_of_users(cred_current());
	long err = ids_set_res(&ids, (u32)a0, (u32)a1, (u32)a2, capable(CAP_SETUID));

	return err ? err : commit_users(&ids);
}

long sys_setresgid(SYSCALL_ARGS)
{
	struct ids ids = ids_of_groups(cred_current());
	long err = ids_set_res(&ids, (u32)a0, (u32)a1, (u32)a2, capable(CAP_SETGID));

	return err ? err : commit_groups(&ids);
}

/* These two tell nothing but the old id, as on Linux: who wants to know asks twice. */
long sys_setfsuid(SYSCALL_ARGS)
{
	const struct cred *old = cred_current();
	struct ids ids = ids_of_users(old);
	u32 id = (u32)a0, before = ids.fs;
	struct cred *c;

	if (id == CRED_ID_NONE || id == before || (!one_of(&ids, id) && !capable(CAP_SETUID)))
		return before;
	c = cred_prepare();
	if (!c)
		return before;
	c->fsuid = id;
	cred_fix_fsuid(c, old);
	cred_commit(c);
	return before;
}

long sys_setfsgid(SYSCALL_ARGS)
{
	struct ids ids = ids_of_groups(cred_current());
	u32 id = (u32)a0, before = ids.fs;

	if (id == CRED_ID_NONE || id == before || (!one_of(&ids, id) && !capable(CAP_SETGID)))
		return before;
	ids.fs = id;
	commit_groups(&ids);
	return before;
}

/* ---- supplementary groups ---- */

long sys_getgroups(SYSCALL_ARGS)
{
	const struct cred_groups *g = cred_current()->groups;
	u32 nr = g ? g->nr : 0;

	if ((s32)a0 < 0)
		return -EINVAL;
	if ((s32)a0 == 0)
		return nr;
	if (nr > (u32)a0)
		return -EINVAL;
	if (nr && copy_to_user((void __user *)a1, g->gid, nr * sizeof(g->gid[0])))
		return -EFAULT;
	return nr;
}

static long load_groups(u64 user, struct cred_groups *g)
{
	if (g->nr && copy_from_user(g->gid, (const void __user *)user, g->nr * sizeof(g->gid[0])))
		return -EFAULT;
	for (u32 i = 0; i < g->nr; i++)
		if (g->gid[i] == CRED_ID_NONE)
			return -EINVAL;
	return 0;
}

long sys_setgroups(SYSCALL_ARGS)
{
	struct cred_groups *g;
	struct cred *c = NULL;
	long err;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if ((u32)a0 > CRED_NR_GROUPS)
		return -EINVAL;
	g = cred_groups_alloc((u32)a0);
	if (!g)
		return -ENOMEM;
	err = load_groups(a1, g);
	if (!err) {
		c = cred_prepare();
		err = c ? 0 : -ENOMEM;
	}
	if (err) {
		cred_groups_put(g);
		return err;
	}
	cred_set_groups(c, g);
	cred_commit(c);
	return 0;
}

/* ---- capabilities ---- */

#define CAPABILITY_VERSION_1 0x19980330
#define CAPABILITY_VERSION_2 0x20071026
#define CAPABILITY_VERSION_3 0x20080522

struct cap_header {
	u32 version;
	s32 pid;
};

struct cap_data {
	u32 effective, permitted, inheritable;
};

/*
 * Words of 32 capabilities in the layout that the header names; an unknown one is replaced by ours:
 * -EINVAL.
 */
static int cap_words(u64 header)
{
	u32 version;

	if (user_load_u32((const u32 __user *)header, &version))
		return -EFAULT;
	switch (version) {
	case CAPABILITY_VERSION_1:
		return 1;
	case CAPABILITY_VERSION_2:
	case CAPABILITY_VERSION_3:
		return 2;
	default:
		if (user_store_u32((u32 __user *)header, CAPABILITY_VERSION_3))
			return -EFAULT;
		return -EINVAL;
	}
}

static int cap_pid(u64 header, s32 *pid)
{
	return user_load_u32((const u32 __user *)(header + offsetof(struct cap_header, pid)),
			     (u32 *)pid);
}

long sys_capget(SYSCALL_ARGS)
{
	struct cap_data data[2];
	const struct cred *c;
	int words = cap_words(a0);
	struct task *t;
	s32 pid;

	/* Without a place for data this is a query of the version. */
	if (words < 0)
		return words == -EINVAL && !a1 ? 0 : words;
	if (!a1)
		return 0;
	if (cap_pid(a0, &pid))
		return -EFAULT;
	if (pid < 0)
		return -EINVAL;
	t = pid ? task_find((u32)pid) : task_current();
	if (!t)
		return -ESRCH;
	c = atomic_load_acquire(&t->cred);
	for (u32 i = 0; i < 2; i++)
		data[i] = (struct cap_data){
			(u32)(c->cap_effective >> (32 * i)),
			(u32)(c->cap_permitted >> (32 * i)),
			(u32)(c->cap_inheritable >> (32 * i)),
		};
	return copy_to_user((void __user *)a1, data, (size_t)words * sizeof(data[0]));
}

static bool cap_subset(u64 part, u64 whole)
{
	return !(part & ~whole);
}

/* May `old` take these sets? Source: capset(2), capabilities(7). */
static bool cap_may_set(const struct cred *old, const struct cred *c)
{
	u64 inheritable = old->cap_inheritable;

	if (!cred_capable(old, CAP_SETPCAP) &&
	    !cap_subset(c->cap_inheritable, inheritable | old->cap_permitted))
		return false;
	return cap_subset(c->cap_inheritable, inheritable | old->cap_bounding) &&
	       cap_subset(c->cap_permitted, old->cap_permitted) &&
	       cap_subset(c->cap_effective, c->cap_permitted);
}

long sys_capset(SYSCALL_ARGS)
{
	struct cap_data data[2] = {0};
	int words = cap_words(a0);
	struct cred *c;
	s32 pid;

	if (words < 0)
		return words;
	if (cap_pid(a0, &pid))
		return -EFAULT;
	if (pid && (u32)pid != thread_current()->tid)
		return -EPERM;
	if (copy_from_user(data, (const void __user *)a1, (size_t)words * sizeof(data[0])))
		return -EFAULT;
	c = cred_prepare();
	if (!c)
		return -ENOMEM;
	c->cap_effective = (data[0].effective | (u64)data[1].effective << 32) & CAP_ALL;
	c->cap_permitted = (data[0].permitted | (u64)data[1].permitted << 32) & CAP_ALL;
	c->cap_inheritable = (data[0].inheritable | (u64)data[1].inheritable << 32) & CAP_ALL;
	c->cap_ambient &= c->cap_permitted & c->cap_inheritable;
	if (!cap_may_set(cred_current(), c)) {
		cred_put(c);
		return -EPERM;
	}
	cred_commit(c);
	return 0;
}
