/*
 * System calls on the address space.
 */
#include "abi/errno.h"
#include "abi/mman.h"
#include "kernel/file/file.h"
#include "kernel/mm/mm.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/task.h"

#define PROT_KNOWN (PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM)
/* Flags that MAP_SHARED_VALIDATE accepts; the older types ignore what they do not know. */
#define MAP_KNOWN                                                                                  \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE |   \
	 MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB |      \
	 MAP_FIXED_NOREPLACE)
#define MAP_FOR_MM                                                                                 \
	(MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_NORESERVE |    \
	 MAP_FIXED_NOREPLACE | MAP_NO_WRITE)

static struct mm *current_mm(void)
{
	return thread_current()->mm;
}

long sys_brk(SYSCALL_ARGS)
{
	return (long)mm_brk(current_mm(), a0);
}

/*
 * The object to map (a reference), or an error pointer. Adds MAP_NO_WRITE to *flags where mprotect
 * must not widen.
 */
static struct vm_object *map_file_object(int fd, int prot, u32 *flags)
{
	struct fd_ref ref = fd_borrow(task_current()->files, fd);
	struct vm_object *object;
	int err = -ENODEV;

	if (!ref.file)
		return err_ptr(-EBADF);
	if (!file_readable(ref.file) ||
	    ((*flags & MAP_SHARED) && (prot & PROT_WRITE) && !file_writable(ref.file)))
		object = err_ptr(-EACCES);
	else if (!ref.file->ops->mmap)
		object = err_ptr(-ENODEV);
	else
		object = ref.file->ops->mmap(ref.file, prot, (int)*flags, &err);
	if ((*flags & MAP_SHARED) && !file_writable(ref.file))
		*flags |= MAP_NO_WRITE;
	fd_return(&ref);
	return object ? object : err_ptr(err);
}

/*
 * Touches every page of a range that was just mapped; what cannot be had is left for the fault to
 * come.
 */
static void populate(struct mm *mm, u64 addr, u64 len, enum mm_access access)
{
	int code;

	for (u64 end = addr + len; addr < end; addr += PAGE_SIZE) {
		if (mm_fault(mm, addr, access, &code))
			return;
		if (IS_ALIGNED(addr, 64 * PAGE_SIZE))
			kernel_relax();
	}
}

static int mmap_check(u64 addr, u64 len, u32 flags, u64 offset)
{
	u32 type = flags & MAP_TYPE;

	if (len == 0 || !IS_ALIGNED(offset, PAGE_SIZE))
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

long sys_mmap(SYSCALL_ARGS)
{
	u32 flags = (u32)a3 & ~(u32)MAP_NO_WRITE;
	u64 len = ALIGN_UP(a1, PAGE_SIZE);
	int prot = (int)a2 & (PROT_READ | PROT_WRITE | PROT_EXEC);
	struct vm_object *object = NULL;
	int err = mmap_check(a0, a1, (u32)a3, a5);
	long addr;

	if (err)
		return err;
	if ((flags & MAP_TYPE) == MAP_SHARED_VALIDATE)
		flags = (flags & ~(u32)MAP_TYPE) | MAP_SHARED;
	if (!(flags & MAP_ANONYMOUS)) {
		object = map_file_object((int)a4, prot, &flags);
		if (is_err(object))
			return ptr_err(object);
	} else if (flags & MAP_SHARED) {
		object = vm_object_create(len);
		if (!object)
			return -ENOMEM;
		a5 = 0;
	}
	addr = mm_map(current_mm(), ALIGN_UP(a0, PAGE_SIZE), len, prot, (int)(flags & MAP_FOR_MM),
		      object, object ? a5 : 0, NULL);
	if (object)
		vm_object_put(object);
	if (addr > 0 && (flags & (MAP_POPULATE | MAP_LOCKED)) && !(flags & MAP_NONBLOCK) && prot)
		populate(current_mm(), (u64)addr, len, prot & PROT_WRITE ? MM_WRITE : MM_READ);
	return addr;
}

/* Page-aligned start, length rounded up, inside user space; `bad` is what a wrong range answers. */
static long range_check(u64 addr, u64 *len, long bad)
{
	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	*len = ALIGN_UP(*len, PAGE_SIZE);
	return addr > USER_TOP || *len > USER_TOP - addr ? bad : 0;
}

long sys_munmap(SYSCALL_ARGS)
{
	u64 len = a1;
	long err = range_check(a0, &len, -EINVAL);

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
	err = range_check(a0, &len, -ENOMEM);
	if (err || len == 0)
		return -ENOMEM;
	if (a2 & ~(u64)PROT_KNOWN)
		return -EINVAL;
	return mm_protect(current_mm(), a0, len, (int)a2 & (PROT_READ | PROT_WRITE | PROT_EXEC));
}

/* Faults every page in; the first that cannot be had ends it. Source: madvise(2). */
static long advise_populate(u64 addr, u64 len, enum mm_access access)
{
	int code, err;

	for (u64 end = addr + len; addr < end; addr += PAGE_SIZE) {
		err = mm_fault(current_mm(), addr, access, &code);
		if (err == -EFAULT)
			return code == 2 ? -EFAULT : -ENOMEM;
		if (err)
			return err == -EIO ? -EFAULT : err;
		kernel_relax();
	}
	return 0;
}

long sys_madvise(SYSCALL_ARGS)
{
	u64 len = a1;
	long err = range_check(a0, &len, -EINVAL);

	if (err || (a1 && !len))
		return -EINVAL;
	switch ((int)a2) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		/* Pages that MADV_FREE gives may be taken at any time: here at once. */
		return len ? mm_discard(current_mm(), a0, len) : 0;
	case MADV_POPULATE_READ:
		return advise_populate(a0, len, MM_READ);
	case MADV_POPULATE_WRITE:
		return advise_populate(a0, len, MM_WRITE);
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
		/* Advice about speed or core files, free to be left unused. */
		return 0;
	default:
		return -EINVAL;
	}
}
