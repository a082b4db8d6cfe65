/*
 * prctl: small settings of the calling thread or its process. Options that are not here are EINVAL, as
 * on a Linux that was built without them.
 */
#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/task.h"
#include "kernel/task/vector.h"

static long prctl_set_name(u64 user)
{
	char name[16] = "";
	long len = strncpy_from_user(name, (const char __user *)user, sizeof(name));

	if (len == -EFAULT)
		return -EFAULT;
	name[sizeof(name) - 1] = '\0';
	task_set_name(task_current(), name);
	return 0;
}

/*
 * Who may trace this process beside its ancestors. As on Linux with kernel.yama.ptrace_scope = 0, Debian's setting, nobody needs that leave:
 * only the number is looked at.
 */
static long set_ptracer(u64 pid)
{
	bool known;

	if (pid == 0 || (s32)pid == -1)
		return 0;
	epoch_enter();
	known = task_find((u32)pid);
	epoch_exit();
	return known ? 0 : -EINVAL;
}

/* ---- credentials ---- */

static long set_securebits(u32 bits)
{
	u32 old = cred_current()->securebits;
	u32 locked = (old & SECURE_ALL_LOCKS) >> 1;
	struct cred *c;

	if ((locked & (old ^ bits)) || (old & SECURE_ALL_LOCKS & ~bits) ||
	    (bits & ~(u32)(SECURE_ALL_BITS | SECURE_ALL_LOCKS)) || !capable(CAP_SETPCAP))
		return -EPERM;
	c = cred_prepare();
	if (!c)
		return -ENOMEM;
	c->securebits = bits;
	cred_commit(c);
	return 0;
}

static long set_keepcaps(u64 value)
{
	struct cred *c;

	if (value > 1)
		return -EINVAL;
	if (cred_current()->securebits & SECBIT_KEEP_CAPS_LOCKED)
		return -EPERM;
	c = cred_prepare();
	if (!c)
		return -ENOMEM;
	c->securebits &= ~(u32)SECBIT_KEEP_CAPS;
	if (value)
		c->securebits |= SECBIT_KEEP_CAPS;
	cred_commit(c);
	return 0;
}

static long drop_bounding(u64 cap)
{
	struct cred *c;

	if (!capable(CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	c = cred_prepare();
	if (!c)
		return -ENOMEM;
	c->cap_bounding &= ~BIT(cap);
	cred_commit(c);
	return 0;
}

static long change_ambient(u32 how, u64 cap)
{
	const struct cred *old = cred_current();
	u64 bit = how == PR_CAP_AMBIENT_CLEAR_ALL ? CAP_ALL : BIT(cap);
	struct cred *c;

	if (how == PR_CAP_AMBIENT_RAISE && (!(old->cap_permitted & old->cap_inheritable & bit) ||
					    (old->securebits & SECBIT_NO_CAP_AMBIENT_RAISE)))
		return -EPERM;
	c = cred_prepare();
	if (!c)
		return -ENOMEM;
	c->cap_ambient = how == PR_CAP_AMBIENT_RAISE ? c->cap_ambient | bit : c->cap_ambient & ~bit;
	cred_commit(c);
	return 0;
}

static long prctl_ambient(u64 how, u64 cap, u64 rest)
{
	if (how == PR_CAP_AMBIENT_CLEAR_ALL)
		return cap | rest ? -EINVAL : change_ambient(PR_CAP_AMBIENT_CLEAR_ALL, 0);
	if (cap > CAP_LAST_CAP || rest)
		return -EINVAL;
	if (how == PR_CAP_AMBIENT_IS_SET)
		return !!(cred_current()->cap_ambient & BIT(cap));
	if (how != PR_CAP_AMBIENT_RAISE && how != PR_CAP_AMBIENT_LOWER)
		return -EINVAL;
	return change_ambient((u32)how, cap);
}

/* Options on credentials; -ENOSYS: not one of them. */
static long prctl_cred(u32 option, const u64 arg[4])
{
	switch (option) {
	case PR_GET_KEEPCAPS:
		return !!(cred_current()->securebits & SECBIT_KEEP_CAPS);
	case PR_SET_KEEPCAPS:
		return set_keepcaps(arg[0]);
	case PR_GET_SECUREBITS:
		return cred_current()->securebits;
	case PR_SET_SECUREBITS:
		return set_securebits((u32)arg[0]);
	case PR_CAPBSET_READ:
		if (arg[0] > CAP_LAST_CAP)
			return -EINVAL;
		return !!(cred_current()->cap_bounding & BIT(arg[0]));
	case PR_CAPBSET_DROP:
		return drop_bounding(arg[0]);
	case PR_CAP_AMBIENT:
		return prctl_ambient(arg[0], arg[1], arg[2] | arg[3]);
	default:
		return -ENOSYS;
	}
}

static long set_no_new_privs(const u64 arg[4])
{
	if (arg[0] != 1 || (arg[1] | arg[2] | arg[3]))
		return -EINVAL;
	atomic_store_relaxed(&task_current()->no_new_privs, true);
	return 0;
}

long sys_prctl(SYSCALL_ARGS)
{
	struct process *p = process_current();
	const u64 arg[] = {a1, a2, a3, a4};
	long ret = prctl_cred((u32)a0, arg);

	if (ret != -ENOSYS)
		return ret;
	switch ((u32)a0) {
	case PR_SET_NAME:
		return prctl_set_name(a1);
	case PR_GET_NAME:
		return copy_to_user((void __user *)a1, thread_current()->name, 16);
	case PR_SET_PDEATHSIG:
		if (a1 > NSIG)
			return -EINVAL;
		atomic_store_relaxed(&p->parent_death_signal, (int)a1);
		return 0;
	case PR_GET_PDEATHSIG:
		return user_store_u32((u32 __user *)a1, (u32)p->parent_death_signal);
	case PR_SET_CHILD_SUBREAPER:
		atomic_store_relaxed(&p->subreaper, a1 != 0);
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return user_store_u32((u32 __user *)a1, p->subreaper);
	case PR_GET_DUMPABLE:
		return p->dumpable;
	case PR_SET_DUMPABLE:
		if (a1 != DUMPABLE_NO && a1 != DUMPABLE_USER)
			return -EINVAL;
		atomic_store_relaxed(&p->dumpable, (u8)a1);
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return a1 | a2 | a3 | a4 ? -EINVAL : task_current()->no_new_privs;
	case PR_SET_PTRACER:
		return set_ptracer(a1);
	case PR_SET_NO_NEW_PRIVS:
		return set_no_new_privs(arg);
	case PR_SET_TIMERSLACK:
		p->timer_slack_ns = a1 ? a1 : TIMER_SLACK_DEFAULT_NS;
		return 0;
	case PR_GET_TIMERSLACK:
		return (long)p->timer_slack_ns;
	case PR_RISCV_V_SET_CONTROL:
		return task_vector_set_control(a1);
	case PR_RISCV_V_GET_CONTROL:
		return task_vector_get_control();
	default:
		return -EINVAL;
	}
}
