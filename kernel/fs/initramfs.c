/*
 * The initramfs: entries of a cpio archive become files of the root. The later of two equal names
 * wins. File data that lies on page boundaries is not copied: its frames become the file's pages.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/hart.h"
#include "lib/cpio.h"

#define NS_PER_S 1000000000L

/* Full pages, and the last one if zeros fill it; 0 for all that is not a regular file. */
static u64 adoptable_pages(const struct cpio_entry *e)
{
	u64 pages = ALIGN_UP(e->size, PAGE_SIZE);

	if (!S_ISREG(e->mode) || !IS_ALIGNED((u64)(uintptr_t)e->data, PAGE_SIZE))
		return 0;
	if (pages > e->data_room)
		pages -= PAGE_SIZE;
	return pages >> PAGE_SHIFT;
}

static int file_contents(struct file *f, const struct cpio_entry *e)
{
	struct vm_object *o = file_inode(f)->object;
	u64 pages = adoptable_pages(e), done;
	long n;

	for (u64 i = 0; i < pages; i++) {
		int err = vm_object_adopt(o, i, (void *)(e->data + (i << PAGE_SHIFT)));

		if (err)
			return err;
	}
	done = MIN(pages << PAGE_SHIFT, e->size);
	if (done) {
		int err = vm_object_resize(o, done);

		if (err)
			return err;
	}
	if (done == e->size)
		return 0;
	n = file_write_kernel(f, e->data + done, e->size - done, done);
	return n < 0 ? (int)n : 0;
}

/* An entry of another type under the same name gives way. */
static void unpack_replace(struct fs_context *ctx, const struct cpio_entry *e)
{
	struct stat_info st;
	struct path p;

	if (fs_lookup(ctx, NULL, e->name, 0, &p))
		return;
	fs_stat(&p, &st);
	path_put(&p);
	if (S_ISDIR(st.mode) && S_ISDIR(e->mode))
		return;
	if (S_ISDIR(st.mode))
		fs_rmdir(ctx, NULL, e->name);
	else
		fs_unlink(ctx, NULL, e->name);
}

static int unpack_file(struct fs_context *ctx, const struct cpio_entry *e)
{
	struct file *f;
	int err = fs_open(ctx, NULL, e->name, O_CREAT | O_EXCL | O_WRONLY, e->mode, 0, &f);

	if (err)
		return err;
	err = file_contents(f, e);
	file_put(f);
	return err;
}

static int unpack_symlink(struct fs_context *ctx, const struct cpio_entry *e)
{
	char text[FS_PATH_MAX];

	if (e->size == 0 || e->size >= sizeof(text))
		return -EINVAL;
	memcpy(text, e->data, e->size);
	text[e->size] = '\0';
	return fs_symlink(ctx, NULL, e->name, text);
}

static int unpack_entry(struct fs_context *ctx, const struct cpio_entry *e)
{
	struct path p;
	int err;

	unpack_replace(ctx, e);
	switch (e->mode & S_IFMT) {
	case S_IFDIR:
		err = fs_mkdir(ctx, NULL, e->name, e->mode);
		if (err == -EEXIST)
			err = 0;
		break;
	case S_IFREG:
		err = unpack_file(ctx, e);
		break;
	case S_IFLNK:
		err = unpack_symlink(ctx, e);
		break;
	case S_IFCHR:
		err = fs_mknod(ctx, NULL, e->name, e->mode, ABI_MKDEV(e->rdev_major, e->rdev_minor));
		break;
	default:
		return -EINVAL;
	}
	if (!err)
		err = fs_lookup(ctx, NULL, e->name, 0, &p);
	if (err)
		return err;
	p.dentry->inode->uid = e->uid;
	p.dentry->inode->gid = e->gid;
	if (!S_ISLNK(e->mode))
		p.dentry->inode->mode = (p.dentry->inode->mode & S_IFMT) | (e->mode & 07777);
	p.dentry->inode->mtime_ns = e->mtime * NS_PER_S;
	path_put(&p);
	return 0;
}

/*
 * "." names the root, which is there; nothing under /dev, /proc or /sys can be hidden by the
 * mounts.
 */
static bool unpack_skips(const struct cpio_entry *e)
{
	return e->name[0] == '\0' || strcmp(e->name, ".") == 0 || strcmp(e->name, "proc") == 0 ||
	       strcmp(e->name, "sys") == 0 || strncmp(e->name, "dev/", 4) == 0 ||
	       strcmp(e->name, "dev") == 0;
}

/* Gives back the archive's frames from `at` to `end`: nothing there will be read again. */
static void free_frames(const char *at, const char *end)
{
	for (; at < end; at += PAGE_SIZE)
		page_put((void *)at);
}

/*
 * Every frame of the archive carries a reference that is ours: a file's pages take theirs over,
 * the rest is freed as soon as the reader is past it (`used`: the first frame not yet given
 * away).
 */
static int unpack_all(struct fs_context *ctx, const void *start, u64 size)
{
	const char *used = start;
	struct cpio_entry e;
	struct cpio c;
	u32 files = 0;
	int ret;

	cpio_open(&c, start, size);
	while ((ret = cpio_next(&c, &e)) == 1) {
		if (unpack_skips(&e))
			continue;
		ret = unpack_entry(ctx, &e);
		if (ret) {
			klog(KLOG_ERR, "initramfs: cannot unpack %s (error %d)\n", e.name, -ret);
			return ret;
		}
		files++;
		if (adoptable_pages(&e)) {
			free_frames(used, e.data);
			used = e.data + (adoptable_pages(&e) << PAGE_SHIFT);
		}
		relax_hook();
	}
	if (ret) {
		klog(KLOG_ERR, "initramfs: damaged at byte %lu: %s\n", c.error_offset, c.error);
		return ret;
	}
	free_frames(used, (const char *)start + size);
	klog(KLOG_INFO, "initramfs: %u files\n", files);
	return 0;
}

int initramfs_unpack(const void *start, u64 size)
{
	struct fs_context *ctx = fs_context_create();
	int err;

	if (!ctx)
		return -ENOMEM;
	ctx->umask = 0;
	err = unpack_all(ctx, start, size);
	fs_context_put(ctx);
	return err;
}
