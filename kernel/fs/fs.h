/*
 * File systems: inodes, the tree of names, mounts, path walks and the operations on names. The
 * public face of kernel/fs.
 *
 * The tree is in memory (tmpfs, devfs) or made on demand (procfs, sysfs), so a walk never sleeps:
 * it runs whole inside one epoch section, takes no lock and writes nothing shared; only its
 * result gets a reference. Lock order of what changes names: super_block.rename (two directories)
 * < directory inode lock(s) < hash stripe.
 *
 * `struct fs_context` is a task's view: root, working directory, umask. Functions take it as
 * their first argument and never look at the running task, which is a layer above.
 */
#ifndef KERNEL_FS_FS_H
#define KERNEL_FS_FS_H

#include "abi/errno.h"
#include "abi/inotify.h"
#include "abi/mount.h"
#include "kernel/file/file.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/percpu.h"
#include "lib/list.h"
#include "lib/types.h"

#define FS_NAME_MAX 255U
#define FS_PATH_MAX 4096U /* with the terminating NUL */

struct dir_entry;
struct inode;
struct super_block;

/* ---- what a file system type provides ---- */

struct inode_ops {
	/*
	 * Directories made on demand: a fresh dentry with one reference (dentry_alloc), or -errno
	 * in the pointer. Under the epoch.
	 */
	struct dentry *(*lookup)(struct dentry *dir, const char *name, size_t len);
	/*
	 * The entry at position `pos` >= 2 of such a directory: false at the end. Sets pos to that
	 * of the next.
	 */
	bool (*iterate)(struct dentry *dir, u64 *pos, struct dir_entry *out);
	/*
	 * Symlinks that are not text: the target, with references, in *to; a file that the caller
	 * puts outside the epoch in *f, or NULL. Under the epoch.
	 */
	int (*follow)(struct dentry *link, struct path *to, struct file **f);
	/* Text of such a symlink. Bytes or -errno. */
	long (*readlink)(struct dentry *link, char *buf, size_t size);
	/* Completes a file that is being opened. 0 or -errno. */
	int (*open)(struct inode *inode, struct file *f);
	void (*release)(struct inode *inode); /* last put. NULL: nothing to do */
};

/* One name as getdents reports it. */
struct dir_entry {
	char name[FS_NAME_MAX + 1];
	u64 ino;
	u32 mode;
};

struct super_ops {
	/*
	 * A new inode for create, mkdir, symlink, mknod; NULL when there is no room or memory, or an
	 * error pointer. NULL: the tree cannot be changed by programs (EPERM).
	 */
	struct inode *(*create)(struct super_block *sb, u32 mode, u64 rdev);
	bool plain; /* names come and go only: no links, renames, O_TMPFILE, extended attributes */
};

struct super_block {
	const struct super_ops *ops; /* [I] */
	const char *type;	     /* [I] "tmpfs" */
	u64 magic;		     /* [I] statfs f_type */
	u64 dev;		     /* [I] st_dev */
	u64 next_ino;		     /* [a] */
	struct vm_budget *budget;    /* [I] of its files' pages; NULL: not counted */
	u64 max_inodes;		     /* [I] 0: no limit */
	u64 nr_inodes;		     /* [a] counted if there is a limit */
	u32 asked_mode;		     /* [I] of the root when it was mounted, for the mount table */
	u32 asked_uid, asked_gid;    /* [I] the same */
	struct dentry *root;	     /* [I] */
	u32 refs;		     /* [a] mounts, and whoever made it */
	struct mutex rename; /* RANK_RENAME: renames between two directories, one at a time */
};

/* ---- inodes ---- */

