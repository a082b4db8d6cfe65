/* What a process executes, for the trace (trace_enabled(map)): see trace_maps.c. All may sleep. */
#ifndef KERNEL_TASK_TRACE_MAPS_H
#define KERNEL_TASK_TRACE_MAPS_H

#include "lib/types.h"

struct file;
struct mm;

/* The current process has mapped `f` to be executed. */
void task_trace_map(u64 start, u64 end, u64 offset, struct file *f);
/* Process `pid` begins with what `mm` maps. */
void task_trace_program(u32 pid, struct mm *mm);
/* All processes: when recording begins. */
void task_trace_programs(void);

#endif
