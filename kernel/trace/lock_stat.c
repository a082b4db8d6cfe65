/*
 * What kernel/sync tells of locks: from the slow path of each lock in all builds, from each spin lock's taking and release in debug
 * builds.
 *
 * Counts are kept per hart, class and call site in a table of that hart's own, so that counting moves no line between harts; a
 * reader adds the tables up and may see a wait half counted. Cost while off: a load and a branch in the slow path.
 */
#include "kernel/trace/lock_stat.h"

#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "kernel/fs/pseudo.h"
#include "kernel/fs/sysctl.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/spinlock.h"
#include "kernel/sync/sync_ops.h"
#include "kernel/time/time.h"
#include "kernel/trace/trace.h"

#define SITES	    256 /* per hart; waits at further ones are counted under no site */
#define MAX_CLASSES 256

/* Waits of one class at one place in the code. */
struct lock_site {
	const struct lock_class *class; /* [c] NULL: free */
	const void *site;		/* [c] return address; NULL in slot 0 */
	u64 waits;			/* [a] written by its hart only, as all below */
	u64 turns;
	u64 ticks;
	u64 longest;
};

/* Debug builds: all takings of one class. */
struct lock_holds {
	u64 count; /* [a] written by its hart only */
	u64 ticks;
	u64 longest;
};

struct lock_counts {
	struct lock_site site[SITES];
	struct lock_holds hold[MAX_CLASSES];
};

static PERCPU(struct lock_counts, lock_counts);
static u64 lock_stat_on; /* [a] sysctl */

static u32 class_index(const struct lock_class *class)
{
	return (u32)(class - __start_lock_classes);
}

static struct lock_site *find_site(const struct lock_class *class, const void *site)
{
	struct lock_site *sites = this_cpu_ptr(lock_counts)->site;
	u64 hash = ((u64)site >> 1) * 31 + class_index(class);

	for (u32 i = 0; i < SITES - 1; i++) {
		struct lock_site *s = &sites[1 + (hash + i) % (SITES - 1)];

		if (!s->class) {
			s->site = site;
			atomic_store_release(&s->class, class);
		}
		if (s->class == class && s->site == site)
			return s;
	}
	return &sites[0];
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

static u64 lock_wait(const struct lock_class *class, const void *lock, const struct thread *holder)
{
	trace_lock_wait((u64)lock, (u16)class_index(class), class->rank < RANK_SPIN,
			holder ? holder->tid : 0);
	return atomic_load_relaxed(&lock_stat_on) ? time_now() : 0;
}

static void lock_taken(const struct lock_class *class, const void *lock, u64 began, u64 turns,
		       const void *site)
{
	trace_lock_taken((u64)lock, (u16)class_index(class));
	if (!began)
		return;

	struct lock_site *s = find_site(class, site);
	u64 ticks = time_now() - began;

	add(&s->waits, 1);
	add(&s->turns, turns);
	add(&s->ticks, ticks);
	note_longest(&s->longest, ticks);
}

#ifdef KERNEL_DEBUG
static u64 lock_held(const struct lock_class *class)
{
	(void)class;
	return atomic_load_relaxed(&lock_stat_on) ? time_now() : 0;
}

static void lock_released(const struct lock_class *class, u64 since)
{
	struct lock_holds *h = &this_cpu_ptr(lock_counts)->hold[class_index(class)];
	u64 ticks;

	if (!since)
		return;
	ticks = time_now() - since;
	add(&h->count, 1);
	add(&h->ticks, ticks);
	note_longest(&h->longest, ticks);
}
#endif

static void epoch_began(u64 number, u64 waiting)
{
	trace_epoch_begin(number, waiting);
}

static void epoch_ran(u64 run, u64 held)
{
	trace_epoch_freed((u32)run, (u32)held);
}

void lock_trace_init(void)
{
	sync_ops.epoch_began = epoch_began;
	sync_ops.epoch_ran = epoch_ran;
	sync_ops.lock_taken = lock_taken;
	sync_ops.lock_wait = lock_wait;
#ifdef KERNEL_DEBUG
	sync_ops.lock_held = lock_held;
	sync_ops.lock_released = lock_released;
#endif
}

void lock_trace_classes(void)
{
	struct lock_class *class;

	for_each_lock_class(class) trace_lock_class(class_index(class), class->name);
}

/* ---- /proc/lock_stat ---- */

static void add_site(struct lock_site *sum, const struct lock_site *s)
{
	sum->waits += atomic_load_relaxed(&s->waits);
	sum->turns += atomic_load_relaxed(&s->turns);
	sum->ticks += atomic_load_relaxed(&s->ticks);
	sum->longest = MAX(sum->longest, atomic_load_relaxed(&s->longest));
}

static u64 ns(u64 ticks)
{
	return ticks * (1000000000 / time_freq);
}

static void show_waits(struct seq *s, const char *name, const struct lock_site *sum)
{
	seq_printf(s, "%-36s %10lu %12lu %14lu %12lu %12lu", name, sum->waits, sum->turns,
		   ns(sum->ticks), sum->waits ? ns(sum->ticks) / sum->waits : 0, ns(sum->longest));
}

/* Has a hart with a lower id, or a lower slot of this one, a count for the same place? Then it was shown there. */
static bool shown_before(const struct lock_site *s, u32 cpu)
{
	for (u32 other = 0; other < cpu; other++)
		for (u32 i = 0; i < SITES; i++) {
			const struct lock_site *o = &cpu_ptr(lock_counts, other)->site[i];

			if (atomic_load_acquire(&o->class) == s->class && o->site == s->site)
				return true;
		}
	return false;
}

static void show_sites(struct seq *s, const struct lock_class *class)
{
	for (u32 i = 0; i < nr_cpus * SITES; i++) {
		const struct lock_site *first = &cpu_ptr(lock_counts, i / SITES)->site[i % SITES];
		struct lock_site sum = {0};
		char name[40];

		if (atomic_load_acquire(&first->class) != class || shown_before(first, i / SITES))
			continue;
		for (u32 k = 0; k < nr_cpus * SITES; k++) {
			const struct lock_site *o = &cpu_ptr(lock_counts, k / SITES)->site[k % SITES];

			if (atomic_load_acquire(&o->class) == class && o->site == first->site)
				add_site(&sum, o);
		}
		if (!sum.waits)
			continue;
		snprintf(name, sizeof(name), "    at %p", first->site);
		show_waits(s, name, &sum);
		seq_puts(s, "\n");
	}
}

static void show_class(struct seq *s, const struct lock_class *class)
{
	struct lock_holds held = {0};
	struct lock_site sum = {0};

	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		const struct lock_counts *c = cpu_ptr(lock_counts, cpu);
		const struct lock_holds *h = &c->hold[class_index(class)];

		for (u32 i = 0; i < SITES; i++)
			if (atomic_load_acquire(&c->site[i].class) == class)
				add_site(&sum, &c->site[i]);
		held.count += atomic_load_relaxed(&h->count);
		held.ticks += atomic_load_relaxed(&h->ticks);
		held.longest = MAX(held.longest, atomic_load_relaxed(&h->longest));
	}
	if (!sum.waits && !held.count)
		return;
	show_waits(s, class->name, &sum);
	if (held.count)
		seq_printf(s, " %12lu %14lu %12lu %12lu", held.count, ns(held.ticks),
			   ns(held.ticks) / held.count, ns(held.longest));
	seq_puts(s, "\n");
	show_sites(s, class);
}

