/*
 * POSIX timers. Each has its own queue entry, so that an expiry needs no memory: at most one signal of
 * a timer is pending, and what comes meanwhile is counted.
 *
 * A timer that is deleted while its signal is pending lives until that is taken, as on Linux 6.12.
 */
#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/timer_internal.h"

#define POSIX_TIMERS_FIRST 8U
/* A periodic timer whose signal is ignored goes off no more often than Linux's tick. */
#define IGNORED_PERIOD_MIN_NS 4000000UL

struct posix_timer {
	struct task_timer t;
	struct timer_notify notify; /* [I] */
	struct signal_entry entry;  /* [L:process] */
	u64 missed;   /* [L:process] periods without a signal, since the last one taken */
	s32 overrun;  /* [L:process] of the last signal taken */
	bool deleted; /* [L:process] freed when its signal is taken */
};

static struct posix_timer *posix_timer_of(struct task_timer *t)
{
	return container_of(t, struct posix_timer, t);
}

static struct task *thread_of_process(struct process *p, u32 tid)
{
	struct task *t;

	list_for_each(t, &p->tasks, siblings)
		if (t->thread.tid == tid)
			return t;
	return NULL;
}

/* Nobody listens: periods are counted on, without a signal. */
static void posix_timer_skip(struct posix_timer *pt)
{
	struct task_timer *t = &pt->t;
	u64 now = task_timer_now(t);

	if (t->interval_ns < IGNORED_PERIOD_MIN_NS)
		now += IGNORED_PERIOD_MIN_NS;
	pt->missed += task_timer_forward(t, now);
	task_timer_start(t);
}

static void posix_timer_expired(struct task_timer *t)
{
	struct posix_timer *pt = posix_timer_of(t);
	struct task *target = NULL;

	if (pt->notify.kind == SIGEV_NONE) {
		t->awaits_taking = t->interval_ns != 0;
		return;
	}
	if (pt->notify.tid) {
		target = thread_of_process(t->process, pt->notify.tid);
		if (!target)
			return;
	}
	if (signal_send_entry_locked(t->process, target, &pt->entry))
		t->awaits_taking = t->interval_ns != 0;
	else if (t->interval_ns)
		posix_timer_skip(pt);
}

void posix_timer_taken_locked(struct posix_timer *pt, struct abi_siginfo *info)
{
	struct task_timer *t = &pt->t;

	if (pt->deleted) {
		kfree(pt);
		return;
	}
	if (t->awaits_taking) {
		t->awaits_taking = false;
		pt->missed += task_timer_forward(t, task_timer_now(t)) - 1;
		task_timer_start(t);
	}
	pt->overrun = (s32)MIN(pt->missed, (u64)INT32_MAX);
	pt->missed = 0;
	info->si_overrun += pt->overrun;
}

void posix_timer_dropped_locked(struct posix_timer *pt)
{
	if (pt->deleted)
		kfree(pt);
}

/* ---- the table ---- */

static struct posix_timer *posix_timer_find(struct process *p, s32 id)
{
	struct process_timers *pt = p->timers;

	return pt && id >= 0 && (u32)id < pt->nr_posix ? pt->posix[id] : NULL;
}

/*
 * The same, with the process locked whether there is one or not. The clock of another process is read first: with our own lock held
 * its lock can only be tried for.
 */
static struct posix_timer *posix_timer_lock(struct process *p, s32 id)
{
	struct posix_timer *pt;

	for (;;) {
		spin_lock(&p->lock);
		pt = posix_timer_find(p, id);
		if (!pt || task_timer_sample(&pt->t))
			return pt;
		spin_unlock(&p->lock);
	}
}

/* Its clock stands still for good: Linux has forgotten whose it was. */
static bool posix_timer_clock_gone(const struct posix_timer *pt)
{
	return pt->t.clock.other && atomic_load_acquire(&pt->t.clock.other->reaped);
}

/* A place in the table, or -1: it is full. */
static long posix_slot_locked(struct process_timers *pt)
{
	for (u32 i = 0; i < pt->nr_posix; i++) {
		u32 id = (pt->next_posix + i) % pt->nr_posix;

		if (!pt->posix[id]) {
			pt->next_posix = id + 1;
			return id;
		}
	}
	return -1;
}

/* Doubles the table, unless another thread has meanwhile. */
static int posix_table_grow(struct process_timers *pt)
{
	u32 nr = atomic_load_relaxed(&pt->nr_posix), wanted = MAX(2 * nr, POSIX_TIMERS_FIRST);
	struct posix_timer **table = kzalloc(wanted * sizeof(*table)), **old = table;
	struct process *p = pt->process;

	if (!table)
		return -EAGAIN;
	spin_lock(&p->lock);
	if (pt->nr_posix == nr) {
		for (u32 i = 0; i < nr; i++)
			table[i] = pt->posix[i];
		old = pt->posix;
		pt->posix = table;
		pt->next_posix = nr;
		atomic_store_relaxed(&pt->nr_posix, wanted);
	}
	spin_unlock(&p->lock);
	if (old)
		kfree(old);
	return 0;
}

