/*
 * Signal delivery on the way to user mode: default actions, restarts, the frame for a handler, and
 * the way back.
 *
 * The user's stack gets exactly Linux's struct rt_sigframe (abi/signal.h): siginfo, ucontext, the
 * registers in the order of struct trap_frame, floating point, and behind it the record of the vectors
 * of a task that uses them. The handler returns to the vDSO's trampoline, which calls rt_sigreturn.
 */
#include "abi/errno.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/job.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/rseq.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/task.h"
#include "kernel/task/vdso.h"
#include "kernel/task/vector.h"

/* Both sides begin with pc, ra, sp ... t6 in one order, so registers move as one block. */
static_assert(offsetof(struct trap_frame, orig_a0) == 32 * 8, "abi_sigcontext.regs");
#define SIGNAL_REGS_SIZE (32 * 8)

#define NR_RESTART_SYSCALL 128
#define INSN_ECALL_SIZE	   4

/* A frame that is no longer a system call's to restart. */
#define TRAP_CAUSE_NONE (~0UL)

static bool on_altstack(const struct task_signals *s, u64 sp)
{
	return !(s->altstack.ss_flags & (int)(SS_DISABLE | SS_AUTODISARM)) &&
	       sp - s->altstack.ss_sp - 1 < s->altstack.ss_size;
}

/* An interrupted call that runs again, unless a handler makes it end or a tracer has moved pc. */
struct signal_restart {
	long code; /* -ERESTART*, 0: there is none */
	u64 pc;	   /* its ecall */
};

/* Before any signal is taken: a tracer that sees the registers sees them as for running it again. */
static void restart_prepare(struct trap_frame *frame, struct signal_restart *r)
{
	long ret = (long)frame->a0;

	*r = (struct signal_restart){0};
	if (frame->cause != TRAP_CAUSE_SYSCALL)
		return;
	frame->cause = TRAP_CAUSE_NONE;
	switch (-ret) {
	case ERESTARTNOINTR:
	case ERESTARTSYS:
	case ERESTARTNOHAND:
	case ERESTART_RESTARTBLOCK:
		frame->a0 = frame->orig_a0;
		frame->pc -= INSN_ECALL_SIZE;
		*r = (struct signal_restart){ret, frame->pc};
	}
}

/* A handler runs first. */
static void restart_handler(struct trap_frame *frame, struct signal_restart *r,
			    const struct abi_sigaction *action)
{
	bool again = r->code == -ERESTARTNOINTR ||
		     (r->code == -ERESTARTSYS && (action->sa_flags & SA_RESTART));

	if (r->code && !again && frame->pc == r->pc) {
		frame->a0 = (u64)-EINTR;
		frame->pc += INSN_ECALL_SIZE;
	}
	r->code = 0;
}

static void restart_finish(struct trap_frame *frame, const struct signal_restart *r)
{
	if (r->code == -ERESTART_RESTARTBLOCK && frame->pc == r->pc)
		frame->a7 = NR_RESTART_SYSCALL;
}

static int signal_save_fp(struct task *t, struct abi_sigcontext __user *sc)
{
	struct abi_fp_state fp = {0};

	fpu_save(&t->fp);
	for (u32 i = 0; i < 32; i++)
		fp.f[i] = t->fp.f[i];
	fp.fcsr = t->fp.fcsr;
	if (clear_user(&sc->fp, sizeof(*sc) - offsetof(struct abi_sigcontext, fp)))
		return -EFAULT;
	return copy_to_user(&sc->fp, &fp, offsetof(struct abi_fp_state, pad));
}

/* The records behind the floating-point state, and their end: the first has its header in the sigcontext itself. */
static int signal_save_records(struct task *t, struct abi_sigcontext __user *sc)
{
	struct abi_ext_header __user *at = &sc->records;
	u64 size = task_vector_record_size(t);

	if (!size)
		return 0; /* signal_save_fp() has written the end */
	if (task_vector_save(t, at))
		return -EFAULT;
	return clear_user((char __user *)at + size, sizeof(*at));
}

static int signal_save_context(struct task *t, struct trap_frame *frame,
			       struct abi_ucontext __user *uc, u64 mask)
{
	if (clear_user(uc, offsetof(struct abi_ucontext, uc_mcontext)) ||
	    copy_to_user(&uc->uc_stack, &t->signals.altstack, sizeof(struct abi_stack)) ||
	    user_store_u64(&uc->uc_sigmask, mask) ||
	    copy_to_user(&uc->uc_mcontext.regs, frame, SIGNAL_REGS_SIZE))
		return -EFAULT;
	if (signal_save_fp(t, &uc->uc_mcontext))
		return -EFAULT;
	return signal_save_records(t, &uc->uc_mcontext);
}

u64 signal_frame_size(u64 records)
{
	/* The header in the frame is the first record's; the end needs another. */
	u64 end = records ? sizeof(struct abi_ext_header) : 0;

	return ALIGN_UP(sizeof(struct abi_rt_sigframe) + records + end, 16);
}

