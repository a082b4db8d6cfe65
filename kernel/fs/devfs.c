/*
 * Devices: a table of character devices by number, and the tmpfs mounted on /dev that shows them
 * by name. Any tmpfs may hold device nodes: what a node does is found by its number when its
 * inode is made.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"

#define DEVICES_MAX 64

struct device {
	const char *name;	    /* [I] */
	u64 rdev;		    /* [I] */
	const struct file_ops *ops; /* [I] */
	void *data;		    /* [I] given to each file */
};

static struct device devices[DEVICES_MAX]; /* [I] after boot */
static u32 nr_devices;
static struct super_block *devfs;

static const struct device *device_find(u64 rdev)
{
	for (u32 i = 0; i < nr_devices; i++)
		if (devices[i].rdev == rdev)
			return &devices[i];
	return NULL;
}

static int device_open(struct inode *inode, struct file *f)
{
	const struct device *dev = inode->data;

	if (!dev)
		return -ENXIO;
	f->data = dev->data;
	return f->ops->open ? f->ops->open(f) : 0;
}

static const struct inode_ops device_inode_ops = {
	.open = device_open,
};

/* A node whose number nobody registered: it has a status, but cannot be opened. */
static const struct file_ops no_device_ops = {
	.name = "nodev",
	.stat = fs_file_stat,
};

void devfs_bind(struct inode *inode)
{
	const struct device *dev = device_find(inode->rdev);

	inode->ops = &device_inode_ops;
	inode->data = (void *)dev;
	inode->fops = dev ? dev->ops : &no_device_ops;
}

int devfs_register(const char *name, u32 major, u32 minor, u32 mode, const struct file_ops *ops,
		   void *data)
{
	struct inode *root = devfs->root->inode, *inode;
	struct dentry *d;
	int err;

	if (nr_devices == DEVICES_MAX)
		return -ENOSPC;
	devices[nr_devices++] = (struct device){name, ABI_MKDEV(major, minor), ops, data};
	inode = devfs->ops->create(devfs, S_IFCHR | mode, ABI_MKDEV(major, minor));
	d = inode ? dentry_alloc(devfs->root, name, strlen(name), inode) : NULL;
	if (!d)
		return -ENOMEM;
	mutex_lock(&root->lock);
	err = dentry_link(d);
	mutex_unlock(&root->lock);
	dentry_put(d);
	return err;
}

struct super_block *devfs_create(void)
{
	devfs = tmpfs_create("devtmpfs", mm_total_pages() / 2);
	if (devfs) {
		devfs->asked_mode = 0755;
		tmpfs_limit_inodes(devfs, tmpfs_default_inodes());
	}
	return devfs;
}

struct file *devfs_open(const char *name, u32 flags)
{
	struct path p = {mount_root, NULL};
	struct file *f = NULL;

	epoch_enter();
	for (struct mount *m = mount_first(); m; m = m->next)
		if (m->sb == devfs)
			p.mnt = m;
	p.dentry = dentry_find(devfs->root, name, strlen(name));
	if (p.dentry && !dentry_get_unless_zero(p.dentry))
		p.dentry = NULL;
	epoch_exit();
	if (!p.dentry)
		return NULL;
	if (fs_open_path(&p, flags, &f))
		f = NULL;
	dentry_put(p.dentry);
	return f;
}
