/*
 * The texts of /proc/<pid> and /proc/<pid>/task/<tid>. A process is looked at under the epoch, which
 * keeps its memory; for its address space a reference is taken (proc_task_space.c).
 */
#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/stat.h"
#include "abi/time.h"
#include "arch/riscv64/cpu.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/load.h"
#include "kernel/fs/proc_task.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/user.h"
#include "kernel/time/time.h"
#include "kernel/tty/tty.h"

/* ---- stat, status ---- */

static const char *who_name(const struct proc_who *who)
{
	return who->task ? who->task->thread.name : "";
}

/* The letter of stat; status shows it with its word. */
static const char *who_state(const struct proc_who *who)
{
	if (who->process->zombie || !who->task ||
	    atomic_load_relaxed(&who->task->ptrace.state) == TRACEE_DEAD)
		return "Z (zombie)";
	if (ptrace_is_stopped(who->task))
		return "t (tracing stop)";
	if (atomic_load_relaxed(&who->process->stopped) && !ptrace_tracer_tid(who->task))
		return "T (stopped)";
	return atomic_load_relaxed(&who->task->thread.park) == PARK_BLOCKED ? "S (sleeping)"
									    : "R (running)";
}

static int show_comm(struct seq *s, u64 key)
{
	struct proc_who who;
	int err = -ESRCH;

	epoch_enter();
	if (proc_find(key, &who)) {
		seq_printf(s, "%s\n", who_name(&who));
		err = 0;
	}
	epoch_exit();
	return err;
}

/* Only among the threads of one process. A newline is kept, as on Linux. */
static int store_comm(const char *text, u64 key)
{
	struct proc_who who;
	int err = -ESRCH;

	epoch_enter();
	if (proc_find(key, &who) && who.task) {
		err = who.process == process_current() ? 0 : -EINVAL;
		if (!err)
			task_set_name(who.task, text);
	}
	epoch_exit();
	return err;
}

struct signal_sets {
	u64 pending, shared, blocked, ignored, caught, queued;
};

static void signal_sets(const struct proc_who *who, struct signal_sets *out)
{
	struct process *p = who->process;

	*out = (struct signal_sets){.shared = atomic_load_relaxed(&p->signals.pending.set)};
	if (who->task) {
		out->pending = atomic_load_relaxed(&who->task->signals.pending.set);
		out->blocked = atomic_load_relaxed(&who->task->signals.blocked);
	}
	spin_lock(&p->lock);
	out->queued = user_signals(atomic_load_acquire(&p->cred)->user);
	for (u32 sig = 1; sig <= NSIG; sig++) {
		u64 handler = p->signals.actions[sig - 1].sa_handler;

		if (handler == SIG_IGN)
			out->ignored |= SIGMASK(sig);
		else if (handler != SIG_DFL)
			out->caught |= SIGMASK(sig);
	}
	spin_unlock(&p->lock);
}

static const struct cred *who_cred(const struct proc_who *who)
{
	return who->task ? atomic_load_acquire(&who->task->cred)
			 : atomic_load_acquire(&who->process->cred);
}

static u32 who_umask(const struct proc_who *who)
{
	struct fs_context *ctx = who->task ? atomic_load_relaxed(&who->task->fs) : NULL;

	return ctx ? atomic_load_relaxed(&ctx->umask) : 0;
}

static void status_groups(struct seq *s, const struct cred_groups *groups)
{
	u32 nr = groups ? groups->nr : 0;

	seq_puts(s, "Groups:\t");
	for (u32 i = 0; i < nr; i++)
		seq_printf(s, i ? " %u" : "%u", groups->gid[i]);
	seq_puts(s, " \n");
}

