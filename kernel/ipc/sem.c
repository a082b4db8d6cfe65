/*
 * Semaphores: sets, and semop().
 *
 * One lock a set. A call tries all its operations on the values; if one has to wait, the values are
 * as before and the request is queued. Whoever changes values goes through the queue in order of
 * arrival and performs, for their threads, the requests that have become possible: a woken thread
 * finds its call done and takes no lock.
 *
 * The lock decides how a wait ends. A thread whose park ended by signal or time takes the lock and
 * looks whether it has been served meanwhile:
 *
 *	sleeper				waker or IPC_RMID
 *	state == WAITING		lock
 *	lock				unlink; result; state = ENDED (release)
 *	state == WAITING: unlink	unlock
 *	unlock				unpark
 *
 * May the sleeper lock a set that somebody removes? It read WAITING after its last quiescent point,
 * so the removal, which ends every waiter before it hands the set to the epoch, had not ended it:
 * the set's memory outlasts this section. The waker takes the thread pointer before it writes
 * `state`: after that the request may be gone; the thread stays for a grace period.
 *
 * Cost: an uncontended semop() is the copy of its operations, a look-up and one lock pair; it writes
 * the lines of its set alone. A wake-up that decreases only looks again at waiters for zero.
 */
#include "kernel/ipc/sem.h"

#include "abi/time.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/task.h"
#include "kernel/time/time.h"
#include "kernel/trace/trace.h"

#define OPS_ON_STACK 16U

/* ---- operations on values; the set's lock is held ---- */

/* Takes back the first `count` operations of `r`. */
static void sem_revert(struct sem_set *set, const struct sem_request *r, u32 count)
{
	while (count-- > 0) {
		const struct abi_sembuf *op = &r->ops[count];

		set->sems[op->num].value -= op->op;
		if (op->flags & SEM_UNDO)
			r->undo->adjust[op->num] = (s16)(r->undo->adjust[op->num] + op->op);
	}
}

/* One operation: as sem_try(). */
static int sem_apply(struct sem *sem, const struct abi_sembuf *op, struct sem_undo *undo)
{
	s32 value = sem->value + op->op;

	if (op->op == 0 ? sem->value != 0 : value < 0)
		return op->flags & IPC_NOWAIT ? -EAGAIN : 1;
	if (value > SEM_VALUE_MAX)
		return -ERANGE;
	if (op->flags & SEM_UNDO) {
		s32 adjust = undo->adjust[op->num] - op->op;

		if (adjust < -SEM_VALUE_MAX - 1 || adjust > SEM_VALUE_MAX)
			return -ERANGE;
		undo->adjust[op->num] = (s16)adjust;
	}
	sem->value = value;
	return 0;
}

__hot int sem_try(struct sem_set *set, struct sem_request *r)
{
	u32 i;

	for (i = 0; i < r->nr_ops; i++) {
		int ret = sem_apply(&set->sems[r->ops[i].num], &r->ops[i], r->undo);

		if (unlikely(ret)) {
			sem_revert(set, r, i);
			r->blocked = i;
			return ret;
		}
	}
	for (i = 0; i < r->nr_ops; i++)
		set->sems[r->ops[i].num].pid = r->pid;
	atomic_store_relaxed(&set->otime, ipc_now());
	return 0;
}

static void sem_finish(struct sem_set *set, struct sem_request *r, int result,
		       struct unpark_batch *batch)
{
	struct thread *t = r->thread;

	list_del(&r->link);
	set->zero_waiters -= r->waits_for_zero;
	r->result = result;
	atomic_store_release(&r->state, SEM_ENDED); /* pairs with the acquire in sem_wait() */
	unpark_batch_add(batch, t);
}

/* May the success of `r` let a request go on that was looked at before it? */
static bool sem_opens(const struct sem_set *set, const struct sem_request *r)
{
	return r->raises || (r->alters && set->zero_waiters);
}

__hot void sem_wake(struct sem_set *set, struct unpark_batch *batch)
{
	struct sem_request *r, *next;
	bool again;

	do {
		again = false;
		list_for_each_safe(r, next, &set->waiters, link) {
			int ret = sem_try(set, r);

			if (ret > 0)
				continue;
			again = ret == 0 && sem_opens(set, r);
			sem_finish(set, r, ret, batch);
			if (again)
				break;
		}
	} while (again);
}

void sem_end(struct sem_set *set, struct unpark_batch *batch)
{
	struct sem_request *r, *next;

	spin_lock(&set->base.lock);
	atomic_store_relaxed(&set->base.removed, 1U);
	list_for_each_safe(r, next, &set->waiters, link)
		sem_finish(set, r, -EIDRM, batch);
	sem_undo_drop_all(set);
	spin_unlock(&set->base.lock);
}

/* ---- waiting ---- */

static void sem_enqueue(struct sem_set *set, struct sem_request *r)
{
	r->state = SEM_WAITING;
	list_add_tail(&set->waiters, &r->link);
	set->zero_waiters += r->waits_for_zero;
}

/* The park has ended by itself. True: the request is out of the queue and failed. */
static bool sem_give_up(struct sem_set *set, struct sem_request *r)
{
	bool waiting;

	/* The header tells why `set` is there to be locked. */
	if (atomic_load_acquire(&r->state) != SEM_WAITING)
		return false;
	spin_lock(&set->base.lock);
	waiting = r->state == SEM_WAITING;
	if (waiting) {
		list_del(&r->link);
		set->zero_waiters -= r->waits_for_zero;
	}
	spin_unlock(&set->base.lock);
	return waiting;
}

