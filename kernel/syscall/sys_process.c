/*
 * System calls on processes and threads: birth, death, numbers.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/rseq.h"
#include "abi/sched.h"
#include "arch/riscv64/entry.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/exec.h"
#include "kernel/task/job.h"
#include "kernel/task/pidfd.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/rseq.h"
#include "kernel/task/task.h"
#include "kernel/trace/trace.h"

#include <stdio.h>
#include <string.h>

long sys_exit(SYSCALL_ARGS)
{
	task_exit((int)(a0 & 0xff) << 8);
}

long sys_exit_group(SYSCALL_ARGS)
{
	process_exit_group((int)(a0 & 0xff) << 8);
}

long sys_set_tid_address(SYSCALL_ARGS)
{
	struct task *t = task_current();

	t->clear_child_tid = (u32 __user *)a0;
	return t->thread.tid;
}

long sys_rseq(SYSCALL_ARGS)
{
	if ((u32)a2 & RSEQ_FLAG_UNREGISTER)
		return (u32)a2 != RSEQ_FLAG_UNREGISTER ? -EINVAL
						       : rseq_unregister(a0, (u32)a1, (u32)a3);
	return (u32)a2 ? -EINVAL : rseq_register(a0, (u32)a1, (u32)a3);
}

/* riscv64's order: flags, stack, parent_tid, tls, child_tid. Source: clone(2). */
long sys_clone(SYSCALL_ARGS)
{
	struct abi_clone_args args = {
		.flags = a0 & 0xffffffff & ~CSIGNAL,
		.exit_signal = a0 & CSIGNAL,
		.stack = a1,
		.parent_tid = a2,
		.pidfd = a2, /* with CLONE_PIDFD */
		.tls = a3,
		.child_tid = a4,
	};

	if (args.exit_signal > NSIG)
		return -EINVAL;
	return task_clone(&args);
}

static int clone3_check(const struct abi_clone_args *args)
{
	if (args->set_tid || args->set_tid_size)
		return -EINVAL;
	if (args->flags & ~(0xffffffffUL | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP))
		return -EINVAL;
	if (args->flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME)))
		return -EINVAL;
	if ((args->flags & (CLONE_THREAD | CLONE_PARENT)) && args->exit_signal)
		return -EINVAL;
	if (args->exit_signal > NSIG)
		return -EINVAL;
	if (!args->stack != !args->stack_size || args->stack + args->stack_size < args->stack ||
	    args->stack + args->stack_size > USER_TOP)
		return -EINVAL;
	return 0;
}

