/*
 * See sample.h. Everything here belongs to one hart and runs on it, with interrupts off but for the length of a window, in which only
 * sample_interrupt() touches it.
 *
 * The timer of a hart lies in its queue like any other and arms itself again. In a window the queue may not be touched (the
 * interrupted code may have it locked): the interrupt only writes stimecmp for the next sample, and the window's end restores it, at
 * which all that fell due meanwhile is due at once.
 *
 * An idle hart goes on with its samples for a while and drops those that hit the wait. It must: an interrupt comes tens of microseconds late, so a
 * timer that is set only when a handler begins would never see a short one. A hart that does nothing else is soon left alone.
 *
 * Stacks are followed by frame pointers: the kernel keeps them, programs may not. Each step must climb within the stack, and a
 * program's memory is read without faults, so a damaged chain ends early. A function that has not yet set up its frame, or has taken
 * it down, hides its caller.
 */
#include "kernel/trace/sample.h"

#include "arch/riscv64/csr.h"
#include "arch/riscv64/layout.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/time/time.h"

#define KERNEL_DEPTH 24
#define USER_DEPTH   32
#define GATHERED     16		 /* samples of one window; further ones are counted */
#define USER_STACK   (1UL << 20) /* a program's frames are looked for this far above its sp */
#define IDLE_TURNS                                                                                 \
	16 /* samples in turn that found a hart idle: it gets no more until it runs a thread */

/* What an interrupt in a window found. */
struct gathered {
	u64 ticks;
	u32 depth;
	u64 pc[KERNEL_DEPTH];
};

struct sampler {
	struct timer timer;
	u64 due;       /* [c] ticks of the next sample */
	bool armed;    /* [c] the timer is in the queue */
	u8 thread;     /* [c] enum sample_thread of what runs */
	u8 idle_turns; /* [c] */
	bool put_off;  /* [c] stimecmp is not what the queue wrote */
	u64 masked;    /* [c] interrupts that are off until the window closes */
	u32 nr;	       /* [c] gathered in this window */
	u32 missed;    /* [c] found no room there */
	struct gathered gathered[GATHERED];
};

static PERCPU(struct sampler, sampler);
u64 sample_hz = SAMPLE_HZ_DEFAULT;

static u64 period(void)
{
	return time_freq / sample_hz;
}

/* ---- stacks ---- */

/* A frame: below fp lie the return address and the caller's fp; a leaf function has stored only the latter, in the former's place. */
struct step {
	u64 fp;
	u64 pc; /* return address */
};

static bool climbs(u64 fp, u64 above, u64 top)
{
	return (fp & 7) == 0 && fp >= above + 16 && fp <= top;
}

/* The caller of the frame at s->fp, whose two words are `ra` and `fp`. `leaf_ra`: the register, for the innermost frame; else 0. */
static bool step_up(struct step *s, u64 ra, u64 fp, u64 top, u64 leaf_ra)
{
	u64 below = s->fp;

	if (leaf_ra && climbs(ra, below, top))
		*s = (struct step){ra, leaf_ra};
	else
		*s = (struct step){fp, ra};
	return s->pc != 0;
}

/* What the kernel does in `frame`, innermost first. Returns the depth. */
static u32 walk_kernel(u64 *pcs, const struct trap_frame *frame)
{
	u64 top = cpu_self()->kernel_sp, below = frame->sp - 16;
	struct step s = {.fp = frame->s0};
	u64 leaf_ra = frame->ra;
	u32 depth = 0;

	pcs[depth++] = frame->pc;
	while (depth < KERNEL_DEPTH && climbs(s.fp, below, top)) {
		below = s.fp;
		if (!step_up(&s, ((u64 *)s.fp)[-1], ((u64 *)s.fp)[-2], top, leaf_ra))
			break;
		pcs[depth++] = s.pc;
		leaf_ra = 0;
	}
	return depth;
}

/* What has been interrupted may be an access itself, a no-fault one perhaps: it stays one. */
static bool load_user(u64 at, u64 *value)
{
	bool before = this_cpu(uaccess_nofault), within = cpu_self()->user_access, fault;

	if (at > USER_TOP - sizeof(*value))
		return false;
	uaccess_begin();
	this_cpu(uaccess_nofault) = true;
	fault = arch_load_u64((const void *)at, value);
	this_cpu(uaccess_nofault) = before;
	if (!within)
		uaccess_end();
	return !fault;
}

/* The same of the program, whose registers `frame` holds. */
static u32 walk_user(u64 *pcs, const struct trap_frame *frame)
{
	u64 top = MIN(frame->sp + USER_STACK, USER_TOP), below = frame->sp - 16, ra, fp;
	struct step s = {.fp = frame->s0};
	u64 leaf_ra = frame->ra;
	u32 depth = 0;

	pcs[depth++] = frame->pc;
	while (depth < USER_DEPTH && frame->sp < USER_TOP && climbs(s.fp, below, top)) {
		below = s.fp;
		if (!load_user(s.fp - 8, &ra) || !load_user(s.fp - 16, &fp) ||
		    !step_up(&s, ra, fp, top, leaf_ra) || s.pc >= USER_TOP)
			break;
		pcs[depth++] = s.pc;
		leaf_ra = 0;
	}
	return depth;
}

