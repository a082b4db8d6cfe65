/*
 * System calls on the address space.
 */
#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/resource.h"
#include "abi/signal.h"
#include "abi/system.h"
#include "kernel/file/file.h"
#include "kernel/fs/memfd.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/memory_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/task.h"
#include "kernel/task/trace_maps.h"
#include "kernel/trace/trace.h"

#define PROT_KNOWN (PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM)
/* Flags that MAP_SHARED_VALIDATE accepts; the older types ignore what they do not know. */
#define MAP_KNOWN                                                                                  \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE |   \
	 MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB |      \
	 MAP_FIXED_NOREPLACE)
#define MAP_FOR_MM                                                                                 \
	(MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_NORESERVE |    \
	 MAP_FIXED_NOREPLACE | MAP_LOCKED | MAP_STACK | MAP_NO_WRITE)
#define MINCORE_CHUNK 256UL /* pages asked about at a time */

static struct mm *current_mm(void)
{
	return thread_current()->mm;
}

/* Tells the space how much the caller may lock now. False: nothing at all. */
static bool lock_limit_set(struct mm *mm)
{
	u64 bytes = process_rlimit(process_current(), RLIMIT_MEMLOCK);

	if (capable(CAP_IPC_LOCK))
		bytes = ~0UL;
	mm_set_lock_limit(mm, bytes == ~0UL ? ~0UL : bytes >> PAGE_SHIFT);
	return bytes;
}

long sys_brk(SYSCALL_ARGS)
{
	struct mm *mm = current_mm();
	u64 before, after;

	if (likely(!mm_locks_future(mm)))
		return (long)mm_brk(mm, a0);
	lock_limit_set(mm);
	before = ALIGN_UP(mm_brk(mm, 0), PAGE_SIZE);
	after = mm_brk(mm, a0);
	if (after > before)
		mm_populate(mm, before, ALIGN_UP(after, PAGE_SIZE) - before);
	return (long)after;
}

/*
 * The object of `f` to map (a reference), or an error pointer. Adds MAP_NO_WRITE to *flags where
 * mprotect must not widen.
 */
static struct vm_object *map_file_object(struct file *f, int prot, u32 *flags)
{
	struct vm_object *object;
	int err = -ENODEV;

	if (!file_readable(f) || ((*flags & MAP_SHARED) && (prot & PROT_WRITE) && !file_writable(f)))
		return err_ptr(-EACCES);
	if (!f->ops->mmap)
		return err_ptr(-ENODEV);
	object = f->ops->mmap(f, prot, (int)*flags, &err);
	if ((*flags & MAP_SHARED) && (!file_writable(f) || file_write_sealed(f)))
		*flags |= MAP_NO_WRITE;
	return object ? object : err_ptr(err);
}

static int mmap_check(u64 addr, u64 len, u32 flags, u64 offset)
{
	u32 type = flags & MAP_TYPE;

	if (len == 0)
		return -EINVAL;
	if (len > USER_TOP)
		return -ENOMEM;
	if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE && (flags & ~(u32)MAP_KNOWN))
		return -EOPNOTSUPP;
	if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) && !IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	/* There are no huge pages to reserve. */
	if (flags & MAP_HUGETLB)
		return -ENOMEM;
	if (offset + len < offset)
		return -EOVERFLOW;
	return 0;
}

/* The mapping itself; what is locked or asked to be populated is faulted in as far as it goes. */
static long map_memory(u64 addr, u64 len, int prot, u32 flags, struct vm_object *object, u64 offset,
		       struct vm_backing *backing)
{
	struct mm *mm = current_mm();
	bool lock = flags & MAP_LOCKED || mm_locks_future(mm);
	long at;

	if (lock && !lock_limit_set(mm) && flags & MAP_LOCKED)
		return -EPERM;
	at = mm_map_backed(mm, ALIGN_UP(addr, PAGE_SIZE), len, prot, (int)(flags & MAP_FOR_MM),
			   object, offset, backing);
	if (at > 0 && (lock || (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE))
		mm_populate(mm, (u64)at, len);
	return at;
}

static long map_file(struct file *f, u64 addr, u64 len, int prot, u32 flags, u64 offset)
{
	struct vm_object *object;
	long at;

	if ((s64)(offset + len) < 0)
		return -EOVERFLOW;
	object = map_file_object(f, prot, &flags);
	if (is_err(object))
		return ptr_err(object);
	at = map_memory(addr, len, prot, flags, object, offset, &f->backing);
	vm_object_put(object);
	if (trace_enabled(map) && at > 0 && prot & PROT_EXEC)
		task_trace_map((u64)at, (u64)at + len, offset, f);
	return at;
}

long sys_mmap(SYSCALL_ARGS)
{
	u32 flags = (u32)a3 & ~(u32)MAP_NO_WRITE;
	u64 len = ALIGN_UP(a1, PAGE_SIZE);
	int prot = (int)a2 & (PROT_READ | PROT_WRITE | PROT_EXEC);
	struct fd_ref ref = {0};
	long ret;

	if (!IS_ALIGNED(a5, PAGE_SIZE))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		ref = fd_arg_open(a4);
		if (!ref.file)
			return -EBADF;
	}
	ret = mmap_check(a0, a1, (u32)a3, a5);
	if ((flags & MAP_TYPE) == MAP_SHARED_VALIDATE)
		flags = (flags & ~(u32)MAP_TYPE) | MAP_SHARED;
	if (!ret)
		ret = ref.file ? map_file(ref.file, a0, len, prot, flags, a5)
			       : map_memory(a0, len, prot, flags, NULL, 0, NULL);
	if (ref.file)
		fd_return(&ref);
	return ret;
}

