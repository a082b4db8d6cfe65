/*
 * Pipes: a ring of bytes in pages that are allocated when first written. Both ends copy under one
 * sleeping mutex (user memory may fault), and test `head` and `tail` without it to decide whether
 * to sleep.
 *
 * Invariant: tail <= head <= tail + size; bytes tail..head are in pages[(position % size) /
 * PAGE_SIZE]. A reader that leaves bytes, or a writer that leaves room, wakes the next sleeper of
 * its own side, so that exclusive wakes (one per read or write) reach everybody who can go on.
 */
#include "kernel/file/pipe.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/termios.h"
#include "kernel/file/pipe_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/refcount.h"
#include "kernel/time/time.h"

#define PIPE_DEFAULT_PAGES 16U

LOCK_CLASS(pipe, RANK_FILE);

static u64 pipe_next_ino;

static bool pipe_can_read(void *arg)
{
	struct pipe *p = arg;

	return pipe_used(p) > 0 || atomic_load_relaxed(&p->writers) == 0;
}

struct pipe_room {
	struct pipe *pipe;
	u64 need;
};

static bool pipe_can_write(void *arg)
{
	struct pipe_room *r = arg;
	struct pipe *p = r->pipe;

	return pipe_room(p) >= r->need || atomic_load_relaxed(&p->readers) == 0;
}

void pipe_wake_readers(struct pipe *p, u32 nr)
{
	waitq_wake(&p->readable, POLL_EVENT_READ, nr);
	waitq_wake(&p->watchers, POLL_EVENT_READ | POLL_EVENT_HUP, WAITQ_ALL);
}

void pipe_wake_writers(struct pipe *p, u32 nr)
{
	waitq_wake(&p->writable, POLL_EVENT_WRITE, nr);
	waitq_wake(&p->watchers, POLL_EVENT_WRITE | POLL_EVENT_ERR, WAITQ_ALL);
}

long pipe_move(struct pipe *p, struct iov_iter *it, size_t n, bool in)
{
	u64 *position = in ? &p->head : &p->tail;
	size_t done = 0;

	while (done < n) {
		u64 at = *position & (p->size - 1);
		size_t chunk = MIN(n - done, PAGE_SIZE - (at & (PAGE_SIZE - 1)));
		void **page = &p->pages[at >> PAGE_SHIFT];
		long got;

		if (!*page)
			*page = page_alloc(0, 0);
		if (!*page)
			return done ? (long)done : -ENOMEM;
		if (in)
			got = iov_copy_in((char *)*page + (at & (PAGE_SIZE - 1)), it, chunk);
		else
			got = iov_copy_out(it, (char *)*page + (at & (PAGE_SIZE - 1)), chunk);
		if (got < 0)
			return done ? (long)done : got;
		atomic_store_relaxed(position, *position + (u64)got);
		done += (size_t)got;
		if ((size_t)got < chunk)
			break;
	}
	return (long)done;
}

int pipe_wait_readable(struct pipe *p)
{
	int err = waitq_wait(&p->readable, POLL_EVENT_READ, true, pipe_can_read, p, PARK_FOREVER,
			     PARK_INTERRUPTIBLE);

	return err == -EINTR ? -ERESTARTSYS : err;
}

long pipe_read_packets(struct pipe *p, struct iov_iter *it, bool nonblock, bool keep)
{
	long ret;

	if (it->count == 0)
		return 0;
	for (;;) {
		u64 used;

		mutex_lock(&p->lock);
		used = pipe_used(p);
		if (used) {
			ret = pipe_take(p, it, keep);
			used = pipe_used(p);
			mutex_unlock(&p->lock);
			pipe_wake_writers(p, 1);
			if (used)
				waitq_wake(&p->readable, POLL_EVENT_READ, 1);
			return ret;
		}
		mutex_unlock(&p->lock);
		if (atomic_load_relaxed(&p->writers) == 0 && pipe_used(p) == 0)
			return 0;
		if (nonblock)
			return -EAGAIN;
		ret = pipe_wait_readable(p);
		if (ret)
			return ret;
	}
}

static long pipe_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	(void)pos;
	return pipe_read_packets(f->data, it, nonblock, false);
}

/* One turn of a write: what fits now, or one packet. 0: nothing did. */
static long pipe_write_some(struct pipe *p, struct iov_iter *it, u64 need, bool packet)
{
	u64 room;
	long ret = 0;

	mutex_lock(&p->lock);
	room = pipe_room(p);
	if (atomic_load_relaxed(&p->readers) == 0)
		ret = -EPIPE;
	else if (room >= need)
		ret = packet ? pipe_put_packet(p, it) : pipe_move(p, it, MIN(room, it->count), true);
	room = pipe_room(p);
	mutex_unlock(&p->lock);
	if (ret > 0) {
		pipe_wake_readers(p, 1);
		if (room >= PIPE_ATOMIC)
			waitq_wake(&p->writable, POLL_EVENT_WRITE, 1);
	}
	return ret;
}

/* How much room a write that has `count` bytes left must find to go on. */
static u64 pipe_need(size_t count, size_t done, bool packets)
{
	if (packets)
		return MIN(count, PAGE_SIZE);
	return count <= PIPE_ATOMIC && !done ? count : 1;
}

static long pipe_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct pipe *p = f->data;
	bool packets = atomic_load_relaxed(&f->flags) & O_DIRECT;
	size_t done = 0;

	(void)pos;
	while (it->count) {
		struct pipe_room need = {p, pipe_need(it->count, done, packets)};
		long ret = pipe_write_some(p, it, need.need, packets);

		if (ret < 0)
			return done ? (long)done : ret;
		done += (size_t)ret;
		if (!it->count)
			break;
		if (ret > 0)
			continue;
		if (nonblock)
			return done ? (long)done : -EAGAIN;
		ret = waitq_wait(&p->writable, POLL_EVENT_WRITE, true, pipe_can_write, &need,
				 PARK_FOREVER, PARK_INTERRUPTIBLE);
		if (ret)
			return done ? (long)done : (ret == -EINTR ? -ERESTARTSYS : ret);
	}
	return (long)done;
}