struct inode {
	struct super_block *sb;			    /* [I] */
	const struct inode_ops *ops;		    /* [I] may be NULL */
	const struct file_ops *fops;		    /* [I] */
	u64 ino;				    /* [I] */
	u64 rdev;				    /* [I] devices: 64-bit number */
	u32 mode;				    /* [a] type and permission bits */
	u32 uid, gid;				    /* [a] */
	u32 nlink;				    /* [a] */
	u32 refs;				    /* [a] */
	s64 atime_ns, mtime_ns, ctime_ns, btime_ns; /* [a] */
	struct mutex lock;	   /* RANK_INODE: size of a file, entries of a directory */
	struct vm_object *object;  /* [I] contents of a regular file, or NULL */
	struct file_lock *locks;   /* [L:lock] advisory locks, see locks.c */
	struct file_lease *leases; /* [a] changes under lock, see leases.c */
	u32 nr_readers, nr_writers; /* [a] open files of a regular file: read-only ones, the others */
	struct watch *watches;	    /* [a] of inotify; changes under its lock */
	struct xattr *xattrs;	    /* [L:lock] extended attributes */
	struct acl *acl;	    /* [e] further rights beside the mode, see acl.h; or NULL */
	struct acl *default_acl;    /* [L:lock] of a directory, for what is made in it; or NULL */
	u32 seals;		    /* [a] F_SEAL_* of a regular file; changes under lock */
	char *link;		    /* [I] text of a symlink, read under the epoch, or NULL */
	void *data;		    /* [I] the type's own */
	u64 key;		    /* [I] made on demand: what it stands for (a process id) */
	/* Directories (exactly one dentry each): */
	struct list children; /* [L:lock] by rising cookie */
	u64 next_cookie;      /* [L:lock] */
	u32 nr_children;      /* [a] DIR_DEAD: removed, nothing may be added */
	struct epoch_node free_node;
};

#define DIR_DEAD (~0U)

/* One reference, nlink 1 (directories: 2), times now; NULL when out of memory. */
struct inode *inode_alloc(struct super_block *sb, u32 mode);
void inode_get(struct inode *inode);
void inode_put(struct inode *inode);		      /* context: may sleep if it has an object */
void inode_touch(struct inode *inode, bool modified); /* ctime, and mtime if `modified`, become now */
void inode_stat(const struct inode *inode, struct stat_info *st);

/* ---- names ---- */

/*
 * Where a dentry hangs: a node of the name hash. Immutable; a rename publishes a new one, so that
 * a lock-free reader sees parent and name of one moment and its hash chain never moves under it.
 */
struct dentry_key {
	struct dentry_key *next; /* [e] hash chain, written under the stripe's lock */
	struct dentry *parent;	 /* [I] a reference; itself at a root */
	struct dentry *dentry;	 /* [I] */
	u32 hash;		 /* [I] */
	u32 len;		 /* [I] */
	struct epoch_node free_node;
	char text[]; /* [I] NUL-terminated */
};

struct dentry {
	struct dentry_key *key; /* [e] replaced under the parents' locks */
	struct inode *inode;	/* [I] a reference */
	struct list sibling;	/* [L:parent inode] */
	u64 cookie;		/* [L:parent inode] position in getdents */
	u32 refs;		/* [a] one is the tree's while it is linked */
	u32 flags;		/* [a] */
	struct epoch_node free_node;
};

#define DENTRY_MOUNTPOINT BIT(0) /* something is mounted here */
#define DENTRY_UNLINKED	  BIT(1) /* its name is gone */
#define DENTRY_NAMELESS	  BIT(2) /* stands for a file without a name: its text is the whole path */

/*
 * A dentry that is in no hash and no directory; takes the reference on inode. NULL when out of
 * memory (inode is put).
 */
struct dentry *dentry_alloc(struct dentry *parent, const char *name, size_t len, struct inode *inode);
void dentry_get(struct dentry *d);
bool dentry_get_unless_zero(struct dentry *d); /* under the epoch */
void dentry_put(struct dentry *d);
/* Lock-free: the child with that name, borrowed, or NULL. Under the epoch. A miss is final. */
struct dentry *dentry_find(struct dentry *dir, const char *name, size_t len);
/*
 * Make `d`, new, a child of its parent (the tree's reference): 0 or -ENOENT (dead directory).
 * Parent's lock held.
 */
int dentry_link(struct dentry *d);
void dentry_unlink(struct dentry *d); /* the reverse; drops the tree's reference. Parent's lock held */
static inline struct dentry *dentry_parent(struct dentry *d)
{
	return __atomic_load_n(&d->key, __ATOMIC_ACQUIRE)->parent;
}

