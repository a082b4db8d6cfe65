/*
 * Between the search (explore.c) and the memory model (memory.c).
 */
#ifndef TESTS_MODEL_MEMORY_H
#define TESTS_MODEL_MEMORY_H

#include "kernel/sync/atomic.h"
#include "lib/types.h"

extern struct model_site __start_model_sites[], __stop_model_sites[];

#define for_each_model_site(s) for (s = __start_model_sites; s < __stop_model_sites; s++)

/* False outside the threads: then atomics are plain accesses. */
extern bool memory_running;

void memory_reset(u32 nr_threads);
void memory_set_thread(u32 id);
u64 memory_message_count(void); /* stores so far, plus one */
u64 memory_hash(u64 seed);	/* of everything that decides what can happen next */
/* Shows the running thread the newest message of each location. False if it had seen them all. */
bool memory_catch_up(void);

/* Of the search: */
u32 model_choose(u32 options);
void model_switch(void);
void __noreturn model_fail(const char *what);

#endif
