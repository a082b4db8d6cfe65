/*
 * Names that are not files: FIFOs, sockets, devices; and places for open files that have no name, made
 * when /proc/<pid>/fd shows them.
 *
 * A FIFO's pipe comes with the first open and stays with the inode; what is in it goes with the last
 * end (pipe.c). A socket's inode carries a pointer of the network's in `data`; opening it is ENXIO.
 */
#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/stat.h"
#include "kernel/file/pipe.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/sync/atomic.h"

static struct super_block *anon_super; /* of files without a name */
static struct mount *anon_mount;

static int fifo_open(struct inode *inode, struct file *f)
{
	struct pipe *p;

	mutex_lock(&inode->lock);
	if (!inode->data)
		inode->data = pipe_alloc();
	p = inode->data;
	mutex_unlock(&inode->lock);
	return p ? pipe_open(p, f, inode->sb != anon_super) : -ENOMEM;
}

static void fifo_release(struct inode *inode)
{
	if (inode->data)
		pipe_put(inode->data);
}

static const struct inode_ops fifo_inode_ops = {
	.open = fifo_open,
	.release = fifo_release,
};

static int no_open(struct inode *inode, struct file *f)
{
	(void)inode;
	(void)f;
	return -ENXIO;
}

static const struct inode_ops no_open_inode_ops = {
	.open = no_open,
};

static const struct file_ops no_open_file_ops = {
	.name = "special",
	.stat = fs_file_stat,
};

void special_bind(struct inode *inode)
{
	if (S_ISFIFO(inode->mode)) {
		inode->ops = &fifo_inode_ops;
		inode->fops = &pipe_file_ops;
	} else if (S_ISCHR(inode->mode)) {
		devfs_bind(inode);
	} else {
		inode->ops = &no_open_inode_ops;
		inode->fops = &no_open_file_ops;
	}
}

/* ---- files without a name ---- */

/* As Linux names them: pipe:[7], anon_inode:[eventpoll]. */
static void anon_text(const struct file *f, const struct stat_info *st, char *text, size_t size)
{
	if (S_ISFIFO(st->mode) || S_ISSOCK(st->mode))
		snprintf(text, size, "%s:[%lu]", f->ops->name, st->ino);
	else
		snprintf(text, size, "anon_inode:%s", f->ops->name);
}

int anon_path(struct file *f, struct path *out)
{
	struct inode *inode = inode_alloc(anon_super, 0);
	struct stat_info st;
	char text[64];

	if (!inode)
		return -ENOMEM;
	f->ops->stat(f, &st);
	anon_text(f, &st, text, sizeof(text));
	inode->mode = st.mode;
	inode->ino = st.ino;
	inode->uid = st.uid;
	inode->gid = st.gid;
	special_bind(inode);
	inode->data = pipe_of_file(f);
	if (inode->data)
		pipe_get(inode->data);
	out->mnt = anon_mount;
	out->dentry = dentry_alloc(NULL, text, strlen(text), inode);
	if (!out->dentry)
		return -ENOMEM;
	mount_get(anon_mount);
	out->dentry->flags = DENTRY_NAMELESS;
	return 0;
}

int special_init(void)
{
	static const struct super_ops ops = {0};
	struct inode *root;

	anon_super = super_alloc(&ops, "anon", PIPEFS_MAGIC);
	root = anon_super ? inode_alloc(anon_super, S_IFDIR) : NULL;
	if (!root)
		return -ENOMEM;
	anon_super->dev = NAMELESS_DEV;
	anon_super->root = dentry_alloc(NULL, "", 0, root);
	if (anon_super->root)
		anon_mount = mount_hidden(anon_super);
	return anon_mount ? 0 : -ENOMEM;
}