long sys_munmap(SYSCALL_ARGS)
{
	u64 len = a1;
	long err = memory_range_check(a0, &len, -EINVAL);

	if (err || a1 == 0 || len == 0)
		return -EINVAL;
	return mm_unmap(current_mm(), a0, len);
}

long sys_mprotect(SYSCALL_ARGS)
{
	u64 len = a1;
	long err;

	if (!IS_ALIGNED(a0, PAGE_SIZE))
		return -EINVAL;
	if (a1 == 0)
		return 0;
	err = memory_range_check(a0, &len, -ENOMEM);
	if (err || len == 0)
		return -ENOMEM;
	if (a2 & ~(u64)PROT_KNOWN)
		return -EINVAL;
	return mm_protect(current_mm(), a0, len, (int)a2 & (PROT_READ | PROT_WRITE | PROT_EXEC));
}

long sys_mremap(SYSCALL_ARGS)
{
	struct mm *mm = current_mm();
	u64 locked = mm_locked_pages(mm);
	long addr;

	if (a3 & ~(u64)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if (locked)
		lock_limit_set(mm);
	addr = mm_remap(mm, a0, a1, a2, (u32)a3, a4);
	if (addr > 0 && mm_locked_pages(mm) > locked)
		mm_populate(mm, (u64)addr, ALIGN_UP(a2, PAGE_SIZE));
	return addr;
}

long sys_msync(SYSCALL_ARGS)
{
	int flags = (int)a2;
	u64 len = a1;
	long err;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || !IS_ALIGNED(a0, PAGE_SIZE) ||
	    (flags & MS_ASYNC && flags & MS_SYNC))
		return -EINVAL;
	/* As on Linux, a length that wraps to nothing is none. */
	err = memory_range_check(a0, &len, -ENOMEM);
	if (err)
		return err;
	return mm_sync(current_mm(), a0, len, flags & MS_INVALIDATE);
}

long sys_mincore(SYSCALL_ARGS)
{
	u64 pages = ALIGN_UP(a1, PAGE_SIZE) >> PAGE_SHIFT;
	u8 vec[MINCORE_CHUNK];

	if (!IS_ALIGNED(a0, PAGE_SIZE))
		return -EINVAL;
	if (a0 > USER_TOP || a1 > USER_TOP - a0)
		return -ENOMEM;
	for (u64 done = 0; done < pages; done += MINCORE_CHUNK) {
		u64 count = MIN(pages - done, MINCORE_CHUNK);
		int err = mm_mincore(current_mm(), a0 + (done << PAGE_SHIFT), count, vec);

		if (err)
			return err;
		if (copy_to_user((void __user *)(a2 + done), vec, count))
			return -EFAULT;
		kernel_relax();
	}
	return 0;
}

/* mlock(2) takes any range of bytes: the whole pages around it. */
static long lock_range(u64 addr, u64 len, bool lock, bool populate)
{
	struct mm *mm = current_mm();
	u64 start = ALIGN_DOWN(addr, PAGE_SIZE);
	u64 bytes = ALIGN_UP(len + (addr - start), PAGE_SIZE);
	int err;

	if (lock && !lock_limit_set(mm))
		return -EPERM;
	if (start + bytes < start)
		return -EINVAL;
	if (start + bytes > USER_TOP)
		return -ENOMEM;
	err = bytes ? mm_lock(mm, start, bytes, lock) : 0;
	if (err || !populate)
		return err;
	err = mm_populate(mm, start, bytes);
	return err == -EFAULT ? -ENOMEM : err == -ENOMEM ? -EAGAIN : err;
}

long sys_mlock(SYSCALL_ARGS)
{
	return lock_range(a0, a1, true, true);
}

long sys_mlock2(SYSCALL_ARGS)
{
	if ((int)a2 & ~MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(a0, a1, true, !((int)a2 & MLOCK_ONFAULT));
}

long sys_munlock(SYSCALL_ARGS)
{
	return lock_range(a0, a1, false, false);
}

struct range {
	u64 start, end;
};

/* The first region behind the range that `arg` holds. */
static int region_behind(const struct mm_region *r, void *arg)
{
	struct range *range = arg;

	if (r->start < range->end)
		return 0;
	*range = (struct range){r->start, r->end};
	return 1;
}

long sys_mlockall(SYSCALL_ARGS)
{
	struct mm *mm = current_mm();
	struct range range = {0, 0};
	int flags = (int)a0, err;

	if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!lock_limit_set(mm))
		return -EPERM;
	err = mm_lock_all(mm, flags & MCL_CURRENT, flags & MCL_FUTURE);
	if (err || !(flags & MCL_CURRENT) || flags & MCL_ONFAULT)
		return err;
	/* As far as it goes: what cannot be had is no error. */
	while (mm_for_each_region(mm, region_behind, &range))
		mm_populate(mm, range.start, range.end - range.start);
	return 0;
}

long sys_munlockall(SYSCALL_ARGS)
{
	return mm_lock_all(current_mm(), false, false);
}
