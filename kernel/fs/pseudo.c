/*
 * procfs and sysfs: trees of nodes registered at boot, whose files show text.
 */
#include "kernel/fs/pseudo.h"

#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/mm/mm.h"

#define PSEUDO_TEXT_MIN	 1024UL
#define PSEUDO_TEXT_MAX	 (4UL << 20)
#define PSEUDO_STORE_MAX PAGE_SIZE

LOCK_CLASS(pseudo_file, RANK_INODE);

static struct super_block *procfs, *sysfs;

/* ---- reading ---- */

/* One open file: the text, or the piece of it that was reached, as it was when it was made. */
struct pseudo_text {
	struct mutex lock; /* RANK_INODE; held while copying out */
	char *text;	   /* [L] NULL until first read */
	size_t len;	   /* [L] */
	u64 begin;	   /* [L] position of the piece */
	u64 at, nr;	   /* [L] where the next one begins */
	bool more;	   /* [L] there is a next one */
};

static int pseudo_open(struct inode *inode, struct file *f)
{
	struct pseudo_text *t = kzalloc(sizeof(*t));

	(void)inode;
	if (!t)
		return -ENOMEM;
	mutex_init(&t->lock, &pseudo_file_class);
	f->data = t;
	return 0;
}

static void pseudo_release(struct file *f)
{
	struct pseudo_text *t = f->data;

	kfree(t->text);
	kfree(t);
}

/* The first piece, or the one behind that which is there. */
static int pseudo_make(struct pseudo_text *t, const struct inode *inode, bool next)
{
	const struct pseudo_node *node = inode->data;
	size_t size = PSEUDO_TEXT_MIN;

	if (!node->show)
		return -EINVAL;
	for (;;) {
		struct seq s = {.buf = kmalloc(size),
				.size = size,
				.at = next ? t->at : 0,
				.nr = next ? t->nr : 0};
		int err;

		if (!s.buf)
			return -ENOMEM;
		err = node->show(&s, inode->key);
		if (!err && s.len <= s.size) {
			kfree(t->text);
			t->text = s.buf;
			t->begin = next ? t->begin + t->len : 0;
			t->len = s.len;
			t->at = s.at;
			t->nr = s.nr;
			t->more = s.more;
			return 0;
		}
		kfree(s.buf);
		if (err)
			return err;
		size = ALIGN_UP(s.len + s.len / 4, PSEUDO_TEXT_MIN);
		if (size > PSEUDO_TEXT_MAX)
			return -ENOMEM;
	}
}

static long pseudo_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct pseudo_text *t = f->data;
	long ret = 0;

	(void)nonblock;
	mutex_lock(&t->lock);
	if (*pos == 0 || !t->text || *pos < t->begin)
		ret = pseudo_make(t, file_inode(f), false);
	while (ret == 0 && *pos >= t->begin + t->len && t->more)
		ret = pseudo_make(t, file_inode(f), true);
	if (ret == 0 && *pos < t->begin + t->len) {
		ret = iov_copy_out(it, t->text + (*pos - t->begin), t->begin + t->len - *pos);
		if (ret > 0)
			*pos += (u64)ret;
	}
	mutex_unlock(&t->lock);
	return ret;
}

/* A write is one message to the node. One that does not begin at 0 counts as written and changes nothing. */
static long pseudo_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	const struct inode *inode = file_inode(f);
	const struct pseudo_node *node = inode->data;
	size_t n = it->count;
	char *text;
	long ret;

	(void)nonblock;
	if (!node->store)
		return -EIO;
	if (n > PSEUDO_STORE_MAX)
		return -EINVAL;
	text = kmalloc(n + 1);
	if (!text)
		return -ENOMEM;
	ret = n ? iov_copy_in(text, it, n) : 0;
	if (ret >= 0) {
		n = (size_t)ret;
		text[n] = '\0';
		/* What can only be written, as trace_marker, takes each write for itself. */
		if (*pos == 0 || !node->show)
			ret = node->store(text, inode->key);
	}
	kfree(text);
	if (ret < 0)
		return ret;
	*pos += n;
	return (long)n;
}

long pseudo_seek(struct file *f, s64 offset, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	return file_seek_in(f, 0, offset, whence);
}

const struct file_ops pseudo_file_ops = {
	.name = "pseudo",
	.read = pseudo_read,
	.write = pseudo_write,
	.seek = pseudo_seek,
	.stat = fs_file_stat,
	.release = pseudo_release,
};

const struct inode_ops pseudo_inode_ops = {
	.open = pseudo_open,
};

struct inode *pseudo_inode(struct super_block *sb, const struct pseudo_node *node, u64 key,
			   const struct inode_ops *dir_ops)
{
	bool directory = S_ISDIR(node->mode);
	struct inode *inode = inode_alloc(sb, directory ? node->mode : S_IFREG | node->mode);

	if (!inode)
		return NULL;
	inode->fops = directory ? &dir_file_ops : &pseudo_file_ops;
	inode->ops = directory ? dir_ops : &pseudo_inode_ops;
	inode->data = (void *)node;
	inode->key = key;
	return inode;
}

/* ---- registering ---- */

