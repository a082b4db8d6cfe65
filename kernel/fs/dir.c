/*
 * Reading directories. A position is 0 for ".", 1 for "..", then the cookie of the first child
 * not yet reported: cookies only rise, so names that stay are reported exactly once whatever
 * happens to others. Children made on demand come after the linked ones, at positions from
 * DIR_ON_DEMAND on.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"

#define DIR_ON_DEMAND (1UL << 32)

static u8 dir_entry_type(u32 mode)
{
	/* The DT_* values are the type bits of st_mode. */
	return (u8)((mode & S_IFMT) >> 12);
}

/* Appends one record. 1, 0 (does not fit any more), or -EFAULT. */
static long dir_emit(struct iov_iter *it, const char *name, u64 ino, u32 mode, u64 next)
{
	union {
		struct abi_dirent64 head;
		char bytes[offsetof(struct abi_dirent64, d_name) + FS_NAME_MAX + 1 + 8];
	} record;
	size_t len = strlen(name);
	size_t size = ALIGN_UP(offsetof(struct abi_dirent64, d_name) + len + 1, 8UL);
	long done;

	if (it->count < size)
		return 0;
	memset(record.bytes + size - 8, 0, 8);
	record.head.d_ino = ino;
	record.head.d_off = (s64)next;
	record.head.d_reclen = (u16)size;
	record.head.d_type = dir_entry_type(mode);
	memcpy(record.bytes + offsetof(struct abi_dirent64, d_name), name, len + 1);
	done = iov_copy_out(it, record.bytes, size);
	return done == (long)size ? 1 : -EFAULT;
}

/* "." and "..", and on to the first child. */
static long dir_emit_dots(struct file *f, struct iov_iter *it)
{
	struct dentry *d = f->path.dentry;
	long ret = 1;

	if (f->pos == 0) {
		ret = dir_emit(it, ".", d->inode->ino, S_IFDIR, 1);
		if (ret > 0)
			f->pos = 1;
	}
	if (f->pos == 1 && ret > 0) {
		ret = dir_emit(it, "..", dentry_parent(d)->inode->ino, S_IFDIR, 2);
		if (ret > 0)
			f->pos = 2;
	}
	return ret;
}

/* The directory's lock is held: its children and their keys stay. */
static long dir_emit_children(struct file *f, struct iov_iter *it)
{
	struct inode *dir = file_inode(f);
	struct dentry *d;
	long ret = 1;

	list_for_each(d, &dir->children, sibling) {
		if (d->cookie < f->pos)
			continue;
		ret = dir_emit(it, d->key->text, d->inode->ino, d->inode->mode, d->cookie + 1);
		if (ret <= 0)
			return ret;
		f->pos = d->cookie + 1;
	}
	f->pos = DIR_ON_DEMAND;
	return ret;
}

static long dir_emit_on_demand(struct file *f, struct iov_iter *it)
{
	struct dentry *d = f->path.dentry;
	struct dir_entry entry;
	u64 pos = f->pos - DIR_ON_DEMAND;
	long ret = 1;

	while (d->inode->ops->iterate(d, &pos, &entry)) {
		ret = dir_emit(it, entry.name, entry.ino, entry.mode, DIR_ON_DEMAND + pos);
		if (ret <= 0)
			return ret;
		f->pos = DIR_ON_DEMAND + pos;
	}
	return ret;
}

static long dir_getdents(struct file *f, struct iov_iter *it)
{
	struct inode *dir = file_inode(f);
	u64 before = it->count;
	long ret;

	mutex_lock(&dir->lock);
	if (dir->nr_children == DIR_DEAD)
		ret = -ENOENT;
	else
		ret = dir_emit_dots(f, it);
	if (ret > 0 && f->pos < DIR_ON_DEMAND)
		ret = dir_emit_children(f, it);
	mutex_unlock(&dir->lock);
	if (ret > 0 && dir->ops && dir->ops->iterate)
		ret = dir_emit_on_demand(f, it);
	if (before != it->count)
		return (long)(before - it->count);
	/* Nothing emitted: a record that did not fit (0), an error, or the end (1). */
	return ret == 0 ? -EINVAL : MIN(ret, 0L);
}

static long dir_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	(void)f;
	(void)it;
	(void)pos;
	(void)nonblock;
	return -EISDIR;
}

static long dir_seek(struct file *f, s64 offset, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	return file_seek_in(f, 0, offset, whence);
}

const struct file_ops dir_file_ops = {
	.name = "directory",
	.read = dir_read,
	.seek = dir_seek,
	.getdents = dir_getdents,
	.stat = fs_file_stat,
};
