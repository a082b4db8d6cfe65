/*
 * Message queues: msgsnd() and msgrcv().
 *
 * One lock a queue. A message is handed over under it: a sender gives its message to the first
 * waiting receiver that wants it, without a stay in the queue; a receiver that has made room lets
 * waiting senders' messages in, in order of arrival, for their threads. So a woken thread finds its
 * call done and takes no lock. How a wait ends, and why a sleeper may lock a queue that is being
 * removed, is told in sem.c: the protocol is the same.
 *
 * A message belongs to its sender until it is in the queue or given away, and to its receiver from
 * then on; text is copied outside the lock. A receiver that is given a message and killed at the
 * same time has received it: it frees it.
 *
 * Cost: look-up, one lock pair, one allocation and two copies a message; no line is shared by
 * different queues.
 */
#include "kernel/ipc/msg.h"

#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/task.h"
#include "kernel/trace/trace.h"

#include <string.h>

/* ---- waiters ---- */

void msg_finish(struct msg_waiter *w, int result, struct unpark_batch *batch)
{
	struct thread *t = w->thread;

	list_del(&w->link);
	w->result = result;
	atomic_store_release(&w->state, MSG_ENDED); /* pairs with the acquire in msg_wait() */
	unpark_batch_add(batch, t);
}

void msg_finish_all(struct msg_queue *q, int result, struct unpark_batch *batch)
{
	struct msg_waiter *w, *next;

	list_for_each_safe(w, next, &q->receivers, link)
		msg_finish(w, result, batch);
	list_for_each_safe(w, next, &q->senders, link)
		msg_finish(w, result, batch);
}

static void msg_enqueue(struct list *waiters, struct msg_waiter *w)
{
	w->thread = thread_current();
	w->state = MSG_WAITING;
	list_add_tail(waiters, &w->link);
}

/* The park has ended by itself. True: the waiter is out of the queue. */
static bool msg_give_up(struct msg_queue *q, struct msg_waiter *w)
{
	bool waiting;

	if (atomic_load_acquire(&w->state) != MSG_WAITING)
		return false;
	spin_lock(&q->base.lock);
	waiting = w->state == MSG_WAITING;
	if (waiting)
		list_del(&w->link);
	spin_unlock(&q->base.lock);
	return waiting;
}

static long msg_sleep(struct msg_queue *q, struct msg_waiter *w)
{
	for (;;) {
		int ret = park(PARK_FOREVER, PARK_INTERRUPTIBLE);

		/* Acquire: pairs with the release in msg_finish(). */
		if (atomic_load_acquire(&w->state) == MSG_ENDED)
			return w->result;
		if (ret && msg_give_up(q, w))
			return -ERESTARTNOHAND;
		if (ret)
			return w->result;
	}
}

static long msg_wait(struct msg_queue *q, struct msg_waiter *w, u32 id)
{
	long ret;

	trace_ipc_wait(id);
	ret = msg_sleep(q, w);
	trace_ipc_wait_done((u64)ret);
	return ret;
}

/* ---- messages; the lock is held ---- */

static bool msg_matches(const struct msg_filter *f, const struct msg *m)
{
	switch (f->match) {
	case MSG_MATCH_EQUAL:
		return m->type == f->type;
	case MSG_MATCH_NOT_EQUAL:
		return m->type != f->type;
	case MSG_MATCH_UP_TO:
		return m->type <= f->type;
	default:
		return true;
	}
}

/* The message that a receiver takes: the first that matches; of types up to one, the lowest. */
static struct msg *msg_find(const struct msg_queue *q, const struct msg_filter *f)
{
	struct msg *m, *lowest = NULL;
	s64 index = 0;

	list_for_each(m, &q->messages, link) {
		if (f->match == MSG_MATCH_INDEX) {
			if (index++ == f->type)
				return m;
		} else if (msg_matches(f, m)) {
			if (f->match != MSG_MATCH_UP_TO || m->type == 1)
				return m;
			if (!lowest || m->type < lowest->type)
				lowest = m;
		}
	}
	return lowest;
}

static bool msg_fits_in(const struct msg_queue *q, u64 size)
{
	return size + q->bytes <= q->max_bytes && q->count + 1 <= q->max_bytes;
}

