/*
 * What kernel/sync tells of locks: each wait from the slow path, to the trace and the statistics; each taking and release, to the
 * statistics, while they are on.
 *
 * Counts are kept per hart, class and call site in a table of that hart's own, so that counting moves no line between harts; a
 * reader adds the tables up and may see a hold half counted. The first switching on makes the tables. Cost while off: a nop in each
 * taking and each release (static_key.h), a load and a branch in the slow path. While waits are traced, takings and releases are
 * noted too, without counting: so a waiter sees which hart has a spin lock.
 */
#include "kernel/trace/lock_stat.h"

#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "kernel/fs/pseudo.h"
#include "kernel/fs/sysctl.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/spinlock.h"
#include "kernel/sync/sync_ops.h"
#include "kernel/time/time.h"
#include "kernel/trace/trace.h"

#define TABLE_ORDER 5 /* 128 KiB a hart */

/* One class at one place in the code. */
struct lock_site {
	const struct lock_class *class; /* [c] NULL: free */
	const void *site;		/* [c] return address; NULL in slot 0 */
	u64 taken;			/* [a] written by its hart only, as all below */
	u64 waits;
	u64 turns;
	u64 wait_ticks;
	u64 wait_longest;
	u64 hold_ticks;
	u64 hold_longest;
};

/* Slot 0 takes what finds no room. */
#define SITES ((u32)((PAGE_SIZE << TABLE_ORDER) / sizeof(struct lock_site)))

LOCK_CLASS(lock_stat, RANK_LOCK_STAT);

static struct mutex switch_lock = MUTEX_INIT(switch_lock, lock_stat_class);
static PERCPU(struct lock_site *, lock_sites); /* [I] once made */
static bool tables_made;		       /* [a] */
static u64 lock_stat_on;		       /* [a] sysctl */
static bool holders_wanted;		       /* [L:switch_lock] */
static u64 lock_stat_since; /* [a] ticks when it was switched on: a hold that is older began uncounted */

static u32 class_index(const struct lock_class *class)
{
	return (u32)(class - __start_lock_classes);
}

/* The slot where (class, site) is, or a free one where it may be put; NULL: the table is full. */
static struct lock_site *find_slot(struct lock_site *sites, const struct lock_class *class,
				   const void *site)
{
	u64 hash = ((u64)site >> 1) * 31 + class_index(class);

	for (u32 i = 0; i < SITES - 1; i++) {
		struct lock_site *s = &sites[1 + (hash + i) % (SITES - 1)];
		const struct lock_class *c = atomic_load_acquire(&s->class);

		if (!c || (c == class && s->site == site))
			return s;
	}
	return NULL;
}

/* For this hart to count at. */
static struct lock_site *count_at(const struct lock_class *class, const void *site)
{
	struct lock_site *sites = this_cpu(lock_sites);
	struct lock_site *s = find_slot(sites, class, site);

	if (!s)
		return &sites[0];
	if (!s->class) {
		s->site = site;
		/* Pairs with the acquire in find_slot(), on a hart that reads: the site is there. */
		atomic_store_release(&s->class, class);
	}
	return s;
}

static void add(u64 *count, u64 n)
{
	atomic_store_relaxed(count, *count + n);
}

static void note_longest(u64 *longest, u64 ticks)
{
	if (ticks > *longest)
		atomic_store_relaxed(longest, ticks);
}

/* Pairs with the release in switch_on(): who sees it on sees the tables. */
static u64 clock_if_on(void)
{
	return atomic_load_acquire(&lock_stat_on) ? time_now() : 0;
}

static u64 lock_wait(const struct lock_class *class, const void *lock, const struct thread *holder,
		     u32 holder_hart)
{
	trace_lock_wait((u64)lock, (u16)class_index(class), class->rank < RANK_SPIN,
			holder ? holder->tid : holder_hart);
	return clock_if_on();
}

