/*
 * Whom to kill when memory runs out: the process that has the most, by its own account and by what oom_score_adj adds or takes, and
 * whoever shares its space.
 */
#include "abi/signal.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task_internal.h"

struct victim {
	u32 pid;
	s64 points;
	u64 pages;
	struct mm *mm; /* for comparison only */
};

static bool oom_dying(void)
{
	struct thread *t = thread_current();

	return t && atomic_load_relaxed(&t->work) & THREAD_WORK_KILL;
}

/* What would come back if `p` died; 0: not to be killed. *dying: it is on its way out. */
static u64 oom_pages(struct process *p, struct mm **mm, bool *dying)
{
	u64 pages = 0;

	spin_lock(&p->lock);
	*mm = p->kernel ? NULL : p->mm;
	*dying = p->group_exit;
	if (*mm)
		pages = 1 + mm_resident_pages(*mm) + mm_table_pages(*mm) +
			p->nr_tasks * (KSTACK_SIZE / PAGE_SIZE);
	spin_unlock(&p->lock);
	return pages;
}

/* 1 at least for who may be killed: of several who have been told to go last somebody goes. */
static s64 oom_adjust(const struct process *p, u64 pages)
{
	s64 adj = atomic_load_relaxed(&p->oom_score_adj);

	if (!pages || adj == -OOM_SCORE_ADJ_MAX)
		return OOM_NEVER;
	return MAX((s64)pages + adj * (s64)mm_total_pages() / OOM_SCORE_ADJ_MAX, 1L);
}

s64 process_oom_points(struct process *p)
{
	struct mm *mm;
	bool dying;

	return oom_adjust(p, oom_pages(p, &mm, &dying));
}

/* Under the epoch. False: there is nobody. *someone_dies: it may be enough to wait. */
static bool oom_choose(struct victim *v, bool *someone_dies)
{
	*v = (struct victim){0};
	*someone_dies = false;
	for (u32 pid = task_next_pid(0); pid; pid = task_next_pid(pid)) {
		struct process *p = process_find(pid);
		struct mm *mm;
		bool dying;
		s64 points;
		u64 pages;

		if (!p)
			continue;
		pages = oom_pages(p, &mm, &dying);
		*someone_dies |= pages && dying;
		points = oom_adjust(p, pages);
		if (!dying && points > v->points)
			*v = (struct victim){pid, points, pages, mm};
	}
	return v->points;
}

static void oom_kill_space(const struct victim *v)
{
	for (u32 pid = task_next_pid(0); pid; pid = task_next_pid(pid)) {
		struct process *p = process_find(pid);

		if (!p)
			continue;
		spin_lock(&p->lock);
		if (!p->kernel && p->mm == v->mm)
			process_kill_locked(p, SIGKILL);
		spin_unlock(&p->lock);
	}
}

static bool oom_kill(bool patient)
{
	bool found, someone_dies;
	struct victim v;

	epoch_enter();
	found = oom_choose(&v, &someone_dies);
	if (someone_dies && patient) {
		epoch_exit();
		return true;
	}
	if (found)
		oom_kill_space(&v);
	epoch_exit();
	if (!found)
		return false;
	mm_count(MM_OOM_KILLS, 1);
	klog(KLOG_ERR, "out of memory: killed process %u with %lu KiB\n", v.pid,
	     v.pages * (PAGE_SIZE >> 10));
	return true;
}

void task_oom_init(void)
{
	mm_oom_ops.dying = oom_dying;
	mm_oom_ops.kill = oom_kill;
}
