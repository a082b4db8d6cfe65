/*
 * Samples of what harts do, by a timer of each hart, with the call stacks of kernel and program (docs/tracing.md).
 *
 * A hart in user mode is sampled by its timer's interrupt. In the kernel interrupts are off, so there a sample needs a window: while
 * the event `sample` is on, system calls, faults, the work before the return to user mode, handlers of interrupts, kernel threads and
 * what the idle thread does run with them on. An interrupt in a window looks at the stack, puts off
 * what caused it until the window closes, and goes on; it takes no lock, runs no timer, and stores no record, so nothing in the kernel
 * need know of it. What it found is told when the window closes.
 *
 * A window closes before anything that must not be interrupted: a switch of threads, the way out to user mode, the wait of an idle
 * hart. A thread that had one when it was switched away from, and every kernel thread, gets one when it goes on. A fault in a
 * window pauses it: the trap has switched interrupts off, and its return switches them on again.
 *
 * Bazel: above kernel/time, kernel/irq and kernel/mm, below kernel/sched.
 */
#ifndef KERNEL_TRACE_SAMPLE_H
#define KERNEL_TRACE_SAMPLE_H

#include "arch/riscv64/cpu.h"
#include "arch/riscv64/trap_frame.h"
#include "kernel/irq/irq.h"
#include "kernel/trace/trace.h"

#define SAMPLE_HZ_DEFAULT                                                                          \
	997 /* no multiple of the tick: what happens at ticks is seen in proportion */

extern u64 sample_hz; /* [I] after boot */

/* Whose stack is it: has it a program's registers at its top? */
enum sample_thread { SAMPLE_IDLE, SAMPLE_KTHREAD, SAMPLE_PROGRAM };

/* Is this hart in a window? */
static inline bool sample_window(void)
{
	return unlikely(cpu_self()->window);
}

/* Context: no lock held; in a user thread its frame is full. May be open already. */
void sample_open(void);
/* Interrupts are off, and what was found is in the ring. Context: interrupts on or off, locks may be held. Nothing without a window. */
void sample_close(void);

/* What is to be seen in the kernel begins, and ends. Context: as sample_open(). */
static inline void sample_enter(void)
{
	if (trace_enabled(sample))
		sample_open();
}

static inline void sample_leave(void)
{
	if (sample_window())
		sample_close();
}

void sample_handlers(u64 pending);

/* irq_handle_pending(), seen. Context: interrupts off, no window. */
static inline void sample_handle_pending(u64 pending)
{
	if (trace_enabled(sample))
		sample_handlers(pending);
	else
		irq_handle_pending(pending);
}

/* A fault came in a window and is over; this may be another hart. Context: interrupts off, the return will switch them on. */
void sample_continue(void);
/* An interrupt in a window. Context: trap, interrupts off. */
void sample_interrupt(const struct trap_frame *frame);
/*
 * An interrupt in user mode, before its timers run. Not `genuine`: it was pending in the kernel already, outside a window, and no
 * instruction of the program has run since. Context: trap from user mode, full frame.
 */
void sample_user(bool genuine);
/* This hart is about to run such a thread. Context: the switch. */
void sample_switch(enum sample_thread kind);

#endif
