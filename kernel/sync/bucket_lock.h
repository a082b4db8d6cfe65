/*
 * The lock of a hash bucket on a contended path: the spin lock of spinlock.h, or in a benchmark build another of Concurrency Kit's, so
 * that the difference can be shown:
 *
 *	bazel build --define bucket_lock=cas_eb|ticket|mcs|clh //kernel:stellar
 *
 * Those spin without lending the virtual CPU and check no order. The queue locks need a node for each lock held: a hart holds two bucket
 * locks at most, so each has two nodes (bucket_lock.c). Context: as a spin lock, and interrupts are off, so a hart is one user.
 */
#ifndef KERNEL_SYNC_BUCKET_LOCK_H
#define KERNEL_SYNC_BUCKET_LOCK_H

#include "kernel/sync/percpu.h"
#include "kernel/sync/spinlock.h"

#if defined(BUCKET_LOCK_CAS_EB)

struct bucket_lock {
	ck_spinlock_cas_t cas;
};

static inline void bucket_lock_init(struct bucket_lock *l, struct lock_class *class)
{
	(void)class;
	ck_spinlock_cas_init(&l->cas);
}

static inline void bucket_lock(struct bucket_lock *l)
{
	ck_spinlock_cas_lock_eb(&l->cas);
}

static inline void bucket_unlock(struct bucket_lock *l)
{
	ck_spinlock_cas_unlock(&l->cas);
}

#elif defined(BUCKET_LOCK_TICKET)

struct bucket_lock {
	ck_spinlock_ticket_t ticket;
};

static inline void bucket_lock_init(struct bucket_lock *l, struct lock_class *class)
{
	(void)class;
	ck_spinlock_ticket_init(&l->ticket);
}

static inline void bucket_lock(struct bucket_lock *l)
{
	ck_spinlock_ticket_lock(&l->ticket);
}

static inline void bucket_unlock(struct bucket_lock *l)
{
	ck_spinlock_ticket_unlock(&l->ticket);
}

#elif defined(BUCKET_LOCK_MCS)

struct bucket_lock {
	struct ck_spinlock_mcs *tail;
};

struct bucket_node {
	struct ck_spinlock_mcs node;
	struct bucket_lock *lock; /* [c] that it is in; NULL: free */
};

#elif defined(BUCKET_LOCK_CLH)

struct bucket_lock {
	ck_spinlock_clh_t *tail;
	ck_spinlock_clh_t first;
};

struct bucket_node {
	ck_spinlock_clh_t *node; /* [c] the one that this hart may use now; NULL: its own, for the first time */
	ck_spinlock_clh_t own;
	struct bucket_lock *lock; /* [c] that it is in; NULL: free */
};

#else

struct bucket_lock {
	struct spinlock spin;
};

static inline void bucket_lock_init(struct bucket_lock *l, struct lock_class *class)
{
	spin_init(&l->spin, class);
}

static inline void bucket_lock(struct bucket_lock *l)
{
	spin_lock(&l->spin);
}

static inline void bucket_unlock(struct bucket_lock *l)
{
	spin_unlock(&l->spin);
}

#define BUCKET_LOCK_IS_SPINLOCK

#endif

#if defined(BUCKET_LOCK_MCS) || defined(BUCKET_LOCK_CLH)

#define BUCKET_NODES 2

PERCPU_DECLARE(struct bucket_node[BUCKET_NODES], bucket_nodes);

/* This hart's node in `l`, or with NULL a free one. */
static inline struct bucket_node *bucket_node_of(const struct bucket_lock *l)
{
	struct bucket_node *n = *this_cpu_ptr(bucket_nodes);

	return n->lock == l ? n : n + 1;
}

#endif

#if defined(BUCKET_LOCK_MCS)

static inline void bucket_lock_init(struct bucket_lock *l, struct lock_class *class)
{
	(void)class;
	l->tail = NULL;
}

static inline void bucket_lock(struct bucket_lock *l)
{
	struct bucket_node *n = bucket_node_of(NULL);

	n->lock = l;
	ck_spinlock_mcs_lock(&l->tail, &n->node);
}

static inline void bucket_unlock(struct bucket_lock *l)
{
	struct bucket_node *n = bucket_node_of(l);

	ck_spinlock_mcs_unlock(&l->tail, &n->node);
	n->lock = NULL;
}

#elif defined(BUCKET_LOCK_CLH)

static inline void bucket_lock_init(struct bucket_lock *l, struct lock_class *class)
{
	(void)class;
	ck_spinlock_clh_init(&l->tail, &l->first);
}

static inline void bucket_lock(struct bucket_lock *l)
{
	struct bucket_node *n = bucket_node_of(NULL);

	n->lock = l;
	if (!n->node)
		n->node = &n->own;
	ck_spinlock_clh_lock(&l->tail, n->node);
}

static inline void bucket_unlock(struct bucket_lock *l)
{
	struct bucket_node *n = bucket_node_of(l);

	ck_spinlock_clh_unlock(&n->node); /* leaves the predecessor's node here */
	n->lock = NULL;
}

#endif

#ifdef BUCKET_LOCK_IS_SPINLOCK

static inline void bucket_lock_pair(struct bucket_lock *a, struct bucket_lock *b)
{
	spin_lock_pair(&a->spin, &b->spin);
}

#else

/* In address order; a == b takes it once. */
static inline void bucket_lock_pair(struct bucket_lock *a, struct bucket_lock *b)
{
	bucket_lock(a < b ? a : b);
	if (a != b)
		bucket_lock(a < b ? b : a);
}

#endif

static inline void bucket_unlock_pair(struct bucket_lock *a, struct bucket_lock *b)
{
	bucket_unlock(a);
	if (a != b)
		bucket_unlock(b);
}

#endif
