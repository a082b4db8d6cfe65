/*
 * Start of the file systems: tmpfs at the root, with /dev, /proc and /sys on it, and their nodes.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/leases.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"

static int fs_mount_new(struct fs_context *ctx, const char *dir, struct super_block *sb)
{
	struct path at;
	int err;

	if (!sb)
		return -ENOMEM;
	err = fs_mkdir(ctx, NULL, dir, 0755);
	if (!err)
		err = fs_lookup(ctx, NULL, dir, WALK_DIRECTORY, &at);
	if (err)
		return err;
	err = mount_at(&at, sb);
	path_put(&at);
	return err;
}

/* The only instance of its kind, which programs may mount elsewhere, too. */
static int fs_mount_boot(struct fs_context *ctx, const char *dir, struct super_block *sb)
{
	int err = fs_mount_new(ctx, dir, sb);

	return err ? err : fs_type_register(sb->type, sb);
}

/* What a Linux system has in /dev beside devices. */
static int fs_fill_dev(struct fs_context *ctx)
{
	static const char *const links[][2] = {
		{"/dev/fd", "/proc/self/fd"},
		{"/dev/stdin", "fd/0"},
		{"/dev/stdout", "fd/1"},
		{"/dev/stderr", "fd/2"},
	};
	struct super_block *shm = tmpfs_create("tmpfs", mm_total_pages() / 2);
	int err = fs_mount_new(ctx, "/dev/shm", shm);

	if (!err) {
		shm->root->inode->mode = S_IFDIR | TMPFS_DEFAULT_MODE;
		tmpfs_limit_inodes(shm, tmpfs_default_inodes());
	}
	for (u32 i = 0; i < ARRAY_SIZE(links) && !err; i++)
		err = fs_symlink(ctx, NULL, links[i][0], links[i][1]);
	return err;
}

static int fs_init_tree(void)
{
	/* As Linux's rootfs: half of the memory at most. */
	struct super_block *root = tmpfs_create("rootfs", mm_total_pages() / 2);
	struct fs_context *ctx;
	int err;

	if (!root)
		return -ENOMEM;
	tmpfs_limit_inodes(root, tmpfs_default_inodes());
	err = mount_at(NULL, root);
	ctx = err ? NULL : fs_context_create();
	if (!ctx)
		return -ENOMEM;
	err = fs_mount_boot(ctx, "/dev", devfs_create());
	if (!err)
		err = fs_mount_boot(ctx, "/proc", procfs_create());
	if (!err)
		err = fs_mount_boot(ctx, "/sys", sysfs_create());
	if (!err)
		err = fs_fill_dev(ctx);
	fs_context_put(ctx);
	return err;
}

void fs_init(void)
{
	int err;

	dentry_init();
	file_path_put = path_put;
	file_path_stat = fs_file_stat;
	file_closed = open_file_closed;
	err = fs_init_tree();
	if (!err)
		err = special_init();
	if (!err)
		err = dev_memory_init();
	if (!err)
		err = dev_console_init();
	if (!err)
		err = proc_nodes_init();
	if (!err)
		err = lease_init();
	if (!err)
		err = sys_nodes_init();
	if (err)
		panic("fs: cannot set up the file systems (%d)", err);
}
