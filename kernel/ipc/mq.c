/*
 * POSIX message queues: sending, receiving, notification.
 *
 * One lock a queue. As in msg.c a message is handed over under it: to the most urgent waiting receiver without a stay in the
 * queue, and who takes a message lets the most urgent waiting sender's in. So a woken thread finds its call done and takes no
 * lock: whoever ends a wait writes `message`, then `state`, and touches the waiter, which is on its thread's stack, no more;
 * the thread's own memory lives a grace period longer. A thread that gives up looks at `state` under the lock:
 *
 *	sleeper: deadline			receiver
 *						lock; takes a message
 *	lock (waits)				lets the sleeper's in: ENDED; unlock
 *	state is ENDED: sent after all
 *
 * Signals and poll's wake-ups are sent after the lock is released, for theirs rank before it.
 *
 * Cost: one lock pair, one allocation, two copies a message and O(log n) in a heap.
 */
#include "abi/errno.h"
#include "abi/mqueue.h"
#include "abi/resource.h"
#include "kernel/ipc/mq_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"
#include "kernel/task/user.h"
#include "kernel/time/time.h"
#include "kernel/trace/trace.h"

LOCK_CLASS(mqueue, RANK_IPC);

/* What Linux 6.12 counts of a message and of each priority in use beside the text. */
#define MESSAGE_OVERHEAD  48UL
#define PRIORITY_OVERHEAD 48UL

enum mq_wait_state { MQ_WAITING, MQ_ENDED };

struct mq_waiter {
	struct list link;	    /* [L:queue] */
	struct thread *thread;	    /* [I] */
	struct mq_message *message; /* to send; or what was received, before `state` */
	u32 urgency;		    /* [I] real-time priority, or 0 */
	u32 state;		    /* [a] enum mq_wait_state */
};

/* What is to be done once the lock is released. */
struct mq_aftermath {
	struct unpark_batch batch;
	PollEvent events;
	struct mq_notice notice;
};

/* ---- messages and queues ---- */

struct mq_message *mq_message_alloc(u64 size, u32 priority)
{
	struct mq_message *m = kmalloc(sizeof(*m) + size);

	if (m) {
		m->priority = priority;
		m->size = size;
	}
	return m;
}

void *mq_message_text(struct mq_message *m)
{
	return m->text;
}

u64 mq_message_size(const struct mq_message *m)
{
	return m->size;
}

u32 mq_message_priority(const struct mq_message *m)
{
	return m->priority;
}

static u64 charge_of(u64 messages, u64 bytes)
{
	return messages * (bytes + MESSAGE_OVERHEAD) +
	       MIN(messages, (u64)MQ_PRIO_MAX) * PRIORITY_OVERHEAD;
}

struct mq *mq_alloc(const struct mq_size *size)
{
	u64 messages = (u64)size->messages, bytes = (u64)size->bytes;
	u64 limit = process_rlimit(process_current(), RLIMIT_MSGQUEUE);
	struct user *user = cred_current()->user;
	struct mq *q = kzalloc(sizeof(*q));

	if (!q)
		return err_ptr(-ENOMEM);
	if (!user_charge_queue(user, charge_of(messages, bytes), limit)) {
		kfree(q);
		return err_ptr(-EMFILE);
	}
	user_get(user);
	q->user = user;
	q->max_count = messages;
	q->max_size = bytes;
	spin_init(&q->lock, &mqueue_class);
	list_init(&q->receivers);
	list_init(&q->senders);
	waitq_init(&q->watchers);
	return q;
}

/* Drops what a registration held; a socket hears why it has ended. Context: no lock. */
static void notice_end(struct mq_notice *n, u8 why)
{
	if (n->way.letter)
		n->way.send(n->way.letter, why);
	process_put(n->process);
}

void mq_free(struct mq *q)
{
	struct heap_node *node;

	while ((node = heap_pop(&q->messages)) != NULL)
		kfree(container_of(node, struct mq_message, node));
	if (q->notice.process)
		notice_end(&q->notice, MQ_NOTICE_REMOVED);
	user_uncharge_queue(q->user, charge_of(q->max_count, q->max_size));
	user_put(q->user);
	kfree(q);
}

