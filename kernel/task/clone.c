/*
 * clone: a new task in this process, or in a process of its own.
 *
 * The child's frame is a copy of the parent's at the top of its own kernel stack; it starts in
 * task_start() and leaves by arch_return_to_user(). Until task_join_process() nobody can signal it,
 * until thread_start() it does not run.
 */
#include "kernel/task/clone.h"

#include "abi/errno.h"
#include "abi/ptrace.h"
#include "abi/sched.h"
#include "abi/system.h"
#include "arch/riscv64/entry.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/ioprio.h"
#include "kernel/task/pidfd.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/rseq.h"
#include "kernel/task/task_internal.h"
#include "kernel/task/timers.h"
#include "kernel/task/user.h"
#include "kernel/trace/trace.h"

#define CLONE_NAMESPACES                                                                           \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)
/* Valid on Linux, refused here; as are actions shared between processes. */
#define CLONE_UNSUPPORTED (CLONE_NAMESPACES | CLONE_INTO_CGROUP)

/* Combinations that Linux refuses, then what is not supported. */
static int clone_check_flags(const struct abi_clone_args *args)
{
	u64 f = args->flags;

	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && (!(f & CLONE_VM) || (f & CLONE_CLEAR_SIGHAND)))
		return -EINVAL;
	if ((f & CLONE_PIDFD) && (f & CLONE_DETACHED))
		return -EINVAL;
	if ((f & CLONE_PIDFD) && (f & CLONE_PARENT_SETTID) && args->pidfd == args->parent_tid)
		return -EINVAL;
	if ((f & (CLONE_NEWNS | CLONE_NEWUSER)) && (f & CLONE_FS))
		return -EINVAL;
	if (f & CLONE_UNSUPPORTED)
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_THREAD))
		return -EINVAL;
	return 0;
}

static void task_start(void *arg)
{
	struct task *t = arg;
	struct trap_frame *frame = task_frame(t);

	/*
	 * task_clone() left the address of CLONE_CHILD_SETTID in orig_a0. As on Linux, a bad one is
	 * ignored.
	 */
	if (frame->orig_a0)
		(void)user_store_u32((u32 __user *)frame->orig_a0, t->thread.tid);
	arch_return_to_user(frame);
}

static void clone_frame(struct task *child, const struct abi_clone_args *args)
{
	struct trap_frame *frame = task_frame(child);

	*frame = *task_frame(task_current());
	frame->a0 = 0;
	frame->cause = 0;
	frame->orig_a0 = args->flags & CLONE_CHILD_SETTID ? args->child_tid : 0;
	if (args->stack)
		frame->sp = args->stack + args->stack_size;
	if (args->flags & CLONE_SETTLS)
		frame->tp = args->tls;
}

static void clone_thread_state(struct task *child, const struct abi_clone_args *args)
{
	struct task *self = task_current();

	fpu_save(&self->fp);
	memcpy(child->fp.f, self->fp.f, sizeof(child->fp.f));
	child->fp.fcsr = self->fp.fcsr;
	child->vector_control = self->vector_control;
	child->signals.blocked = self->signals.blocked;
	if (!(args->flags & CLONE_VM) || (args->flags & CLONE_VFORK))
		child->signals.altstack = self->signals.altstack;
	if (args->flags & CLONE_CHILD_CLEARTID)
		child->clear_child_tid = (u32 __user *)args->child_tid;
	child->no_new_privs = self->no_new_privs;
	child->personality = self->personality;
	child->mempolicy = self->mempolicy;
	rseq_inherit(child, args->flags & CLONE_VM ? NULL : self);
	child->policy = self->policy;
	if (self->reset_on_fork && self->thread.base_prio)
		child->policy = SCHED_OTHER;
	sched_inherit(&child->thread, &self->thread, self->reset_on_fork);
}

static int clone_files(struct task *child, u64 flags)
{
	struct task *self = task_current();

	if (flags & CLONE_FILES) {
		fd_table_get(self->files);
		child->files = self->files;
	} else {
		child->files = fd_table_copy(self->files);
	}
	if (flags & CLONE_FS) {
		fs_context_get(self->fs);
		child->fs = self->fs;
	} else {
		child->fs = fs_context_copy(self->fs);
	}
	if (!child->files || !child->fs)
		return -ENOMEM;
	if (task_ioprio_clone(child, flags))
		return -ENOMEM;
	return task_ipc_ops.clone ? task_ipc_ops.clone(child, flags) : 0;
}

static void clone_drop_files(struct task *child)
{
	if (task_ipc_ops.exit)
		task_ipc_ops.exit(child);
	task_ioprio_exit(child);
	if (child->files)
		fd_table_put(child->files);
	if (child->fs)
		fs_context_put(child->fs);
}

/* A process that never had a task. */
static void process_discard(struct process *p)
{
	process_timers_exit(p);
	pid_group_put(p->pgid, p->sid);
	if (p->exe)
		file_put(p->exe);
	process_put(p);
}

/*
 * The address space of a new process, with a reference: a copy, or (vfork, posix_spawn) the same.
 */
static struct mm *clone_mm(u64 flags)
{
	struct mm *mm = thread_current()->mm;

	if (!(flags & CLONE_VM))
		return mm_fork(mm);
	mm_get(mm);
	return mm;
}

/* The process that the child will live in: this one, or a new one. NULL when out of memory. */
static struct process *clone_process(const struct abi_clone_args *args)
{
	struct process *self = process_current(), *p;