static void lock_taken(const struct lock_class *class, const void *lock, u64 began, u64 turns,
		       const void *site)
{
	trace_lock_taken((u64)lock, (u16)class_index(class));
	if (!began || !site)
		return;

	struct lock_site *s = count_at(class, site);
	u64 ticks = time_now() - began;

	add(&s->waits, 1);
	add(&s->turns, turns);
	add(&s->wait_ticks, ticks);
	note_longest(&s->wait_longest, ticks);
}

static void lock_released(const struct lock_class *class, const void *site, u64 since)
{
	u64 now = clock_if_on();
	struct lock_site *s;

	if (!now || since < atomic_load_relaxed(&lock_stat_since))
		return;
	s = count_at(class, site);
	add(&s->taken, 1);
	add(&s->hold_ticks, now - since);
	note_longest(&s->hold_longest, now - since);
}

static void epoch_began(u64 number, u64 waiting)
{
	trace_epoch_begin(number, waiting);
}

static void epoch_ran(u64 run, u64 held)
{
	trace_epoch_freed((u32)run, (u32)held);
}

/* Context: switch_lock held, or boot. */
static void set_key(bool on)
{
	const u8 value = on;

	static_keys_set(&lock_stat_key, &value, 1);
}

/* Context: may sleep, or boot. */
static void note_holders(bool wanted)
{
	bool threads = thread_current();

	if (threads)
		mutex_lock(&switch_lock);
	holders_wanted = wanted;
	set_key(wanted || atomic_load_relaxed(&lock_stat_on));
	if (threads)
		mutex_unlock(&switch_lock);
}

void lock_trace_init(void)
{
	sync_ops.epoch_began = epoch_began;
	sync_ops.epoch_ran = epoch_ran;
	sync_ops.lock_taken = lock_taken;
	sync_ops.lock_wait = lock_wait;
	sync_ops.lock_held = clock_if_on;
	sync_ops.lock_released = lock_released;
	trace_lock_holders = note_holders;
	note_holders(trace_enabled(lock_wait));
}

void lock_trace_classes(void)
{
	struct lock_class *class;

	for_each_lock_class(class) trace_lock_class(class_index(class), class->name);
}

/* ---- /proc/lock_stat ---- */

static void add_site(struct lock_site *sum, const struct lock_site *s)
{
	sum->taken += atomic_load_relaxed(&s->taken);
	sum->waits += atomic_load_relaxed(&s->waits);
	sum->turns += atomic_load_relaxed(&s->turns);
	sum->wait_ticks += atomic_load_relaxed(&s->wait_ticks);
	sum->wait_longest = MAX(sum->wait_longest, atomic_load_relaxed(&s->wait_longest));
	sum->hold_ticks += atomic_load_relaxed(&s->hold_ticks);
	sum->hold_longest = MAX(sum->hold_longest, atomic_load_relaxed(&s->hold_longest));
}

static u64 ns(u64 ticks)
{
	return ticks * (1000000000 / time_freq);
}

static u64 average(u64 ticks, u64 count)
{
	return count ? ns(ticks) / count : 0;
}

static void show_line(struct seq *s, const char *name, const struct lock_site *sum)
{
	if (sum->taken || sum->waits)
		seq_printf(s, "%-28s %10lu %10lu %12lu %14lu %9lu %10lu %14lu %9lu %10lu\n", name,
			   sum->taken, sum->waits, sum->turns, ns(sum->wait_ticks),
			   average(sum->wait_ticks, sum->waits), ns(sum->wait_longest),
			   ns(sum->hold_ticks), average(sum->hold_ticks, sum->taken),
			   ns(sum->hold_longest));
}

/*
 * Slot i of hart `cpu`: adds all harts' counts for its class and site to *sum, and tells whether no hart before has them, too: they
 * are shown there then.
 */
static bool sum_site(struct lock_site *sum, u32 cpu, const struct lock_site *first)
{
	for (u32 other = 0; other < nr_cpus; other++) {
		const struct lock_site *o =
			find_slot(*cpu_ptr(lock_sites, other), first->class, first->site);

		if (!o || !atomic_load_acquire(&o->class))
			continue;
		if (other < cpu)
			return false;
		add_site(sum, o);
	}
	return true;
}

