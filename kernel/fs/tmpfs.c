/*
 * tmpfs: the name tree is the file system, and a file's contents are a vm_object, so that mapping
 * a file and reading it see the same pages, and exec maps what the initramfs brought without a
 * copy.
 *
 * Writers of one file, and truncate, exclude each other by the inode's lock; readers take none:
 * they look at the size once and copy page by page, each page kept by its own reference.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/time/time.h"

#define RELAX_BYTES (64UL << 10)

LOCK_CLASS(fs_rename, RANK_RENAME);

/* Copied another `done` bytes in all: let the hart look at its own work now and then. */
static void copy_relax(u64 done)
{
	if ((done & (RELAX_BYTES - 1)) == 0)
		relax_hook();
}

/* As Linux's relatime: kept only as new as needed to tell "read since it was written". */
static void tmpfs_accessed(struct file *f)
{
	struct inode *inode = file_inode(f);

	u32 mount = atomic_load_relaxed(&f->path.mnt->flags);

	if ((f->flags & O_NOATIME) || (mount & (MS_NOATIME | MS_RDONLY)))
		return;
	if (!(mount & MS_STRICTATIME) &&
	    atomic_load_relaxed(&inode->atime_ns) > atomic_load_relaxed(&inode->mtime_ns))
		return;
	atomic_store_relaxed(&inode->atime_ns, (s64)time_realtime_ns());
}

static long tmpfs_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct vm_object *o = file_inode(f)->object;
	u64 size = atomic_load_relaxed(&o->size);
	u64 done = 0;

	(void)nonblock;
	while (it->count && *pos < size) {
		u64 at = *pos & (PAGE_SIZE - 1);
		u64 n = MIN(MIN(it->count, size - *pos), PAGE_SIZE - at);
		char *page = vm_object_page(o, *pos >> PAGE_SHIFT, false);
		long got = page ? iov_copy_out(it, page + at, n) : iov_zero(it, n);

		if (page)
			page_put(page);
		if (got < 0)
			return done ? (long)done : got;
		*pos += (u64)got;
		done += (u64)got;
		if ((u64)got < n)
			break;
		copy_relax(*pos);
	}
	if (done)
		tmpfs_accessed(f);
	return (long)done;
}

/*
 * The pages of a file whose last name has just gone come back a grace period later: they are waited for before anybody hears that
 * there is no space.
 */
int tmpfs_make_page(struct vm_object *o, u64 index, void **page)
{
	int err = vm_object_make_page(o, index, page);

	if (err != -ENOSPC)
		return err;
	epoch_barrier();
	return vm_object_make_page(o, index, page);
}

/* One page's worth of a write at *pos. Bytes or -errno. The inode is locked. */
static long tmpfs_write_page(struct vm_object *o, struct iov_iter *it, u64 pos)
{
	u64 at = pos & (PAGE_SIZE - 1);
	u64 n = MIN(it->count, PAGE_SIZE - at);
	void *page;
	long got = tmpfs_make_page(o, pos >> PAGE_SHIFT, &page);

	if (got)
		return got;
	got = iov_copy_in((char *)page + at, it, n);
	page_put(page);
	/* The size grows after the bytes are there: a reader never sees what was not written. */
	if (got > 0 && pos + (u64)got > o->size) {
		int err = vm_object_resize(o, pos + (u64)got);

		if (err)
			return err;
	}
	return got;
}

/* Cuts a write at `pos` short where a limit ends. 0 or -EFBIG. */
static int size_admit(struct iov_iter *it, u64 pos)
{
	u64 limit = fs_size_limit(), end = pos + it->count;
	int err = 0;

	if (end < pos || end > INT64_MAX)
		limit = MIN(limit, (u64)INT64_MAX);
	if (end >= pos && end <= limit)
		return 0;
	if (pos >= limit)
		err = pos >= INT64_MAX ? -EFBIG : fs_size_check(~0UL);
	else
		it->count = limit - pos;
	return err;
}

static long tmpfs_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct inode *inode = file_inode(f);
	u64 done = 0;
	long got = 0;

	(void)nonblock;
	if (it->count == 0)
		return 0;
	mutex_lock(&inode->lock);
	if (it->append == IOV_APPEND_BY_FILE ? atomic_load_relaxed(&f->flags) & O_APPEND
					     : it->append == IOV_APPEND_ALWAYS)
		*pos = inode->object->size;
	got = size_admit(it, *pos);
	if ((inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) ||
	    ((inode->seals & F_SEAL_GROW) && *pos + it->count > inode->object->size))
		got = -EPERM;
	while (it->count && got >= 0) {
		got = tmpfs_write_page(inode->object, it, *pos);
		if (got <= 0)
			break;
		*pos += (u64)got;
		done += (u64)got;
		copy_relax(*pos);
	}
	if (done)
		inode_drop_set_id(inode);
	mutex_unlock(&inode->lock);
	if (!done)
		return got;
	inode_touch(inode, true);
	return (long)done;
}