static long sem_sleep(struct sem_set *set, struct sem_request *r, u64 deadline)
{
	for (;;) {
		int ret = park(deadline, PARK_INTERRUPTIBLE);

		/* Acquire: pairs with the release in sem_finish(). */
		if (atomic_load_acquire(&r->state) == SEM_ENDED)
			return r->result;
		if (ret == 0)
			continue;
		/* Never restarted: the values may have changed since. */
		if (sem_give_up(set, r))
			return ret == -ETIMEDOUT ? -EAGAIN : -EINTR;
		return r->result;
	}
}

/* The set may be gone when the sleep ends: `id` is told for it. */
static long sem_wait(struct sem_set *set, struct sem_request *r, u32 id, u64 deadline)
{
	long ret;

	trace_ipc_wait(id);
	ret = sem_sleep(set, r, deadline);
	trace_ipc_wait_done((u64)ret);
	return ret;
}

/* ---- semop ---- */

/* Finds the set and checks the request against it. An error pointer or the set. Under the epoch. */
static __hot struct sem_set *sem_begin(u32 id, struct sem_request *r, u32 max_num, bool undo)
{
	struct ipc_object *o = ipc_find(&sem_table, id);
	struct sem_set *set;

	if (!o)
		return err_ptr(-EINVAL);
	set = sem_set_of(o);
	if (max_num >= set->nr)
		return err_ptr(-EFBIG);
	if (!ipc_permitted(o, r->alters ? IPC_WRITE : IPC_READ))
		return err_ptr(-EACCES);
	if (undo) {
		r->undo = sem_undo_get(set);
		if (is_err(r->undo))
			return err_ptr(ptr_err(r->undo));
	}
	return ipc_lock(o) ? set : err_ptr(-EIDRM);
}

static __hot long sem_operate(u32 id, struct sem_request *r, u32 max_num, bool undo, u64 deadline)
{
	struct unpark_batch batch = {0};
	struct sem_set *set;
	int ret;

	epoch_enter();
	set = sem_begin(id, r, max_num, undo);
	if (is_err(set)) {
		epoch_exit();
		return ptr_err(set);
	}
	ret = sem_try(set, r);
	if (ret > 0)
		sem_enqueue(set, r);
	else if (ret == 0 && r->alters && !list_empty(&set->waiters))
		sem_wake(set, &batch);
	ipc_unlock(&set->base);
	epoch_exit();
	unpark_batch_flush(&batch);
	return ret > 0 ? sem_wait(set, r, id, deadline) : ret;
}

static __hot long sem_call(u32 id, struct abi_sembuf *ops, u32 nr, u64 deadline)
{
	struct sem_request r = {
		.thread = thread_current(),
		.ops = ops,
		.nr_ops = nr,
		.pid = process_current()->pid,
	};
	bool undo = false;
	u32 max_num = 0;
	long ret;

	trace_sem_op(id, nr, ops[0].num, (u32)ops[0].op);
	for (u32 i = 0; i < nr; i++) {
		max_num = MAX(max_num, (u32)ops[i].num);
		undo |= ops[i].flags & SEM_UNDO;
		r.alters |= ops[i].op != 0;
		r.raises |= ops[i].op > 0;
		r.waits_for_zero |= ops[i].op == 0;
	}
	ret = sem_operate(id, &r, max_num, undo, deadline);
	trace_ipc_done((u64)ret);
	return ret;
}

/* A timeout's ticks; `user` 0: none. 0, -EFAULT; a bad one is *deadline = 0, which no clock shows. */
static int sem_deadline(u64 user, u64 *deadline)
{
	struct abi_timespec ts;

	*deadline = PARK_FOREVER;
	if (!user)
		return 0;
	if (copy_from_user(&ts, (const void __user *)user, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || (u64)ts.tv_nsec >= NSEC_PER_SEC)
		*deadline = 0;
	else if ((u64)ts.tv_sec < TIME_NEVER / 2 / NSEC_PER_SEC)
		*deadline = time_now() +
			    time_ns_to_ticks((u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec);
	return 0;
}

static __hot long sem_copy_and_call(u32 id, u64 user_ops, u32 nr, u64 deadline)
{
	struct abi_sembuf few[OPS_ON_STACK], *ops = few;
	long ret = -EFAULT;

	if (nr > atomic_load_relaxed(&ipc_limits.sem[SEMOPM]))
		return -E2BIG;
	if (nr < 1)
		return -EINVAL;
	if (nr > OPS_ON_STACK) {
		ops = kmalloc(nr * sizeof(*ops));
		if (!ops)
			return -ENOMEM;
	}
	if (!copy_from_user(ops, (const void __user *)user_ops, nr * sizeof(*ops)))
		ret = (s32)id < 0 || !deadline ? -EINVAL : sem_call(id, ops, nr, deadline);
	if (ops != few)
		kfree(ops);
	return ret;
}

/* semop(id, ops, nr) */
__hot long sys_semop(SYSCALL_ARGS)
{
	return sem_copy_and_call((u32)a0, a1, (u32)a2, PARK_FOREVER);
}

/* semtimedop(id, ops, nr, timeout) */
long sys_semtimedop(SYSCALL_ARGS)
{
	u64 deadline;
	int err = sem_deadline(a3, &deadline);

	return err ? err : sem_copy_and_call((u32)a0, a1, (u32)a2, deadline);
}
