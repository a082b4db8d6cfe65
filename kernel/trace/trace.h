/*
 * Per-hart tracing: 32-byte records in rings that no other hart writes. events.def is the one list of events.
 */
#ifndef KERNEL_TRACE_TRACE_H
#define KERNEL_TRACE_TRACE_H

#include "lib/types.h"

/* Categories: bits of trace_mask. */
#define TRACE_SCHED   BIT(0)
#define TRACE_SYSCALL BIT(1)
#define TRACE_IRQ     BIT(2)
#define TRACE_FUTEX   BIT(3)
#define TRACE_FAULT   BIT(4)
#define TRACE_TASK    BIT(5)
#define TRACE_LOCK    BIT(6)
#define TRACE_TIMER   BIT(7)

extern u64 trace_mask; /* [a] read-mostly switch, one bit a category */

/*
 * trace_<event>(args) emitters are generated from events.def (see there for arguments), e.g.
 *   trace_sched_switch(prev_tid, prev_state, next_tid, next_prio)   trace_sched_waking(tid, target_cpu, flags)
 *   trace_sys_enter(nr, a0, a1, a2)  trace_sys_exit(nr, ret)   trace_irq_entry(irq) trace_irq_exit(irq)
 *   trace_ipi_send(mask, reason) trace_ipi_recv(reason)   trace_futex_wait(uaddr, val) trace_futex_wait_done(ret)
 *   trace_futex_wake(uaddr, nr) trace_futex_wake_done(woken)   trace_page_fault(addr, access) trace_page_fault_done(ret)
 *   trace_task_new(tid, tgid, parent_tid) trace_task_name(tid, tgid, name[16]) trace_task_exit(tid)
 *   trace_cpu_idle(state)
 * Each costs one load and a branch while its category is off.
 */
#include "kernel/trace/trace_events.h"

void trace_init(const char *pattern, u64 ring_bytes); /* "off", "on", or a comma list of categories */
void trace_hart_init(void);
void trace_stop(void); /* clears the mask; no record is in flight on return for the calling hart */
/* Writes all rings to `path` on the host by semihosting. 0 or -errno. Used at power-off and in a panic. */
int trace_dump(const char *path);

#endif
