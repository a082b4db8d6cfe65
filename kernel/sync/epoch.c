/*
 * The epoch engine. `gp.now` counts completed grace periods. One grace period is always in
 * progress: at its start the words of all harts were noted, and it is complete when each hart that
 * was in the kernel then has another word now: it has left, or passed epoch_quiesce(). A node
 * deferred while `now` was g may be found by readers that began before the grace period in progress
 * was started or after; all of them are waited for by the next one, so its function may run once
 * now >= g + 2:
 *
 *	now        g            g+1           g+2
 *	-----------|------------|-------------|-------->
 *	   unpublish, defer   snapshot      each reader of the snapshot is gone
 *
 * Proof. Reader R found the node: it stored its word, (C), read the pointer. Updater D overwrote
 * the pointer, (E), read now = g. Scanner A wrote now = g + 1, (F), noted R's word. R read the old
 * pointer, so (C) is before (E); D read the old `now`, so (E) is before (F): A sees R in the
 * kernel, or a later word of R's. In the first case g + 2 waits until R's word changes, and R's
 * reads are before that by (D), A's acquiring load and the release of `now`. In the second R is
 * done already, and its reads are before by (D) and the acquire of that load. Without any one of
 * the three fences the chain breaks, and tests/model finds the execution.
 *
 * So a hart defers into two lists, by the parity of g: when the parity comes round again, what was
 * there is due. No list is shared, no node carries a number, and a hart that stays in user mode or
 * halted for an hour holds up nobody.
 *
 * Who drives it: nobody does while nothing is deferred. A hart with EPOCH_BATCH new nodes marks
 * itself HART_WORK_EPOCH and polls on its way out. A poll that finds a hart in its way leaves the
 * same mark there and looks again (store buffering, as a doorbell): either that hart has left
 * meanwhile, or it will see the mark on its way out, and poll. So some hart always carries a grace
 * period on. A hart that goes to user mode with fewer than EPOCH_BATCH nodes keeps them until its
 * next poll, or until epoch_barrier() rings it.
 *
 * Cost: nothing to read; defer: a fence and two stores; poll: a lock, one load per hart that was in
 * the kernel.
 */
#include "kernel/sync/epoch.h"

#include "kernel/sync/atomic.h"
#include "kernel/sync/completion.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/spinlock.h"

#define EPOCH_BATCH 32 /* nodes deferred by a hart that make it poll */

struct epoch_list {
	struct epoch_node *first;
	struct epoch_node *last;
};

struct epoch_local {
	struct epoch_list pending[2];	/* [c] deferred when gp.now was tag[i], i = tag % 2 */
	u64 tag[2];			/* [c] */
	struct epoch_list due;		/* [c] grace period over, function not yet run */
	u64 deferred;			/* [c] nodes ever deferred here */
	u64 run;			/* [c] of them, those whose function has run */
	u64 barrier_seen;		/* [c] last barrier that this hart joined */
	struct epoch_node barrier_node; /* [c] */
};

static PERCPU(struct epoch_local, epoch_local);

LOCK_CLASS(epoch, RANK_EPOCH);

/* The grace period in progress. */
static struct {
	struct spinlock lock;
	u64 now;	     /* [a] completed grace periods; written under the lock */
	u64 waiting;	     /* [L:lock] harts that must still pass a quiescent point */
	u64 noted[MAX_CPUS]; /* [L:lock] the word of each hart in `waiting` at the start */
} gp __cacheline_aligned = {.lock = SPINLOCK_INIT(epoch_class)};

LOCK_CLASS(epoch_barrier, RANK_EPOCH_BARRIER);

/* One barrier at a time: each hart defers its barrier node behind all it has deferred before. */
static struct {
	struct mutex lock;
	u64 seq;		/* [a] barriers begun */
	u64 outstanding;	/* [a] harts whose barrier node has not run */
	struct completion done; /* of the last node */
} barrier = {.lock = MUTEX_INIT(barrier.lock, epoch_barrier_class)};

static void epoch_list_append(struct epoch_list *to, struct epoch_list *from)
{
	if (!from->first)
		return;
	if (to->first)
		to->last->next = from->first;
	else
		to->first = from->first;
	to->last = from->last;
	*from = (struct epoch_list){0};
}

/* Moves what is due at `now` to l->due, oldest first. */
static void epoch_collect(struct epoch_local *l, u64 now)
{
	u32 older = l->tag[0] < l->tag[1] ? 0 : 1;

	for (u32 n = 0; n < 2; n++) {
		u32 i = older ^ n;

		if (now - l->tag[i] >= 2)
			epoch_list_append(&l->due, &l->pending[i]);
	}
}

void epoch_defer(struct epoch_node *node, void (*fn)(struct epoch_node *))
{
	struct epoch_local *l = this_cpu_ptr(epoch_local);
	struct epoch_list one = {node, node};
	u64 now;

	node->next = NULL;
	node->fn = fn;
	fence_full(); /* (E): pairs with (C) of readers and (F) in epoch_start() */
	now = atomic_load_relaxed(&gp.now);
	epoch_collect(l, now);
	l->tag[now % 2] = now;
	epoch_list_append(&l->pending[now % 2], &one);
	if (++l->deferred % EPOCH_BATCH == 0)
		atomic_fetch_or(&cpu_self()->work, HART_WORK_EPOCH);
}

bool epoch_hart_pending(void)
{
	const struct epoch_local *l = this_cpu_ptr(epoch_local);

	return l->pending[0].first || l->pending[1].first || l->due.first;
}

