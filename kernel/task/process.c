/*
 * Construction and accounting of tasks and processes.
 */
#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/file/file.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/refcount.h"
#include "kernel/task/exec.h"
#include "kernel/task/sigio.h"
#include "kernel/task/task_internal.h"
#include "kernel/task/user.h"
#include "kernel/task/vector.h"
#include "kernel/trace/trace.h"

#include <string.h>

LOCK_CLASS(process_lock, RANK_SIGNAL);
LOCK_CLASS(child_lock, RANK_PID);
LOCK_CLASS(task_pi, RANK_PI);
LOCK_CLASS(task_pi_exit, RANK_FUTEX_EXIT);

struct task_exit_ops task_exit_ops;
struct task_ipc_ops task_ipc_ops;
struct task_tty_ops task_tty_ops;

static struct slab_cache *task_cache;
static struct slab_cache *process_cache;

void task_init(const char *isa)
{
	task_cache = slab_create("task", sizeof(struct task), CACHE_LINE);
	process_cache = slab_create("process", sizeof(struct process), CACHE_LINE);
	signal_init();
	sigio_init();
	cred_init();
	exec_set_isa(isa);
	if (exec_init())
		panic("no memory for /proc/sys/kernel");
	task_vector_init(isa);
	task_oom_init();
}

/* ---- processes ---- */

static void rlimits_default(struct abi_rlimit *limits)
{
	u64 nr = mm_total_pages() /
		 32; /* Linux: as many threads as fit an eighth of memory as stacks */

	for (u32 i = 0; i < RLIM_NLIMITS; i++)
		limits[i] = (struct abi_rlimit){RLIM_INFINITY, RLIM_INFINITY};
	limits[RLIMIT_STACK].rlim_cur = 8UL << 20;
	limits[RLIMIT_CORE].rlim_cur = 0;
	limits[RLIMIT_NPROC] = (struct abi_rlimit){nr, nr};
	limits[RLIMIT_SIGPENDING] = (struct abi_rlimit){nr, nr};
	limits[RLIMIT_NOFILE] = (struct abi_rlimit){1024, 4096};
	limits[RLIMIT_MEMLOCK] = (struct abi_rlimit){8UL << 20, 8UL << 20};
	limits[RLIMIT_MSGQUEUE] = (struct abi_rlimit){819200, 819200};
	limits[RLIMIT_NICE] = (struct abi_rlimit){0, 0};
	limits[RLIMIT_RTPRIO] = (struct abi_rlimit){0, 0};
}

static void process_inherit(struct process *p, struct process *parent)
{
	u32 i;

	spin_lock(&parent->lock);
	for (i = 0; i < RLIM_NLIMITS; i++)
		p->rlimits[i] = parent->rlimits[i];
	for (i = 0; i < NSIG; i++)
		p->signals.actions[i] = parent->signals.actions[i];
	p->layout = parent->layout;
	p->exe = parent->exe;
	if (p->exe)
		file_get(p->exe);
	/* The parent's membership keeps the numbers taken until ours is counted. */
	p->pgid = parent->pgid;
	p->sid = parent->sid;
	pid_group_get(p->pgid, p->sid);
	spin_unlock(&parent->lock);
	p->dumpable = parent->dumpable;
	p->timer_slack_ns = parent->timer_slack_ns;
	p->oom_score_adj = atomic_load_relaxed(&parent->oom_score_adj);
	p->oom_score_adj_min = atomic_load_relaxed(&parent->oom_score_adj_min);
}

struct process *process_create(struct process *parent)
{
	struct process *p = slab_alloc(process_cache);

	if (!p)
		return NULL;
	*p = (struct process){
		.refs = 1, .dumpable = DUMPABLE_USER, .timer_slack_ns = TIMER_SLACK_DEFAULT_NS};
	spin_init(&p->lock, &process_lock_class);
	spin_init(&p->child_lock, &child_lock_class);
	list_init(&p->tasks);
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->waiters);
	list_init(&p->tracees);
	waitq_init(&p->signal_queue);
	waitq_init(&p->exit_queue);
	signal_process_init(&p->signals);
	p->start_ticks = time_now();
	p->cred = parent ? task_current()->cred : &cred_root;
	cred_get(p->cred);
	if (parent)
		process_inherit(p, parent);
	else
		rlimits_default(p->rlimits);
	return p;
}

static void process_free(struct epoch_node *node)
{
	slab_free(process_cache, container_of(node, struct process, free_node));
}

void process_get(struct process *p)
{
	atomic_fetch_add(&p->refs, 1);
}

bool process_get_found(struct process *p)
{
	return refcount_get_unless_zero(&p->refs);
}

void process_put(struct process *p)
{
	if (atomic_fetch_add(&p->refs, (u32)-1) != 1)
		return;
	cred_put(p->cred);
	if (p->signals.user)
		user_put(p->signals.user);
	epoch_defer(&p->free_node, process_free);
}

