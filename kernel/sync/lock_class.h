/*
 * Lock classes: every lock belongs to one, which carries its name, its place in the lock order
 * (lock_rank.h) and its contention figures. A class is a static object in the section
 * `lock_classes`, so that all of them can be listed without registration.
 *
 * Statistics are taken only in the slow path of a lock (a hart had to wait): the fast path pays
 * nothing for them.
 */
#ifndef KERNEL_SYNC_LOCK_CLASS_H
#define KERNEL_SYNC_LOCK_CLASS_H

#include "kernel/sync/lock_rank.h"
#include "lib/types.h"

struct lock_class {
	const char *name; /* [I] */
	u32 rank;	  /* [I] enum lock_rank */
	u32 reserved;
	u64 contended;	/* [a] acquisitions that had to wait */
	u64 turns;	/* [a] turns of the spin loop spent waiting */
	u64 slow_waits; /* [a] times a spinner gave its virtual CPU away */
} __cacheline_aligned;

/* Every class is `static`: the macro stands in the .c file whose locks it names. */
#define LOCK_CLASS(class_name, lock_rank)                                                          \
	static struct lock_class class_name##_class                                                \
		__attribute__((section("lock_classes"), used)) = {.name = #class_name,             \
								  .rank = (lock_rank)}

extern struct lock_class __start_lock_classes[], __stop_lock_classes[];

#define for_each_lock_class(c) for (c = __start_lock_classes; c < __stop_lock_classes; c++)

/* Switches the counting on or off at run time; counters are kept. Context: any. */
void lock_stats_enable(bool on);
void lock_stats_reset(void);

#endif