static void posix_timer_fill(struct posix_timer *pt, s32 id)
{
	list_init(&pt->entry.list);
	pt->entry.timer = pt;
	pt->entry.info = (struct abi_siginfo){
		.si_signo = pt->notify.signal,
		.si_code = SI_TIMER,
		.si_tid = id,
		.si_timer_value = pt->notify.value_is_id ? (u64)id : pt->notify.value,
	};
}

long posix_timer_create(const struct timer_clock *clock, const struct timer_notify *notify)
{
	struct process *p = process_current();
	struct process_timers *timers = process_timers_get(p);
	struct posix_timer *pt = kzalloc(sizeof(*pt));
	long id = -EAGAIN, err = timers && pt ? 0 : -EAGAIN;

	while (!err) {
		spin_lock(&p->lock);
		id = posix_slot_locked(timers);
		if (id >= 0)
			break;
		spin_unlock(&p->lock);
		err = posix_table_grow(timers);
	}
	if (err) {
		kfree(pt);
		return err;
	}
	task_timer_init(&pt->t, p, clock, posix_timer_expired);
	pt->notify = *notify;
	posix_timer_fill(pt, (s32)id);
	timers->posix[id] = pt;
	spin_unlock(&p->lock);
	return id;
}

/* Context: `pt` is out of the table, no lock held. */
static void posix_timer_end(struct posix_timer *pt)
{
	struct process *p = pt->t.process;
	bool pending;

	timer_cancel(&pt->t.timer);
	timer_clock_put(&pt->t.clock);
	spin_lock(&p->lock);
	pending = !list_empty(&pt->entry.list);
	pt->deleted = true;
	spin_unlock(&p->lock);
	if (!pending)
		kfree(pt);
}

int posix_timer_delete(s32 id)
{
	struct process *p = process_current();
	struct posix_timer *pt;

	spin_lock(&p->lock);
	pt = posix_timer_find(p, id);
	if (pt) {
		task_timer_stop(&pt->t);
		p->timers->posix[id] = NULL;
	}
	spin_unlock(&p->lock);
	if (!pt)
		return -EINVAL;
	posix_timer_end(pt);
	return 0;
}

void posix_timers_free(struct process_timers *timers)
{
	struct process *p = timers->process;
	struct posix_timer *pt, **table;

	for (u32 i = 0; i < timers->nr_posix; i++) {
		spin_lock(&p->lock);
		pt = timers->posix[i];
		timers->posix[i] = NULL;
		if (pt)
			task_timer_stop(&pt->t);
		spin_unlock(&p->lock);
		if (pt)
			posix_timer_end(pt);
	}
	/* Others look into it: who sets the clock, who reads /proc. */
	spin_lock(&p->lock);
	table = timers->posix;
	timers->posix = NULL;
	timers->nr_posix = 0;
	spin_unlock(&p->lock);
	kfree(table);
}

/* ---- settings ---- */

int posix_timer_set(s32 id, bool absolute, const struct timer_setting *setting,
		    struct timer_setting *old)
{
	struct process *p = process_current();
	struct posix_timer *pt = posix_timer_lock(p, id);
	int err = pt ? 0 : -EINVAL;

	if (pt && posix_timer_clock_gone(pt))
		err = -ESRCH;
	if (!err) {
		task_timer_read(&pt->t, old);
		pt->missed = 0;
		pt->overrun = 0;
		task_timer_set(&pt->t, setting, absolute);
	}
	spin_unlock(&p->lock);
	return err;
}

int posix_timer_get(s32 id, struct timer_setting *now)
{
	struct process *p = process_current();
	struct posix_timer *pt = posix_timer_lock(p, id);

	if (pt)
		task_timer_read(&pt->t, now);
	if (pt && posix_timer_clock_gone(pt))
		now->value_ns = 0;
	spin_unlock(&p->lock);
	return pt ? 0 : -EINVAL;
}

long posix_timer_overrun(s32 id)
{
	struct process *p = process_current();
	struct posix_timer *pt;
	long overrun = -EINVAL;

	spin_lock(&p->lock);
	pt = posix_timer_find(p, id);
	if (pt)
		overrun = pt->overrun;
	spin_unlock(&p->lock);
	return overrun;
}

bool posix_timer_next(struct process *p, s32 *id, struct timer_notify *notify)
{
	struct process_timers *timers;
	struct posix_timer *pt = NULL;
	s32 at = -1;

	spin_lock(&p->lock);
	timers = p->timers;
	if (timers && timers->nr_posix)
		at = MIN(*id, (s32)timers->nr_posix) - 1;
	while (at >= 0 && !(pt = timers->posix[at]))
		at--;
	if (pt) {
		*notify = pt->notify;
		notify->value = pt->entry.info.si_timer_value;
		*id = at;
	}
	spin_unlock(&p->lock);
	return pt;
}

/* ---- the wall clock was set ---- */

void posix_timers_clock_set_locked(struct process_timers *timers)
{
	for (u32 i = 0; i < timers->nr_posix; i++) {
		struct posix_timer *pt = timers->posix[i];

		if (pt && pt->t.wall && pt->t.armed)
			task_timer_start(&pt->t);
	}
}
