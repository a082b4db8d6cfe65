/*
 * System calls about the machine and the system as a whole: names, memory figures, limits, random
 * numbers, barriers.
 */
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/signal.h"
#include "abi/system.h"
#include "arch/riscv64/cpu.h"
#include "arch/riscv64/csr.h"
#include "kernel/fs/load.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/random/random.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/task.h"
#include "kernel/task/timers.h"

#include <string.h>

static u16 count_processes(void)
{
	u32 n = 0;

	for (u32 pid = task_next_pid(0); pid; pid = task_next_pid(pid))
		n++;
	return (u16)MIN(n, 0xffffU);
}

long sys_sysinfo(SYSCALL_ARGS)
{
	struct abi_sysinfo info = {
		.uptime = (s64)(time_monotonic_ns() / NSEC_PER_SEC),
		.totalram = mm_total_pages() * PAGE_SIZE,
		.freeram = mm_free_pages() * PAGE_SIZE,
		.procs = count_processes(),
		.mem_unit = 1,
	};

	load_average(info.loads);
	return copy_to_user((void __user *)a0, &info, sizeof(info));
}

#define RANDOM_CHUNK 256

long sys_getrandom(SYSCALL_ARGS)
{
	u64 len = MIN(a1, (u64)INT32_MAX), done = 0;
	u32 flags = (u32)a2;
	struct iov_segment seg;
	struct iov_iter it;
	u8 chunk[RANDOM_CHUNK];

	if ((flags & ~(u32)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	iov_iter_user(&it, &seg, a0, len);
	while (done < len) {
		size_t n = MIN(len - done, sizeof(chunk));
		long copied;

		random_bytes(chunk, n);
		copied = iov_copy_out(&it, chunk, n);
		if (copied > 0)
			done += (u64)copied;
		if (copied != (long)n)
			break;
		kernel_relax();
		if (done < len && signal_pending(task_current()))
			break;
	}
	memset(chunk, 0, sizeof(chunk));
	return done || !len ? (long)done : -EFAULT;
}

/* ---- limits and usage ---- */

static long do_rlimit(struct process *p, u32 resource, const struct abi_rlimit *new,
		      struct abi_rlimit *old)
{
	struct abi_rlimit *limit = &p->rlimits[resource];
	long err = 0;

	if (new &&new->rlim_cur > new->rlim_max)
		return -EINVAL;
	spin_lock(&p->lock);
	*old = *limit;
	if (new &&new->rlim_max > limit->rlim_max && !capable(CAP_SYS_RESOURCE))
		err = -EPERM;
	else if (new)
		*limit = *new;
	spin_unlock(&p->lock);
	return err;
}

/* The space keeps copies of the limits on it. */
static void apply_memory_limits(struct process *p)
{
	struct mm *mm = process_mm_get(p);

	if (!mm)
		return;
	mm_set_limits(mm, process_rlimit(p, RLIMIT_AS), process_rlimit(p, RLIMIT_DATA),
		      process_rlimit(p, RLIMIT_STACK));
	mm_put(mm);
}

long sys_prlimit64(SYSCALL_ARGS)
{
	struct abi_rlimit new, old;
	struct process *p;
	long err;

	if ((u32)a1 >= RLIM_NLIMITS)
		return -EINVAL;
	if (a2 && copy_from_user(&new, (const void __user *)a2, sizeof(new)))
		return -EFAULT;
	p = (s32)a0 == 0 ? process_current() : process_find((u32)a0);
	if (!p)
		return -ESRCH;
	if (p != process_current() && !capable(CAP_SYS_RESOURCE) &&
	    !cred_same_ids(cred_current(), atomic_load_acquire(&p->cred)))
		return -EPERM;
	err = do_rlimit(p, (u32)a1, a2 ? &new : NULL, &old);
	if (err)
		return err;
	if (a2 && ((u32)a1 == RLIMIT_CPU || (u32)a1 == RLIMIT_RTTIME) && process_timers_limit(p))
		return -ENOMEM;
	if (a2 && ((u32)a1 == RLIMIT_AS || (u32)a1 == RLIMIT_DATA || (u32)a1 == RLIMIT_STACK))
		apply_memory_limits(p);
	return a3 ? copy_to_user((void __user *)a3, &old, sizeof(old)) : 0;
}

long sys_getrlimit(SYSCALL_ARGS)
{
	return a1 || (u32)a0 >= RLIM_NLIMITS ? sys_prlimit64(0, a0, 0, a1, 0, 0) : -EFAULT;
}

long sys_setrlimit(SYSCALL_ARGS)
{
	return a1 ? sys_prlimit64(0, a0, a1, 0, 0, 0) : -EFAULT;
}

long sys_getrusage(SYSCALL_ARGS)
{
	struct process *p = process_current();
	struct abi_rusage ru;

	switch ((s32)a0) {
	case RUSAGE_SELF:
		process_usage(p, &ru);
		break;
	case RUSAGE_THREAD:
		task_usage(task_current(), &ru);
		break;
	case RUSAGE_CHILDREN:
		spin_lock(&p->child_lock);
		ru = p->children_usage;
		spin_unlock(&p->child_lock);
		break;
	default:
		return -EINVAL;
	}
	return copy_to_user((void __user *)a1, &ru, sizeof(ru));
}

#define PERSONALITY_ASK 0xffffffff

long sys_personality(SYSCALL_ARGS)
{
	struct task *t = task_current();
	u32 old = t->personality, new = (u32)a0;

	if (new == PERSONALITY_ASK)
		return old;
	if (new &(MMAP_PAGE_ZERO | ADDR_COMPAT_LAYOUT | READ_IMPLIES_EXEC))
		return -EINVAL;
	t->personality = new;
	return old;
}

/* ---- barriers and caches ---- */

static void fence_fn(void *arg)
{
	(void)arg;
	fence_full();
}

static void fence_i_fn(void *arg)
{
	(void)arg;
	fence_i();
}

/* A critical section that runs now starts again: see rseq.c. */
static void rseq_abort_fn(void *arg)
{
	struct thread *t = thread_current();

	fence_full();
	if (t->mm == arg && t->rseq_hart != RSEQ_HART_NONE)
		atomic_fetch_or(&t->work, THREAD_WORK_RSEQ);
}

#define MEMBARRIER_REGISTRATIONS                                                                   \
	(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |    \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |                                     \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)
#define MEMBARRIER_COMMANDS                                                                           \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED | \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ |         \
	 MEMBARRIER_CMD_GET_REGISTRATIONS | MEMBARRIER_REGISTRATIONS)

/* The barrier of `command` on the harts of `mask`, for a process that has registered for it. */
static long membarrier_private(struct process *p, u32 command, u64 mask)
{
	/* Each registration is the bit above its command. */
	if (!(atomic_load_relaxed(&p->membarrier_registered) & (command << 1)))
		return -EPERM;
	if (command == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ)
		hart_call(mask, rseq_abort_fn, p->mm);
	else if (command == MEMBARRIER_CMD_PRIVATE_EXPEDITED)
		hart_call(mask, fence_fn, NULL);
	else
		hart_call(mask, fence_i_fn, NULL);
	return 0;
}

long sys_membarrier(SYSCALL_ARGS)
{
	struct process *p = process_current();
	u32 command = (u32)a0, flags = (u32)a1, cpu = (u32)a2;
	bool one = command == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ &&
		   flags == MEMBARRIER_CMD_FLAG_CPU;

	if (flags && !one)
		return -EINVAL;
	switch (command) {
	case MEMBARRIER_CMD_QUERY:
		return MEMBARRIER_COMMANDS;
	case MEMBARRIER_CMD_GET_REGISTRATIONS:
		return atomic_load_relaxed(&p->membarrier_registered);
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		atomic_fetch_or(&p->membarrier_registered, command);
		return 0;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
		if (one && cpu >= nr_cpus)
			return 0;
		return membarrier_private(p, command, one ? BIT(cpu) : hart_all());
	case MEMBARRIER_CMD_GLOBAL:
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		hart_call(hart_all(), fence_fn, NULL);
		return 0;
	default:
		return -EINVAL;
	}
}

#define FLUSH_ICACHE_LOCAL 1

long sys_riscv_flush_icache(SYSCALL_ARGS)
{
	if (a2 & ~(u64)FLUSH_ICACHE_LOCAL)
		return -EINVAL;
	/*
	 * "Local" means this thread only; it may have moved to another hart by the time it runs the
	 * new code.
	 */
	hart_call(hart_all(), fence_i_fn, NULL);
	return 0;
}