/* Line for line: the class, then its places. */
static void show_class(struct seq *s, const struct lock_class *class)
{
	struct lock_site all = {0};
	char name[32];

	for (u32 i = 0; i < nr_cpus * SITES; i++) {
		const struct lock_site *site = &(*cpu_ptr(lock_sites, i / SITES))[i % SITES];

		if (atomic_load_acquire(&site->class) == class)
			add_site(&all, site);
	}
	show_line(s, class->name, &all);
	for (u32 i = 0; i < nr_cpus * SITES; i++) {
		const struct lock_site *site = &(*cpu_ptr(lock_sites, i / SITES))[i % SITES];
		struct lock_site sum = {0};

		if (atomic_load_acquire(&site->class) != class || !sum_site(&sum, i / SITES, site))
			continue;
		snprintf(name, sizeof(name), "    at %p", site->site);
		show_line(s, name, &sum);
	}
}

static int show_lock_stat(struct seq *s, u64 key)
{
	struct lock_class *class;
	struct lock_site elsewhere = {0};

	(void)key;
	seq_printf(s, "%-28s %10s %10s %12s %14s %9s %10s %14s %9s %10s\n", "class, place", "taken",
		   "contended", "spins", "wait ns", "average", "longest", "hold ns", "average",
		   "longest");
	if (!atomic_load_acquire(&tables_made))
		return 0;
	for_each_lock_class(class) show_class(s, class);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		add_site(&elsewhere, *cpu_ptr(lock_sites, cpu));
	show_line(s, "(no room for their places)", &elsewhere);
	return 0;
}

static void clear(struct lock_site *sites)
{
	for (u32 i = 0; i < SITES; i++) {
		u64 *counts[] = {&sites[i].taken,	 &sites[i].waits,
				 &sites[i].turns,	 &sites[i].wait_ticks,
				 &sites[i].wait_longest, &sites[i].hold_ticks,
				 &sites[i].hold_longest};

		for (u32 k = 0; k < ARRAY_SIZE(counts); k++)
			atomic_store_relaxed(counts[k], 0);
	}
}

/* As Linux: writing "0" begins anew. */
static int store_lock_stat(const char *text, u64 key)
{
	(void)key;
	if (strcmp(text, "0") && strcmp(text, "0\n"))
		return -EINVAL;
	for (u32 cpu = 0; atomic_load_acquire(&tables_made) && cpu < nr_cpus; cpu++)
		clear(*cpu_ptr(lock_sites, cpu));
	return 0;
}

/* ---- the switch ---- */

static int make_tables(void)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		struct lock_site **sites = cpu_ptr(lock_sites, cpu);

		if (!*sites)
			*sites = page_alloc(TABLE_ORDER, PAGE_ZERO);
		if (!*sites)
			return -ENOMEM;
	}
	atomic_store_release(&tables_made, true);
	return 0;
}

static void switch_on(void)
{
	set_key(true);
	atomic_store_relaxed(&lock_stat_since, time_now());
	/* Pairs with clock_if_on(). */
	atomic_store_release(&lock_stat_on, 1);
}

static void switch_off(void)
{
	atomic_store_relaxed(&lock_stat_on, 0);
	set_key(holders_wanted);
}

static int set_lock_stat(u64 *values, const u64 *wanted, u32 nr)
{
	int err = 0;

	(void)nr;
	mutex_lock(&switch_lock);
	if (*wanted && !*values)
		err = make_tables();
	if (!err && *wanted && !*values)
		switch_on();
	if (!*wanted && *values)
		switch_off();
	mutex_unlock(&switch_lock);
	return err;
}

int lock_stat_init(void)
{
	static const struct sysctl ctl = {"kernel/lock_stat",  0644,	 1,
					  &lock_stat_on,       .min = 0, .max = 1,
					  .set = set_lock_stat};
	int err = sysctl_register(&ctl);

	return err ? err
		   : procfs_register_writable("lock_stat", 0600, show_lock_stat, store_lock_stat, 0);
}