struct mq_size mq_size(const struct mq *q)
{
	return (struct mq_size){(s64)q->max_count, (s64)q->max_size};
}

u64 mq_count(struct mq *q)
{
	return atomic_load_relaxed(&q->count);
}

/* ---- waiting ---- */

static void waiter_queue(struct list *waiters, struct mq_waiter *w)
{
	struct mq_waiter *other;

	w->thread = thread_current();
	w->urgency = w->thread->rt_prio;
	w->state = MQ_WAITING;
	list_for_each(other, waiters, link)
		if (other->urgency < w->urgency)
			break;
	/* Before `other`, or at the end. */
	list_add_tail(&other->link, &w->link);
}

/* The first of `waiters`, whose wait ends, or NULL. */
static struct mq_waiter *waiter_first(struct list *waiters)
{
	return list_empty(waiters) ? NULL : list_first(waiters, struct mq_waiter, link);
}

static void waiter_end(struct mq_waiter *w, struct unpark_batch *batch)
{
	struct thread *t = w->thread;

	list_del(&w->link);
	atomic_store_release(&w->state, MQ_ENDED); /* pairs with the acquire in waiter_ended() */
	unpark_batch_add(batch, t);
}

static bool waiter_ended(struct mq_waiter *w)
{
	return atomic_load_acquire(&w->state) == MQ_ENDED;
}

/* Out of the queue; false if the wait has ended meanwhile. */
static bool waiter_give_up(struct mq *q, struct mq_waiter *w)
{
	bool waiting;

	spin_lock(&q->lock);
	waiting = w->state == MQ_WAITING;
	if (waiting)
		list_del(&w->link);
	spin_unlock(&q->lock);
	return waiting;
}

static int waiter_sleep(struct mq *q, struct mq_waiter *w, u64 deadline)
{
	for (;;) {
		int ret = deadline == MQ_NO_DEADLINE
				  ? park(PARK_FOREVER, PARK_INTERRUPTIBLE)
				  : task_park_realtime(deadline, PARK_INTERRUPTIBLE);

		if (waiter_ended(w))
			return 0;
		/* A clock that was set has woken us: the deadline is another one now. */
		if (ret == -ETIMEDOUT && time_realtime_ns() < deadline)
			continue;
		if (ret && waiter_give_up(q, w))
			return ret == -ETIMEDOUT ? ret : -ERESTARTSYS;
		if (ret)
			return 0;
	}
}

/* ---- notification ---- */

/* Ends a registration; the reference in it is the caller's to drop. Context: the queue's lock. */
static struct mq_notice mq_notice_take(struct mq *q)
{
	struct mq_notice n = q->notice;

	q->notice.process = NULL;
	return n;
}

static void notice_send(struct mq_notice *n)
{
	const struct mq_way *way = &n->way;
	struct abi_siginfo info;

	if (way->kind == SIGEV_SIGNAL && way->signo && !atomic_load_acquire(&n->process->reaped)) {
		signal_info_user(&info, way->signo, SI_MESGQ);
		info.si_value = way->value;
		signal_send_process(n->process, &info);
	}
	notice_end(n, MQ_NOTICE_WOKEN);
}

int mq_notify_set(struct mq *q, const struct mq_way *way)
{
	struct process *p = process_current();
	int err = 0;

	process_get(p);
	spin_lock(&q->lock);
	if (q->notice.process)
		err = -EBUSY;
	else
		q->notice = (struct mq_notice){p, *way};
	spin_unlock(&q->lock);
	if (err)
		process_put(p);
	return err;
}

void mq_notify_clear(struct mq *q)
{
	struct mq_notice n = {0};

	spin_lock(&q->lock);
	if (q->notice.process == process_current())
		n = mq_notice_take(q);
	spin_unlock(&q->lock);
	if (n.process)
		notice_end(&n, MQ_NOTICE_REMOVED);
}

