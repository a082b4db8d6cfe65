/*
 * Restartable sequences.
 *
 * Two things ask for THREAD_WORK_RSEQ. A thread that comes to run on another hart than the one it
 * was told (thread->rseq_hart) must be told; the switch compares these. And one that was switched
 * out behind an exception or interrupt of user mode may have been in a critical section; the way
 * out compares the count of switches. System calls are not made in such sections, so a thread that
 * blocks in one and runs on on the same hart pays two comparisons.
 *
 * Source: rseq(2) and the comments of linux/rseq.h in the C library's headers.
 */
#include "kernel/task/rseq.h"

#include "abi/errno.h"
#include "abi/rseq.h"
#include "arch/riscv64/cpu.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"

static struct abi_rseq __user *rseq_area(const struct task *t)
{
	return (struct abi_rseq __user *)t->rseq.addr;
}

static int store_numbers(struct task *t, u32 start, u32 cpu, u32 cid)
{
	struct abi_rseq __user *area = rseq_area(t);

	if (user_store_u32(&area->cpu_id_start, start) || user_store_u32(&area->cpu_id, cpu) ||
	    user_store_u32(&area->node_id, 0) || user_store_u32(&area->mm_cid, cid))
		return -EFAULT;
	return 0;
}

long rseq_register(u64 addr, u32 len, u32 signature)
{
	struct task *t = task_current();

	if (t->rseq.addr) {
		if (t->rseq.addr != addr || t->rseq.len != len)
			return -EINVAL;
		return t->rseq.signature == signature ? -EBUSY : -EPERM;
	}
	if (len < RSEQ_SIZE_FIRST || !IS_ALIGNED(addr, RSEQ_ALIGN))
		return -EINVAL;
	if (addr > USER_TOP - len)
		return -EFAULT;
	t->rseq = (struct task_rseq){.addr = addr, .len = len, .signature = signature};
	t->thread.rseq_hart = RSEQ_HART_UNTOLD;
	atomic_fetch_or(&t->thread.work, THREAD_WORK_RSEQ);
	return 0;
}

long rseq_unregister(u64 addr, u32 len, u32 signature)
{
	struct task *t = task_current();

	if (!t->rseq.addr || t->rseq.addr != addr || t->rseq.len != len)
		return -EINVAL;
	if (t->rseq.signature != signature)
		return -EPERM;
	if (store_numbers(t, 0, RSEQ_CPU_ID_UNINITIALIZED, 0))
		return -EFAULT;
	rseq_forget(t);
	return 0;
}

void rseq_inherit(struct task *t, const struct task *parent)
{
	rseq_forget(t);
	if (!parent || !parent->rseq.addr)
		return;
	t->rseq = parent->rseq;
	t->thread.rseq_hart = RSEQ_HART_UNTOLD;
	t->thread.work |= THREAD_WORK_RSEQ;
}

void rseq_forget(struct task *t)
{
	t->rseq = (struct task_rseq){0};
	t->thread.rseq_hart = RSEQ_HART_NONE;
}

/* Loads and checks the descriptor of a critical section. 0, -EFAULT, -EINVAL. */
static int load_section(const struct task *t, u64 addr, struct abi_rseq_cs *cs)
{
	u32 signature;

	if (addr >= USER_TOP || copy_from_user(cs, (const void __user *)addr, sizeof(*cs)))
		return -EFAULT;
	if (cs->version > 0 || cs->flags || cs->start_ip >= USER_TOP ||
	    cs->post_commit_offset > USER_TOP || cs->start_ip + cs->post_commit_offset >= USER_TOP ||
	    cs->abort_ip >= USER_TOP || cs->abort_ip - cs->start_ip < cs->post_commit_offset)
		return -EINVAL;
	if (user_load_u32((const u32 __user *)(cs->abort_ip - sizeof(u32)), &signature))
		return -EFAULT;
	return signature == t->rseq.signature ? 0 : -EINVAL;
}

/* The program counter stands in a section: on to its abort handler. 0 or -errno. */
static int abort_section(struct task *t, struct trap_frame *frame)
{
	struct abi_rseq __user *area = rseq_area(t);
	struct abi_rseq_cs cs;
	u32 flags;
	u64 addr;
	int err;

	if (user_load_u64(&area->rseq_cs, &addr))
		return -EFAULT;
	if (!addr)
		return 0;
	err = load_section(t, addr, &cs);
	if (err)
		return err;
	if (frame->pc - cs.start_ip < cs.post_commit_offset) {
		if (user_load_u32(&area->flags, &flags))
			return -EFAULT;
		if (flags)
			return -EINVAL;
		frame->pc = cs.abort_ip;
	}
	return user_store_u64(&area->rseq_cs, 0);
}

bool rseq_interrupt(struct trap_frame *frame)
{
	struct task *t = task_current();

	return !t->rseq.addr || abort_section(t, frame) == 0;
}

void rseq_resume(struct trap_frame *frame)
{
	struct task *t = task_current();
	u32 cpu;
	int err;

	atomic_fetch_and(&t->thread.work, (u32)~THREAD_WORK_RSEQ);
	if (!t->rseq.addr)
		return;
	err = abort_section(t, frame);
	/* First the note: a switch to another hart from here on asks again. */
	t->thread.rseq_hart = cpu = cpu_id();
	if (!err)
		err = store_numbers(t, cpu, cpu, cpu);
	if (err)
		signal_force_fault(SIGSEGV, SI_KERNEL, 0);
}
