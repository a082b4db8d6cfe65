/*
 * Out of memory. Who needs a page for a program and finds none waits here until some process has
 * died for it, or is told that it is the one to die.
 *
 * What keeps this from hanging:
 *   - programs' pages leave a margin to the kernel's own, and those a reserve to the dying (page.c):
 *     a victim always gets what its exit takes
 *   - one at a time looks for a victim; a victim itself never waits
 *   - a victim that frees nothing within a second (it may wait for a lock that the one who waits
 *     here holds) is passed over, until at last the caller itself is chosen
 *
 * Allocations of the kernel do not wait: the call fails with ENOMEM.
 */
#include "abi/errno.h"
#include "kernel/mm/space.h"
#include "kernel/sync/park.h"
#include "kernel/time/time.h"
#include "kernel/trace/trace.h"

#define WAIT_MS	       10
#define PATIENCE_TURNS 100

LOCK_CLASS(out_of_memory, RANK_OOM);

static struct mutex oom_lock = MUTEX_INIT(oom_lock, out_of_memory_class);

static void oom_collect(void)
{
	mm_drain_all();
	epoch_barrier();
	mm_drain_all();
}

/* oom_lock held. Returns when there is memory again, the caller is chosen, or nobody is left. */
static int oom_kill_and_wait(void)
{
	bool patient = true;

	for (;;) {
		oom_collect();
		if (page_program_may())
			return 0;
		if (!mm_oom_ops.kill || !mm_oom_ops.kill(patient))
			return -ENOMEM;
		for (u32 turn = 0; turn < PATIENCE_TURNS; turn++) {
			if (page_dying())
				return -EINTR;
			if (page_program_may())
				return 0;
			park(time_now() + time_freq * WAIT_MS / 1000, PARK_KILLABLE);
		}
		patient = false;
	}
}

int oom_wait(void)
{
	int ret;

	if (page_dying())
		return -EINTR;
	ret = mutex_lock_killable(&oom_lock);
	if (ret)
		return ret;
	trace_oom_wait(mm_free_pages());
	/* Whoever held the lock before may have seen to it. */
	ret = page_program_may() ? 0 : oom_kill_and_wait();
	trace_oom_wait_done((u64)ret);
	mutex_unlock(&oom_lock);
	return ret;
}
