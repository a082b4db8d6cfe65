/*
 * The file system of POSIX message queues: names in one directory, which mq_open and mq_unlink use and which `mount -t mqueue`
 * shows. A queue lives until its name and the last descriptor are gone, as its inode does. A file made in the mounted directory
 * is a queue of the default size.
 */
#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/mqueue.h"
#include "abi/stat.h"
#include "abi/system.h"
#include "kernel/fs/sysctl.h"
#include "kernel/ipc/mq_internal.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"

#define MESSAGES_HARD_MAX 65536	       /* for CAP_SYS_RESOURCE */
#define BYTES_HARD_MAX	  (16UL << 20) /* the same */
#define TEXT_SIZE	  80	       /* of what reading a queue gives, also its st_size */
#define PERMISSION_BITS	  07777

static struct super_block *mq_super;
static struct mount *mq_mount; /* [I] where mq_open looks; no program sees it */

/* /proc/sys/fs/mqueue, see mq_overview(7). */
static struct mq_limits {
	u64 queues_max, msg_max, msgsize_max, msg_default, msgsize_default; /* [a] */
} limits = {256, 10, 8192, 10, 8192};

static const struct sysctl mq_sysctls[] = {
	{"fs/mqueue/queues_max", 0644, 1, &limits.queues_max, .max = INT32_MAX},
	{"fs/mqueue/msg_max", 0644, 1, &limits.msg_max, .min = 1, .max = MESSAGES_HARD_MAX},
	{"fs/mqueue/msgsize_max", 0644, 1, &limits.msgsize_max, .min = 128, .max = BYTES_HARD_MAX},
	{"fs/mqueue/msg_default", 0644, 1, &limits.msg_default, .min = 1, .max = MESSAGES_HARD_MAX},
	{"fs/mqueue/msgsize_default", 0644, 1, &limits.msgsize_default, .min = 128,
	 .max = BYTES_HARD_MAX},
};

/* ---- an open queue ---- */

static const struct file_ops mq_file_ops;

struct mq *mq_of_file(const struct file *f)
{
	return f->ops == &mq_file_ops ? file_inode(f)->data : NULL;
}

static long mq_file_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct mq *q = mq_of_file(f);
	char text[TEXT_SIZE + 1];
	struct mq_notice n;
	u64 bytes, len;
	u32 pid = 0;
	long done;

	(void)nonblock;
	spin_lock(&q->lock);
	n = q->notice;
	if (n.process)
		pid = n.process->pid;
	bytes = q->bytes;
	spin_unlock(&q->lock);
	len = (u64)snprintf(
		text, sizeof(text), "QSIZE:%-10lu NOTIFY:%-5u SIGNO:%-5d NOTIFY_PID:%-6u\n", bytes,
		pid ? n.way.kind : 0, pid && n.way.kind == SIGEV_SIGNAL ? n.way.signo : 0, pid);
	if (*pos >= len)
		return 0;
	done = iov_copy_out(it, text + *pos, MIN(it->count, len - *pos));
	if (done > 0)
		*pos += (u64)done;
	return done;
}

static long mq_file_seek(struct file *f, s64 offset, int whence)
{
	return file_seek_in(f, TEXT_SIZE, offset, whence);
}

static int mq_file_stat(struct file *f, struct stat_info *st)
{
	int err = fs_file_stat(f, st);

	st->size = TEXT_SIZE;
	return err;
}

static PollEvent mq_file_poll(struct file *f, struct wait_queue **source)
{
	struct mq *q = mq_of_file(f);
	u64 count = atomic_load_relaxed(&q->count);

	if (source)
		*source = &q->watchers;
	return (count ? POLL_EVENT_READ : 0) | (count < q->max_count ? POLL_EVENT_WRITE : 0);
}

static void mq_file_flush(struct file *f)
{
	mq_notify_clear(mq_of_file(f));
}

static const struct file_ops mq_file_ops = {
	.name = "mqueue",
	.no_rw_flags = true,
	.read = mq_file_read,
	.seek = mq_file_seek,
	.stat = mq_file_stat,
	.poll = mq_file_poll,
	.flush = mq_file_flush,
};

/* ---- names ---- */

static void mq_inode_release(struct inode *inode)
{
	mq_free(inode->data);
	atomic_fetch_add(&mq_super->nr_inodes, -1UL);
}

static const struct inode_ops mq_inode_ops = {
	.release = mq_inode_release,
};

/* Is a queue of this size allowed? 0, -EINVAL. */
static int size_check(const struct mq_size *size)
{
	bool privileged = capable(CAP_SYS_RESOURCE);
	u64 messages = privileged ? MESSAGES_HARD_MAX : atomic_load_relaxed(&limits.msg_max);
	u64 bytes = privileged ? BYTES_HARD_MAX : atomic_load_relaxed(&limits.msgsize_max);

	if (size->messages <= 0 || size->bytes <= 0)
		return -EINVAL;
	return (u64)size->messages > messages || (u64)size->bytes > bytes ? -EINVAL : 0;
}