/*
 * A FIFO opened for reading while nobody wrote is not at its end before the first writer came and went:
 * its file keeps the count of writers that there had been, plus one, where others keep their position.
 */
static bool pipe_hung_up(const struct pipe *p, const struct file *f)
{
	return atomic_load_relaxed(&p->writers) == 0 &&
	       f->pos != (u64)atomic_load_relaxed(&p->opened_writers) + 1;
}

static PollEvent pipe_poll(struct file *f, struct wait_queue **source)
{
	struct pipe *p = f->data;
	PollEvent events = 0;

	if (source)
		*source = &p->watchers;
	if (file_readable(f)) {
		if (pipe_used(p) > 0)
			events |= POLL_EVENT_READ;
		if (pipe_hung_up(p, f))
			events |= POLL_EVENT_HUP;
	}
	if (file_writable(f)) {
		if (pipe_room(p) >= PIPE_ATOMIC)
			events |= POLL_EVENT_WRITE;
		if (atomic_load_relaxed(&p->readers) == 0)
			events |= POLL_EVENT_ERR;
	}
	return events;
}

static long pipe_ioctl(struct file *f, u32 cmd, u64 arg)
{
	if (cmd != FIONREAD)
		return -ENOTTY;
	return user_store_u32((u32 __user *)(uintptr_t)arg, (u32)pipe_used(f->data));
}

static int pipe_stat(struct file *f, struct stat_info *st)
{
	struct pipe *p = f->data;

	if (f->path.dentry)
		return file_path_stat(f, st);
	*st = (struct stat_info){
		.dev = NAMELESS_DEV,
		.ino = p->ino,
		.mode = S_IFIFO | 0600,
		.nlink = 1,
		.blksize = PAGE_SIZE,
		.atime_ns = p->ctime_ns,
		.mtime_ns = p->ctime_ns,
		.ctime_ns = p->ctime_ns,
	};
	return 0;
}

/* Gives back what nobody will read. No end is open. */
static void pipe_discard(struct pipe *p)
{
	for (u64 i = 0; i < p->size >> PAGE_SHIFT; i++) {
		if (p->pages[i])
			page_free(p->pages[i], 0);
		p->pages[i] = NULL;
	}
	atomic_store_relaxed(&p->tail, p->head);
	atomic_store_relaxed(&p->nr_packets, 0U);
}

void pipe_get(struct pipe *p)
{
	refcount_get(&p->refs);
}

void pipe_put(struct pipe *p)
{
	if (!refcount_put(&p->refs))
		return;
	pipe_discard(p);
	kfree(p->packets);
	kfree(p->pages);
	kfree(p);
}

void pipe_leave(struct pipe *p, const struct file *f)
{
	mutex_lock(&p->lock);
	if (file_readable(f))
		atomic_store_relaxed(&p->readers, p->readers - 1);
	if (file_writable(f))
		atomic_store_relaxed(&p->writers, p->writers - 1);
	if (p->readers == 0 && p->writers == 0)
		pipe_discard(p);
	mutex_unlock(&p->lock);
	if (file_readable(f))
		pipe_wake_writers(p, WAITQ_ALL);
	if (file_writable(f))
		pipe_wake_readers(p, WAITQ_ALL);
	pipe_put(p);
}

static void pipe_release(struct file *f)
{
	pipe_leave(f->data, f);
}

/* O_ASYNC signals only whom F_SETOWN names. */
static s32 pipe_no_owner(struct file *f)
{
	(void)f;
	return 0;
}

const struct file_ops pipe_file_ops = {
	.name = "pipe",
	.nowait = true,
	.read = pipe_read,
	.write = pipe_write,
	.ioctl = pipe_ioctl,
	.poll = pipe_poll,
	.stat = pipe_stat,
	.release = pipe_release,
	.async_owner = pipe_no_owner,
};

struct pipe *pipe_alloc(void)
{
	struct pipe *p = kzalloc(sizeof(*p));

	if (!p)
		return NULL;
	p->pages = kzalloc(PIPE_DEFAULT_PAGES * sizeof(void *));
	if (!p->pages) {
		kfree(p);
		return NULL;
	}
	p->size = PIPE_DEFAULT_PAGES * PAGE_SIZE;
	p->refs = 1;
	p->ino = atomic_fetch_add_relaxed(&pipe_next_ino, 1) + 1;
	p->ctime_ns = (s64)time_realtime_ns();
	mutex_init(&p->lock, &pipe_class);
	waitq_init(&p->readable);
	waitq_init(&p->writable);
	waitq_init(&p->watchers);
	waitq_init(&p->openers);
	return p;
}

int pipe_create(struct file *ends[2], u32 flags)
{
	struct pipe *p = pipe_alloc();

	if (!p)
		return -ENOMEM;
	p->readers = 1;
	p->writers = 1;
	p->refs = 2;
	ends[0] = file_alloc(&pipe_file_ops, p, O_RDONLY | (flags & ~(u32)O_DIRECT));
	ends[1] = file_alloc(&pipe_file_ops, p, O_WRONLY | flags);
	if (ends[0] && ends[1])
		return 0;
	for (int i = 0; i < 2; i++) {
		if (ends[i])
			file_put(ends[i]);
		else
			pipe_put(p);
	}
	return -ENOMEM;
}

struct pipe *pipe_of_file(const struct file *f)
{
	return f->ops == &pipe_file_ops ? f->data : NULL;
}
