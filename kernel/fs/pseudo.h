/*
 * Files whose text is made when they are read: procfs and sysfs. The subsystem that owns a fact
 * registers a node for it; the directories on the way appear by themselves.
 *
 * The text is made whole at the first read and again by a read at position 0, so that a reader in
 * small pieces sees one moment. A text that may become long is made in several pieces, each when it is
 * reached: each of them is of one moment.
 */
#ifndef KERNEL_FS_PSEUDO_H
#define KERNEL_FS_PSEUDO_H

#include "kernel/fs/fs.h"
#include "lib/types.h"

/*
 * Text being built. What does not fit is counted, and the node's function is called again with more
 * room.
 */
struct seq {
	char *buf;
	size_t size;
	size_t len; /* may exceed size: then the text is cut */
	/*
	 * For texts in pieces: where this one begins, 0 at first, and then what the function that made the piece before
	 * has left here with `more`.
	 */
	u64 at, nr;
	bool more;
};
#define SEQ_PIECE (64UL << 10) /* a piece that is so long should end */
void seq_printf(struct seq *s, const char *fmt, ...) __printf(2, 3);
void seq_puts(struct seq *s, const char *text);
void seq_write(struct seq *s, const void *data, size_t n);
/* "0-3,5": the set bits of `mask`. */
void seq_cpu_list(struct seq *s, u64 mask);
/* The same set as hexadecimal words of 32 bits, as many as nr_cpus needs: "f" or "1,ffffffff". */
void seq_cpu_mask(struct seq *s, u64 mask);

/*
 * 0 or -errno, which the reader gets. May sleep. Must give the same text for the same state: it may
 * be called twice.
 */
typedef int (*pseudo_show_fn)(struct seq *s, u64 key);
/* Two of them: the key in decimal; the static string that the key is the address of. A line each. */
int pseudo_show_number(struct seq *s, u64 key);
int pseudo_show_text(struct seq *s, u64 key);

/*
 * Takes the text of one write, at most a page, NUL-terminated. 0 or -errno, which the writer gets. May
 * sleep.
 */
typedef int (*pseudo_store_fn)(const char *text, u64 key);

struct pseudo_node {
	const char *name;
	u32 mode;	       /* permission bits; S_IFDIR for directories of a table */
	pseudo_show_fn show;   /* NULL: reading is EINVAL */
	pseudo_store_fn store; /* NULL: writing is EIO */
};

/*
 * "sys/kernel/osrelease" becomes a file that shows show(s, key). 0, -ENOMEM or -EEXIST. Boot only.
 */
int procfs_register(const char *path, pseudo_show_fn show, u64 key);
int sysfs_register(const char *path, pseudo_show_fn show, u64 key);
/* The same for nodes that programs may write (sysctl.h: for numbers below /proc/sys). */
int procfs_register_writable(const char *path, u32 mode, pseudo_show_fn show, pseudo_store_fn store,
			     u64 key);
int sysfs_register_writable(const char *path, u32 mode, pseudo_show_fn show, pseudo_store_fn store,
			    u64 key);
/* A file with operations of its own. */
int sysfs_register_file(const char *path, u32 mode, const struct file_ops *ops);
int procfs_symlink(const char *path, const char *text);
int sysfs_mkdir(const char *path);

/*
 * For what is not registered but made on demand (/proc/<pid>): the file operations of a node in
 * inode->data.
 */
extern const struct file_ops pseudo_file_ops;
extern const struct inode_ops pseudo_inode_ops;
/* `seek` of files whose end nobody knows: from the beginning, or from where it is. */
long pseudo_seek(struct file *f, s64 offset, int whence);
/* A file or directory inode of `sb` for `node` and `key`; `dir_ops` for directories. */
struct inode *pseudo_inode(struct super_block *sb, const struct pseudo_node *node, u64 key,
			   const struct inode_ops *dir_ops);
/* Gives the root of procfs names that are made on demand. Boot only. */
void procfs_set_root_ops(const struct inode_ops *ops);

#endif