/*
 * Completes the grace period in progress and starts the next: notes every hart that is in the
 * kernel.
 */
static void epoch_start(void)
{
	atomic_store_release(&gp.now, gp.now + 1); /* pairs with the acquiring load in epoch_run() */
	fence_full(); /* (F): pairs with (E) in epoch_defer() and (C) of readers */
	for (u32 i = 0; i < nr_cpus; i++) {
		/*
		 * The acquire pairs with (D), as in epoch_scan(): this hart may have just left, and
		 * is not waited for.
		 */
		u64 word = atomic_load_acquire(&cpu_of(i)->state);

		gp.noted[i] = word;
		if ((word & HART_STATE_MASK) == HART_KERNEL)
			gp.waiting |= BIT(i);
	}
	if (sync_ops.epoch_began)
		sync_ops.epoch_began(gp.now, gp.waiting);
}

/*
 * Takes the harts that have moved on off the list. Returns those that have not; if none, the next
 * grace period is started.
 */
static u64 epoch_scan(void)
{
	u64 waiting, left;

	spin_lock(&gp.lock);
	left = gp.waiting;
	while (left) {
		u32 i = (u32)__builtin_ctzl(left);

		left &= left - 1;
		/* The acquire pairs with (D) in hart_leave_kernel() and epoch_quiesce(). */
		if (atomic_load_acquire(&cpu_of(i)->state) != gp.noted[i])
			gp.waiting &= ~BIT(i);
	}
	waiting = gp.waiting;
	if (!waiting)
		epoch_start();
	spin_unlock(&gp.lock);
	return waiting;
}

/*
 * Hands the grace period to the harts in `waiting`: each that is still in the kernel will poll on
 * its way out. True if one has left meanwhile, perhaps without seeing the mark: scan again.
 */
static bool epoch_hand_over(u64 waiting)
{
	bool left = false;

	while (waiting) {
		u32 i = (u32)__builtin_ctzl(waiting);

		waiting &= waiting - 1;
		if (hart_state_of(cpu_of(i)) == HART_KERNEL)
			hart_kick(i, HART_WORK_EPOCH, false);
		if (hart_state_of(cpu_of(i)) != HART_KERNEL)
			left = true;
	}
	return left;
}

/* True if a grace period was completed; false if some hart is in the way, which then carries on. */
static bool epoch_advance(void)
{
	u64 waiting;

	do {
		waiting = epoch_scan();
	} while (waiting && epoch_hand_over(waiting));
	return waiting == 0;
}

/* Runs what is due on this hart. */
static void epoch_run(struct epoch_local *l)
{
	struct epoch_node *node;
	u64 before = l->run;

	epoch_collect(l, atomic_load_acquire(&gp.now)); /* pairs with the release in epoch_start() */
	node = l->due.first;
	l->due = (struct epoch_list){0};
	while (node) {
		struct epoch_node *next = node->next;

		node->fn(node);
		node = next;
		l->run++;
	}
	if (l->run != before && sync_ops.epoch_ran)
		sync_ops.epoch_ran(l->run - before, l->deferred - l->run);
}

static void epoch_barrier_reached(struct epoch_node *node)
{
	u64 self = BIT(cpu_id());

	(void)node;
	if (atomic_fetch_and(&barrier.outstanding, ~self) == self)
		completion_signal(&barrier.done);
}

static void epoch_join_barrier(struct epoch_local *l)
{
	u64 seq = atomic_load_acquire(&barrier.seq); /* pairs with the release in epoch_barrier() */

	if (l->barrier_seen == seq)
		return;
	l->barrier_seen = seq;
	epoch_defer(&l->barrier_node, epoch_barrier_reached);
}

void epoch_poll(void)
{
	struct epoch_local *l = this_cpu_ptr(epoch_local);
	bool advanced;

	hart_check_quiescent();
	epoch_join_barrier(l);
	do {
		epoch_quiesce();
		advanced = epoch_advance();
		epoch_run(l);
		/* Those whom a barrier waits for have one grace period less to go. */
		if (advanced)
			hart_kick_mask(atomic_load_relaxed(&barrier.outstanding) & ~BIT(cpu_id()),
				       HART_WORK_EPOCH, true);
	} while (advanced && epoch_hart_pending());
}

void epoch_barrier(void)
{
	u64 harts = 0;

	mutex_lock(&barrier.lock);
	for (u32 i = 0; i < nr_cpus; i++) {
		if (hart_state_of(cpu_of(i)) != HART_OFFLINE)
			harts |= BIT(i);
	}
	completion_init(&barrier.done);
	atomic_store_relaxed(&barrier.outstanding, harts);
	atomic_store_release(&barrier.seq,
			     barrier.seq + 1); /* pairs with the acquire in epoch_join_barrier() */
	hart_kick_mask(harts & ~BIT(cpu_id()), HART_WORK_EPOCH, true);
	epoch_poll();
	completion_wait(&barrier.done);
	mutex_unlock(&barrier.lock);
}

#ifdef KERNEL_DEBUG

static PERCPU(u32, epoch_nesting); /* [c] */

void epoch_enter(void)
{
	this_cpu(epoch_nesting)++;
}

void epoch_exit(void)
{
	SYNC_BUG_ON(this_cpu(epoch_nesting) == 0);
	this_cpu(epoch_nesting)--;
}

u32 epoch_depth(void)
{
	return this_cpu(epoch_nesting);
}

#endif
