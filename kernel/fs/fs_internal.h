/*
 * Shared by the files of kernel/fs only.
 */
#ifndef KERNEL_FS_FS_INTERNAL_H
#define KERNEL_FS_FS_INTERNAL_H

#include "kernel/fs/fs.h"

/* ---- dentry.c ---- */
void dentry_init(void);
/* rmdir: nothing can be added any more. 0 or -ENOTEMPTY. */
int dir_kill(struct inode *dir);
/*
 * Rename: `d` becomes parent/name; `replaced`, if any, is the dentry that had this name and loses
 * it. Both parents locked. 0, -ENOMEM, -ENOENT (the new parent is dead).
 */
int dentry_move(struct dentry *d, struct dentry *parent, const char *name, size_t len,
		struct dentry *replaced);
int dentry_exchange(struct dentry *a, struct dentry *b);

/* ---- walk.c ---- */
enum walk_last { WALK_LAST_NAME, WALK_LAST_DOT, WALK_LAST_DOTDOT, WALK_LAST_NONE };

/* Where the last component of a path would be. */
struct walk_parent {
	struct path dir; /* reference held */
	enum walk_last kind;
	bool slash; /* slashes follow the name */
	u32 len;
	char name[FS_NAME_MAX + 1];
};
int walk_to_parent(struct fs_context *ctx, const struct path *at, const char *name,
		   struct walk_parent *out);
/* As fs_lookup; when only the last component is missing: 0, out->dentry NULL, `parent` filled. */
int walk_or_parent(struct fs_context *ctx, const struct path *at, const char *name, u32 walk,
		   struct path *out, struct walk_parent *parent);

/* ---- open.c ---- */
void open_file_closed(struct file *f); /* file_closed */

/* ---- name.c ---- */
/*
 * Creates the name: the dentry with a reference, or an error. `umask` is taken of the mode unless the
 * directory says otherwise. `text`: of a symlink. Parent locked, name not there.
 */
struct dentry *name_create(const struct walk_parent *wp, u32 mode, u32 umask, u64 rdev,
			   const char *text);
/* The inode for a new file in `dir`, or an error. `dir` is locked, its file system has `create`. */
struct inode *name_inode(const struct inode *dir, u32 mode, u32 umask, u64 rdev);

/* ---- tmpfs.c ---- */
extern const struct file_ops tmpfs_file_ops;
struct super_block *super_alloc(const struct super_ops *ops, const char *type, u64 magic);
int tmpfs_truncate(struct inode *inode, u64 size);
/* vm_object_make_page() for a file. Context: may sleep; the inode may be locked. */
int tmpfs_make_page(struct vm_object *o, u64 index, void **page);
/* ---- tmpfs_space.c ---- */
int tmpfs_fallocate(struct file *f, u32 mode, u64 offset, u64 len);
long tmpfs_seek(struct file *f, s64 offset, int whence);

/* ---- devfs.c ---- */
struct super_block *devfs_create(void);
/* Opens /dev/name; NULL if there is none. */
struct file *devfs_open(const char *name, u32 flags);
/* Completes the inode of a device node by its number. */
void devfs_bind(struct inode *inode);
int dev_memory_init(void);
int dev_console_init(void);

/* ---- mount.c ---- */
/* A mount that is in no list, with references on `sb` and `root`; NULL when out of memory. */
struct mount *mount_alloc(struct super_block *sb, struct dentry *root, u32 flags, const char *source);
/* Mounts `root`, of `sb`, at `at` (NULL: as the first root). 0, -ENOTDIR, -ENOMEM. */
int mount_add(const struct path *at, struct super_block *sb, struct dentry *root, u32 flags,
	      const char *source);
void super_get(struct super_block *sb);
void super_put(struct super_block *sb); /* may sleep */
/* No more inodes are allowed. */
static inline bool super_full(const struct super_block *sb)
{
	return sb->max_inodes && __atomic_load_n(&sb->nr_inodes, __ATOMIC_RELAXED) >= sb->max_inodes;
}

/* ---- attr.c ---- */
/* Its contents change: a program that others may write must not run with its owner's rights. Context: inode locked. */
void inode_drop_set_id(struct inode *inode);

/* ---- xattr.c ---- */
void xattrs_free(struct inode *inode);

/* ---- special.c ---- */
int special_init(void);
/* Completes the inode of a FIFO, socket or device. */
void special_bind(struct inode *inode);
/* A place for a file that has none, with references; opening it opens the same pipe again. */
int anon_path(struct file *f, struct path *out);

/* ---- pseudo.c ---- */
struct super_block *procfs_create(void);
struct super_block *sysfs_create(void);

/* ---- proc_nodes.c, sys_nodes.c ---- */
int proc_nodes_init(void);
int proc_memory_init(void); /* by proc_nodes_init() */
int proc_irq_init(void);    /* the same */
int proc_sched_init(void);  /* the same */
int proc_kernel_init(void); /* the same */
int sys_nodes_init(void);
int sys_memory_init(void); /* by sys_nodes_init() */
struct seq;

/* ---- proc_mounts.c: /proc/<pid>/mounts, mountinfo ---- */
int proc_show_mounts(struct seq *s, u64 key);
int proc_show_mountinfo(struct seq *s, u64 key);

/* ---- context.c ---- */
/* The path of `d` from `root`, of the same file system; ends at the end of `buf`. */
char *fs_dentry_text(struct dentry *root, struct dentry *d, char *buf, size_t size);

#endif
