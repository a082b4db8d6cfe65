/*
 * Where a tmpfs file has pages and where holes: fallocate, and seeking for one or the other.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"

#define RELAX_PAGES 16U

/* Zeroes bytes of one page, if it is there. */
static void zero_part(struct vm_object *o, u64 start, u64 end)
{
	char *page = start < end ? vm_object_page(o, start >> PAGE_SHIFT, false) : NULL;

	if (!page)
		return;
	memset(page + (start & (PAGE_SIZE - 1)), 0, end - start);
	page_put(page);
}

/* The inode is locked. */
static int punch(struct inode *inode, u64 start, u64 end)
{
	u64 first = ALIGN_UP(start, PAGE_SIZE), last = ALIGN_DOWN(end, PAGE_SIZE);

	if (inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (first >= last) {
		u64 middle = MIN(first, end);

		zero_part(inode->object, start, middle);
		zero_part(inode->object, middle, end);
		return 0;
	}
	zero_part(inode->object, start, first);
	zero_part(inode->object, last, end);
	vm_object_punch(inode->object, first >> PAGE_SHIFT, (last - first) >> PAGE_SHIFT);
	return 0;
}

/* The inode is locked. What was allocated before an error stays. */
static int allocate(struct inode *inode, u64 start, u64 end, bool keep_size)
{
	struct vm_object *o = inode->object;
	void *page;
	int err;

	if (!keep_size && end > o->size) {
		err = inode->seals & F_SEAL_GROW ? -EPERM : fs_size_check(end);
		if (err)
			return err;
	}
	for (u64 i = start >> PAGE_SHIFT; i < (end + PAGE_SIZE - 1) >> PAGE_SHIFT; i++) {
		err = tmpfs_make_page(o, i, &page);
		if (err)
			return err == -ENOMEM ? -ENOSPC : err;
		page_put(page);
		if (i % RELAX_PAGES == 0)
			relax_hook();
	}
	return !keep_size && end > o->size ? vm_object_resize(o, end) : 0;
}

int tmpfs_fallocate(struct file *f, u32 mode, u64 offset, u64 len)
{
	struct inode *inode = file_inode(f);
	int err;

	if (mode & ~(u32)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	mutex_lock(&inode->lock);
	if (mode & FALLOC_FL_PUNCH_HOLE)
		err = punch(inode, offset, offset + len);
	else
		err = allocate(inode, offset, offset + len, mode & FALLOC_FL_KEEP_SIZE);
	mutex_unlock(&inode->lock);
	if (!err)
		inode_touch(inode, true);
	return err;
}

long tmpfs_seek(struct file *f, s64 offset, int whence)
{
	struct vm_object *o = file_inode(f)->object;
	u64 size = atomic_load_relaxed(&o->size), page;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return file_seek_in(f, size, offset, whence);
	if (offset < 0 || (u64)offset >= size)
		return -ENXIO;
	page = vm_object_next(o, (u64)offset >> PAGE_SHIFT, whence == SEEK_DATA);
	if (page >= ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT) {
		/* No page up to the end, or no hole but the one there. */
		if (whence == SEEK_DATA)
			return -ENXIO;
		offset = (s64)size;
	} else if (page > (u64)offset >> PAGE_SHIFT) {
		offset = (s64)(page << PAGE_SHIFT);
	}
	f->pos = (u64)offset;
	return offset;
}