static struct mq_size size_default(void)
{
	return (struct mq_size){
		(s64)MIN(atomic_load_relaxed(&limits.msg_default),
			 atomic_load_relaxed(&limits.msg_max)),
		(s64)MIN(atomic_load_relaxed(&limits.msgsize_default),
			 atomic_load_relaxed(&limits.msgsize_max)),
	};
}

/* A queue's inode, or an error pointer. Context: the directory's lock, which guards the number of queues. */
static struct inode *mq_inode(u32 mode, const struct mq_size *size)
{
	struct mq_size by_default = size_default();
	struct inode *inode;
	struct mq *q;
	int err = size ? size_check(size) : 0;

	if (err)
		return err_ptr(err);
	if (atomic_load_relaxed(&mq_super->nr_inodes) >= atomic_load_relaxed(&limits.queues_max) &&
	    !capable(CAP_SYS_RESOURCE))
		return err_ptr(-ENOSPC);
	q = mq_alloc(size ?: &by_default);
	if (is_err(q))
		return err_ptr(ptr_err(q));
	inode = inode_alloc(mq_super, S_IFREG | mode);
	if (!inode) {
		mq_free(q);
		return err_ptr(-ENOMEM);
	}
	atomic_fetch_add(&mq_super->nr_inodes, 1);
	inode->fops = &mq_file_ops;
	inode->ops = &mq_inode_ops;
	inode->data = q;
	return inode;
}

/* A new name; its dentry with one reference beside the tree's, or an error pointer. Context: the directory's lock. */
static struct dentry *mq_create(const char *name, u32 mode, const struct mq_size *size)
{
	struct inode *dir = mq_super->root->inode, *inode;
	struct dentry *d;
	int err = fs_permission(dir, MAY_WRITE | MAY_EXEC);

	if (err)
		return err_ptr(err);
	inode = mq_inode(mode, size);
	if (is_err(inode))
		return err_ptr(ptr_err(inode));
	d = dentry_alloc(mq_super->root, name, strlen(name), inode);
	if (!d)
		return err_ptr(-ENOMEM);
	err = dentry_link(d);
	if (err) {
		dentry_put(d);
		return err_ptr(err);
	}
	inode_touch(dir, true);
	fs_notify_name(dir, IN_CREATE, inode, name, 0);
	return d;
}

/* May the caller open the queue `d`? */
static int mq_check_open(struct dentry *d, u32 flags)
{
	static const u32 masks[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE};

	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	return fs_permission(d->inode, masks[flags & O_ACCMODE]);
}

static int name_check(const char *name)
{
	if (strlen(name) > FS_NAME_MAX)
		return -ENAMETOOLONG;
	if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EACCES;
	return name[0] ? 0 : -ENOENT;
}

int mq_open(const char *name, u32 flags, u32 mode, const struct mq_size *size, struct file **out)
{
	struct inode *dir = mq_super->root->inode;
	struct path place = {mq_mount, NULL};
	int err = name_check(name);

	if (err)
		return err;
	mode &= PERMISSION_BITS & ~atomic_load_relaxed(&task_current()->fs->umask);
	mutex_lock(&dir->lock);
	place.dentry = dentry_find(mq_super->root, name, strlen(name));
	if (place.dentry) {
		dentry_get(place.dentry);
		err = mq_check_open(place.dentry, flags);
	} else {
		place.dentry = flags & O_CREAT ? mq_create(name, mode, size) : err_ptr(-ENOENT);
	}
	mutex_unlock(&dir->lock);
	if (is_err(place.dentry))
		return (int)ptr_err(place.dentry);
	if (!err)
		err = fs_open_path(&place, flags & (O_ACCMODE | O_NONBLOCK), out);
	dentry_put(place.dentry);
	return err;
}

int mq_unlink(const char *name)
{
	struct path top = {mq_mount, mq_super->root};
	int err = name_check(name);

	return err ? err : fs_unlink(task_current()->fs, &top, name);
}

/* ---- boot ---- */

static struct inode *mq_file_create(struct super_block *sb, u32 mode, u64 rdev)
{
	(void)sb;
	(void)rdev;
	return S_ISREG(mode) ? mq_inode(mode & PERMISSION_BITS, NULL) : err_ptr(-EPERM);
}

static const struct super_ops mq_super_ops = {
	.create = mq_file_create,
	.plain = true,
};

int mq_init(void)
{
	int err = -ENOMEM;

	mq_super = tmpfs_create("mqueue", 0);
	if (!mq_super)
		return err;
	mq_super->ops = &mq_super_ops;
	mq_super->magic = MQUEUE_MAGIC;
	mq_super->root->inode->mode = S_IFDIR | S_ISVTX | 0777;
	mq_mount = mount_hidden(mq_super);
	if (mq_mount)
		err = fs_type_register("mqueue", mq_super);
	for (u32 i = 0; i < ARRAY_SIZE(mq_sysctls) && !err; i++)
		err = sysctl_register(&mq_sysctls[i]);
	return err;
}