/* ---- mounts ---- */

/* References that one hart took and gave back; see mount.c. */
struct mount_count {
	u64 gets, puts; /* [c] read by umount */
} __cacheline_aligned;

struct mount {
	struct mount *next;	   /* [e] list of all, newest first */
	struct mount *parent;	   /* [I] a reference; NULL for the first root */
	struct dentry *mountpoint; /* [I] a reference; NULL for the first root */
	struct dentry *root;	   /* [I] a reference */
	struct super_block *sb;	   /* [I] a reference */
	u32 id;			   /* [I] */
	u32 flags;		   /* [a] MS_* that the mount obeys */
	char *source;		   /* [I] what was mounted, as mount(2) was told */
	struct mount_count *counts;
	struct epoch_node free_node;
};

extern struct mount *mount_root; /* [I] after fs_init */
struct mount *mount_first(void); /* under the epoch; follow ->next */
/* A mount of `sb` that no path leads to, for what is opened otherwise; NULL when out of memory. Boot only. */
struct mount *mount_hidden(struct super_block *sb);
/* Mounts `sb` at the directory `at`. 0, -ENOTDIR, -ENOMEM. */
int mount_at(const struct path *at, struct super_block *sb);
/* All mounts, oldest first, until fn returns an error. Context: may sleep; so may fn. */
int mount_for_each(int (*fn)(const struct mount *m, void *arg), void *arg);
/* Steps from a mount point to what is mounted there, while there is. Under the epoch. */
void mount_cross(struct path *p);
/* Who asks must hold the mount already, or have found it in this epoch section. */
static inline void mount_get(struct mount *m)
{
	struct mount_count *c = &m->counts[cpu_self()->id];

	__atomic_store_n(&c->gets, c->gets + 1, __ATOMIC_RELAXED);
}
static inline void mount_put(struct mount *m)
{
	struct mount_count *c = &m->counts[cpu_self()->id];

	/* Pairs with the acquire load in mount_in_use(). */
	__atomic_store_n(&c->puts, c->puts + 1, __ATOMIC_RELEASE);
}
static inline void path_get(const struct path *p)
{
	dentry_get(p->dentry);
	mount_get(p->mnt);
}
static inline void path_put(struct path *p)
{
	dentry_put(p->dentry);
	mount_put(p->mnt);
}

/* ---- mount and umount; the caller has looked at the capability. 0 or -errno; may sleep ---- */

/* A kind of file system that programs may mount; `one`: its only instance. Boot only. */
int fs_type_register(const char *name, struct super_block *one);
const char *fs_type_name(u32 i); /* the i-th, or NULL */
int fs_mount(const char *type, const struct path *at, u32 flags, const char *source,
	     const char *options);
int fs_bind(const struct path *from, const struct path *at);
int fs_remount(const struct path *p, u32 flags, const char *options);
int fs_umount(struct path *p, bool detach); /* puts the path */
/* -EROFS if the mount is read-only. */
static inline int mount_writable(const struct mount *m)
{
	return __atomic_load_n(&m->flags, __ATOMIC_RELAXED) & MS_RDONLY ? -EROFS : 0;
}

/* ---- a task's view ---- */

struct fs_location {
	struct path path; /* references held */
	struct epoch_node free_node;
};

struct fs_context {
	struct fs_location *root; /* [e] written under lock; NULL: dying */
	struct fs_location *cwd;  /* [e] written under lock */
	u32 umask;		  /* [a] */
	u32 refs;		  /* [a] tasks */
	struct spinlock lock;
	struct epoch_node free_node;
};

struct fs_context *fs_context_create(void); /* "/", "/", 022 */
struct fs_context *fs_context_copy(struct fs_context *from);
void fs_context_get(struct fs_context *ctx);
void fs_context_put(struct fs_context *ctx);
int fs_set_cwd(struct fs_context *ctx, const struct path *dir);
int fs_set_root(struct fs_context *ctx, const struct path *dir);
struct path fs_cwd(struct fs_context *ctx); /* references taken */
/* The same of any task's context, found in this epoch section; false if it is dying. */
bool fs_context_peek(struct fs_context *ctx, bool root, struct path *out);

