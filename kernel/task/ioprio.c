/*
 * I/O priorities: a number of each task, which CLONE_IO makes several tasks share.
 *
 * A task holds its own number until somebody shares it; then all of them point to one counted cell. As on Linux there is
 * nothing to share until a priority has been set, and CLONE_IO before that means nothing.
 */
#include "kernel/task/ioprio.h"

#include "abi/errno.h"
#include "abi/ioprio.h"
#include "abi/sched.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/refcount.h"

struct ioprio_cell {
	u32 refs;  /* [a] tasks */
	u32 value; /* [a] */
};

u32 task_ioprio_locked(const struct task *t)
{
	const struct ioprio_cell *cell = t->io.shared;

	return cell ? atomic_load_relaxed(&cell->value) : t->io.value;
}

static u32 task_ioprio(struct task *t)
{
	u32 value;

	spin_lock(&t->process->lock);
	value = task_ioprio_locked(t);
	spin_unlock(&t->process->lock);
	return value;
}

int task_ioprio_set_locked(struct task *t, u32 ioprio)
{
	if (!t->files)
		return -ESRCH;
	t->io.is_set = true;
	t->io.value = ioprio;
	if (t->io.shared)
		atomic_store_relaxed(&t->io.shared->value, ioprio);
	return 0;
}

/* The cell of the running task, made if it has none yet. NULL: out of memory. */
static struct ioprio_cell *ioprio_share(struct task *self)
{
	struct ioprio_cell *cell = self->io.shared;

	if (cell)
		return cell;
	cell = kmalloc(sizeof(*cell));
	if (!cell)
		return NULL;
	/* Others may set the priority meanwhile: under the lock their value goes to one place or the other. */
	spin_lock(&self->process->lock);
	*cell = (struct ioprio_cell){.refs = 1, .value = self->io.value};
	self->io.shared = cell;
	spin_unlock(&self->process->lock);
	return cell;
}

int task_ioprio_clone(struct task *child, u64 flags)
{
	struct task *self = task_current();

	if (!(flags & CLONE_IO) || !self->io.is_set) {
		child->io.value = task_ioprio(self);
		child->io.is_set = IOPRIO_PRIO_CLASS(child->io.value) != IOPRIO_CLASS_NONE;
		return 0;
	}
	child->io.shared = ioprio_share(self);
	if (!child->io.shared)
		return -ENOMEM;
	refcount_get(&child->io.shared->refs);
	child->io.is_set = true;
	return 0;
}

void task_ioprio_exit(struct task *t)
{
	struct ioprio_cell *cell;

	spin_lock(&t->process->lock);
	cell = t->io.shared;
	t->io = (struct task_io){.value = 0};
	spin_unlock(&t->process->lock);
	if (cell && refcount_put(&cell->refs))
		kfree(cell);
}
