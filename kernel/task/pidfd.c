/*
 * pidfd. The file holds a reference on the process, so that its memory, but neither its number nor its
 * resources, stays until the last descriptor is closed. It becomes readable when the last task has
 * gone.
 */
#include "kernel/task/pidfd.h"

#include "abi/fcntl.h"
#include "kernel/file/waitq.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"

static const struct file_ops pidfd_ops;

static PollEvent pidfd_poll(struct file *f, struct wait_queue **source)
{
	struct process *p = f->data;

	if (source)
		*source = &p->exit_queue;
	if (atomic_load_acquire(&p->reaped))
		return POLL_EVENT_READ | POLL_EVENT_HUP;
	return atomic_load_acquire(&p->zombie) ? POLL_EVENT_READ : 0;
}

static int pidfd_stat(struct file *f, struct stat_info *st)
{
	(void)f;
	*st = (struct stat_info){.mode = 0600, .nlink = 1, .blksize = PAGE_SIZE};
	return 0;
}

static void pidfd_release(struct file *f)
{
	process_put(f->data);
}

static const struct file_ops pidfd_ops = {
	.name = "[pidfd]",
	.poll = pidfd_poll,
	.stat = pidfd_stat,
	.release = pidfd_release,
};

struct file *pidfd_create(struct process *p, u32 flags)
{
	struct file *f = file_alloc(&pidfd_ops, p, O_RDWR | flags);

	if (f)
		process_get(p);
	return f;
}

struct process *pidfd_process(const struct file *f)
{
	return f->ops == &pidfd_ops ? f->data : NULL;
}
