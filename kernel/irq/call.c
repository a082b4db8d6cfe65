/*
 * hart_call(): run a function on other harts and wait.
 *
 * One message per target lies on the caller's stack until all have answered, so nothing is allocated. The caller serves its own calls while
 * it waits: two harts that call each other both make progress. A target in user mode or halted is rung. A hart that has not
 * started yet has nothing that a call could change: it is left out.
 */
#include "kernel/irq/irq.h"

#include "kernel/log/log.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/inbox.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/sync_ops.h"

#define CALL_FAST_TURNS 500 /* about 15 us */

struct hart_call_group {
	void (*fn)(void *arg); /* [I] */
	void *arg;	       /* [I] */
	u32 left;	       /* [a] targets that have not answered */
};

struct hart_call_message {
	struct inbox_node node;
	struct hart_call_group *group; /* [I] */
};

static PERCPU(struct inbox, call_inbox);

void hart_call_run(void)
{
	struct inbox_node *node = inbox_take_all(this_cpu_ptr(call_inbox)), *next;

	for (; node; node = next) {
		struct hart_call_message *msg = container_of(node, struct hart_call_message, node);
		struct hart_call_group *group = msg->group;

		/* The message is gone once the group is answered. */
		next = node->next;
		group->fn(group->arg);
		/* Full barrier: what fn did is visible to the caller that sees the count. Pairs with the load in hart_call(). */
		atomic_fetch_add(&group->left, (u32)-1);
	}
}

/* One turn of waiting: answer others, a panic too; lend the virtual CPU if it takes long, since the target may be waiting for a host core. */
static void hart_call_wait_turn(u32 turn)
{
	hart_call_run();
	if (atomic_load_relaxed(&cpu_self()->work) & HART_WORK_STOP)
		panic_stop_self();
	if (turn % CALL_FAST_TURNS == CALL_FAST_TURNS - 1 && sync_ops.spin_wait_slow)
		sync_ops.spin_wait_slow();
	cpu_relax();
}

static u64 hart_call_started(u64 mask)
{
	u64 started = 0;

	for (; mask; mask &= mask - 1) {
		u32 cpu = (u32)__builtin_ctzl(mask);

		if (hart_state_of(cpu_of(cpu)) != HART_OFFLINE)
			started |= BIT(cpu);
	}
	return started;
}

void hart_call(u64 mask, void (*fn)(void *arg), void *arg)
{
	struct hart_call_message messages[MAX_CPUS];
	struct hart_call_group group = {.fn = fn, .arg = arg};
	u64 others = hart_call_started(mask & ~BIT(cpu_id()));

	group.left = (u32)__builtin_popcountl(others);
	for (u64 left = others; left; left &= left - 1) {
		u32 cpu = (u32)__builtin_ctzl(left);

		messages[cpu].group = &group;
		inbox_push(cpu_ptr(call_inbox, cpu), &messages[cpu].node);
	}
	if (others)
		hart_kick_mask(others, HART_WORK_CALL, true);
	if (mask & BIT(cpu_id()))
		fn(arg);
	for (u32 turn = 0; atomic_load_acquire(&group.left); turn++)
		hart_call_wait_turn(turn);
}
