/*
 * /proc/<pid>/timers: the POSIX timers of a process, the newest first as long as no number has come round again. Source: proc_pid_timers(5).
 */
#include "abi/errno.h"
#include "abi/signal.h"
#include "kernel/fs/proc_task.h"
#include "kernel/task/timers.h"

static void timer_lines(struct seq *s, const struct process *p, s32 id, const struct timer_notify *n)
{
	static const char *const kinds[] = {
		[SIGEV_SIGNAL] = "signal",
		[SIGEV_NONE] = "none",
		[SIGEV_THREAD] = "thread",
	};

	seq_printf(s, "ID: %d\nsignal: %d/%016lx\nnotify: %s/%s.%u\nClockID: %d\n", id, n->signal,
		   n->value, kinds[n->kind], n->tid ? "tid" : "pid", n->tid ? n->tid : p->pid,
		   n->clock);
}

/* A piece begins one above the number of the last timer that was shown, so that 0 is left to the first. */
int proc_show_timers(struct seq *s, u64 key)
{
	s32 id = s->at ? (s32)s->at - 1 : INT32_MAX;
	struct timer_notify notify;
	struct proc_who who;
	int err = -ESRCH;

	epoch_enter();
	if (proc_find(key, &who) && who.process->nr_tasks) {
		err = 0;
		while (s->len < SEQ_PIECE && posix_timer_next(who.process, &id, &notify))
			timer_lines(s, who.process, id, &notify);
		s->more = s->len >= SEQ_PIECE;
		s->at = (u64)id + 1;
	}
	epoch_exit();
	return err;
}
