/*
 * pidfd. The file holds a reference on the process, so that its memory, but neither its number nor its
 * resources, stays until the last descriptor is closed. It becomes readable when the last task has
 * gone.
 *
 * One of a thread (PIDFD_THREAD) is readable when that thread has gone, of a leader when all have. A leader's number goes
 * over to the thread that execs, and such a descriptor follows it; any other thread is held itself, so that nobody who gets its
 * number later is taken for it.
 */
#include "kernel/task/pidfd.h"

#include "abi/fcntl.h"
#include "abi/system.h"
#include "kernel/file/waitq.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"

static const struct file_ops pidfd_ops, pidfd_thread_ops;

struct thread_name {
	struct process *process; /* [I] a reference */
	struct task *task;	 /* [I] a reference; NULL: whoever leads the process */
	u32 tid;		 /* [I] */
};

static PollEvent process_poll(struct process *p, struct wait_queue **source)
{
	if (source)
		*source = &p->exit_queue;
	if (atomic_load_acquire(&p->reaped))
		return POLL_EVENT_READ | POLL_EVENT_HUP;
	return atomic_load_acquire(&p->zombie) ? POLL_EVENT_READ : 0;
}

static PollEvent pidfd_poll(struct file *f, struct wait_queue **source)
{
	return process_poll(f->data, source);
}

/* A leader that has gone before others is not told of until they have gone too, as on Linux 6.12. */
static PollEvent pidfd_thread_poll(struct file *f, struct wait_queue **source)
{
	const struct thread_name *name = f->data;

	if (!name->task)
		return process_poll(name->process, source);
	if (source)
		*source = &name->process->exit_queue;
	return pidfd_reaped(f) ? POLL_EVENT_READ | POLL_EVENT_HUP : 0;
}

static void pidfd_release(struct file *f)
{
	process_put(f->data);
}

static void pidfd_thread_release(struct file *f)
{
	struct thread_name *name = f->data;

	if (name->task)
		thread_put(&name->task->thread);
	process_put(name->process);
	kfree(name);
}

static const struct file_ops pidfd_ops = {
	.name = "[pidfd]",
	.poll = pidfd_poll,
	.stat = file_nameless_stat,
	.release = pidfd_release,
};

static const struct file_ops pidfd_thread_ops = {
	.name = "[pidfd]",
	.poll = pidfd_thread_poll,
	.stat = file_nameless_stat,
	.release = pidfd_thread_release,
};

struct file *pidfd_create(struct process *p, u32 flags)
{
	struct file *f = file_alloc(&pidfd_ops, p, O_RDWR | flags);

	if (f)
		process_get(p);
	return f;
}

struct file *pidfd_create_thread(struct process *p, struct task *t, u32 flags)
{
	struct thread_name *name = kmalloc(sizeof(*name));
	struct file *f;

	if (!name)
		return NULL;
	*name = (struct thread_name){.process = p, .tid = p->pid};
	if (t && t->thread.tid != p->pid) {
		name->task = t;
		name->tid = t->thread.tid;
	}
	f = file_alloc(&pidfd_thread_ops, name, O_RDWR | PIDFD_THREAD | flags);
	if (!f) {
		kfree(name);
		return NULL;
	}
	process_get(p);
	if (name->task)
		thread_get(&t->thread);
	return f;
}

bool pidfd_of_thread(const struct file *f)
{
	return f->ops == &pidfd_thread_ops;
}

struct process *pidfd_process(const struct file *f)
{
	if (pidfd_of_thread(f))
		return ((struct thread_name *)f->data)->process;
	return f->ops == &pidfd_ops ? f->data : NULL;
}

u32 pidfd_number(const struct file *f)
{
	if (pidfd_of_thread(f))
		return ((struct thread_name *)f->data)->tid;
	return ((struct process *)f->data)->pid;
}

struct task *pidfd_task(const struct file *f)
{
	const struct thread_name *name = f->data;
	struct task *t = task_find(pidfd_number(f));

	if (pidfd_of_thread(f) && name->task)
		return t == name->task ? t : NULL;
	return pidfd_reaped(f) ? NULL : t;
}

bool pidfd_reaped(const struct file *f)
{
	const struct thread_name *name = f->data;

	if (pidfd_of_thread(f) && name->task)
		return task_find(name->tid) != name->task;
	return atomic_load_acquire(&pidfd_process(f)->reaped);
}

void pidfd_tell_exit(struct process *p)
{
	waitq_wake(&p->exit_queue, POLL_EVENT_READ | POLL_EVENT_HUP, WAITQ_ALL);
}
