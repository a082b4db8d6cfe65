/*
 * Links of /proc/<pid> to what a process holds: its program, its places, its open files. All of it is
 * found under the epoch, where the memory of a dying process's tables still stands; a file is then
 * counted, a place is counted under its owner's lock.
 *
 * A link to a descriptor leads to the file's place, or for a file without one to a place made for it
 * (special.c); only those who may inspect the process may look (EACCES).
 */
#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/proc_task.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

/* The key of a descriptor's entry: its number above the process's. */
#define FD_SHIFT    32
#define FD_KEY(key) ((u32)((key) >> FD_SHIFT) & ~(u32)(PROC_THREAD >> FD_SHIFT))

char *proc_path_text(const struct path *p, char *buf, size_t size)
{
	static const char deleted[] = " (deleted)";
	/* The path ends at the end of the room that it gets; what may follow it comes behind. */
	char *text = fs_path_text(proc_context, p, buf, size - sizeof(deleted));

	if (!is_err(text) && (atomic_load_relaxed(&p->dentry->flags) & DENTRY_UNLINKED))
		memcpy(text + strlen(text), deleted, sizeof(deleted));
	return text;
}

static long path_text(const struct path *p, char *buf, size_t size)
{
	char *text = kmalloc(FS_PATH_MAX), *start;
	long len;

	if (!text)
		return -ENOMEM;
	start = proc_path_text(p, text, FS_PATH_MAX);
	if (is_err(start)) {
		kfree(text);
		return ptr_err(start);
	}
	len = (long)MIN(strlen(start), size);
	memcpy(buf, start, (size_t)len);
	kfree(text);
	return len;
}

/* The process, if the caller may look into it. Under the epoch. */
static int inspect(u64 key, struct proc_who *who)
{
	if (!proc_find(key, who) || !who->task)
		return -ENOENT;
	return task_may_inspect(who->task) ? 0 : -EACCES;
}

/* ---- exe, cwd, root ---- */

/* Takes the reference of a link's target. Under the epoch. */
typedef int (*target_fn)(const struct proc_who *who, struct path *out);

static int exe_target(const struct proc_who *who, struct path *out)
{
	int err = -ENOENT;

	spin_lock(&who->process->lock);
	if (who->process->exe) {
		*out = who->process->exe->path;
		path_get(out);
		err = 0;
	}
	spin_unlock(&who->process->lock);
	return err;
}

static int place_target(const struct proc_who *who, bool root, struct path *out)
{
	struct fs_context *ctx = atomic_load_relaxed(&who->task->fs);

	return ctx && fs_context_peek(ctx, root, out) ? 0 : -ENOENT;
}

static int cwd_target(const struct proc_who *who, struct path *out)
{
	return place_target(who, false, out);
}

static int root_target(const struct proc_who *who, struct path *out)
{
	return place_target(who, true, out);
}

static int link_follow(struct dentry *link, target_fn target, struct path *to)
{
	struct proc_who who;
	int err = inspect(link->inode->key, &who);

	return err ? err : target(&who, to);
}

static long link_read(struct dentry *link, target_fn target, char *buf, size_t size)
{
	struct path p;
	long ret;

	epoch_enter();
	ret = link_follow(link, target, &p);
	epoch_exit();
	if (ret)
		return ret;
	ret = path_text(&p, buf, size);
	path_put(&p);
	return ret;
}