/* Takes `inode`'s reference. */
static int pseudo_attach(struct dentry *parent, const char *name, size_t len, struct inode *inode)
{
	struct dentry *d = inode ? dentry_alloc(parent, name, len, inode) : NULL;
	int err;

	if (!d)
		return -ENOMEM;
	mutex_lock(&parent->inode->lock);
	err = dentry_find(parent, name, len) ? -EEXIST : dentry_link(d);
	mutex_unlock(&parent->inode->lock);
	dentry_put(d);
	return err;
}

/*
 * The directory `name` of `parent`, made if it is not there. Registered nodes stay: the pointer is
 * borrowed.
 */
static struct dentry *pseudo_dir(struct dentry *parent, const char *name, size_t len)
{
	static const struct pseudo_node dir_node = {.mode = S_IFDIR | 0555};
	struct dentry *d = dentry_find(parent, name, len);

	if (d)
		return d;
	if (pseudo_attach(parent, name, len, pseudo_inode(parent->inode->sb, &dir_node, 0, NULL)))
		return NULL;
	return dentry_find(parent, name, len);
}

/* Makes the directories of `path`; *last is the name behind the last slash. */
static struct dentry *pseudo_parent(struct super_block *sb, const char *path, const char **last)
{
	struct dentry *dir = sb->root;
	const char *slash;

	while (dir && (slash = strchr(path, '/')) != NULL) {
		dir = pseudo_dir(dir, path, (size_t)(slash - path));
		path = slash + 1;
	}
	*last = path;
	return dir;
}

static int pseudo_register(struct super_block *sb, const char *path, const struct pseudo_node *what,
			   u64 key)
{
	const char *name;
	struct dentry *dir = pseudo_parent(sb, path, &name);
	struct pseudo_node *node = dir ? kzalloc(sizeof(*node)) : NULL;

	if (!node)
		return -ENOMEM;
	*node = *what;
	return pseudo_attach(dir, name, strlen(name), pseudo_inode(sb, node, key, NULL));
}

int pseudo_show_number(struct seq *s, u64 key)
{
	seq_printf(s, "%lu\n", key);
	return 0;
}

int pseudo_show_text(struct seq *s, u64 key)
{
	seq_printf(s, "%s\n", (const char *)(uintptr_t)key);
	return 0;
}

int procfs_register(const char *path, pseudo_show_fn show, u64 key)
{
	return procfs_register_writable(path, 0444, show, NULL, key);
}

int sysfs_register(const char *path, pseudo_show_fn show, u64 key)
{
	return sysfs_register_writable(path, 0444, show, NULL, key);
}

int procfs_register_writable(const char *path, u32 mode, pseudo_show_fn show, pseudo_store_fn store,
			     u64 key)
{
	const struct pseudo_node node = {.mode = mode, .show = show, .store = store};

	return pseudo_register(procfs, path, &node, key);
}

int sysfs_register_writable(const char *path, u32 mode, pseudo_show_fn show, pseudo_store_fn store,
			    u64 key)
{
	const struct pseudo_node node = {.mode = mode, .show = show, .store = store};

	return pseudo_register(sysfs, path, &node, key);
}

int sysfs_register_file(const char *path, u32 mode, const struct file_ops *ops)
{
	const char *name;
	struct dentry *dir = pseudo_parent(sysfs, path, &name);
	struct inode *inode = dir ? inode_alloc(sysfs, S_IFREG | mode) : NULL;

	if (!inode)
		return -ENOMEM;
	inode->fops = ops;
	return pseudo_attach(dir, name, strlen(name), inode);
}

int procfs_symlink(const char *path, const char *text)
{
	const char *name;
	struct dentry *dir = pseudo_parent(procfs, path, &name);
	struct inode *inode = dir ? inode_alloc(procfs, S_IFLNK | 0777) : NULL;
	char *copy = inode ? kmalloc(strlen(text) + 1) : NULL;

	if (!copy) {
		if (inode)
			inode_put(inode);
		return -ENOMEM;
	}
	inode->link = strcpy(copy, text);
	return pseudo_attach(dir, name, strlen(name), inode);
}

int sysfs_mkdir(const char *path)
{
	const char *name;
	struct dentry *dir = pseudo_parent(sysfs, path, &name);

	return dir && pseudo_dir(dir, name, strlen(name)) ? 0 : -ENOMEM;
}

void procfs_set_root_ops(const struct inode_ops *ops)
{
	procfs->root->inode->ops = ops;
}

static const struct super_ops pseudo_super_ops = {0};

static struct super_block *pseudo_create(const char *type, u64 magic)
{
	static const struct pseudo_node root_node = {.mode = S_IFDIR | 0555};
	struct super_block *sb = super_alloc(&pseudo_super_ops, type, magic);
	struct inode *root = sb ? pseudo_inode(sb, &root_node, 0, NULL) : NULL;

	if (root)
		sb->root = dentry_alloc(NULL, "", 0, root);
	return root && sb->root ? sb : NULL;
}

struct super_block *procfs_create(void)
{
	procfs = pseudo_create("proc", PROC_SUPER_MAGIC);
	return procfs;
}

struct super_block *sysfs_create(void)
{
	sysfs = pseudo_create("sysfs", SYSFS_MAGIC);
	return sysfs;
}