static u64 signal_frame_address(struct task *t, const struct abi_sigaction *action, u64 sp)
{
	u64 size = signal_frame_size(task_vector_record_size(t));
	struct task_signals *s = &t->signals;
	bool inside = on_altstack(s, sp);

	if ((action->sa_flags & SA_ONSTACK) && !inside && !(s->altstack.ss_flags & SS_DISABLE))
		sp = s->altstack.ss_sp + s->altstack.ss_size;
	sp = ALIGN_DOWN(sp - size, 16);
	/* Overflow of the alternate stack: an address that faults, as Linux's ~0. */
	if (inside && !on_altstack(s, sp))
		return ~15UL;
	return sp;
}

/* Builds the frame and points `frame` at the handler. 0 or -EFAULT. */
static int signal_setup_frame(struct task *t, struct trap_frame *frame,
			      const struct abi_sigaction *action, const struct abi_siginfo *info)
{
	struct task_signals *s = &t->signals;
	u64 mask = s->restore_mask ? s->saved_mask : s->blocked;
	u64 sp = signal_frame_address(t, action, frame->sp);
	struct abi_rt_sigframe __user *user = (struct abi_rt_sigframe __user *)sp;

	if (copy_to_user(&user->info, info, sizeof(*info)) ||
	    signal_save_context(t, frame, &user->uc, mask))
		return -EFAULT;
	if (s->altstack.ss_flags & (int)SS_AUTODISARM)
		s->altstack = (struct abi_stack){.ss_flags = SS_DISABLE};
	frame->ra = vdso_sigreturn(t->process);
	frame->sp = sp;
	frame->pc = action->sa_handler;
	frame->a0 = (u64)info->si_signo;
	frame->a1 = (u64)&user->info;
	frame->a2 = (u64)&user->uc;
	return 0;
}

static void signal_run_handler(struct task *t, struct trap_frame *frame,
			       const struct abi_sigaction *action, const struct abi_siginfo *info)
{
	u64 mask = t->signals.blocked | action->sa_mask;

	if (!rseq_interrupt(frame) || signal_setup_frame(t, frame, action, info)) {
		/* No stack to run on: a second SIGSEGV kills for certain. */
		if (info->si_signo == SIGSEGV) {
			spin_lock(&t->process->lock);
			t->process->signals.actions[SIGSEGV - 1].sa_handler = SIG_DFL;
			spin_unlock(&t->process->lock);
		}
		signal_force_fault(SIGSEGV, SI_KERNEL, 0);
		return;
	}
	t->signals.restore_mask = false;
	if (!(action->sa_flags & SA_NODEFER))
		mask |= SIGMASK(info->si_signo);
	signal_set_mask(mask);
}

/* Stops that are due come before signals. True: there was one. */
static bool signal_stop_first(struct task *t)
{
	u32 work = atomic_load_relaxed(&t->thread.work);

	if (work & THREAD_WORK_STOP) {
		task_stop(t);
		return true;
	}
	return unlikely(work & THREAD_WORK_TRACED) && ptrace_trap(t);
}

static void signal_action_locked(struct process *p, int sig, struct abi_sigaction *action)
{
	struct abi_sigaction *a = &p->signals.actions[sig - 1];

	*action = *a;
	if (a->sa_handler > SIG_IGN && (a->sa_flags & SA_RESETHAND))
		a->sa_handler = SIG_DFL;
}

enum signal_taken { SIGNAL_NONE, SIGNAL_TAKEN, SIGNAL_TRACED, SIGNAL_STOP };

/* One signal out of the queues, and unless the task is traced what is to be done for it. */
static enum signal_taken signal_take(struct task *t, struct abi_siginfo *info,
				     struct abi_sigaction *action)
{
	struct process *p = t->process;
	enum signal_taken ret = SIGNAL_NONE;

	spin_lock(&p->lock);
	atomic_fetch_and(&t->thread.work, (u32)~THREAD_WORK_SIGNAL);
	/* The bit stood for this demand too. */
	if (unlikely(t->ptrace.traps) && !(t->thread.work & THREAD_WORK_KILL)) {
		ret = SIGNAL_STOP;
	} else if (signal_take_locked(t, ~t->signals.blocked, info)) {
		t->stop_taken = t->ptrace.tracer || signal_default_stops(info->si_signo);
		ret = t->ptrace.tracer ? SIGNAL_TRACED : SIGNAL_TAKEN;
		if (ret == SIGNAL_TAKEN)
			signal_action_locked(p, info->si_signo, action);
	}
	spin_unlock(&p->lock);
	return ret;
}