static int show_lock_stat(struct seq *s, u64 key)
{
	struct lock_class *class;
	struct lock_site elsewhere = {0};

	(void)key;
	seq_printf(s, "%-36s %10s %12s %14s %12s %12s", "class, place", "waits", "turns", "wait ns",
		   "average", "longest");
#ifdef KERNEL_DEBUG
	seq_printf(s, " %12s %14s %12s %12s", "taken", "held ns", "average", "longest");
#endif
	seq_puts(s, "\n");
	for_each_lock_class(class) show_class(s, class);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		add_site(&elsewhere, &cpu_ptr(lock_counts, cpu)->site[0]);
	if (elsewhere.waits) {
		show_waits(s, "(no room for their places)", &elsewhere);
		seq_puts(s, "\n");
	}
	return 0;
}

static void clear(struct lock_counts *c)
{
	for (u32 i = 0; i < SITES; i++) {
		atomic_store_relaxed(&c->site[i].waits, 0);
		atomic_store_relaxed(&c->site[i].turns, 0);
		atomic_store_relaxed(&c->site[i].ticks, 0);
		atomic_store_relaxed(&c->site[i].longest, 0);
	}
	for (u32 i = 0; i < MAX_CLASSES; i++) {
		atomic_store_relaxed(&c->hold[i].count, 0);
		atomic_store_relaxed(&c->hold[i].ticks, 0);
		atomic_store_relaxed(&c->hold[i].longest, 0);
	}
}

/* As Linux: writing "0" begins anew. */
static int store_lock_stat(const char *text, u64 key)
{
	(void)key;
	if (strcmp(text, "0") && strcmp(text, "0\n"))
		return -EINVAL;
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		clear(cpu_ptr(lock_counts, cpu));
	return 0;
}

int lock_stat_init(void)
{
	static const struct sysctl ctl = {"kernel/lock_stat", 0644,	1,
					  &lock_stat_on,      .min = 0, .max = 1};
	int err = sysctl_register(&ctl);

	return err ? err
		   : procfs_register_writable("lock_stat", 0600, show_lock_stat, store_lock_stat, 0);
}
