/*
 * Who is to die when memory runs out: oom_score_adj and what comes of it. Source: proc_pid_oom_score_adj(5).
 */
#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/fs/proc_task.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/cred.h"
#include "lib/number.h"

int proc_show_oom_score_adj(struct seq *s, u64 key)
{
	struct proc_who who;
	int err = -ESRCH;

	epoch_enter();
	if (proc_find(key, &who)) {
		seq_printf(s, "%d\n", atomic_load_relaxed(&who.process->oom_score_adj));
		err = 0;
	}
	epoch_exit();
	return err;
}

/* Lower than what a privileged process has last written is for the privileged. */
static int set_oom_score_adj(struct process *p, s32 adj)
{
	bool privileged = capable(CAP_SYS_RESOURCE);

	if (!privileged && adj < atomic_load_relaxed(&p->oom_score_adj_min))
		return -EACCES;
	if (privileged)
		atomic_store_relaxed(&p->oom_score_adj_min, adj);
	atomic_store_relaxed(&p->oom_score_adj, adj);
	return 0;
}

int proc_store_oom_score_adj(const char *text, u64 key)
{
	struct proc_who who;
	int err = -ESRCH;
	u64 value;

	text = number_skip_space(text);
	if (!number_parse(&text, true, &value) || *number_skip_space(text))
		return -EINVAL;
	if ((s64)value < -OOM_SCORE_ADJ_MAX || (s64)value > OOM_SCORE_ADJ_MAX)
		return -EINVAL;
	epoch_enter();
	if (proc_find(key, &who))
		err = set_oom_score_adj(who.process, (s32)value);
	epoch_exit();
	return err;
}

/* Linux's scale: 0 never, 667 for one that holds nothing, 1333 for one that holds all memory. */
int proc_show_oom_score(struct seq *s, u64 key)
{
	struct proc_who who;
	s64 score = 0, total = (s64)mm_total_pages();
	int err = -ESRCH;

	epoch_enter();
	if (proc_find(key, &who)) {
		s64 points = process_oom_points(who.process);

		if (points != OOM_NEVER)
			score = MAX((1000 + points * 1000 / total) * 2 / 3, 0L);
		seq_printf(s, "%ld\n", score);
		err = 0;
	}
	epoch_exit();
	return err;
}
