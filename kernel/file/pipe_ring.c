/*
 * The ring of a pipe as a whole: its size, and what splice does with it beside reading and writing.
 */
#include "abi/errno.h"
#include "kernel/file/pipe_internal.h"
#include "kernel/mm/mm.h"

long pipe_size(struct file *f)
{
	return f->ops == &pipe_file_ops ? (long)((struct pipe *)f->data)->size : -EBADF;
}

/* Moves the bytes to a ring of `size`, whose pages are new. The lock is held. */
static int pipe_rebuild(struct pipe *p, u64 size)
{
	void **pages = kzalloc((size >> PAGE_SHIFT) * sizeof(void *));
	struct pipe old = {.pages = p->pages, .size = p->size, .head = p->head, .tail = p->tail};
	int err = pages ? pipe_resize_packets(p, size) : -ENOMEM;

	if (err) {
		kfree(pages);
		return err;
	}
	p->pages = pages;
	atomic_store_relaxed(&p->size, size);
	atomic_store_relaxed(&p->head, p->tail);
	while (old.tail < old.head && !err) {
		u64 at = old.tail & (old.size - 1);
		u64 chunk = MIN(old.head - old.tail, PAGE_SIZE - (at & (PAGE_SIZE - 1)));
		struct iov_segment seg;
		struct iov_iter it;

		iov_iter_kernel(&it, &seg,
				(char *)old.pages[at >> PAGE_SHIFT] + (at & (PAGE_SIZE - 1)), chunk);
		if (pipe_move(p, &it, chunk, true) != (long)chunk)
			err = -ENOMEM;
		old.tail += chunk;
	}
	if (err) {
		atomic_store_relaxed(&p->head, old.head);
		p->pages = old.pages;
		atomic_store_relaxed(&p->size, old.size);
		old.pages = pages;
		old.size = size;
	}
	for (u64 i = 0; i < old.size >> PAGE_SHIFT; i++)
		if (old.pages[i])
			page_free(old.pages[i], 0);
	kfree(old.pages);
	return err;
}

long pipe_resize(struct file *f, u64 bytes)
{
	struct pipe *p = f->data;
	u64 size = PAGE_SIZE;
	int err;

	if (f->ops != &pipe_file_ops)
		return -EBADF;
	if (bytes == 0 || bytes > 1UL << 31)
		return -EINVAL;
	if (bytes > PIPE_MAX_SIZE)
		return -EPERM;
	while (size < bytes)
		size *= 2;
	mutex_lock(&p->lock);
	if (size < pipe_used(p) || size >> PAGE_SHIFT < p->nr_packets)
		err = -EBUSY;
	else
		err = pipe_rebuild(p, size);
	mutex_unlock(&p->lock);
	if (err)
		return err;
	pipe_wake_writers(p, WAITQ_ALL);
	return (long)size;
}

/* ---- for splice ---- */

/* Copies the first n bytes and leaves them. The lock is held. */
static long pipe_copy(struct pipe *p, char *buf, size_t n)
{
	u64 tail = p->tail;
	struct iov_segment seg;
	struct iov_iter it;
	long got;

	iov_iter_kernel(&it, &seg, buf, n);
	got = pipe_move(p, &it, n, false);
	atomic_store_relaxed(&p->tail, tail);
	return got;
}

long pipe_peek(struct file *f, char *buf, size_t n, bool nonblock)
{
	struct pipe *p = f->data;
	long ret = 0;

	while (n && !ret) {
		u64 used;

		mutex_lock(&p->lock);
		used = pipe_to_boundary(p);
		if (used)
			ret = pipe_copy(p, buf, MIN(n, used));
		mutex_unlock(&p->lock);
		if (ret || atomic_load_relaxed(&p->writers) == 0)
			break;
		ret = nonblock ? -EAGAIN : pipe_wait_readable(p);
	}
	return ret;
}

void pipe_unread(struct pipe *p, const char *buf, size_t n)
{
	struct iov_segment seg;
	struct iov_iter it;
	u64 head;

	iov_iter_kernel(&it, &seg, (void *)buf, n);
	mutex_lock(&p->lock);
	/* Writers may have filled the room that reading made: the ring grows, else the bytes are lost. */
	if (p->size - pipe_used(p) < n && pipe_rebuild(p, 2 * p->size)) {
		mutex_unlock(&p->lock);
		return;
	}
	head = p->head;
	atomic_store_relaxed(&p->tail, p->tail - n);
	atomic_store_relaxed(&p->head, p->tail);
	pipe_move(p, &it, n, true);
	atomic_store_relaxed(&p->head, head);
	mutex_unlock(&p->lock);
	pipe_wake_readers(p, 1);
}

static bool pipe_has_room(void *arg)
{
	struct pipe *p = arg;

	return pipe_room(p) || atomic_load_relaxed(&p->readers) == 0;
}

long pipe_wait_room(struct pipe *p, bool nonblock, u32 park_flags)
{
	int err;

	if (atomic_load_relaxed(&p->readers) == 0)
		return -EPIPE;
	if (nonblock && !pipe_has_room(p))
		return -EAGAIN;
	err = waitq_wait(&p->writable, POLL_EVENT_WRITE, true, pipe_has_room, p, PARK_FOREVER,
			 park_flags);
	if (err)
		return err == -EINTR ? -ERESTARTSYS : err;
	if (atomic_load_relaxed(&p->readers) == 0)
		return -EPIPE;
	return (long)pipe_room(p);
}