/* To a receiver that waits for it, or into the queue. */
static __hot void msg_deliver(struct msg_queue *q, struct msg *m, u32 pid, struct unpark_batch *batch)
{
	struct msg_waiter *w, *next;
	u64 now = ipc_now();

	q->stime = now;
	q->lspid = pid;
	list_for_each_safe(w, next, &q->receivers, link) {
		if (!msg_matches(&w->filter, m))
			continue;
		if (m->size > w->filter.max_size) {
			msg_finish(w, -E2BIG, batch);
			continue;
		}
		q->rtime = now;
		q->lrpid = w->pid;
		w->msg = m;
		msg_finish(w, 0, batch);
		return;
	}
	list_add_tail(&q->messages, &m->link);
	q->bytes += m->size;
	q->count++;
}

static void msg_take(struct msg_queue *q, struct msg *m)
{
	list_del(&m->link);
	q->bytes -= m->size;
	q->count--;
	q->rtime = ipc_now();
	q->lrpid = process_current()->pid;
}

/* There is room: in with what waits and fits. */
static void msg_admit(struct msg_queue *q, struct unpark_batch *batch)
{
	struct msg_waiter *w, *next;

	list_for_each_safe(w, next, &q->senders, link) {
		if (!msg_fits_in(q, w->msg->size))
			continue;
		msg_deliver(q, w->msg, w->pid, batch);
		msg_finish(w, 0, batch);
	}
}

/* ---- msgsnd ---- */

/* As msgsnd(); -EAGAIN without IPC_NOWAIT: IPC_SET has changed something, look again. */
static __hot long msg_send_once(u32 id, struct msg *m, u32 flags)
{
	struct msg_waiter w = {.msg = m, .pid = process_current()->pid};
	struct unpark_batch batch = {0};
	struct ipc_object *o;
	struct msg_queue *q;
	bool wait = false;
	long ret = 0;

	epoch_enter();
	o = ipc_lock_permitted(&msg_table, id, IPC_WRITE);
	if (is_err(o)) {
		epoch_exit();
		return ptr_err(o);
	}
	q = msg_queue_of(o);
	if (msg_fits_in(q, m->size)) {
		msg_deliver(q, m, w.pid, &batch);
	} else if (flags & IPC_NOWAIT) {
		ret = -EAGAIN;
	} else {
		msg_enqueue(&q->senders, &w);
		wait = true;
	}
	ipc_unlock(&q->base);
	epoch_exit();
	unpark_batch_flush(&batch);
	return wait ? msg_wait(q, &w, id) : ret;
}

static long msg_send(u32 id, struct msg *m, u32 flags)
{
	long ret;

	trace_msg_send(id, (u32)m->size, (u64)m->type);
	ret = msg_send_once(id, m, flags);
	/* What was there a moment ago and is not any more has been removed. */
	while (ret == -EAGAIN && !(flags & IPC_NOWAIT)) {
		ret = msg_send_once(id, m, flags);
		if (ret == -EINVAL)
			ret = -EIDRM;
	}
	trace_ipc_done((u64)ret);
	return ret;
}

/* msgsnd(id, msg, size, flags) */
__hot long sys_msgsnd(SYSCALL_ARGS)
{
	struct msg *m;
	u64 type;
	long ret;

	if (user_load_u64((const u64 __user *)a1, &type))
		return -EFAULT;
	if (a2 > atomic_load_relaxed(&ipc_limits.msgmax) || (s32)a0 < 0 || (s64)type < 1)
		return -EINVAL;
	m = kmalloc(sizeof(*m) + a2);
	if (!m)
		return -ENOMEM;
	m->type = (s64)type;
	m->size = a2;
	ret = copy_from_user(m->text, (const void __user *)(a1 + sizeof(type)), a2);
	if (!ret)
		ret = msg_send((u32)a0, m, (u32)a3);
	if (ret)
		kfree(m);
	return ret;
}

/* ---- msgrcv ---- */

static struct msg_filter msg_filter(s64 type, u64 size, u32 flags)
{
	struct msg_filter f = {MSG_MATCH_EQUAL, type, flags & MSG_NOERROR ? ~0UL : size};

	if (flags & MSG_COPY) {
		f.match = MSG_MATCH_INDEX;
	} else if (type == 0) {
		f.match = MSG_MATCH_ANY;
	} else if (type < 0) {
		f.match = MSG_MATCH_UP_TO;
		f.type = type == INT64_MIN ? INT64_MAX : -type;
	} else if (flags & MSG_EXCEPT) {
		f.match = MSG_MATCH_NOT_EQUAL;
	}
	return f;
}

