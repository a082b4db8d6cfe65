/*
 * process_vm_readv and process_vm_writev: copies between the caller's memory and another process's, a
 * piece at a time by way of a kernel page.
 */
#include "abi/errno.h"
#include "kernel/file/file.h"
#include "kernel/mm/mm.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/task.h"

/* The address space of process or thread `pid`, with a reference, or an error pointer. */
static struct mm *vm_access_mm(u32 pid)
{
	struct mm *mm = NULL;
	struct task *t;
	long err = -ESRCH;

	epoch_enter();
	t = task_find(pid);
	if (t)
		err = task_may_inspect(t) ? 0 : -EPERM;
	if (!err)
		mm = process_mm_get(t->process);
	epoch_exit();
	if (err)
		return err_ptr(err);
	return mm ? mm : err_ptr(-ESRCH);
}

/* One piece at `remote`. Bytes, or -EFAULT if there were none. */
static long vm_access_piece(struct mm *mm, struct iov_iter *local, u64 remote, size_t n, char *page,
			    bool write)
{
	long got;

	if (write) {
		got = iov_copy_in(page, local, n);
		return got > 0 ? mm_access(mm, remote, page, (size_t)got, true) : got;
	}
	got = mm_access(mm, remote, page, n, false);
	return got > 0 ? iov_copy_out(local, page, (size_t)got) : got;
}

static long vm_access_copy(struct mm *mm, struct iov_iter *local, const struct iov_iter *remote,
			   char *page, bool write)
{
	u64 done = 0;

	for (u32 i = 0; i < remote->nr_segs && local->count; i++) {
		const struct iov_segment *seg = &remote->seg[i];
		u64 at = 0;

		while (at < seg->len && local->count) {
			size_t n = MIN(MIN(seg->len - at, local->count), PAGE_SIZE);
			long got = vm_access_piece(mm, local, seg->base + at, n, page, write);

			if (got < 0)
				return done ? (long)done : got;
			at += (u64)got;
			done += (u64)got;
			if ((size_t)got < n)
				return (long)done;
			kernel_relax();
		}
	}
	return (long)done;
}

static long vm_access(u32 pid, struct vec_arg *local, struct vec_arg *remote, bool write)
{
	struct mm *mm = vm_access_mm(pid);
	char *page;
	long ret = -ENOMEM;

	if (is_err(mm))
		return ptr_err(mm);
	page = kmalloc(PAGE_SIZE);
	if (page)
		ret = vm_access_copy(mm, &local->it, &remote->it, page, write);
	kfree(page);
	mm_put(mm);
	return ret;
}

static long vm_access_vectors(u64 pid, u64 local_addr, u64 nr_local, u64 remote_addr, u64 nr_remote,
			      bool write)
{
	struct vec_arg local, remote;
	long ret = vec_arg_get(&local, local_addr, nr_local);

	if (ret)
		return ret;
	ret = local.it.count ? vec_arg_get(&remote, remote_addr, nr_remote) : 0;
	if (!ret && local.it.count) {
		ret = remote.it.count ? vm_access((u32)pid, &local, &remote, write) : 0;
		vec_arg_put(&remote);
	}
	vec_arg_put(&local);
	return ret;
}

long sys_process_vm_readv(SYSCALL_ARGS)
{
	return a5 ? -EINVAL : vm_access_vectors(a0, a1, a2, a3, a4, false);
}

long sys_process_vm_writev(SYSCALL_ARGS)
{
	return a5 ? -EINVAL : vm_access_vectors(a0, a1, a2, a3, a4, true);
}
