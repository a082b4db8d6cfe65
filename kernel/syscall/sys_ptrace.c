/*
 * ptrace: decodes the request, copies what it takes and gives. What it does: kernel/task/ptrace.h. Requests that riscv64 does not have
 * (PEEKUSER, GETREGS, SINGLESTEP and the like) answer EIO, as on Linux: debuggers step there by breakpoints.
 */
#include "abi/errno.h"
#include "abi/ptrace.h"
#include "abi/signal.h"
#include "abi/system.h"
#include "abi/uio.h"
#include "kernel/file/file.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/task.h"

/* As Linux without seccomp: it has no filters to suspend. */
#define OPTIONS_KNOWN 0x001000ffUL

/* The tracee's address space, with a reference; NULL: it has none that its tracer may look into. */
static struct mm *tracee_mm(struct task *t)
{
	if (atomic_load_relaxed(&t->process->dumpable) != DUMPABLE_USER && !capable(CAP_SYS_PTRACE))
		return NULL;
	return process_mm_get(t->process);
}

/* One word, as PEEKTEXT and POKETEXT move it. */
static long request_word(struct task *t, u64 addr, u64 *word, bool write)
{
	struct mm *mm = tracee_mm(t);
	long n;

	if (!mm)
		return -EIO;
	n = mm_access_forced(mm, addr, word, sizeof(*word), write);
	mm_put(mm);
	return n == (long)sizeof(*word) ? 0 : -EIO;
}

static long request_peek(struct task *t, u64 addr, u64 user)
{
	u64 word;
	long err = request_word(t, addr, &word, false);

	return err ? err : user_store_u64((u64 __user *)user, word);
}

static long request_siginfo(struct task *t, u64 user, bool set)
{
	struct abi_siginfo info;
	long err;

	if (set && copy_from_user(&info, (const void __user *)user, sizeof(info)))
		return -EFAULT;
	err = ptrace_siginfo(t, &info, set);
	if (!err && !set)
		err = copy_to_user((void __user *)user, &info, sizeof(info));
	return err;
}

static long request_peek_pending(struct task *t, u64 args_user, u64 user)
{
	struct abi_ptrace_peeksiginfo_args args;
	struct abi_siginfo info;
	s32 i;

	if (copy_from_user(&args, (const void __user *)args_user, sizeof(args)))
		return -EFAULT;
	if ((args.flags & ~(u32)PTRACE_PEEKSIGINFO_SHARED) || args.nr < 0)
		return -EINVAL;
	for (i = 0; i < args.nr; i++) {
		if (!ptrace_peek_pending(t, args.flags & PTRACE_PEEKSIGINFO_SHARED,
					 args.off + (u64)i, &info))
			break;
		if (copy_to_user((void __user *)(user + (u64)i * sizeof(info)), &info, sizeof(info)))
			return i ? i : -EFAULT;
	}
	return i;
}

static long request_sigmask(struct task *t, u64 size, u64 user, bool set)
{
	u64 mask;

	if (size != sizeof(mask))
		return -EINVAL;
	if (!set)
		return user_store_u64((u64 __user *)user, ptrace_sigmask(t));
	if (copy_from_user(&mask, (const void __user *)user, sizeof(mask)))
		return -EFAULT;
	ptrace_set_sigmask(t, mask);
	return 0;
}

static long request_syscall_info(struct task *t, u64 size, u64 user)
{
	struct abi_ptrace_syscall_info info;
	u32 len = ptrace_syscall_info(t, &info);

	if (copy_to_user((void __user *)user, &info, MIN(size, (u64)len)))
		return -EFAULT;
	return len;
}

/* The bytes that go: from or to `iov`, by way of a kernel copy. */
static long regset_move(struct task *t, u64 type, const struct abi_iovec *iov, u64 size, bool set)
{
	void *buf = kzalloc(size);
	u64 len = MIN(iov->iov_len, size);
	long ret = -EFAULT;

	if (!buf)
		return -ENOMEM;
	if (!set) {
		ptrace_regset_read(t, type, buf);
		ret = copy_to_user((void __user *)iov->iov_base, buf, len);
	} else if (!copy_from_user(buf, (const void __user *)iov->iov_base, len)) {
		ret = ptrace_regset_write(t, type, buf, len);
	}
	kfree(buf);
	return ret;
}