/*
 * Who asks: filled by kernel/task with the running task's file-system credentials; kernel threads
 * are root.
 */
struct fs_cred {
	u32 uid, gid;
	bool override;		   /* CAP_DAC_OVERRIDE, CAP_FOWNER */
	bool lease;		   /* CAP_LEASE */
	bool (*in_group)(u32 gid); /* supplementary groups; may be NULL */
};
extern void (*fs_cred_current)(struct fs_cred *out);

/* RLIMIT_FSIZE of the running task, and its signal: filled by kernel/task. */
extern u64 (*fs_size_limit)(void);
extern void (*fs_size_exceeded)(void);
/* May a file be given this size? 0, or -EFBIG after the signal. */
int fs_size_check(u64 size);

#define MAY_EXEC  1U
#define MAY_WRITE 2U
#define MAY_READ  4U
/* The one place where mode bits are checked. 0 or -EACCES. Any context. */
int fs_permission(const struct inode *inode, u32 mask);
/* O_DIRECT: nothing to do for files of a tmpfs, not possible for others. */
bool fs_allows_direct(const struct file *f);
/* May change owner-only attributes: 0 or -EPERM. */
int fs_owner(const struct inode *inode);

/*
 * ---- path walks and operations on names: 0 or Linux's -errno. May sleep. `at` NULL: the working
 * directory ----
 */

#define WALK_FOLLOW    BIT(0) /* follow a symlink in the last component */
#define WALK_DIRECTORY BIT(1) /* the result must be a directory */
#define WALK_EMPTY     BIT(2) /* "" is `at` itself (AT_EMPTY_PATH) */
/* Restrictions of openat2(2). */
#define WALK_NO_XDEV BIT(3) /* into no other mount: -EXDEV */
#define WALK_NO_MAGIC                                                                              \
	BIT(4) /* by no link that leads to an open file or a process's places: -ELOOP */
#define WALK_NO_LINKS BIT(5) /* by no symlink at all: -ELOOP */
#define WALK_BENEATH  BIT(6) /* never above `at`, and no absolute names: -EXDEV */
#define WALK_IN_ROOT  BIT(7) /* `at` is the root */

int fs_lookup(struct fs_context *ctx, const struct path *at, const char *name, u32 walk,
	      struct path *out);
/* `walk`: restrictions, or 0. */
int fs_open(struct fs_context *ctx, const struct path *at, const char *name, u32 flags, u32 mode,
	    u32 walk, struct file **out);
/* For exec: a regular file with an execute permission (EACCES), open for reading. */
int fs_open_exec(struct fs_context *ctx, const struct path *at, const char *name, u32 walk,
		 struct file **out);
/* May the program in `f` change who runs it? Not on a mount with MS_NOSUID. */
bool fs_obeys_set_id(const struct file *f);
int fs_open_path(const struct path *p, u32 flags,
		 struct file **out); /* an existing file, no permission checks */
int fs_mknod(struct fs_context *ctx, const struct path *at, const char *name, u32 mode, u64 rdev);
/*
 * The name of a socket, for bind(2): made with `owner` in its inode's `data`, which is the caller's to
 * guard and clear. *out: the place, with references. -EADDRINUSE: the name is there.
 */
int fs_socket_bind(struct fs_context *ctx, const char *name, u32 mode, void *owner, struct path *out);
/*
 * For connect(2): the place of a socket that the caller may write to. -ECONNREFUSED: it is something
 * else. p->dentry->inode->data is what fs_socket_bind() was given, if nobody has cleared it.
 */
int fs_socket_find(struct fs_context *ctx, const char *name, struct path *out);
int fs_mkdir(struct fs_context *ctx, const struct path *at, const char *name, u32 mode);
int fs_symlink(struct fs_context *ctx, const struct path *at, const char *name, const char *text);
int fs_link(struct fs_context *ctx, const struct path *target, const struct path *at,
	    const char *name);
int fs_unlink(struct fs_context *ctx, const struct path *at, const char *name);
int fs_rmdir(struct fs_context *ctx, const struct path *at, const char *name);
int fs_rename(struct fs_context *ctx, const struct path *old_at, const char *old_name,
	      const struct path *new_at, const char *new_name, u32 flags);
