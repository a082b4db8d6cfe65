/*
 * Lock classes: every lock belongs to one, which carries its name, its place in the lock order
 * (lock_rank.h). A class is a static object in the section `lock_classes`, so that all of them can be
 * listed without registration, and named by their place there. Statistics: kernel/trace/lock_stat.c.
 */
#ifndef KERNEL_SYNC_LOCK_CLASS_H
#define KERNEL_SYNC_LOCK_CLASS_H

#include "kernel/sync/lock_rank.h"
#include "lib/types.h"

struct lock_class {
	const char *name; /* [I] */
	u32 rank;	  /* [I] enum lock_rank */
};

/* Every class is `static`: the macro stands in the .c file whose locks it names. */
#define LOCK_CLASS(class_name, lock_rank)                                                          \
	static struct lock_class class_name##_class                                                \
		__attribute__((section("lock_classes"), used)) = {.name = #class_name,             \
								  .rank = (lock_rank)}

extern struct lock_class __start_lock_classes[], __stop_lock_classes[];

#define for_each_lock_class(c) for (c = __start_lock_classes; c < __stop_lock_classes; c++)

#endif
