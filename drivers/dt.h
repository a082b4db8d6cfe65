/*
 * Facts from the device tree. The blob stays mapped for the kernel's life. A node is a number, the root is 0.
 */
#ifndef DRIVERS_DT_H
#define DRIVERS_DT_H

#include "lib/types.h"

/* 0, or -EINVAL if the blob is damaged or too large (512 nodes). */
int dt_init(const void *blob);

/* The next node compatible with `name` after `after` (-1 to start); negative if none. */
int dt_find(int after, const char *name);
/* The i-th (address, size) pair of the node's reg property; false if absent. */
bool dt_reg(int node, u32 i, u64 *address, u64 *size);
/* The i-th 32-bit cell of a property; false if absent. */
bool dt_cell(int node, const char *property, u32 i, u32 *value);
/* A string or raw property; NULL if absent. */
const void *dt_property(int node, const char *name, u32 *length);
/* A node by path, e.g. "/chosen"; negative if none. */
int dt_path(const char *path);
/* The node whose phandle it is; negative if none. */
int dt_phandle_node(u32 phandle);
/* Iterates the harts of /cpus that are not disabled: true while there is an i-th one. `intc`: phandle of its interrupt controller. */
bool dt_hart(u32 i, u32 *hartid, u32 *intc);

const char *dt_bootargs(void);	      /* "" if none */
bool dt_initrd(u64 *start, u64 *end); /* physical */
u64 dt_timebase(void);		      /* Hz */
const char *dt_isa(void);	      /* ISA string of the first hart */
u32 dt_zicboz_bytes(void);	      /* what its cbo.zero clears, a power of two; 0: it has none */
const void *dt_rng_seed(u32 *length); /* NULL if none */
const void *dt_blob(u64 *size);	      /* the whole tree */

#endif