/* ---- records ---- */

/* One sample: the kernel's frames, then the program's if there is one. */
static void tell(u64 ticks, enum trace_sample_mode mode, const u64 *kernel, u32 nr_kernel)
{
	const struct trap_frame *user = (const struct trap_frame *)cpu_self()->kernel_sp - 1;
	u64 pcs[KERNEL_DEPTH + USER_DEPTH + 1];
	u32 depth = nr_kernel;

	for (u32 i = 0; i < nr_kernel; i++)
		pcs[i] = kernel[i];
	if (this_cpu_ptr(sampler)->thread == SAMPLE_PROGRAM)
		depth += walk_user(pcs + depth, user);
	pcs[depth] = 0;
	trace_sample(mode, (u16)depth, ticks);
	for (u32 i = 0; i < depth; i += 2)
		trace_sample_frames(pcs[i], pcs[i + 1]);
}

static void tell_gathered(struct sampler *s)
{
	for (u32 i = 0; i < s->nr; i++)
		tell(s->gathered[i].ticks, TRACE_SAMPLE_KERNEL, s->gathered[i].pc,
		     s->gathered[i].depth);
	if (s->missed)
		trace_sample_missed(s->missed);
	s->nr = 0;
	s->missed = 0;
}

/* ---- windows ---- */

void sample_open(void)
{
	cpu_self()->window = 1;
	csr_set(sstatus, SSTATUS_SIE);
}

void sample_close(void)
{
	struct sampler *s = this_cpu_ptr(sampler);

	if (!cpu_self()->window)
		return;
	csr_clear(sstatus, SSTATUS_SIE);
	cpu_self()->window = 0;
	if (s->masked)
		csr_set(sie, s->masked);
	s->masked = 0;
	if (s->put_off)
		timer_reprogram();
	s->put_off = false;
	tell_gathered(s);
}

void sample_continue(void)
{
	cpu_self()->window = 1;
}

void sample_interrupt(const struct trap_frame *frame)
{
	struct sampler *s = this_cpu_ptr(sampler);
	u64 now = time_now(), source = BIT(frame->cause & 63);

	if (source != SIE_TIMER) {
		s->masked |= source;
		csr_clear(sie, source);
		return;
	}
	if (now >= s->due) {
		if (s->nr < GATHERED) {
			struct gathered *g = &s->gathered[s->nr++];

			g->ticks = now;
			g->depth = walk_kernel(g->pc, frame);
		} else {
			s->missed++;
		}
		s->due = now + period();
	}
	s->put_off = true;
	csr_write_stimecmp(s->due);
}

/* The handlers' own interrupts are put off from the start. If a sample is due with them, it belongs to what they have interrupted. */
void sample_handlers(u64 pending)
{
	struct sampler *s = this_cpu_ptr(sampler);
	u64 now = time_now();

	if (pending & SIE_TIMER) {
		if (now >= s->due)
			s->due = now + period();
		s->put_off = true;
		csr_write_stimecmp(s->due);
	}
	s->masked |= pending & ~SIE_TIMER;
	csr_clear(sie, pending & ~SIE_TIMER);
	sample_open();
	irq_handle_pending(pending);
	sample_close();
}

void sample_user(bool genuine)
{
	struct sampler *s = this_cpu_ptr(sampler);
	u64 now = time_now();

	if (!s->armed || now < s->due)
		return;
	s->due = now + period();
	tell(now, genuine ? TRACE_SAMPLE_USER : TRACE_SAMPLE_OFF, NULL, 0);
}

/* ---- the timer: its interrupt is all that is wanted of it ---- */

static void arm(struct sampler *s)
{
	s->due = MAX(s->due, time_now() + period() / 2);
	s->armed = true;
	timer_arm(&s->timer, s->due);
}

static void sample_timer(struct timer *timer)
{
	struct sampler *s = container_of(timer, struct sampler, timer);

	s->armed = false;
	if (!trace_enabled(sample) || (s->thread == SAMPLE_IDLE && ++s->idle_turns > IDLE_TURNS))
		return;
	arm(s);
}

void sample_switch(enum sample_thread kind)
{
	struct sampler *s = this_cpu_ptr(sampler);

	s->thread = (u8)kind;
	if (kind == SAMPLE_IDLE)
		return;
	s->idle_turns = 0;
	if (s->armed)
		return;
	if (!s->timer.fn)
		timer_init(&s->timer, sample_timer);
	s->due = time_now() + period();
	arm(s);
}