/*
 * Extended attributes. `admin`: the caller has CAP_SYS_ADMIN. get and list: the length, also with
 * size 0, or -ERANGE.
 */
int fs_set_xattr(const struct path *p, const char *name, const void *value, size_t size, u32 flags,
		 bool admin);
long fs_get_xattr(const struct path *p, const char *name, void *buf, size_t size, bool admin);
long fs_list_xattrs(const struct path *p, char *buf, size_t size, bool admin);
int fs_remove_xattr(const struct path *p, const char *name, bool admin);
long fs_readlink(const struct path *p, char *buf, size_t size);
int fs_stat(const struct path *p, struct stat_info *st);
int fs_chmod(const struct path *p, u32 mode);
int fs_chown(const struct path *p, u32 uid, u32 gid); /* ~0: unchanged */
#define FS_TIME_OMIT INT64_MIN
int fs_set_times(const struct path *p, s64 atime_ns, s64 mtime_ns);
int fs_truncate(const struct path *p, u64 size);
/*
 * The path of `p` from ctx's root, "(unreachable)" in front if it is not below; ends at the end of
 * `buf`. Its start, or -ENAMETOOLONG.
 */
char *fs_path_text(struct fs_context *ctx, const struct path *p, char *buf, size_t size);

/*
 * ---- events for inotify: IN_* of what has just happened; one load while nobody watches anything.
 * Context: any, no lock above RANK_INOTIFY ----
 */
extern u32 fs_nr_watches;
void fs_notify_slow(struct dentry *d, u32 mask);
void fs_notify_name_slow(struct inode *dir, u32 mask, const struct inode *inode, const char *name,
			 u32 cookie);
void fs_notify_self_slow(struct inode *inode, u32 mask);
u32 fs_notify_cookie(void); /* joins MOVED_FROM and MOVED_TO */
static inline bool fs_watched(void)
{
	return unlikely(__atomic_load_n(&fs_nr_watches, __ATOMIC_RELAXED) != 0);
}
/* To the watches of the inode, and with its name to those of its directory. */
static inline void fs_notify(struct dentry *d, u32 mask)
{
	if (fs_watched())
		fs_notify_slow(d, mask);
}
/* To the watches of a directory: `inode` got, changed or lost this name. */
static inline void fs_notify_name(struct inode *dir, u32 mask, const struct inode *inode,
				  const char *name, u32 cookie)
{
	if (fs_watched())
		fs_notify_name_slow(dir, mask, inode, name, cookie);
}
static inline void fs_notify_self(struct inode *inode, u32 mask)
{
	if (fs_watched())
		fs_notify_self_slow(inode, mask);
}

/* ---- file types that fs offers to others ---- */

extern const struct file_ops dir_file_ops;
int fs_file_stat(struct file *f, struct stat_info *st); /* file_ops.stat of files with an inode */
static inline struct inode *file_inode(const struct file *f)
{
	return f->path.dentry->inode;
}
struct super_block *tmpfs_create(const char *type, u64 max_pages); /* NULL when out of memory */
#define TMPFS_DEFAULT_MODE 01777U
/* What nr_inodes is if nobody says otherwise: two pages of memory for each. */
u64 tmpfs_default_inodes(void);
/* The limit of a fresh tmpfs, its root included; 0: none. */
void tmpfs_limit_inodes(struct super_block *sb, u64 max);

/* Character devices, found by number; devfs shows them under /dev. Boot only. */
int devfs_register(const char *name, u32 major, u32 minor, u32 mode, const struct file_ops *ops,
		   void *data);
/*
 * Standard stream `which` (0, 1, 2) of the first program: a virtio port with `ports`, else the
 * UART. NULL: none.
 */
struct file *fs_open_console(int which, bool ports);

/* ---- boot ---- */
void fs_init(void);
/*
 * Unpacks a newc archive into the root. 0, or -errno after a log line: -EINVAL damaged, -ENOMEM,
 * -ENOSPC.
 */
int initramfs_unpack(const void *start, u64 size);

#endif