/* One msgrcv() under way. */
struct msg_receive {
	u32 id, flags;
	u64 size;	  /* of the caller's buffer */
	struct msg *copy; /* MSG_COPY: where to */
};

/* MSG_COPY: `m` stays in the queue. Never cut short: MSG_NOERROR only makes it another error. */
static long msg_copy(const struct msg_receive *r, const struct msg *m)
{
	if (m->size > r->size)
		return -EINVAL;
	r->copy->type = m->type;
	r->copy->size = m->size;
	memcpy(r->copy->text, m->text, m->size);
	return 0;
}

/* The lock is held and `m` is what the filter has found. */
static long msg_receive_found(const struct msg_receive *r, const struct msg_filter *f,
			      struct msg_queue *q, struct msg *m, struct unpark_batch *batch)
{
	if (m->size > f->max_size)
		return -E2BIG;
	if (r->copy)
		return msg_copy(r, m);
	msg_take(q, m);
	msg_admit(q, batch);
	return 0;
}

/* The message, or an error pointer; -EAGAIN: IPC_SET has changed something, look again. */
static __hot struct msg *msg_receive_once(const struct msg_receive *r, const struct msg_filter *filter)
{
	struct msg_waiter w = {.filter = *filter, .pid = process_current()->pid};
	struct unpark_batch batch = {0};
	struct ipc_object *o;
	struct msg_queue *q;
	bool wait = false;
	struct msg *m;
	long ret;

	epoch_enter();
	o = ipc_lock_permitted(&msg_table, r->id, IPC_READ);
	if (is_err(o)) {
		epoch_exit();
		return err_ptr(ptr_err(o));
	}
	q = msg_queue_of(o);
	m = msg_find(q, filter);
	if (m) {
		ret = msg_receive_found(r, filter, q, m, &batch);
	} else if (r->flags & IPC_NOWAIT) {
		ret = -ENOMSG;
	} else {
		msg_enqueue(&q->receivers, &w);
		wait = true;
	}
	ipc_unlock(&q->base);
	epoch_exit();
	unpark_batch_flush(&batch);
	if (wait) {
		ret = msg_wait(q, &w, r->id);
		m = w.msg;
	}
	if (ret)
		return err_ptr(ret);
	return r->copy ? r->copy : m;
}

static struct msg *msg_receive(const struct msg_receive *r, s64 type)
{
	struct msg_filter filter = msg_filter(type, r->size, r->flags);
	struct msg *m;

	trace_msg_receive(r->id, (u32)r->size, (u64)type);
	m = msg_receive_once(r, &filter);
	while (is_err(m) && ptr_err(m) == -EAGAIN) {
		m = msg_receive_once(r, &filter);
		if (is_err(m) && ptr_err(m) == -EINVAL)
			m = err_ptr(-EIDRM);
	}
	trace_ipc_done(is_err(m) ? (u64)ptr_err(m) : m->size);
	return m;
}

/* Type and text to the caller, who has room for `size` bytes of text. */
static long msg_store(const struct msg *m, u64 user, u64 size)
{
	size = MIN(size, m->size);
	if (user_store_u64((u64 __user *)user, (u64)m->type) ||
	    copy_to_user((void __user *)(user + sizeof(m->type)), m->text, size))
		return -EFAULT;
	return (long)size;
}

/* msgrcv(id, msg, size, type, flags) */
__hot long sys_msgrcv(SYSCALL_ARGS)
{
	struct msg_receive r = {.id = (u32)a0, .flags = (u32)a4, .size = a2};
	struct msg *m;
	long ret;

	if ((s32)a0 < 0 || (s64)a2 < 0)
		return -EINVAL;
	if (r.flags & MSG_COPY) {
		if (r.flags & MSG_EXCEPT || !(r.flags & IPC_NOWAIT))
			return -EINVAL;
		r.size = MIN(a2, atomic_load_relaxed(&ipc_limits.msgmax));
		r.copy = kmalloc(sizeof(*r.copy) + r.size);
		if (!r.copy)
			return -ENOMEM;
	}
	m = msg_receive(&r, (s64)a3);
	if (is_err(m)) {
		kfree(r.copy);
		return ptr_err(m);
	}
	ret = msg_store(m, a1, r.size);
	kfree(m);
	return ret;
}
