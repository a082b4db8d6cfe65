/*
 * Per-hart tracing: 32-byte records in rings that no other hart writes (record.h), events from one list
 * (events.def), a host converter to Perfetto (tools/trace, docs/tracing.md).
 *
 * Idea: a record is reserved and written by the hart that owns the ring, with interrupts off, so there is nothing to
 * race with: no atomic operation, no shared line. Readers wait until the trace has stopped.
 * Cost of a record: about 25 instructions and one rdtime (~70 ns under TCG, the larger part). While an event is off,
 * one nop, which becomes a jump when it is switched on.
 *
 * Bazel: //kernel/trace is the emitting half and needs per-CPU data only; //kernel/trace:control sets up and dumps.
 */
#ifndef KERNEL_TRACE_TRACE_H
#define KERNEL_TRACE_TRACE_H

#include "lib/types.h"

/* Categories: groups of events that are switched together, with the names that boot arguments and tracefs use. */
#define TRACE_CATEGORIES(X)                                                                        \
	X(SCHED, sched)                                                                            \
	X(SYSCALL, syscall)                                                                        \
	X(IRQ, irq)                                                                                \
	X(FUTEX, futex)                                                                            \
	X(FAULT, fault)                                                                            \
	X(TASK, task)                                                                              \
	X(LOCK, lock)                                                                              \
	X(TIMER, timer)                                                                            \
	X(MEMORY, memory)                                                                          \
	X(EPOCH, epoch)                                                                            \
	X(IPC, ipc)                                                                                \
	X(NET, net)                                                                                \
	X(USER, user)                                                                              \
	X(SAMPLE, sample)                                                                          \
	X(MAP, map)

enum trace_category {
#define TRACE_CATEGORY(NAME, name) TRACE_##NAME,
	TRACE_CATEGORIES(TRACE_CATEGORY)
#undef TRACE_CATEGORY
		TRACE_NR_CATEGORIES
};

#include "kernel/trace/trace_events.h"

/* ---- control ---- */

/*
 * Reads the boot arguments: `pattern` is "off", or a comma list of "on" (all), names of categories, and
 * "stop" (the first full ring ends the trace; without it the oldest records are overwritten). `ring_bytes`: per hart, rounded
 * down to a power of two; 0: a quarter of the memory over all harts, at most 64 MiB each. Returns 0, or -EINVAL for a
 * word it does not know (nothing is traced then). Context: boot hart, once, before trace_hart_init().
 */
int trace_init(const char *pattern, u64 ring_bytes);

/*
 * On the hart with id 0: gives all harts their rings and begins. With less free memory than asked for the rings are smaller;
 * -ENOMEM when there is none at all: the harts without record nothing. Nothing to do on other harts. Context: after nr_cpus
 * is final and pages can be allocated, before the other harts start (rings are made of neighbouring blocks of pages).
 */
int trace_hart_init(void);

/* Ends tracing: on return this hart writes no more; another may still finish the record it is at. Context: any. */
void trace_stop(void);

/*
 * While the machine runs; callers come one at a time (tracefs.c has a mutex). Wanted events record while recording is on, which
 * it is at boot. The first wanted event makes rings if there are none: 0 or -ENOMEM. Whatever is wanted, sched_switch and thread
 * life are recorded with it: records take their thread from the one and their names from the other.
 *
 * A switch is for one event (its type), for a category (TRACE_OF_CATEGORY and its number), or for all (TRACE_EVERY): all but samples,
 * which cost time where nothing happens, and what only they need.
 */
#define TRACE_EVERY	  0x200U
#define TRACE_OF_CATEGORY 0x100U
enum trace_wanted { TRACE_WANT_NONE, TRACE_WANT_SOME, TRACE_WANT_ALL };
int trace_set_wanted(u32 which, bool on);
enum trace_wanted trace_wanted(u32 which);
const char *trace_category_name(u32 i); /* NULL behind the last */
enum trace_category trace_category_of(u32 type);
bool trace_recording(void);
void trace_set_recording(bool on);
/* Context of both setters: nothing records, no hart is inside an emitter. -EINVAL, -ENOMEM; -E2BIG: more than TRACE_MAX_PIDS. */
u64 trace_ring_bytes(void);
int trace_set_ring_bytes(u64 bytes);
/* Do full rings lose their oldest records, or end the trace? Changing it drops what is in them, and needs quiet as a change of size does. */
bool trace_overwrites(void);
int trace_set_overwrite(bool on);
int trace_set_filter(const u32 *tids, u32 nr); /* records of these threads only; nr 0: all */
u32 trace_get_filter(u32 *tids);	       /* room for TRACE_MAX_PIDS */
/*
 * Is told before waits for locks begin or cease to be recorded (lock_stat.c); NULL early in boot, and on the host. Context: of who switches,
 * or boot.
 */
extern void (*trace_lock_holders)(bool wanted);
/* This hart runs `tid`: told when recording begins, since only switches tell it later. */
void trace_sync_thread(u32 tid);

/*
 * Stops and writes all rings to `path` on the host by semihosting: QEMU must run with it, else this traps. 0, -ENOENT when
 * nothing was traced, -EIO when the host refuses. Context: any, also a panic; allocates nothing.
 */
int trace_dump(const char *path);

#endif
