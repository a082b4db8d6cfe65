/*
 * /proc/<pid>/uid_map and its like: how a process's ids look outside, which in the only user namespace is as inside. cgroup: a line
 * for each hierarchy, and there is none. timerslack_ns. Source: user_namespaces(7), proc_pid_timerslack_ns(5).
 */
#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/fs/proc_task.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/cred.h"
#include "lib/number.h"

int proc_show_id_map(struct seq *s, u64 key)
{
	(void)key;
	seq_printf(s, "%10u %10u %10u\n", 0, 0, UINT32_MAX);
	return 0;
}

int proc_show_setgroups(struct seq *s, u64 key)
{
	(void)key;
	seq_puts(s, "allow\n");
	return 0;
}

/* The maps of the first user namespace are what they are. */
int proc_store_id_map(const char *text, u64 key)
{
	(void)text;
	(void)key;
	return -EPERM;
}

int proc_show_cgroup(struct seq *s, u64 key)
{
	(void)s;
	(void)key;
	return 0;
}

/* Others' is for the privileged. */
static int slack_of(u64 key, struct proc_who *who)
{
	if (!proc_find(key, who))
		return -ESRCH;
	return who->process == process_current() || capable(CAP_SYS_NICE) ? 0 : -EPERM;
}

int proc_show_timerslack(struct seq *s, u64 key)
{
	struct proc_who who;
	int err;

	epoch_enter();
	err = slack_of(key, &who);
	if (!err)
		seq_printf(s, "%lu\n", atomic_load_relaxed(&who.process->timer_slack_ns));
	epoch_exit();
	return err;
}

int proc_store_timerslack(const char *text, u64 key)
{
	struct proc_who who;
	u64 value;
	int err;

	text = number_skip_space(text);
	if (!number_parse(&text, false, &value) || *number_skip_space(text))
		return -EINVAL;
	epoch_enter();
	err = slack_of(key, &who);
	if (!err)
		atomic_store_relaxed(&who.process->timer_slack_ns,
				     value ? value : TIMER_SLACK_DEFAULT_NS);
	epoch_exit();
	return err;
}