/* ---- sending and receiving ---- */

static void mq_finish(struct mq *q, struct file *f, struct mq_aftermath *a)
{
	unpark_batch_flush(&a->batch);
	if (a->events)
		waitq_wake(&q->watchers, a->events, WAITQ_ALL);
	if (a->notice.process)
		notice_send(&a->notice);
	inode_touch(file_inode(f), true);
}

/* There is room. Context: the lock. */
static void mq_put_in(struct mq *q, struct mq_message *m)
{
	m->node.key = MQ_PRIO_MAX - m->priority;
	heap_insert(&q->messages, &m->node);
	q->count++;
	q->bytes += m->size;
}

/* Context: the lock, and no message waits for room. */
static void mq_deliver(struct mq *q, struct mq_message *m, struct mq_aftermath *a)
{
	struct mq_waiter *w = waiter_first(&q->receivers);

	if (w) {
		w->message = m;
		waiter_end(w, &a->batch);
		return;
	}
	mq_put_in(q, m);
	a->events = POLL_EVENT_READ;
	if (q->count == 1)
		a->notice = mq_notice_take(q);
}

/* Context: the lock, and there is a message. */
static struct mq_message *mq_take_out(struct mq *q, struct mq_aftermath *a)
{
	struct mq_message *m = container_of(heap_pop(&q->messages), struct mq_message, node);
	struct mq_waiter *w = waiter_first(&q->senders);

	q->count--;
	q->bytes -= m->size;
	if (w) {
		mq_put_in(q, w->message);
		waiter_end(w, &a->batch);
	} else {
		a->events = POLL_EVENT_WRITE;
	}
	return m;
}

/* The number that traces show. */
static u32 queue_number(const struct file *f)
{
	return (u32)file_inode(f)->ino;
}

static int queue_wait(struct file *f, struct mq_waiter *w, u64 deadline)
{
	int ret;

	trace_ipc_wait(queue_number(f));
	ret = waiter_sleep(mq_of_file(f), w, deadline);
	trace_ipc_wait_done((u64)ret);
	return ret;
}

static int send(struct file *f, struct mq_message *m, bool nonblock, u64 deadline)
{
	struct mq *q = mq_of_file(f);
	struct mq_waiter w = {.message = m};
	struct mq_aftermath after = {0};
	int ret = 0;

	spin_lock(&q->lock);
	if (q->count < q->max_count)
		mq_deliver(q, m, &after);
	else if (nonblock)
		ret = -EAGAIN;
	else
		waiter_queue(&q->senders, &w);
	spin_unlock(&q->lock);
	if (w.thread)
		return queue_wait(f, &w, deadline);
	if (!ret)
		mq_finish(q, f, &after);
	return ret;
}

int mq_send(struct file *f, struct mq_message *m, bool nonblock, u64 deadline)
{
	int ret;

	trace_mq_send(queue_number(f), (u32)m->size, m->priority);
	ret = send(f, m, nonblock, deadline);
	trace_ipc_done((u64)ret);
	return ret;
}

static int receive(struct file *f, struct mq_message **out, bool nonblock, u64 deadline)
{
	struct mq *q = mq_of_file(f);
	struct mq_waiter w = {0};
	struct mq_aftermath after = {0};
	int ret = 0;

	spin_lock(&q->lock);
	if (q->count)
		*out = mq_take_out(q, &after);
	else if (nonblock)
		ret = -EAGAIN;
	else
		waiter_queue(&q->receivers, &w);
	spin_unlock(&q->lock);
	if (w.thread) {
		ret = queue_wait(f, &w, deadline);
		*out = w.message;
		return ret;
	}
	if (!ret)
		mq_finish(q, f, &after);
	return ret;
}

int mq_receive(struct file *f, struct mq_message **out, bool nonblock, u64 deadline)
{
	int ret;

	trace_mq_receive(queue_number(f));
	ret = receive(f, out, nonblock, deadline);
	trace_ipc_done(ret ? (u64)ret : (*out)->size);
	return ret;
}
