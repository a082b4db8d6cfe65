/*
 * kcmp(2): do two tasks share a thing of the kernel? The answer orders addresses, made unrecognisable by random numbers of this boot:
 * an odd factor keeps different ones different.
 */
#include "abi/errno.h"
#include "abi/kcmp.h"
#include "kernel/file/file.h"
#include "kernel/random/random.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/refcount.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/task.h"

static u64 kcmp_factor; /* [a] 0: not chosen yet */

static u64 kcmp_disguise(const void *p)
{
	u64 factor = atomic_load_relaxed(&kcmp_factor);

	if (!factor) {
		random_bytes(&factor, sizeof(factor));
		atomic_cas(&kcmp_factor, 0UL, factor | 1);
		factor = atomic_load_relaxed(&kcmp_factor);
	}
	return (u64)p * factor;
}

/* 0: the same, 1: the first is less, 2: greater. */
static long kcmp_order(const void *one, const void *other)
{
	u64 a = kcmp_disguise(one), b = kcmp_disguise(other);

	return (a < b) | (a > b) << 1;
}

/* The address of descriptor `fd` of `t`, only to be compared; NULL: it is not open. */
static const void *kcmp_file(struct task *t, int fd)
{
	struct fd_table *files = task_files_get(t);
	struct file *f = files ? fd_get(files, fd) : NULL;

	if (f)
		file_put(f);
	if (files)
		fd_table_put(files);
	return f;
}

static long kcmp_files(struct task *t1, struct task *t2, int fd1, int fd2)
{
	const void *one = kcmp_file(t1, fd1), *other = kcmp_file(t2, fd2);

	return one && other ? kcmp_order(one, other) : -EBADF;
}

static long kcmp_tasks(struct task *t1, struct task *t2, u32 type)
{
	switch (type) {
	case KCMP_VM:
		return kcmp_order(t1->process->mm, t2->process->mm);
	case KCMP_FILES:
		return kcmp_order(t1->files, t2->files);
	case KCMP_FS:
		return kcmp_order(t1->fs, t2->fs);
	case KCMP_SIGHAND:
		return kcmp_order(t1->process, t2->process);
	case KCMP_IO:
		return kcmp_order(t1->io.shared, t2->io.shared);
	case KCMP_SYSVSEM:
		return kcmp_order(t1->sem_undo, t2->sem_undo);
	case KCMP_EPOLL_TFD:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

static long kcmp_run(struct task *t1, struct task *t2, u32 type, const u64 index[2])
{
	if (!task_may_inspect(t1) || !task_may_inspect(t2))
		return -EPERM;
	if (type == KCMP_FILE)
		return kcmp_files(t1, t2, (int)index[0], (int)index[1]);
	return kcmp_tasks(t1, t2, type);
}

long sys_kcmp(SYSCALL_ARGS)
{
	struct task *t1, *t2;
	long ret = -ESRCH;

	/* A file may be released, which sleeps: the tasks need references. */
	t1 = task_find((u32)a0);
	if (!t1 || !refcount_get_unless_zero(&t1->thread.refs))
		return -ESRCH;
	t2 = task_find((u32)a1);
	if (t2 && refcount_get_unless_zero(&t2->thread.refs)) {
		ret = kcmp_run(t1, t2, (u32)a2, (const u64[2]){a3, a4});
		thread_put(&t2->thread);
	}
	thread_put(&t1->thread);
	return ret;
}