u32 process_pid(const struct process *p)
{
	return p->pid;
}

u32 process_ppid(const struct process *p)
{
	const struct process *parent = atomic_load_acquire(&p->parent);

	return parent ? parent->pid : 0;
}

struct mm *process_mm(struct process *p)
{
	return p->mm;
}

struct mm *process_mm_get(struct process *p)
{
	struct mm *mm;

	spin_lock(&p->lock);
	mm = p->mm;
	if (mm)
		mm_get(mm);
	spin_unlock(&p->lock);
	return mm;
}

struct fd_table *task_files_get(struct task *t)
{
	struct fd_table *files;

	spin_lock(&t->process->lock);
	files = t->files;
	if (files)
		fd_table_get(files);
	spin_unlock(&t->process->lock);
	return files;
}

void task_set_files(struct fd_table *files)
{
	struct task *t = task_current();
	struct fd_table *old;

	spin_lock(&t->process->lock);
	old = t->files;
	t->files = files;
	spin_unlock(&t->process->lock);
	fd_table_put(old);
}

struct mm *process_replace_mm(struct process *p, struct mm *mm)
{
	struct mm *old;

	spin_lock(&p->lock);
	old = p->mm;
	if (old)
		p->peak_resident = MAX(p->peak_resident, mm_peak_resident_pages(old));
	p->mm = mm;
	spin_unlock(&p->lock);
	return old;
}

/* ---- tasks ---- */

static bool task_interrupted(struct thread *t, u32 flags)
{
	u32 work = atomic_load_relaxed(&t->work);

	if (task_of(t)->exiting)
		return false;
	if (work & THREAD_WORK_KILL)
		return flags & (PARK_KILLABLE | PARK_INTERRUPTIBLE);
	return (work & (THREAD_WORK_SIGNAL | THREAD_WORK_STOP)) && (flags & PARK_INTERRUPTIBLE);
}

static void task_free(struct thread *thread)
{
	struct task *t = task_of(thread);

	process_put(t->process);
	cred_put(t->cred);
	kfree(t->fp.vector);
	slab_free(task_cache, t);
}

static const struct thread_ops task_thread_ops = {
	.interrupted = task_interrupted,
	.free = task_free,
};

struct task *task_create(struct process *p, const char *name, bool leader, void (*fn)(void *))
{
	struct task *t = slab_alloc(task_cache);
	u32 tid;
	int err;

	if (!t)
		return err_ptr(-ENOMEM);
	*t = (struct task){.process = p};
	list_init(&t->siblings);
	list_init(&t->ptrace.link);
	signal_task_init(&t->signals);
	spin_init(&t->pi.lock, &task_pi_class);
	list_init(&t->pi.lenders);
	mutex_init(&t->pi.exit, &task_pi_exit_class);
	err = thread_init(&t->thread, name, &task_thread_ops, fn, t);
	if (err) {
		slab_free(task_cache, t);
		return err_ptr(err);
	}
	process_get(p);
	t->cred = leader ? p->cred : task_current()->cred;
	cred_get(t->cred);
	user_count_task(t->cred->user, 1);
	t->thread.fp = &t->fp;
	err = pid_alloc(t, leader ? p : NULL, &tid);
	if (err) {
		thread_abandon(&t->thread);
		thread_put(&t->thread);
		return err_ptr(err);
	}
	t->thread.tid = tid;
	if (leader) {
		p->pid = tid;
		if (!p->pgid) {
			p->pgid = p->sid = tid;
			pid_group_get(tid, tid);
		}
	}
	return t;
}

int task_join_process(struct task *t)
{
	struct process *p = t->process;

	spin_lock(&p->lock);
	if (p->group_exit || p->exec_task) {
		spin_unlock(&p->lock);
		return -EINTR;
	}
	list_add_tail(&p->tasks, &t->siblings);
	p->nr_tasks++;
	if (p->stopped)
		atomic_fetch_or(&t->thread.work, THREAD_WORK_STOP);
	spin_unlock(&p->lock);
	if (t->thread.mm)
		atomic_fetch_add(&p->nr_mm_tasks, 1);
	return 0;
}

void task_abandon(struct task *t)
{
	struct process *p = t->process;

	if (p->pid == t->thread.tid)
		pid_clear_process(p->pid);
	pid_clear_task(t->thread.tid, t);
	user_count_task(t->cred->user, -1);
	thread_abandon(&t->thread);
	thread_put(&t->thread);
}

void task_set_name(struct task *t, const char *name)
{
	char text[sizeof(t->thread.name)] = {0};

	/*
	 * Readers may see a mixture of both names for a moment, but never an end without NUL: the
	 * last byte stays 0.
	 */
	memcpy(text, name, strnlen(name, sizeof(text) - 1));
	memcpy(t->thread.name, text, sizeof(text));
	trace_task_name(t->thread.tid, t->process->pid, t->thread.name);
}