static void status_ids(struct seq *s, const struct proc_who *who)
{
	const struct process *p = who->process;
	const struct cred *c = who_cred(who);
	u32 id = who->task ? who->task->thread.tid : p->pid;

	seq_printf(s, "Tgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t%u\n", p->pid, id,
		   process_ppid(p), who->task ? ptrace_tracer_tid(who->task) : 0);
	seq_printf(s, "Uid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid, c->suid, c->fsuid);
	seq_printf(s, "Gid:\t%u\t%u\t%u\t%u\n", c->gid, c->egid, c->sgid, c->fsgid);
	status_groups(s, c->groups);
}

static void status_rights(struct seq *s, const struct proc_who *who)
{
	const struct cred *c = who_cred(who);
	u64 cpus = who->task ? atomic_load_relaxed(&who->task->thread.affinity) : 0;
	struct signal_sets sig;

	signal_sets(who, &sig);
	seq_printf(s, "SigQ:\t%lu/%lu\n", sig.queued,
		   process_rlimit(who->process, RLIMIT_SIGPENDING));
	seq_printf(s, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n", sig.pending,
		   sig.shared, sig.blocked);
	seq_printf(s, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n", sig.ignored, sig.caught);
	seq_printf(s, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\n", c->cap_inheritable,
		   c->cap_permitted, c->cap_effective);
	seq_printf(s, "CapBnd:\t%016lx\nCapAmb:\t%016lx\n", c->cap_bounding, c->cap_ambient);
	seq_printf(s, "NoNewPrivs:\t%d\nCpus_allowed:\t", who->task && who->task->no_new_privs);
	seq_cpu_mask(s, cpus);
	seq_puts(s, "\nCpus_allowed_list:\t");
	seq_cpu_list(s, cpus & hart_all());
	seq_puts(s, "\n");
}

static int show_status(struct seq *s, u64 key)
{
	struct proc_space space = {0};
	struct proc_who who;

	if (proc_space_get(key, false, &space))
		space.mm = NULL;
	epoch_enter();
	if (!proc_find(key, &who)) {
		epoch_exit();
		if (space.mm)
			mm_put(space.mm);
		return -ESRCH;
	}
	seq_printf(s, "Name:\t%s\nUmask:\t%04o\nState:\t%s\n", who_name(&who), who_umask(&who),
		   who_state(&who));
	status_ids(s, &who);
	if (space.mm)
		proc_status_memory(s, &space);
	seq_printf(s, "Threads:\t%u\n", atomic_load_relaxed(&who.process->nr_tasks));
	status_rights(s, &who);
	if (who.task)
		seq_printf(s, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
			   who.task->thread.nr_voluntary, who.task->thread.nr_involuntary);
	epoch_exit();
	if (space.mm)
		mm_put(space.mm);
	return 0;
}

static u64 to_user_hz(u64 ticks)
{
	return time_ticks_to_ns(ticks) / (NSEC_PER_SEC / USER_HZ);
}

static void who_cpu(const struct proc_who *who, u64 key, struct cpu_ticks *out)
{
	*out = (struct cpu_ticks){0};
	if (!(key & PROC_THREAD))
		process_cpu_ticks(who->process, out);
	else if (who->task)
		task_cpu_ticks(who->task, out);
}

static u64 timeval_hz(const struct abi_timeval *tv)
{
	return (u64)(tv->tv_sec * USER_HZ + tv->tv_usec / (USEC_PER_SEC / USER_HZ));
}

/* What it runs at, a lent priority included: -2 to -100 for real-time threads, 0 to 39 for the others. */
static s32 stat_priority(const struct thread *t)
{
	return t->rt_prio ? -1 - t->rt_prio : 20 + t->nice;
}

/* Fields 1 to 22; major faults, which nobody keeps, are 0. */
static void stat_head(struct seq *s, const struct proc_who *who, u64 key)
{
	const struct process *p = who->process;
	const struct thread *t = who->task ? &who->task->thread : NULL;
	const struct abi_rusage *children = &p->children_usage;
	struct cpu_ticks cpu;
	s32 foreground;
	u32 terminal;

	who_cpu(who, key, &cpu);
	tty_of_session(p->sid, &terminal, &foreground);
	seq_printf(s, "%u (%s) %c %u %u %u %u %d 0 %lu %ld 0 0 ", (u32)key, who_name(who),
		   *who_state(who), process_ppid(p), p->pgid, p->sid, terminal, foreground,
		   cpu.faults, children->ru_minflt);
	seq_printf(s, "%lu %lu %lu %lu ", to_user_hz(cpu.user), to_user_hz(cpu.run - cpu.user),
		   timeval_hz(&children->ru_utime), timeval_hz(&children->ru_stime));
	seq_printf(s, "%d %d %u 0 %lu ", t ? stat_priority(t) : 20, t ? t->nice : 0,
		   atomic_load_relaxed(&p->nr_tasks), to_user_hz(p->start_ticks));
}

/* Fields 23 to 52; the addresses only for who may inspect the process. */
static void stat_tail(struct seq *s, const struct proc_who *who, const struct proc_space *space)
{
	const struct process_layout none = {0}, *l = &none;
	const struct task *t = who->task;
	struct signal_sets sig;

	signal_sets(who, &sig);
	if (space->mm && t && task_may_inspect(who->task))
		l = &space->layout;
	seq_printf(s, "%lu %lu %lu %lu %lu %lu 0 0 ",
		   space->mm ? mm_virtual_pages(space->mm) * PAGE_SIZE : 0,
		   space->mm ? mm_resident_pages(space->mm) : 0,
		   process_rlimit(who->process, RLIMIT_RSS), l->start_code, l->end_code,
		   l->start_stack);
	seq_printf(s, "%lu %lu %lu %lu 0 0 0 %u %u %u %u 0 0 0 ", sig.pending, sig.blocked,
		   sig.ignored, sig.caught, who->process->exit_signal,
		   t ? atomic_load_relaxed(&t->thread.cpu) : 0, t ? t->thread.base_prio : 0,
		   t ? atomic_load_relaxed(&t->policy) : 0);
	seq_printf(s, "%lu %lu %lu %lu %lu %lu %lu %d\n", l->start_data, l->end_data, l->start_brk,
		   l->arg_start, l->arg_end, l->env_start, l->env_end, who->process->exit_code);
}

static int show_stat(struct seq *s, u64 key)
{
	struct proc_space space = {0};
	struct proc_who who;
	int err = -ESRCH;

	if (proc_space_get(key, false, &space))
		space.mm = NULL;
	epoch_enter();
	if (proc_find(key, &who)) {
		stat_head(s, &who, key);
		stat_tail(s, &who, &space);
		err = 0;
	}
	epoch_exit();
	if (space.mm)
		mm_put(space.mm);
	return err;
}

/* ---- limits ---- */

static void limit_value(struct seq *s, u64 value)
{
	if (value == RLIM_INFINITY)
		seq_printf(s, "%-20s ", "unlimited");
	else
		seq_printf(s, "%-20lu ", value);
}

static int show_limits(struct seq *s, u64 key)
{
	static const struct {
		const char *name, *unit;
	} limits[RLIM_NLIMITS] = {
		{"Max cpu time", "seconds"},	 {"Max file size", "bytes"},
		{"Max data size", "bytes"},	 {"Max stack size", "bytes"},
		{"Max core file size", "bytes"}, {"Max resident set", "bytes"},
		{"Max processes", "processes"},	 {"Max open files", "files"},
		{"Max locked memory", "bytes"},	 {"Max address space", "bytes"},
		{"Max file locks", "locks"},	 {"Max pending signals", "signals"},
		{"Max msgqueue size", "bytes"},	 {"Max nice priority", ""},
		{"Max realtime priority", ""},	 {"Max realtime timeout", "us"},
	};
	struct abi_rlimit values[RLIM_NLIMITS];
	struct proc_who who;

	epoch_enter();
	if (!proc_find(key, &who)) {
		epoch_exit();
		return -ESRCH;
	}
	spin_lock(&who.process->lock);
	memcpy(values, who.process->rlimits, sizeof(values));
	spin_unlock(&who.process->lock);
	epoch_exit();
	seq_printf(s, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (u32 i = 0; i < RLIM_NLIMITS; i++) {
		seq_printf(s, "%-25s ", limits[i].name);
		limit_value(s, values[i].rlim_cur);
		limit_value(s, values[i].rlim_max);
		seq_printf(s, "%-10s\n", limits[i].unit);
	}
	return 0;
}

/* ---- io, personality, wchan ---- */

/* There is no disk that anything could be read from or written to. */
static int show_io(struct seq *s, u64 key)
{
	struct cpu_ticks sum;
	struct proc_who who;
	int err = -ESRCH;

	epoch_enter();
	if (proc_find(key, &who))
		err = who.task && task_may_inspect(who.task) ? 0 : -EACCES;
	if (!err)
		who_cpu(&who, key, &sum);
	epoch_exit();
	if (err)
		return err;
	seq_printf(s, "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\n", sum.io.read_bytes,
		   sum.io.written_bytes, sum.io.reads, sum.io.writes);
	seq_puts(s, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
	return 0;
}

static int show_personality(struct seq *s, u64 key)
{
	struct proc_who who;
	int err = -ESRCH;
	u32 value = 0;

	epoch_enter();
	if (proc_find(key, &who)) {
		err = who.task && task_may_inspect(who.task) ? 0 : -EPERM;
		value = err ? 0 : who.task->personality;
	}
	epoch_exit();
	if (!err)
		seq_printf(s, "%08x\n", value);
	return err;
}

/* The kernel keeps no names of its functions: as Linux says without them, or of a task that runs. */
static int show_wchan(struct seq *s, u64 key)
{
	struct proc_who who;
	bool found;

	epoch_enter();
	found = proc_find(key, &who);
	epoch_exit();
	seq_puts(s, "0");
	return found ? 0 : -ESRCH;
}

/* The registers of `t`, if it does not run. Its stack stays while it is in the list of its process. */
static bool task_blocked_frame(struct task *t, struct trap_frame *out)
{
	bool blocked;

	spin_lock(&t->process->lock);
	blocked = !list_empty(&t->siblings) && atomic_load_relaxed(&t->thread.park) == PARK_BLOCKED;
	if (blocked)
		*out = *task_frame(t);
	spin_unlock(&t->process->lock);
	return blocked;
}

/* Number, arguments, sp and pc of the call that it sleeps in (proc_pid_syscall(5)). */
static int show_syscall(struct seq *s, u64 key)
{
	struct trap_frame f;
	struct proc_who who;
	bool blocked = false;
	int err = -ESRCH;

	epoch_enter();
	if (proc_find(key, &who) && who.task) {
		err = task_may_inspect(who.task) ? 0 : -EPERM;
		blocked = !err && task_blocked_frame(who.task, &f);
	}
	epoch_exit();
	if (err)
		return err;
	if (blocked)
		seq_printf(s, "%ld 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx\n", (long)f.a7,
			   f.orig_a0, f.a1, f.a2, f.a3, f.a4, f.a5, f.sp, f.pc);
	else
		seq_puts(s, "running\n");
	return 0;
}

int proc_show_loadavg(struct seq *s, u64 key)
{
	u64 loads[3], running = 0, total = 0;
	struct sched_stats st;
	u32 pid = 0, next;

	(void)key;
	load_average(loads);
	for (u32 i = 0; i < nr_cpus; i++) {
		sched_cpu_stats(i, &st);
		running += st.nr_running;
	}
	epoch_enter();
	while ((next = task_next_pid(pid)) != 0) {
		struct process *p = process_find(next);

		total += p ? atomic_load_relaxed(&p->nr_tasks) : 0;
		pid = next;
	}
	epoch_exit();
	for (u32 i = 0; i < 3; i++)
		seq_printf(s, "%lu.%02lu ", loads[i] >> 16, (loads[i] & 0xffff) * 100 >> 16);
	seq_printf(s, "%lu/%lu %u\n", running, total, pid);
	return 0;
}

const struct pseudo_node proc_process_nodes[] = {
	{"auxv", 0400, proc_show_auxv, NULL},
	{"cmdline", 0444, proc_show_cmdline, NULL},
	{"cgroup", 0444, proc_show_cgroup, NULL},
	{"comm", 0644, show_comm, store_comm},
	{"environ", 0400, proc_show_environ, NULL},
	{"gid_map", 0644, proc_show_id_map, proc_store_id_map},
	{"io", 0400, show_io, NULL},
	{"limits", 0444, show_limits, NULL},
	{"maps", 0444, proc_show_maps, NULL},
	{"mountinfo", 0444, proc_show_mountinfo, NULL},
	{"mounts", 0444, proc_show_mounts, NULL},
	{"oom_score", 0444, proc_show_oom_score, NULL},
	{"oom_score_adj", 0644, proc_show_oom_score_adj, proc_store_oom_score_adj},
	{"personality", 0400, show_personality, NULL},
	{"projid_map", 0644, proc_show_id_map, proc_store_id_map},
	{"setgroups", 0644, proc_show_setgroups, proc_store_id_map},
	{"smaps", 0444, proc_show_smaps, NULL},
	{"smaps_rollup", 0444, proc_show_smaps_rollup, NULL},
	{"stat", 0444, show_stat, NULL},
	{"statm", 0444, proc_show_statm, NULL},
	{"status", 0444, show_status, NULL},
	{"syscall", 0400, show_syscall, NULL},
	{"uid_map", 0644, proc_show_id_map, proc_store_id_map},
	{"wchan", 0444, show_wchan, NULL},
	{.name = NULL},
};

const struct pseudo_node proc_leader_nodes[] = {
	{"timers", 0444, proc_show_timers, NULL},
	{"timerslack_ns", 0666, proc_show_timerslack, proc_store_timerslack},
	{.name = NULL},
};
