/*
 * The end of a thread: every robust lock that it holds is marked FUTEX_OWNER_DIED and one waiter of it is woken; then
 * whoever joins it is told through clear_child_tid. The waiters of priority-inheriting locks that it owned, on the list or not, take over
 * by themselves (pi_exit_end()).
 *
 * The robust list lies in user memory and may be anything: unmapped, cyclic, or full of addresses that were never a lock. So
 * the walk reads each link once, before the word that it belongs to is changed; it stops at the first address that cannot
 * be read, and after 2048 entries. Only words that hold this thread's id are changed, by compare-and-swap.
 * Source: set_robust_list(2), set_tid_address(2).
 */
#include "kernel/futex/futex_internal.h"
#include "kernel/futex/pi.h"

#include "abi/futex.h"
#include "kernel/mm/uaccess.h"
#include "kernel/task/task.h"

#define ROBUST_PI   1UL /* bit 0 of a link */
#define RELAX_EVERY 64	/* entries between two kernel_relax() */

struct robust_entry {
	u64 address;
	bool pi;
};

static int robust_fetch(u64 from, struct robust_entry *entry)
{
	u64 link;

	if (user_load_u64((const u64 __user *)from, &link))
		return -EFAULT;
	entry->address = link & ~ROBUST_PI;
	entry->pi = link & ROBUST_PI;
	return 0;
}

static void robust_wake_one(u64 uaddr)
{
	futex_wake(uaddr, FUTEX_SHARED, 1, FUTEX_BITSET_MATCH_ANY);
}

/* Marks the word of a dead owner, who read `value` there. 0 with the value that was replaced, -EFAULT. */
static int robust_mark(u32 __user *word, u32 tid, u32 *value)
{
	while ((*value & FUTEX_TID_MASK) == tid) {
		u32 mark = (*value & FUTEX_WAITERS) | FUTEX_OWNER_DIED, old;

		if (user_cas_u32_nofault(word, *value, mark, &old)) {
			if (user_fault_in(word, true))
				return -EFAULT;
			continue;
		}
		if (old == *value)
			return 0;
		*value = old;
	}
	return 0;
}

/* Marks the word if `tid` owns it, and wakes one. 0, or -EFAULT, which ends the walk. */
static int robust_release(u64 uaddr, u32 tid, bool pi, bool pending)
{
	u32 __user *word = (u32 __user *)uaddr;
	u32 value;

	if ((uaddr & 3) || user_load_u32(word, &value))
		return -EFAULT;
	if ((value & FUTEX_TID_MASK) == tid) {
		if (robust_mark(word, tid, &value))
			return -EFAULT;
		if (!pi && (value & FUTEX_TID_MASK) == tid && (value & FUTEX_WAITERS))
			robust_wake_one(uaddr);
	} else if (pending && !pi && (!(value & FUTEX_TID_MASK) || !(value & FUTEX_WAITERS))) {
		/*
		 * Died between releasing the word and waking, or woken and not yet owner: passes the wake-up on, unless an
		 * owner knows that there are waiters and will wake one itself.
		 */
		robust_wake_one(uaddr);
	}
	return 0;
}

static void robust_walk(u64 head, u32 tid)
{
	struct robust_entry entry, next, pending;
	u64 offset;

	if (robust_fetch(head, &entry) ||
	    user_load_u64(
		    (const u64 __user *)(head + offsetof(struct abi_robust_list_head, futex_offset)),
		    &offset) ||
	    robust_fetch(head + offsetof(struct abi_robust_list_head, list_op_pending), &pending))
		return;
	for (u32 i = 0; i < ROBUST_LIST_LIMIT && entry.address != head; i++) {
		int end = robust_fetch(entry.address, &next);

		if (entry.address != pending.address &&
		    robust_release(entry.address + offset, tid, entry.pi, false))
			return;
		if (end)
			return;
		entry = next;
		if (i % RELAX_EVERY == RELAX_EVERY - 1)
			kernel_relax();
	}
	if (pending.address)
		robust_release(pending.address + offset, tid, pending.pi, true);
}

void futex_task_exit(struct task *t)
{
	u32 __user *clear = t->clear_child_tid;
	u64 head = t->robust_list;

	t->robust_list = 0;
	t->clear_child_tid = NULL;
	pi_exit_begin(t);
	if (head)
		robust_walk(head, t->thread.tid);
	pi_exit_end(t);
	/* As on Linux not for the last user of the space: nobody is left to read it. */
	if (clear && atomic_load_relaxed(&t->process->nr_mm_tasks) > 1) {
		(void)user_store_u32(clear, 0);
		futex_wake((u64)clear, FUTEX_SHARED, 1, FUTEX_BITSET_MATCH_ANY);
	}
}