int tmpfs_truncate(struct inode *inode, u64 size)
{
	int err = 0;

	if (size > INT64_MAX)
		return -EINVAL;
	if (size > atomic_load_relaxed(&inode->object->size))
		err = fs_size_check(size);
	if (err)
		return err;
	mutex_lock(&inode->lock);
	if (((inode->seals & F_SEAL_SHRINK) && size < inode->object->size) ||
	    ((inode->seals & F_SEAL_GROW) && size > inode->object->size))
		err = -EPERM;
	else if (size != inode->object->size)
		err = vm_object_resize(inode->object, size);
	if (!err)
		inode_drop_set_id(inode);
	mutex_unlock(&inode->lock);
	if (!err)
		inode_touch(inode, true);
	return err;
}

static int tmpfs_file_truncate(struct file *f, u64 size)
{
	return tmpfs_truncate(file_inode(f), size);
}

static struct vm_object *tmpfs_mmap(struct file *f, int prot, int flags, int *err)
{
	struct inode *inode = file_inode(f);
	struct vm_object *o = inode->object;
	bool writes = (flags & MAP_SHARED) && (prot & PROT_WRITE);

	/* Under the lock: file_add_seals() sees the reference, or we see the seal. */
	mutex_lock(&inode->lock);
	if (writes && (inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))) {
		*err = -EPERM;
		o = NULL;
	} else {
		vm_object_get(o);
	}
	mutex_unlock(&inode->lock);
	return o;
}

const struct file_ops tmpfs_file_ops = {
	.name = "tmpfs",
	.read = tmpfs_read,
	.write = tmpfs_write,
	.seek = tmpfs_seek,
	.stat = fs_file_stat,
	.truncate = tmpfs_file_truncate,
	.fallocate = tmpfs_fallocate,
	.mmap = tmpfs_mmap,
};

static struct inode *tmpfs_inode(struct super_block *sb, u32 mode, u64 rdev)
{
	struct inode *inode;

	if (sb->max_inodes && atomic_fetch_add(&sb->nr_inodes, 1) >= sb->max_inodes) {
		atomic_fetch_add(&sb->nr_inodes, -1UL);
		return NULL;
	}
	inode = inode_alloc(sb, mode);
	if (!inode)
		return NULL;
	if (S_ISDIR(mode)) {
		inode->fops = &dir_file_ops;
	} else if (!S_ISREG(mode) && !S_ISLNK(mode)) {
		inode->rdev = rdev;
		special_bind(inode);
	} else if (S_ISREG(mode)) {
		inode->seals = F_SEAL_SEAL;
		inode->fops = &tmpfs_file_ops;
		inode->object = vm_object_create(0);
		if (!inode->object) {
			inode_put(inode);
			return NULL;
		}
		if (sb->budget)
			vm_object_set_budget(inode->object, sb->budget);
	}
	return inode;
}

static const struct super_ops tmpfs_super_ops = {
	.create = tmpfs_inode,
};

struct super_block *super_alloc(const struct super_ops *ops, const char *type, u64 magic)
{
	static u64 next_minor = 1; /* [a] anonymous devices have major number 0 */
	struct super_block *sb = kzalloc(sizeof(*sb));

	if (!sb)
		return NULL;
	sb->ops = ops;
	sb->type = type;
	sb->magic = magic;
	sb->dev = ABI_MKDEV(0, atomic_fetch_add_relaxed(&next_minor, 1));
	sb->next_ino = 1;
	sb->refs = 1;
	mutex_init(&sb->rename, &fs_rename_class);
	return sb;
}

void tmpfs_limit_inodes(struct super_block *sb, u64 max)
{
	sb->max_inodes = max;
	sb->nr_inodes = 1;
}

struct super_block *tmpfs_create(const char *type, u64 max_pages)
{
	struct super_block *sb = super_alloc(&tmpfs_super_ops, type, TMPFS_MAGIC);
	struct inode *root;

	if (!sb)
		return NULL;
	sb->budget = vm_budget_create(max_pages);
	if (!sb->budget) {
		kfree(sb);
		return NULL;
	}
	sb->asked_mode = TMPFS_DEFAULT_MODE;
	root = tmpfs_inode(sb, S_IFDIR | 0755, 0);
	sb->root = root ? dentry_alloc(NULL, "", 0, root) : NULL;
	if (sb->root)
		return sb;
	kfree(sb->budget);
	kfree(sb);
	return NULL;
}
