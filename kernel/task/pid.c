#include "kernel/task/pid.h"

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/percpu.h"
#include "kernel/task/task.h"

#define LEAF_BITS 10
#define LEAF_SIZE (1U << LEAF_BITS)
#define NR_LEAVES (PID_MAX / LEAF_SIZE)

static struct pid_slot *leaves[NR_LEAVES]; /* [a] NULL until a number in it is used; never freed */
static u32 next_block;			   /* [a] cursor, in blocks, wraps */

struct pid_range {
	u32 next; /* next number to try */
	u32 end;
};
static PERCPU(struct pid_range, pid_range);

struct pid_slot *pid_slot(u32 pid)
{
	struct pid_slot *leaf;

	if (pid >= PID_MAX)
		return NULL;
	leaf = atomic_load_acquire(&leaves[pid >> LEAF_BITS]);
	return leaf ? &leaf[pid & (LEAF_SIZE - 1)] : NULL;
}

static struct pid_slot *pid_slot_create(u32 pid)
{
	struct pid_slot **root = &leaves[pid >> LEAF_BITS];
	struct pid_slot *leaf;

	if (!atomic_load_acquire(root)) {
		leaf = kzalloc(LEAF_SIZE * sizeof(*leaf));
		if (!leaf)
			return NULL;
		if (!atomic_cas(root, (struct pid_slot *)NULL, leaf))
			kfree(leaf);
	}
	return pid_slot(pid);
}

static bool pid_slot_unused(struct pid_slot *s)
{
	return !atomic_load_acquire(&s->process) && !atomic_load_acquire(&s->groups) &&
	       !atomic_load_acquire(&s->sessions);
}

/*
 * The CAS decides: a hart that has slept on its block since the cursor went all the way round may
 * meet another one in it. A number whose process, group or session lives on is given back.
 */
static bool pid_slot_claim(struct pid_slot *s, struct task *t)
{
	if (!pid_slot_unused(s) || !atomic_cas(&s->task, (struct task *)NULL, t))
		return false;
	if (pid_slot_unused(s))
		return true;
	atomic_store_release(&s->task, (struct task *)NULL);
	return false;
}

int pid_alloc(struct task *t, struct process *p, u32 *pid)
{
	struct pid_range *range = this_cpu_ptr(pid_range);
	u32 tries;

	for (tries = 0; tries < PID_MAX; tries++) {
		struct pid_slot *slot;

		if (range->next == range->end) {
			u32 block = atomic_fetch_add(&next_block, 1) % (PID_MAX / PID_BLOCK);

			range->next = block * PID_BLOCK;
			range->end = range->next + PID_BLOCK;
		}
		*pid = range->next++;
		if (*pid == 0)
			continue;
		slot = pid_slot_create(*pid);
		if (!slot)
			return -ENOMEM;
		if (pid_slot_claim(slot, t)) {
			atomic_store_release(&slot->process, p);
			return 0;
		}
	}
	return -EAGAIN;
}

void pid_clear_task(u32 pid, struct task *t)
{
	atomic_cas(&pid_slot(pid)->task, t, (struct task *)NULL);
}

void pid_clear_process(u32 pid)
{
	atomic_store_release(&pid_slot(pid)->process, (struct process *)NULL);
}

void pid_group_get(u32 pgid, u32 sid)
{
	atomic_fetch_add(&pid_slot(pgid)->groups, 1);
	atomic_fetch_add(&pid_slot(sid)->sessions, 1);
}

void pid_group_put(u32 pgid, u32 sid)
{
	atomic_fetch_add(&pid_slot(pgid)->groups, (u32)-1);
	atomic_fetch_add(&pid_slot(sid)->sessions, (u32)-1);
}

struct task *task_find(u32 tid)
{
	struct pid_slot *slot = pid_slot(tid);

	return slot ? atomic_load_acquire(&slot->task) : NULL;
}

struct process *process_find(u32 pid)
{
	struct pid_slot *slot = pid_slot(pid);

	return slot ? atomic_load_acquire(&slot->process) : NULL;
}

struct process *process_group_next(u32 pgid, u32 *pid)
{
	while ((*pid = task_next_pid(*pid)) != 0) {
		struct process *p = process_find(*pid);

		if (p && atomic_load_relaxed(&p->pgid) == pgid)
			return p;
	}
	return NULL;
}

u32 task_next_pid(u32 after)
{
	u32 pid = after + 1;

	while (pid < PID_MAX) {
		struct pid_slot *slot = pid_slot(pid);

		if (!slot) {
			pid = ALIGN_UP(pid + 1, LEAF_SIZE);
			continue;
		}
		if (atomic_load_acquire(&slot->process))
			return pid;
		pid++;
	}
	return 0;
}
