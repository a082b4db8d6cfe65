/*
 * The inside of a pipe, shared by the files that implement it: pipe.c (reading, writing, life),
 * pipe_fifo.c (opening by name), pipe_ring.c (size, looking and putting back).
 */
#ifndef KERNEL_FILE_PIPE_INTERNAL_H
#define KERNEL_FILE_PIPE_INTERNAL_H

#include "kernel/file/pipe.h"
#include "kernel/file/waitq.h"
#include "kernel/sync/atomic.h"

struct pipe {
	struct mutex lock;
	u64 head;	    /* [a] bytes ever written; changed under lock */
	u64 tail;	    /* [a] bytes ever read; changed under lock */
	u64 size;	    /* [a] bytes of room, a power of two; changed under lock */
	void **pages;	    /* [L] size / PAGE_SIZE of them, NULL where never written */
	u32 readers;	    /* [a] open files that read; changed under lock */
	u32 writers;	    /* [a] */
	u32 opened_readers; /* [a] all that ever were: openers of the other end wait for a change */
	u32 opened_writers; /* [a] */
	u32 refs;	    /* [a] open files, and the name of a FIFO */
	u64 ino;	    /* [I] */
	s64 ctime_ns;	    /* [I] */
	struct wait_queue readable;
	struct wait_queue writable;
	/* Both of the above for poll: watchers of either event. */
	struct wait_queue watchers;
	struct wait_queue openers; /* FIFOs: those that wait for the other end */
};

static inline u64 pipe_used(struct pipe *p)
{
	return atomic_load_relaxed(&p->head) - atomic_load_relaxed(&p->tail);
}

/* Moves up to n bytes between the ring and the iterator, one page at a time. The lock is held. */
long pipe_move(struct pipe *p, struct iov_iter *it, size_t n, bool in);
/* Context: the lock is not held. `nr`: how many that read or write exclusively. */
void pipe_wake_readers(struct pipe *p, u32 nr);
void pipe_wake_writers(struct pipe *p, u32 nr);
/* Waits until there is something to read, or no writer. 0 or -ERESTARTSYS. */
int pipe_wait_readable(struct pipe *p);
/* `f` is an end no more. */
void pipe_leave(struct pipe *p, const struct file *f);

#endif
