/*
 * /proc/<pid>, /proc/self and what is below: directories whose entries are made while a path is
 * walked and are gone with the last reference, so that no process pays for them. A node holds the
 * number of its process, never a pointer: a process that ends in between answers ESRCH.
 */
#include "kernel/fs/proc_task.h"
#include "kernel/fs/dev_rtc.h"
#include "kernel/fs/kmsg.h"

#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/stat.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/proc_task_ns.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/pid.h"

struct fs_context *proc_context;

bool proc_find(u64 key, struct proc_who *who)
{
	if (key & PROC_THREAD) {
		who->task = task_find((u32)key);
		who->process = who->task ? who->task->process : NULL;
	} else {
		who->process = process_find((u32)key);
		who->task = task_find((u32)key);
	}
	return who->process != NULL;
}

u32 proc_number(const char *name, size_t len)
{
	u64 n = 0;

	if (len == 0 || len > 10 || name[0] == '0')
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		n = n * 10 + (u64)(name[i] - '0');
	}
	return n <= UINT32_MAX ? (u32)n : 0;
}

static bool name_is(const char *name, size_t len, const char *text)
{
	return strlen(text) == len && memcmp(name, text, len) == 0;
}

/* Directories belong to whom the process runs for; the rest too, unless others may not look into it. */
static void own(struct inode *inode)
{
	const struct cred *cred;
	struct proc_who who;

	inode->uid = 0;
	inode->gid = 0;
	if (!(u32)inode->key || !proc_find(inode->key, &who))
		return;
	if (!S_ISDIR(inode->mode) && who.process->dumpable != DUMPABLE_USER)
		return;
	cred = who.task ? atomic_load_acquire(&who.task->cred)
			: atomic_load_acquire(&who.process->cred);
	inode->uid = cred->euid;
	inode->gid = cred->egid;
}

struct dentry *proc_make(struct dentry *dir, const char *name, size_t len, struct inode *inode)
{
	struct dentry *d;

	if (inode)
		own(inode);
	d = inode ? dentry_alloc(dir, name, len, inode) : NULL;
	return d ? d : err_ptr(-ENOMEM);
}

struct dentry *proc_make_link(struct dentry *dir, const char *name, size_t len, u32 mode, u64 key,
			      const struct inode_ops *ops)
{
	struct inode *inode = inode_alloc(dir->inode->sb, S_IFLNK | mode);

	if (inode) {
		inode->ops = ops;
		inode->key = key;
	}
	return proc_make(dir, name, len, inode);
}

/* A file that is no text. */
static struct dentry *make_file(struct dentry *dir, const char *name, size_t len, u64 key,
				const struct inode_ops *ops)
{
	bool mem = ops == &proc_mem_ops;
	struct inode *inode = inode_alloc(dir->inode->sb, S_IFREG | (mem ? 0600 : 0400));

	if (inode) {
		inode->ops = ops;
		inode->fops = mem ? &proc_mem_file_ops : &proc_pagemap_file_ops;
		inode->key = key;
	}
	return proc_make(dir, name, len, inode);
}

struct dentry *proc_make_dir(struct dentry *dir, const char *name, size_t len, u64 key,
			     const struct inode_ops *ops)
{
	static const struct pseudo_node node = {.mode = S_IFDIR | 0555};

	return proc_make(dir, name, len, pseudo_inode(dir->inode->sb, &node, key, ops));
}

/* The text number `index` of the directory that `key` stands for, or NULL. */
static const struct pseudo_node *node_at(u64 key, u64 index)
{
	const struct pseudo_node *node = proc_process_nodes;

	for (; node->name; node++)
		if (index-- == 0)
			return node;
	for (node = proc_leader_nodes; node->name && !(key & PROC_THREAD); node++)
		if (index-- == 0)
			return node;
	return NULL;
}

/* The same by name. */
static const struct pseudo_node *node_find(u64 key, const char *name, size_t len)
{
	const struct pseudo_node *node;

	for (u64 i = 0; (node = node_at(key, i)) != NULL; i++)
		if (name_is(name, len, node->name))
			break;
	return node;
}

void proc_entry(struct dir_entry *out, const char *name, u32 mode)
{
	snprintf(out->name, sizeof(out->name), "%s", name);
	out->ino = 1;
	out->mode = mode;
}

/* ---- task: the threads of a process ---- */

static const struct inode_ops process_dir_ops; /* below */

static struct dentry *tasks_lookup(struct dentry *dir, const char *name, size_t len)
{
	u32 tid = proc_number(name, len);
	struct task *t = tid ? task_find(tid) : NULL;

	if (!t || t->process->pid != (u32)dir->inode->key)
		return err_ptr(-ENOENT);
	return proc_make_dir(dir, name, len, tid | PROC_THREAD, &process_dir_ops);
}

/* Threads by rising number: *pos is the smallest number not yet reported. */
static bool tasks_iterate(struct dentry *dir, u64 *pos, struct dir_entry *out)
{
	struct proc_who who;
	struct task *t;
	u32 best = 0;
	char name[16];

	epoch_enter();
	if (proc_find(dir->inode->key, &who)) {
		spin_lock(&who.process->lock);
		list_for_each(t, &who.process->tasks, siblings) {
			u32 tid = t->thread.tid;

			if (tid >= *pos && (best == 0 || tid < best))
				best = tid;
		}
		spin_unlock(&who.process->lock);
	}
	epoch_exit();
	if (!best)
		return false;
	snprintf(name, sizeof(name), "%u", best);
	proc_entry(out, name, S_IFDIR);
	*pos = (u64)best + 1;
	return true;
}