static long request_regset(struct task *t, u64 type, u64 user, bool set)
{
	struct abi_iovec __user *iov_user = (struct abi_iovec __user *)user;
	struct abi_iovec iov;
	u32 unit;
	long size, ret;

	if (copy_from_user(&iov, iov_user, sizeof(iov)))
		return -EFAULT;
	size = ptrace_regset_size(t, type, &unit);
	if (size < 0)
		return size;
	if (iov.iov_len % unit)
		return -EINVAL;
	ret = regset_move(t, type, &iov, (u64)size, set);
	if (ret)
		return ret;
	return user_store_u64((u64 __user *)&iov_user->iov_len, MIN(iov.iov_len, (u64)size));
}

static long request_options(struct task *t, u64 options)
{
	if (options & ~OPTIONS_KNOWN)
		return -EINVAL;
	ptrace_set_options(t, (u32)options);
	return 0;
}

/* Requests that leave the tracee, which is held, where it is. */
static long request_look(struct task *t, u64 request, u64 addr, u64 data)
{
	switch (request) {
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA:
		return request_peek(t, addr, data);
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
		return request_word(t, addr, &data, true);
	case PTRACE_GETREGSET:
	case PTRACE_SETREGSET:
		return request_regset(t, addr, data, request == PTRACE_SETREGSET);
	case PTRACE_GETSIGINFO:
	case PTRACE_SETSIGINFO:
		return request_siginfo(t, data, request == PTRACE_SETSIGINFO);
	case PTRACE_PEEKSIGINFO:
		return request_peek_pending(t, addr, data);
	case PTRACE_GETSIGMASK:
	case PTRACE_SETSIGMASK:
		return request_sigmask(t, addr, data, request == PTRACE_SETSIGMASK);
	case PTRACE_SETOPTIONS:
		return request_options(t, data);
	case PTRACE_GETEVENTMSG:
		return user_store_u64((u64 __user *)data, ptrace_message(t));
	case PTRACE_GET_SYSCALL_INFO:
		return request_syscall_info(t, addr, data);
	case PTRACE_LISTEN:
		return ptrace_listen(t);
	default:
		return -EIO;
	}
}

/* Requests of a tracee that rests. */
static long request_stopped(u32 tid, u64 request, u64 addr, u64 data)
{
	struct task *t = ptrace_get(tid, false);
	bool goes = request == PTRACE_CONT || request == PTRACE_SYSCALL || request == PTRACE_DETACH;
	long ret = 0;

	if (is_err(t))
		return ptr_err(t);
	if (goes && data > NSIG)
		ret = -EIO;
	else if (request == PTRACE_DETACH)
		ptrace_detach(t, (u32)data);
	else if (goes)
		ptrace_resume(t, (u32)data, request == PTRACE_SYSCALL);
	else
		ret = request_look(t, request, addr, data);
	if (!goes || ret)
		ptrace_release(t);
	thread_put(&t->thread);
	return ret;
}

/* Requests of a tracee whatever it does. */
static long request_any(u32 tid, u64 request)
{
	struct abi_siginfo kill = {.si_signo = SIGKILL, .si_code = SI_USER};
	struct task *t = ptrace_get(tid, true);
	long ret = 0;

	if (is_err(t))
		return ptr_err(t);
	if (request == PTRACE_INTERRUPT)
		ret = ptrace_interrupt(t);
	else
		signal_send_task(t, &kill);
	thread_put(&t->thread);
	return ret;
}

static long request_attach(u32 tid, u64 request, u64 addr, u64 data)
{
	bool seize = request == PTRACE_SEIZE, found;

	epoch_enter();
	found = task_find(tid);
	epoch_exit();
	if (!found)
		return -ESRCH;
	if (!seize)
		return ptrace_attach(tid, false, 0);
	if (addr || (data & ~OPTIONS_KNOWN))
		return -EIO;
	return ptrace_attach(tid, true, (u32)data);
}

long sys_ptrace(SYSCALL_ARGS)
{
	u32 tid = (u32)a1;

	switch (a0) {
	case PTRACE_TRACEME:
		return ptrace_traceme();
	case PTRACE_ATTACH:
	case PTRACE_SEIZE:
		return request_attach(tid, a0, a2, a3);
	case PTRACE_KILL:
	case PTRACE_INTERRUPT:
		return request_any(tid, a0);
	default:
		return request_stopped(tid, a0, a2, a3);
	}
}
