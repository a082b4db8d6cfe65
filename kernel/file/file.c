/*
 * The life of an open file. The last put runs `release` at once (a reader of a pipe must see the
 * end of file when close returns); only the memory waits for a grace period, for lookups that
 * still hold the bare pointer.
 */
#include "kernel/file/file.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/refcount.h"

LOCK_CLASS(file_pos, RANK_FILE);

void (*file_path_put)(struct path *p);
int (*file_path_stat)(struct file *f, struct stat_info *st);
void (*file_unlock_owner)(struct file *f, const void *owner);
void (*file_closed)(struct file *f);
void (*file_unwatch)(struct file *f);
void (*file_sigio_free)(struct file *f);

static void file_mapped(struct vm_backing *b)
{
	file_get(container_of(b, struct file, backing));
}

static void file_unmapped(struct vm_backing *b)
{
	file_put(container_of(b, struct file, backing));
}

static const struct vm_backing_ops file_backing_ops = {
	.open = file_mapped,
	.close = file_unmapped,
};

struct file *file_of_backing(struct vm_backing *b)
{
	return b && b->ops == &file_backing_ops ? container_of(b, struct file, backing) : NULL;
}

struct file *file_alloc(const struct file_ops *ops, void *data, u32 flags)
{
	struct file *f = kzalloc(sizeof(*f));

	if (!f)
		return NULL;
	f->ops = ops;
	f->data = data;
	f->flags = flags;
	f->refs = 1;
	f->backing.ops = &file_backing_ops;
	mutex_init(&f->pos_lock, &file_pos_class);
	return f;
}

void file_get(struct file *f)
{
	refcount_get(&f->refs);
}

static void file_free(struct epoch_node *node)
{
	kfree(container_of(node, struct file, free_node));
}

void file_put(struct file *f)
{
	if (!refcount_put(&f->refs))
		return;
	/* Pairs with the release store in epoll_unlink_file(): then epoll is done with `f`. */
	if (unlikely(atomic_load_acquire(&f->watches) != NULL))
		file_unwatch(f);
	/* Its lease goes first: whoever breaks it sends a signal of this file. */
	if (f->path.dentry && file_closed)
		file_closed(f);
	if (unlikely(f->sigio != NULL))
		file_sigio_free(f);
	if (file_unlock_owner)
		file_unlock_owner(f, f);
	if (f->ops->release)
		f->ops->release(f);
	if (f->path.dentry)
		file_path_put(&f->path);
	epoch_defer(&f->free_node, file_free);
}

bool file_readable(const struct file *f)
{
	u32 flags = atomic_load_relaxed(&f->flags);

	return !(flags & O_PATH) && (flags & O_ACCMODE) != O_WRONLY;
}

bool file_writable(const struct file *f)
{
	u32 flags = atomic_load_relaxed(&f->flags);

	return !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY;
}

PollEvent file_poll(struct file *f, struct wait_queue **source)
{
	if (f->ops->poll)
		return f->ops->poll(f, source);
	if (source)
		*source = NULL;
	return POLL_EVENT_READ | POLL_EVENT_WRITE;
}

long file_read_kernel(struct file *f, void *buf, size_t n, u64 pos)
{
	struct iov_segment seg;
	struct iov_iter it;

	if (!f->ops->read)
		return -EINVAL;
	iov_iter_kernel(&it, &seg, buf, n);
	return f->ops->read(f, &it, &pos, false);
}

long file_write_kernel(struct file *f, const void *buf, size_t n, u64 pos)
{
	struct iov_segment seg;
	struct iov_iter it;

	if (!f->ops->write)
		return -EINVAL;
	iov_iter_kernel(&it, &seg, (void *)buf, n);
	return f->ops->write(f, &it, &pos, false);
}

int file_nameless_stat(struct file *f, struct stat_info *st)
{
	(void)f;
	*st = (struct stat_info){.dev = NAMELESS_DEV, .mode = 0600, .nlink = 1, .blksize = PAGE_SIZE};
	return 0;
}

long file_seek_in(struct file *f, u64 size, s64 offset, int whence)
{
	s64 base;

	switch (whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = (s64)f->pos;
		break;
	case SEEK_END:
		base = (s64)size;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		if (offset < 0 || (u64)offset >= size)
			return -ENXIO;
		base = whence == SEEK_DATA ? 0 : (s64)size - offset;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, offset, &base) || base < 0)
		return -EINVAL;
	f->pos = (u64)base;
	return base;
}
