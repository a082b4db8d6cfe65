/*
 * Namespaces as files. The files of the only namespaces lie in a file system that no path leads to, with the numbers that Linux gives
 * its first ones; the links of all processes lead there. Source: namespaces(7), ioctl_nsfs(2).
 */
#include "kernel/fs/proc_task_ns.h"

#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/nsfs.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "abi/stat.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/proc_task.h"
#include "kernel/mm/uaccess.h"

static const struct kind {
	const char *link; /* in /proc/<pid>/ns */
	const char *name;
	u64 flag;
	u64 ino;
} kinds[] = {
	{"cgroup", "cgroup", CLONE_NEWCGROUP, 0xeffffffb},
	{"ipc", "ipc", CLONE_NEWIPC, 0xefffffff},
	{"mnt", "mnt", CLONE_NEWNS, 0xf0000001},
	{"net", "net", CLONE_NEWNET, 0xf0000000},
	{"pid", "pid", CLONE_NEWPID, 0xeffffffc},
	{"pid_for_children", "pid", CLONE_NEWPID, 0xeffffffc},
	{"time", "time", CLONE_NEWTIME, 0xeffffffa},
	{"time_for_children", "time", CLONE_NEWTIME, 0xeffffffa},
	{"user", "user", CLONE_NEWUSER, 0xeffffffd},
	{"uts", "uts", CLONE_NEWUTS, 0xeffffffe},
};

static struct path places[ARRAY_SIZE(kinds)]; /* [I] one for each kind, also where two have a name */
static const struct file_ops namespace_file_ops;

static const struct kind *kind_of_ino(u64 ino)
{
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].ino == ino)
			return &kinds[i];
	return NULL;
}

u64 namespace_kind(const struct file *f)
{
	return f->ops == &namespace_file_ops ? kind_of_ino(file_inode(f)->ino)->flag : 0;
}

/* ---- the files ---- */

/* A descriptor of the user namespace that owns all others. */
static long open_user_namespace(void)
{
	u64 limit = process_rlimit(process_current(), RLIMIT_NOFILE);
	struct file *f;
	int fd, err;

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].flag != CLONE_NEWUSER)
			continue;
		err = fs_open_path(&places[i], O_RDONLY, &f);
		if (err)
			return err;
		fd = fd_install(task_current()->files, f, 0, true,
				(u32)MIN(limit, (u64)FD_TABLE_MAX));
		if (fd < 0)
			file_put(f);
		return fd;
	}
	return -EINVAL;
}

static long namespace_ioctl(struct file *f, u32 cmd, u64 arg)
{
	u64 kind = namespace_kind(f);

	switch (cmd) {
	case NS_GET_NSTYPE:
		return (long)kind;
	case NS_GET_USERNS:
		/* The first user namespace has none above it. */
		return kind == CLONE_NEWUSER ? -EPERM : open_user_namespace();
	case NS_GET_PARENT:
		return kind == CLONE_NEWUSER || kind == CLONE_NEWPID ? -EPERM : -EINVAL;
	case NS_GET_OWNER_UID:
		if (kind != CLONE_NEWUSER)
			return -EINVAL;
		return user_store_u32((u32 __user *)(uintptr_t)arg, 0);
	default:
		return -ENOTTY;
	}
}

static const struct file_ops namespace_file_ops = {
	.name = "nsfs",
	.ioctl = namespace_ioctl,
	.stat = fs_file_stat,
};

/* ---- the links ---- */

/* Below the number of the process in a link's key. */
#define KIND_SHIFT   32
#define KIND_OF(key) ((u32)((key) >> KIND_SHIFT) & ~(u32)(PROC_THREAD >> KIND_SHIFT))

static bool may_look(u64 key)
{
	struct proc_who who;

	return proc_find(key & ~((u64)KIND_OF(key) << KIND_SHIFT), &who) && who.task &&
	       task_may_inspect(who.task);
}

static int ns_follow(struct dentry *link, struct path *to, struct file **f)
{
	(void)f;
	if (!may_look(link->inode->key))
		return -EACCES;
	*to = places[KIND_OF(link->inode->key)];
	path_get(to);
	return 0;
}

static long ns_readlink(struct dentry *link, char *buf, size_t size)
{
	const struct kind *kind = &kinds[KIND_OF(link->inode->key)];
	char text[32];

	if (!may_look(link->inode->key))
		return -EACCES;
	snprintf(text, sizeof(text), "%s:[%lu]", kind->name, kind->ino);
	size = MIN(size, strlen(text));
	memcpy(buf, text, size);
	return (long)size;
}

static const struct inode_ops ns_link_ops = {
	.follow = ns_follow,
	.readlink = ns_readlink,
};

static struct dentry *ns_lookup(struct dentry *dir, const char *name, size_t len)
{
	for (u64 i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i].link) == len && memcmp(kinds[i].link, name, len) == 0)
			return proc_make_link(dir, name, len, 0777,
					      dir->inode->key | i << KIND_SHIFT, &ns_link_ops);
	return err_ptr(-ENOENT);
}

static bool ns_iterate(struct dentry *dir, u64 *pos, struct dir_entry *out)
{
	(void)dir;
	if (*pos >= ARRAY_SIZE(kinds))
		return false;
	proc_entry(out, kinds[*pos].link, S_IFLNK);
	++*pos;
	return true;
}

const struct inode_ops proc_ns_dir_ops = {
	.lookup = ns_lookup,
	.iterate = ns_iterate,
};

/* ---- boot ---- */

static int place_create(struct super_block *sb, struct mount *mnt, const struct kind *kind,
			struct path *out)
{
	struct inode *inode = inode_alloc(sb, S_IFREG | 0444);
	char text[32];

	if (!inode)
		return -ENOMEM;
	inode->ino = kind->ino;
	inode->fops = &namespace_file_ops;
	snprintf(text, sizeof(text), "%s:[%lu]", kind->name, kind->ino);
	out->mnt = mnt;
	out->dentry = dentry_alloc(NULL, text, strlen(text), inode);
	if (!out->dentry)
		return -ENOMEM;
	out->dentry->flags = DENTRY_NAMELESS;
	return 0;
}

int namespaces_init(void)
{
	static const struct super_ops ops = {0};
	struct super_block *sb = super_alloc(&ops, "nsfs", NSFS_MAGIC);
	struct inode *root = sb ? inode_alloc(sb, S_IFDIR) : NULL;
	struct mount *mnt;
	int err = 0;

	if (!root)
		return -ENOMEM;
	sb->root = dentry_alloc(NULL, "", 0, root);
	mnt = sb->root ? mount_hidden(sb) : NULL;
	if (!mnt)
		return -ENOMEM;
	for (u32 i = 0; i < ARRAY_SIZE(kinds) && !err; i++)
		err = place_create(sb, mnt, &kinds[i], &places[i]);
	return err;
}
