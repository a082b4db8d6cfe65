/*
 * setns(2). There is one namespace of each kind, so whoever may enter it is in it already.
 */
#include "abi/errno.h"
#include "abi/sched.h"
#include "abi/system.h"
#include "kernel/fs/proc_task_ns.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/pidfd.h"

#define KINDS                                                                                      \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_NEWCGROUP | CLONE_NEWTIME)

/* Root and working directory become those of the mount namespace. Nobody else may share them. */
static int enter_mounts(struct task *t, bool commit)
{
	struct path root = {mount_root, mount_root->root};
	int err;

	if (!capable(CAP_SYS_CHROOT) || !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (atomic_load_relaxed(&t->fs->refs) != 1)
		return -EINVAL;
	if (!commit)
		return 0;
	err = fs_set_root(t->fs, &root);
	return err ? err : fs_set_cwd(t->fs, &root);
}

/* All that is asked for may be entered, or nothing is. */
static int may_enter(struct task *t, u64 kinds)
{
	if (kinds & CLONE_NEWUSER)
		return -EINVAL; /* nobody may enter the one that it is in */
	if (kinds & CLONE_NEWNS && enter_mounts(t, false))
		return enter_mounts(t, false);
	if (kinds & CLONE_NEWTIME && atomic_load_relaxed(&t->process->nr_tasks) > 1)
		return -EUSERS;
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/* What `f` stands for of the kinds asked for, or -errno. */
static long kinds_of(const struct file *f, u64 asked)
{
	u64 kind = namespace_kind(f);

	if (kind)
		return asked && asked != kind ? -EINVAL : (long)kind;
	if (!pidfd_process(f) || !asked || asked & ~(u64)KINDS)
		return -EINVAL;
	return (long)asked;
}

/* setns(fd, kinds) */
long sys_setns(SYSCALL_ARGS)
{
	struct task *t = task_current();
	struct fd_ref r = fd_arg_open(a0);
	long kinds;
	int err;

	if (!r.file)
		return -EBADF;
	kinds = kinds_of(r.file, (u32)a1);
	fd_return(&r);
	if (kinds < 0)
		return kinds;
	err = may_enter(t, (u64)kinds);
	if (!err && (u64)kinds & CLONE_NEWNS)
		err = enter_mounts(t, true);
	return err;
}