/* Takes the next signal that needs something done. False: none left. */
static bool signal_next(struct task *t, struct abi_siginfo *info, struct abi_sigaction *action)
{
	for (;;) {
		enum signal_taken taken;

		if (signal_stop_first(t))
			continue;
		taken = signal_take(t, info, action);
		if (likely(taken == SIGNAL_NONE || taken == SIGNAL_TAKEN))
			return taken == SIGNAL_TAKEN;
		if (taken == SIGNAL_STOP || !ptrace_signal(t, info))
			continue;
		spin_lock(&t->process->lock);
		signal_action_locked(t->process, info->si_signo, action);
		spin_unlock(&t->process->lock);
		return true;
	}
}

static void signal_default(struct task *t, int sig)
{
	if (signal_default_ignored(sig))
		return;
	if (signal_default_stops(sig))
		process_stop(t->process, sig);
	else
		process_exit_group(sig);
}

void signal_deliver(struct trap_frame *frame)
{
	struct task *t = task_current();
	struct signal_restart restart;
	struct abi_siginfo info;
	struct abi_sigaction action;

	restart_prepare(frame, &restart);
	while (signal_next(t, &info, &action)) {
		if (action.sa_handler == SIG_DFL) {
			signal_default(t, info.si_signo);
		} else if (action.sa_handler != SIG_IGN) {
			restart_handler(frame, &restart, &action);
			signal_run_handler(t, frame, &action, &info);
		}
	}
	restart_finish(frame, &restart);
	if (t->signals.restore_mask) {
		t->signals.restore_mask = false;
		signal_set_mask(t->signals.saved_mask);
	}
}

/* What sigaltstack and sigreturn accept. */
int signal_set_altstack(struct task *t, const struct abi_stack *stack, u64 sp)
{
	struct task_signals *s = &t->signals;
	u32 mode = (u32)stack->ss_flags & ~SS_AUTODISARM;

	if (on_altstack(s, sp))
		return -EPERM;
	if (mode != 0 && mode != SS_DISABLE && mode != SS_ONSTACK)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		s->altstack = (struct abi_stack){.ss_flags = stack->ss_flags};
		return 0;
	}
	if (stack->ss_size < MINSIGSTKSZ ||
	    stack->ss_size <= signal_frame_size(task_vector_record_size(t)))
		return -ENOMEM;
	s->altstack = *stack;
	s->altstack.ss_flags &= (s32)~SS_ONSTACK;
	return 0;
}

int signal_altstack_status(const struct task_signals *s, u64 sp)
{
	if (s->altstack.ss_size == 0)
		return SS_DISABLE | s->altstack.ss_flags;
	return s->altstack.ss_flags | (on_altstack(s, sp) ? SS_ONSTACK : 0);
}

static int signal_load_fp(struct task *t, const struct abi_sigcontext __user *sc)
{
	struct abi_fp_state fp;
	u32 reserved;

	if (copy_from_user(&fp, &sc->fp, offsetof(struct abi_fp_state, pad)) ||
	    user_load_u32(&sc->reserved, &reserved))
		return -EFAULT;
	if (reserved)
		return -EINVAL;
	fpu_save(&t->fp);
	for (u32 i = 0; i < 32; i++)
		t->fp.f[i] = fp.f[i];
	t->fp.fcsr = fp.fcsr;
	return 0;
}

/* At most one record of vectors, then the end. */
static int signal_load_records(struct task *t, const struct abi_sigcontext __user *sc)
{
	const struct abi_ext_header __user *at = &sc->records;
	struct abi_ext_header header;
	int err;

	if (copy_from_user(&header, at, sizeof(header)))
		return -EFAULT;
	if (header.magic == RISCV_V_MAGIC) {
		err = task_vector_load(t, at, header.size);
		if (err)
			return err;
		at = (const struct abi_ext_header __user *)((u64)at + header.size);
		if (copy_from_user(&header, at, sizeof(header)))
			return -EFAULT;
	}
	return header.magic || header.size ? -EINVAL : 0;
}

bool signal_return(struct trap_frame *frame)
{
	struct task *t = task_current();
	struct abi_rt_sigframe __user *user = (struct abi_rt_sigframe __user *)frame->sp;
	struct abi_stack stack;
	u64 mask;

	/* Vectors that are not in the frame are this call's to take. */
	if (atomic_load_relaxed(&t->thread.work) & THREAD_WORK_VECTOR)
		task_vector_call(t);
	if (!IS_ALIGNED(frame->sp, 16) || user_load_u64(&user->uc.uc_sigmask, &mask) ||
	    copy_from_user(&stack, &user->uc.uc_stack, sizeof(stack)) ||
	    signal_load_fp(t, &user->uc.uc_mcontext) ||
	    signal_load_records(t, &user->uc.uc_mcontext) ||
	    copy_from_user(frame, &user->uc.uc_mcontext.regs, SIGNAL_REGS_SIZE))
		return false;
	frame->cause = TRAP_CAUSE_NONE;
	signal_set_mask(mask);
	/* As Linux: a stack that cannot be set is left alone. */
	signal_set_altstack(t, &stack, frame->sp);
	return true;
}
