/*
 * madvise and process_madvise: what a program says of its own memory, or somebody of another's.
 */
#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/signal.h"
#include "abi/system.h"
#include "kernel/mm/mm.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/memory_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/pidfd.h"
#include "kernel/task/task.h"

/* A hole is ENOMEM, memory without the right EINVAL, what lies past a file's end EFAULT. */
static long advise_populate(struct mm *mm, u64 addr, u64 len, enum mm_access access)
{
	int code, err = mm_fault_range(mm, addr, len, access, &code);

	if (err == -EFAULT)
		return code == SEGV_ACCERR ? -EINVAL : -ENOMEM;
	return err == -EIO ? -EFAULT : err;
}

/* Source: madvise(2). */
static long advise_memory(struct mm *mm, u64 addr, u64 bytes, int advice)
{
	u64 len = bytes;
	long err = memory_range_check(addr, &len, -ENOMEM);

	if (err || (bytes && !len))
		return err ? err : -EINVAL;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return advise_populate(mm, addr, len,
				       advice == MADV_POPULATE_READ ? MM_READ : MM_WRITE);
	return mm_advise(mm, addr, len, advice);
}

long sys_madvise(SYSCALL_ARGS)
{
	return advise_memory(thread_current()->mm, a0, a1, (int)a2);
}

/* Bytes of the segments that were advised before one failed, or its error if it was the first. */
static long advise_vector(struct mm *mm, const struct iov_iter *it, int advice)
{
	u64 done = 0;

	for (u32 i = 0; i < it->nr_segs; i++) {
		long err = advise_memory(mm, it->seg[i].base, it->seg[i].len, advice);

		if (err)
			return done ? (long)done : err;
		done += it->seg[i].len;
		kernel_relax();
	}
	return (long)done;
}

/* Only what changes no contents, now or later. */
static bool advice_for_others(int advice)
{
	return advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED;
}

/* The space of a process that the caller may look into, with a reference, or an error pointer. */
static struct mm *advised_mm(struct process *p)
{
	struct mm *mm = NULL;
	struct task *t;
	long err = -ESRCH;

	epoch_enter();
	t = task_find(p->pid);
	if (t && t->process != p)
		t = NULL;
	if (t)
		mm = process_mm_get(p);
	if (mm)
		err = p == process_current() || task_may_inspect(t) ? 0 : -EACCES;
	epoch_exit();
	if (mm && err)
		mm_put(mm);
	return err ? err_ptr(err) : mm;
}

/* Threads other than the leader have no memory of their own, says Linux. */
static bool advice_reaches(const struct file *f, struct process *p)
{
	return !atomic_load_acquire(&p->reaped) && (!pidfd_of_thread(f) || pidfd_number(f) == p->pid);
}

static long advise_process(const struct file *f, const struct iov_iter *it, int advice)
{
	struct process *p = pidfd_process(f);
	struct mm *mm;
	long ret = -EPERM;

	if (!p)
		return -EBADF;
	if (!advice_reaches(f, p))
		return -ESRCH;
	if (!advice_for_others(advice))
		return -EINVAL;
	mm = advised_mm(p);
	if (is_err(mm))
		return ptr_err(mm);
	if (mm == thread_current()->mm || capable(CAP_SYS_NICE))
		ret = advise_vector(mm, it, advice);
	mm_put(mm);
	return ret;
}

/* Source: process_madvise(2). */
long sys_process_madvise(SYSCALL_ARGS)
{
	struct vec_arg vec;
	struct fd_ref r;
	long ret;

	if ((u32)a4)
		return -EINVAL;
	ret = vec_arg_get(&vec, a1, a2);
	if (ret)
		return ret;
	r = fd_arg(a0);
	ret = r.file ? advise_process(r.file, &vec.it, (int)a3) : -EBADF;
	if (r.file)
		fd_return(&r);
	vec_arg_put(&vec);
	return ret;
}
