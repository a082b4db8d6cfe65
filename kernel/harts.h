/*
 * Bringing harts up: their records, stacks and per-CPU regions, and the way in through HSM.
 */
#ifndef KERNEL_HARTS_H
#define KERNEL_HARTS_H

#include "lib/types.h"

void harts_init_boot(void); /* before anything that uses per-CPU variables */
void harts_find(void);	    /* device tree: nr_cpus, a record and a region for each hart */
void harts_init_this(void); /* every hart: traps, address space, timers, trace, scheduler */
void harts_start(void);	    /* boot hart: starts the others and waits until each is in the kernel */

#endif