	if (args->flags & CLONE_THREAD) {
		process_get(self);
		return self;
	}
	p = process_create(self);
	if (!p)
		return NULL;
	p->exit_signal = (u32)args->exit_signal;
	p->forker = thread_current()->tid;
	if (!process_timers_limit(p))
		p->mm = clone_mm(args->flags);
	if (!p->mm) {
		process_discard(p);
		return NULL;
	}
	if (args->flags & CLONE_CLEAR_SIGHAND)
		signal_reset_handlers(p);
	return p;
}

/*
 * The reference of clone_process(): a thread's process is held by its tasks, a new one keeps it
 * while unreaped.
 */
static void clone_process_undo(struct process *p)
{
	if (p == process_current()) {
		process_put(p);
		return;
	}
	mm_put(p->mm);
	process_discard(p);
}

static void clone_announce(struct task *child)
{
	trace_task_new(thread_current()->tid, child->thread.tid, child->process->pid);
	trace_task_name(child->thread.tid, child->process->pid, child->thread.name);
}

void task_vfork_done(struct task *t)
{
	struct process *p = t->process;
	struct task *parent;

	if (likely(!atomic_load_relaxed(&t->vfork_parent)))
		return;
	spin_lock(&p->lock);
	parent = t->vfork_parent;
	atomic_store_release(&t->vfork_parent, (struct task *)NULL);
	spin_unlock(&p->lock);
	if (parent) {
		unpark(&parent->thread);
		thread_put(&parent->thread);
	}
}

/* Waits until `child` execs or exits; only a fatal signal ends it sooner. */
static void vfork_wait(struct task *child)
{
	while (atomic_load_acquire(&child->vfork_parent))
		if (park(PARK_FOREVER, PARK_KILLABLE) == -EINTR)
			break;
	spin_lock(&child->process->lock);
	if (child->vfork_parent) {
		child->vfork_parent = NULL;
		thread_put(thread_current());
	}
	spin_unlock(&child->process->lock);
}

/* CLONE_PIDFD: a descriptor that waits for its file, and its number in user memory. */
static int clone_reserve_pidfd(const struct abi_clone_args *args, struct file **file,
			       struct task *child)
{
	struct process *self = process_current();
	struct fd_table *files = task_current()->files;
	int fd = fd_reserve(files, 0, true,
			    (u32)MIN(process_rlimit(self, RLIMIT_NOFILE), UINT32_MAX));

	if (fd < 0)
		return fd;
	if (args->flags & CLONE_THREAD)
		*file = pidfd_create_thread(self, child, 0);
	else
		*file = pidfd_create(child->process, 0);
	if (*file && !user_store_u32((u32 __user *)args->pidfd, (u32)fd))
		return fd;
	fd_unreserve(files, fd);
	if (!*file)
		return -ENOMEM;
	file_put(*file);
	return -EFAULT;
}

/* RLIMIT_NPROC, which binds all but root and the privileged. The child is counted already. */
static bool clone_over_limit(const struct task *child)
{
	u64 limit = process_rlimit(process_current(), RLIMIT_NPROC);

	if (child->cred->uid == 0 || capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN))
		return false;
	return user_over_limit(child->cred->user, limit);
}

/* Everything that must not fail once the child can be seen. */
static int clone_publish(struct task *child, const struct abi_clone_args *args)
{
	struct process *p = child->process, *self = process_current();
	int err;

	if ((args->flags & CLONE_PARENT_SETTID) &&
	    user_store_u32((u32 __user *)args->parent_tid, child->thread.tid))
		return -EFAULT;
	err = task_join_process(child);
	if (err)
		return -ERESTARTNOINTR;
	if (p == self)
		return 0;
	if (args->flags & CLONE_PARENT)
		process_add_sibling(self, p);
	else
		process_add_child(self, p);
	return 0;
}

long task_clone(const struct abi_clone_args *args)
{
	struct file *pidfd_file = NULL;
	struct process *p;
	struct task *child;
	int pidfd = -1;
	u32 event;
	long tid;
	int err = clone_check_flags(args);

	if (err)
		return err;
	p = clone_process(args);
	if (!p)
		return -ENOMEM;
	child = task_create(p, thread_current()->name, !(args->flags & CLONE_THREAD), task_start);
	if (is_err(child)) {
		clone_process_undo(p);
		return ptr_err(child);
	}
	clone_thread_state(child, args);
	clone_frame(child, args);
	child->thread.mm = p->mm;
	err = clone_over_limit(child) ? -EAGAIN : clone_files(child, args->flags);
	if (!err && (args->flags & CLONE_PIDFD)) {
		pidfd = clone_reserve_pidfd(args, &pidfd_file, child);
		err = MIN(pidfd, 0);
	}
	if (!err)
		err = clone_publish(child, args);
	if (err)
		goto out_abandon;
	if (pidfd >= 0)
		fd_publish(task_current()->files, pidfd, pidfd_file);
	tid = child->thread.tid;
	if (args->flags & CLONE_VFORK) {
		thread_get(thread_current());
		child->vfork_parent = task_current();
	}
	if (args->flags & CLONE_THREAD)
		process_put(p);
	clone_announce(child);
	event = ptrace_clone_event(args->flags, args->exit_signal);
	if (event || (args->flags & CLONE_PTRACE))
		ptrace_inherit(child);
	thread_start(&child->thread);
	if (event)
		ptrace_event(event, (u64)tid);
	if (args->flags & CLONE_VFORK) {
		vfork_wait(child);
		ptrace_event(PTRACE_EVENT_VFORK_DONE, (u64)tid);
	}
	thread_put(&child->thread);
	return tid;

out_abandon:
	if (pidfd >= 0) {
		fd_unreserve(task_current()->files, pidfd);
		file_put(pidfd_file);
	}
	clone_drop_files(child);
	task_abandon(child);
	clone_process_undo(p);
	return err;
}