#define LINK(name)                                                                                 \
	static int name##_follow(struct dentry *link, struct path *to, struct file **f)            \
	{                                                                                          \
		(void)f;                                                                           \
		return link_follow(link, name##_target, to);                                       \
	}                                                                                          \
	static long name##_readlink(struct dentry *link, char *buf, size_t size)                   \
	{                                                                                          \
		return link_read(link, name##_target, buf, size);                                  \
	}                                                                                          \
	const struct inode_ops proc_##name##_ops = {.follow = name##_follow,                       \
						    .readlink = name##_readlink}

LINK(exe);
LINK(cwd);
LINK(root);

/* ---- fd, fdinfo ---- */

/* The file behind an entry, counted: 0, -ENOENT, -EACCES. */
static int fd_file(u64 key, u32 fd, struct file **out)
{
	struct fd_table *files;
	struct proc_who who;
	int err;

	epoch_enter();
	err = inspect(key, &who);
	if (!err) {
		files = atomic_load_relaxed(&who.task->files);
		*out = files ? fd_get(files, (int)fd) : NULL;
		err = *out ? 0 : -ENOENT;
	}
	epoch_exit();
	return err;
}

static int file_place(struct file *f, struct path *out)
{
	if (!f->path.dentry)
		return anon_path(f, out);
	*out = f->path;
	path_get(out);
	return 0;
}

static int fd_follow(struct dentry *link, struct path *to, struct file **f)
{
	u64 key = link->inode->key;
	int err = fd_file(key, FD_KEY(key), f);

	return err ? err : file_place(*f, to);
}

static long fd_readlink(struct dentry *link, char *buf, size_t size)
{
	u64 key = link->inode->key;
	struct file *f;
	struct path p;
	long ret = fd_file(key, FD_KEY(key), &f);

	if (ret)
		return ret;
	ret = file_place(f, &p);
	file_put(f);
	if (ret)
		return ret;
	ret = path_text(&p, buf, size);
	path_put(&p);
	return ret;
}

static const struct inode_ops fd_link_ops = {
	.follow = fd_follow,
	.readlink = fd_readlink,
};

static int show_fdinfo(struct seq *s, u64 key)
{
	struct file *f;
	int err = fd_file(key, FD_KEY(key), &f);

	if (err)
		return err;
	seq_printf(s, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", f->ops->seek ? f->pos : 0,
		   atomic_load_relaxed(&f->flags), f->path.dentry ? f->path.mnt->id : 0,
		   f->path.dentry ? file_inode(f)->ino : 0);
	file_put(f);
	return 0;
}

/* The key of an entry and the O_* of its file: 0, or -errno. Under the epoch: nothing is counted. */
static int fd_check(u64 key, const char *name, size_t len, u64 *entry_key, u32 *flags)
{
	u32 fd = proc_number(name, len);
	struct fd_table *files;
	struct proc_who who;
	int err;

	if (fd == 0 && !(len == 1 && name[0] == '0'))
		return -ENOENT;
	err = inspect(key, &who);
	if (err)
		return err;
	files = atomic_load_relaxed(&who.task->files);
	if (!files || fd_get_flags(files, (int)fd, flags))
		return -ENOENT;
	*entry_key = key | (u64)fd << FD_SHIFT;
	return 0;
}

/* The owner's permissions of a link tell for what the file is open: lsof looks there. */
static u32 fd_link_mode(u32 flags)
{
	if (flags & O_PATH)
		return 0;
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return 0500;
	case O_WRONLY:
		return 0300;
	default:
		return 0700;
	}
}

static struct dentry *fd_lookup(struct dentry *dir, const char *name, size_t len)
{
	u32 flags;
	u64 key;
	int err = fd_check(dir->inode->key, name, len, &key, &flags);

	return err ? err_ptr(err)
		   : proc_make_link(dir, name, len, fd_link_mode(flags), key, &fd_link_ops);
}

static struct dentry *fdinfo_lookup(struct dentry *dir, const char *name, size_t len)
{
	static const struct pseudo_node node = {.mode = 0400, .show = show_fdinfo};
	u32 flags;
	u64 key;
	int err = fd_check(dir->inode->key, name, len, &key, &flags);

	if (err)
		return err_ptr(err);
	return proc_make(dir, name, len, pseudo_inode(dir->inode->sb, &node, key, NULL));
}

static bool fd_iterate_as(struct dentry *dir, u64 *pos, struct dir_entry *out, u32 mode)
{
	struct fd_table *files;
	struct proc_who who;
	char name[16];
	int fd = -1;

	epoch_enter();
	if (inspect(dir->inode->key, &who) == 0) {
		files = atomic_load_relaxed(&who.task->files);
		fd = files ? fd_next(files, (int)*pos) : -1;
	}
	epoch_exit();
	if (fd < 0)
		return false;
	snprintf(name, sizeof(name), "%d", fd);
	proc_entry(out, name, mode);
	*pos = (u64)fd + 1;
	return true;
}

static bool fd_iterate(struct dentry *dir, u64 *pos, struct dir_entry *out)
{
	return fd_iterate_as(dir, pos, out, S_IFLNK);
}

static bool fdinfo_iterate(struct dentry *dir, u64 *pos, struct dir_entry *out)
{
	return fd_iterate_as(dir, pos, out, S_IFREG);
}

const struct inode_ops proc_fd_dir_ops = {
	.lookup = fd_lookup,
	.iterate = fd_iterate,
};

const struct inode_ops proc_fdinfo_dir_ops = {
	.lookup = fdinfo_lookup,
	.iterate = fdinfo_iterate,
};
