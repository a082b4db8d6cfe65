/*
 * unshare(2). There are no namespaces: each kind is refused as by a kernel that was built without it.
 */
#include "abi/errno.h"
#include "abi/sched.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/task.h"

/* What tasks of one process share in any case: nothing to do for one that is alone. */
#define UNSHARE_PROCESS (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)
#define UNSHARE_KNOWN	(UNSHARE_PROCESS | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM)

/* unshare(flags) */
long sys_unshare(SYSCALL_ARGS)
{
	struct task *t = task_current();
	struct fs_context *fs = NULL;
	struct fd_table *files = NULL;

	if (a0 & ~(u64)UNSHARE_KNOWN)
		return -EINVAL;
	if (a0 & UNSHARE_PROCESS && atomic_load_relaxed(&t->process->nr_tasks) > 1)
		return -EINVAL;
	if (a0 & CLONE_FS && !(fs = fs_context_copy(t->fs)))
		return -ENOMEM;
	if (a0 & CLONE_FILES && !(files = fd_table_copy(t->files))) {
		if (fs)
			fs_context_put(fs);
		return -ENOMEM;
	}
	if (fs) {
		fs_context_put(t->fs);
		t->fs = fs;
	}
	if (files) {
		task_set_files(files);
	}
	if (a0 & CLONE_SYSVSEM && task_ipc_ops.unshare)
		task_ipc_ops.unshare(t);
	return 0;
}
