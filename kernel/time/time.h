/*
 * Clocks and timers. Time inside the kernel is counted in ticks of the `time` CSR (timebase from the device tree, 10 MHz on
 * QEMU virt). rdtime costs ~70 ns under TCG: never on the plain system-call path.
 */
#ifndef KERNEL_TIME_TIME_H
#define KERNEL_TIME_TIME_H

#include "arch/riscv64/csr.h"
#include "lib/heap.h"
#include "lib/types.h"

#define TIME_NEVER (~0UL) /* a deadline that does not come */

void time_init(u64 freq); /* boot hart: timebase of the device tree */

extern u64 time_freq; /* [I] ticks per second */
extern u64 time_realtime_base; /* [a] CLOCK_REALTIME at tick 0, nanoseconds (goldfish RTC at boot, clock_settime) */

/* Ticks. Inline: it is read at each switch of threads. */
static inline u64 time_now(void)
{
	return csr_time();
}

u64 time_ticks_to_ns(u64 ticks); /* exact for 10 MHz; rounds down */
u64 time_ns_to_ticks(u64 ns);	 /* rounds up; saturates at ~0 - 1 */
u64 time_monotonic_ns(void);
u64 time_realtime_ns(void);
/* Ticks at which the wall clock says `ns`, as it is set now; TIME_NEVER for Linux's KTIME_MAX and beyond. */
u64 time_realtime_deadline(u64 ns);

/*
 * One-shot timers. A timer lives on the queue of the hart that armed it; any hart may cancel it under that queue's lock.
 * fn runs on the queue's hart, outside the queue lock, with no lock held, in kernel context that must not sleep; it may arm its
 * timer again. Arming and cancelling one timer from several harts at once is the caller's to prevent.
 */
struct timer {
	struct heap_node node;	     /* [L:timer queue] key = deadline in ticks */
	void (*fn)(struct timer *t); /* [I] */
	u32 cpu;		     /* [a] queue it is on + 1; 0 when idle */
	u32 arms;		     /* [a] times it was armed */
};

void timer_init(struct timer *t, void (*fn)(struct timer *));
void timer_arm(struct timer *t, u64 deadline);
/*
 * True if it was pending; false if it had fired, or was never armed. On return fn does not run (unless it is our caller) and will not.
 * Context: no lock held that fn takes.
 */
bool timer_cancel(struct timer *t);

/* For kernel/trap and idle: run what is due on this hart; reprogram stimecmp only if needed. */
void timer_run(void);
u64 timer_next_deadline(void); /* of this hart; TIME_NEVER if none */
void timer_hart_init(void);
/* Somebody has used stimecmp for a moment: what is due is due again. Context: this hart, any. */
void timer_reprogram(void);

#endif