long sys_clone3(SYSCALL_ARGS)
{
	struct abi_clone_args args;
	int err;

	if (a1 < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (a1 > PAGE_SIZE)
		return -E2BIG;
	err = copy_versioned(&args, sizeof(args), (const void __user *)a0, a1);
	if (!err)
		err = clone3_check(&args);
	return err ? err : task_clone(&args);
}

/* The file, copies of argv and env, then the program. */
static long exec_copy_and_run(struct exec_source *source, u64 argv, u64 env)
{
	struct exec_args args = {0};
	long err = fs_open_exec(task_current()->fs, source->at, source->walk_name, source->walk,
				&source->file);

	if (err)
		return err;
	err = exec_args_add_user(&args, argv, &args.argc);
	/* As Linux: a program always has an argv[0]. */
	if (!err && args.argc == 0) {
		err = exec_args_add(&args, "", 0);
		args.argc = 1;
	}
	if (!err)
		err = exec_args_add_user(&args, env, &args.envc);
	if (err)
		file_put(source->file);
	else
		err = exec_program(source, &args);
	exec_args_free(&args);
	return err;
}

/* Where the program lies; its name is the path, or by way of /dev/fd if a descriptor is needed. */
static long exec_from(u64 dirfd, const char *path, u64 argv, u64 env, u32 walk)
{
	struct exec_source source = {.name = path, .walk_name = path, .walk = walk};
	struct dir_arg dir;
	char *name = NULL;
	long err = dir_arg_get(&dir, dirfd, path);

	if (err)
		return err;
	source.at = dir.at;
	if (dir.at) {
		name = kmalloc(FS_PATH_MAX + 32);
		if (name)
			snprintf(name, FS_PATH_MAX + 32, *path ? "/dev/fd/%d/%s" : "/dev/fd/%d",
				 (int)dirfd, path);
		source.name = name;
	}
	if (!source.name)
		err = -ENOMEM;
	else
		err = exec_copy_and_run(&source, argv, env);
	kfree(name);
	dir_arg_put(&dir);
	return err;
}

static long exec_call(u64 dirfd, u64 path_user, u64 argv, u64 env, u32 flags)
{
	u64 nr = task_frame(task_current())->a7; /* the new program's registers are zero */
	struct path_arg path;
	long err = path_arg_get(&path, path_user);

	if (err)
		return err;
	if (!*path.text && !(flags & AT_EMPTY_PATH))
		err = -ENOENT;
	else if (flags & ~(u32)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		err = -EINVAL;
	else
		err = exec_from(dirfd, path.text, argv, env, walk_of_at(flags));
	path_arg_put(&path);
	if (err)
		return err;
	trace_sys_exit(nr, 0);
	ptrace_syscall_exit();
	arch_return_to_user(task_frame(task_current()));
}

long sys_execve(SYSCALL_ARGS)
{
	return exec_call((u64)AT_FDCWD, a0, a1, a2, 0);
}

long sys_execveat(SYSCALL_ARGS)
{
	return exec_call(a0, a1, a2, a3, (u32)a4);
}

long sys_wait4(SYSCALL_ARGS)
{
	struct wait_result result;
	u32 options = (u32)a2;
	long pid;

	if (options & ~(u32)(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if ((s32)a0 == INT32_MIN)
		return -ESRCH;
	pid = process_wait((s32)a0, options | WEXITED, &result);
	if (pid <= 0)
		return pid;
	if (a1 && user_store_u32((u32 __user *)a1, (u32)result.status))
		return -EFAULT;
	if (a3 && copy_to_user((void __user *)a3, &result.usage, sizeof(result.usage)))
		return -EFAULT;
	return pid;
}

/* The process behind a pidfd. A non-blocking one answers EAGAIN where WNOHANG would say nothing. */
static int waitid_pidfd(s32 fd, s64 *pid, u32 *options)
{
	struct fd_ref r = fd_borrow(task_current()->files, fd);
	int err = 0;

	if (!r.file || !pidfd_process(r.file)) {
		err = -EBADF;
	} else if (pidfd_reaped(r.file)) {
		err = -ECHILD;
	} else {
		*pid = pidfd_number(r.file);
		if (atomic_load_relaxed(&r.file->flags) & O_NONBLOCK)
			*options |= WNOHANG;
	}
	if (r.file)
		fd_return(&r);
	return err;
}

/* waitid's first two arguments as process_wait() wants them; 0 or -EINVAL. */
static int waitid_target(u32 kind, s32 id, s64 *pid, u32 *options)
{
	switch (kind) {
	case P_ALL:
		*pid = -1;
		return 0;
	case P_PID:
		*pid = id;
		return id > 0 ? 0 : -EINVAL;
	case P_PGID:
		*pid = -(s64)id;
		return id >= 0 ? 0 : -EINVAL;
	case P_PIDFD:
		return id < 0 ? -EINVAL : waitid_pidfd(id, pid, options);
	default:
		return -EINVAL;
	}
}

/* What waitid tells of a child. */
static void waitid_fill(struct abi_siginfo *info, const struct wait_result *result)
{
	bool by_status = result->code == CLD_EXITED || result->code == CLD_STOPPED;

	*info = (struct abi_siginfo){
		.si_signo = SIGCHLD,
		.si_code = result->code,
		.si_child_pid = (s32)result->pid,
		.si_child_uid = result->uid,
		.si_status = result->code == CLD_CONTINUED ? SIGCONT
			     : result->code == CLD_TRAPPED ? result->status >> 8
			     : by_status		   ? (result->status >> 8) & 0xff
							   : result->status & 0x7f,
	};
}

static long waitid(u32 kind, s32 id, u32 wanted, struct wait_result *result)
{
	u32 options = wanted;
	s64 pid = 0;
	long ret;

	if (options & ~(u32)(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD |
			     __WCLONE | __WALL))
		return -EINVAL;
	if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	ret = waitid_target(kind, id, &pid, &options);
	if (!ret)
		ret = process_wait(pid, options, result);
	if (!ret && (options & WNOHANG) && !(wanted & WNOHANG))
		ret = -EAGAIN;
	return ret;
}

long sys_waitid(SYSCALL_ARGS)
{
	struct wait_result result = {0};
	struct abi_siginfo info = {0};
	long ret = waitid((u32)a0, (s32)a1, (u32)a3, &result);

	if (ret > 0) {
		waitid_fill(&info, &result);
		ret = 0;
		if (a4 && copy_to_user((void __user *)a4, &result.usage, sizeof(result.usage)))
			return -EFAULT;
	}
	/* As Linux: the place is written to, or found bad, whatever the result. */
	if (a2 && copy_to_user((void __user *)a2, &info, sizeof(info)))
		return -EFAULT;
	return ret;
}

/* ---- numbers ---- */

long __hot sys_getpid(SYSCALL_ARGS)
{
	return process_current()->pid;
}

long __hot sys_gettid(SYSCALL_ARGS)
{
	return thread_current()->tid;
}

long __hot sys_getppid(SYSCALL_ARGS)
{
	return process_ppid(process_current());
}

/* The process `pid`, 0 meaning the caller's. Under the epoch. */
static struct process *find_process(u64 pid)
{
	return (s32)pid == 0 ? process_current() : process_find((u32)pid);
}

long sys_getpgid(SYSCALL_ARGS)
{
	struct process *p = find_process(a0);

	return p ? (long)atomic_load_relaxed(&p->pgid) : -ESRCH;
}

long sys_setpgid(SYSCALL_ARGS)
{
	return process_set_group((u32)a0, (u32)a1);
}

long sys_setsid(SYSCALL_ARGS)
{
	return process_new_session();
}

long sys_getsid(SYSCALL_ARGS)
{
	struct process *p = find_process(a0);

	return p ? (long)atomic_load_relaxed(&p->sid) : -ESRCH;
}