static const struct inode_ops tasks_dir_ops = {
	.lookup = tasks_lookup,
	.iterate = tasks_iterate,
};

/* ---- /proc/<pid>, /proc/<pid>/task/<tid> ---- */

/* A thread's directory lacks the last one. */
static const struct {
	const char *name;
	u32 mode;
	const struct inode_ops *ops;
} process_extras[] = {
	{"cwd", S_IFLNK, &proc_cwd_ops},	   {"exe", S_IFLNK, &proc_exe_ops},
	{"root", S_IFLNK, &proc_root_ops},	   {"fd", S_IFDIR, &proc_fd_dir_ops},
	{"fdinfo", S_IFDIR, &proc_fdinfo_dir_ops}, {"mem", S_IFREG, &proc_mem_ops},
	{"ns", S_IFDIR, &proc_ns_dir_ops},	   {"pagemap", S_IFREG, &proc_pagemap_ops},
	{"task", S_IFDIR, &tasks_dir_ops},
};

static u32 nr_extras(u64 key)
{
	return ARRAY_SIZE(process_extras) - (key & PROC_THREAD ? 1 : 0);
}

static struct dentry *process_lookup(struct dentry *dir, const char *name, size_t len)
{
	u64 key = dir->inode->key;
	const struct pseudo_node *node = node_find(key, name, len);

	if (node)
		return proc_make(dir, name, len, pseudo_inode(dir->inode->sb, node, key, NULL));
	for (u32 i = 0; i < nr_extras(key); i++) {
		if (!name_is(name, len, process_extras[i].name))
			continue;
		if (process_extras[i].mode == S_IFLNK)
			return proc_make_link(dir, name, len, 0777, key, process_extras[i].ops);
		if (process_extras[i].mode == S_IFREG)
			return make_file(dir, name, len, key, process_extras[i].ops);
		return proc_make_dir(dir, name, len, key, process_extras[i].ops);
	}
	return err_ptr(-ENOENT);
}

static bool process_iterate(struct dentry *dir, u64 *pos, struct dir_entry *out)
{
	const struct pseudo_node *node;
	u64 key = dir->inode->key;
	u32 extras = nr_extras(key);

	if (*pos < extras) {
		proc_entry(out, process_extras[*pos].name, process_extras[*pos].mode);
		++*pos;
		return true;
	}
	node = node_at(key, *pos - extras);
	if (!node)
		return false;
	proc_entry(out, node->name, S_IFREG);
	++*pos;
	return true;
}

static const struct inode_ops process_dir_ops = {
	.lookup = process_lookup,
	.iterate = process_iterate,
};

u32 proc_directory_pid(const struct file *f)
{
	const struct inode *inode = f->path.dentry ? f->path.dentry->inode : NULL;

	if (!inode || inode->ops != &process_dir_ops || (inode->key & PROC_THREAD))
		return 0;
	return (u32)inode->key;
}

/* ---- /proc/self, /proc/thread-self, the list of processes ---- */

static long self_readlink(struct dentry *link, char *buf, size_t size)
{
	u32 pid, tid = thread_current()->tid;
	char text[32];

	if (!thread_current()->mm)
		return -ENOENT;
	pid = process_pid(process_current());
	if (link->inode->key & PROC_THREAD)
		snprintf(text, sizeof(text), "%u/task/%u", pid, tid);
	else
		snprintf(text, sizeof(text), "%u", pid);
	size = MIN(size, strlen(text));
	memcpy(buf, text, size);
	return (long)size;
}

static const struct inode_ops self_ops = {
	.readlink = self_readlink,
};

static struct dentry *root_lookup(struct dentry *dir, const char *name, size_t len)
{
	u32 pid;

	if (name_is(name, len, "self"))
		return proc_make_link(dir, name, len, 0777, 0, &self_ops);
	if (name_is(name, len, "thread-self"))
		return proc_make_link(dir, name, len, 0777, PROC_THREAD, &self_ops);
	pid = proc_number(name, len);
	if (pid && process_find(pid))
		return proc_make_dir(dir, name, len, pid, &process_dir_ops);
	/* Not listed, but found, as on Linux: debuggers look for threads here. */
	if (pid && task_find(pid))
		return proc_make_dir(dir, name, len, pid | PROC_THREAD, &process_dir_ops);
	return err_ptr(-ENOENT);
}

static bool root_iterate(struct dentry *dir, u64 *pos, struct dir_entry *out)
{
	static const char *const links[] = {"self", "thread-self"};
	char name[16];
	u32 pid;

	(void)dir;
	if (*pos < ARRAY_SIZE(links)) {
		proc_entry(out, links[*pos], S_IFLNK);
		++*pos;
		return true;
	}
	epoch_enter();
	pid = task_next_pid((u32)(*pos - ARRAY_SIZE(links)));
	epoch_exit();
	if (!pid)
		return false;
	snprintf(name, sizeof(name), "%u", pid);
	proc_entry(out, name, S_IFDIR);
	*pos = pid + ARRAY_SIZE(links);
	return true;
}

static const struct inode_ops root_ops = {
	.lookup = root_lookup,
	.iterate = root_iterate,
};

int fs_task_nodes_init(void)
{
	int err;

	proc_context = fs_context_create();
	if (!proc_context)
		return -ENOMEM;
	err = procfs_register("loadavg", proc_show_loadavg, 0);
	if (!err)
		err = procfs_register("sys/kernel/pid_max", pseudo_show_number, PID_MAX);
	if (!err)
		err = namespaces_init();
	if (!err)
		err = dev_kmsg_init();
	if (!err)
		err = dev_rtc_init();
	procfs_set_root_ops(&root_ops);
	return err;
}
