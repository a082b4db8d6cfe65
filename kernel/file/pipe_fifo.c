/*
 * Opening a FIFO: each end waits until the other is there, or was there meanwhile. The counts of all
 * openings ever tell that even if the other end is closed again before the waiter runs.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "kernel/file/pipe_internal.h"

struct pipe_opening {
	const u32 *opened; /* the count of the other end's openings */
	const u32 *open;   /* how many are open */
	u32 seen;
};

static bool pipe_other_came(void *arg)
{
	const struct pipe_opening *w = arg;

	return atomic_load_relaxed(w->open) != 0 || atomic_load_relaxed(w->opened) != w->seen;
}

/* Counts `f` among the ends. -ENXIO: a writer that will not wait, and nobody reads. */
static int pipe_join(struct pipe *p, struct file *f, bool fifo)
{
	int err = 0;

	mutex_lock(&p->lock);
	if (fifo && !file_readable(f) && (f->flags & O_NONBLOCK) && p->readers == 0) {
		err = -ENXIO;
	} else {
		if (file_readable(f)) {
			atomic_store_relaxed(&p->readers, p->readers + 1);
			atomic_store_relaxed(&p->opened_readers, p->opened_readers + 1);
		}
		if (file_writable(f)) {
			atomic_store_relaxed(&p->writers, p->writers + 1);
			atomic_store_relaxed(&p->opened_writers, p->opened_writers + 1);
		}
		if (p->writers == 0 && (f->flags & O_NONBLOCK))
			f->pos = (u64)p->opened_writers + 1;
	}
	mutex_unlock(&p->lock);
	return err;
}

int pipe_open(struct pipe *p, struct file *f, bool fifo)
{
	bool reads = file_readable(f);
	struct pipe_opening other = {
		.opened = reads ? &p->opened_writers : &p->opened_readers,
		.open = reads ? &p->writers : &p->readers,
		.seen = atomic_load_relaxed(reads ? &p->opened_writers : &p->opened_readers),
	};
	int err = pipe_join(p, f, fifo);

	if (err)
		return err;
	pipe_get(p);
	f->data = p;
	waitq_wake(&p->openers, POLL_EVENT_READ | POLL_EVENT_WRITE, WAITQ_ALL);
	if (fifo && !(f->flags & O_NONBLOCK))
		err = waitq_wait(&p->openers, POLL_EVENT_READ, false, pipe_other_came, &other,
				 PARK_FOREVER, PARK_INTERRUPTIBLE);
	if (err)
		pipe_leave(p, f);
	return err == -EINTR ? -ERESTARTSYS : err;
}
