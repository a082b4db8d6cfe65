/*
 * /proc/<pid>, /proc/self and what is below: directories whose entries are made while a path is
 * walked and are gone with the last reference, so that no process pays for them. A node holds the
 * number of its process, never a pointer: a process that ends in between answers ESRCH.
 */
#include "kernel/fs/proc_task.h"

#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/stat.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/pid.h"

static struct fs_context *proc_context; /* [I] for paths as seen from the first root */

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

/* The number that is `name`, or 0. */
static u32 parse_number(const char *name, size_t len)
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

static struct dentry *make(struct dentry *dir, const char *name, size_t len, struct inode *inode)
{
	struct dentry *d = inode ? dentry_alloc(dir, name, len, inode) : NULL;

	return d ? d : err_ptr(-ENOMEM);
}

static struct dentry *make_link(struct dentry *dir, const char *name, size_t len, u64 key,
				const struct inode_ops *ops)
{
	struct inode *inode = inode_alloc(dir->inode->sb, S_IFLNK | 0777);

	if (inode) {
		inode->ops = ops;
		inode->key = key;
	}
	return make(dir, name, len, inode);
}

static struct dentry *make_dir(struct dentry *dir, const char *name, size_t len, u64 key,
			       const struct inode_ops *ops)
{
	static const struct pseudo_node node = {.mode = S_IFDIR | 0555};

	return make(dir, name, len, pseudo_inode(dir->inode->sb, &node, key, ops));
}

/* An entry of a table by name, or NULL. */
static const struct pseudo_node *node_find(const struct pseudo_node *nodes, const char *name,
					   size_t len)
{
	for (; nodes->name; nodes++)
		if (name_is(name, len, nodes->name))
			return nodes;
	return NULL;
}

static void entry_set(struct dir_entry *out, const char *name, u32 mode)
{
	snprintf(out->name, sizeof(out->name), "%s", name);
	out->ino = 1;
	out->mode = mode;
}

/* ---- links to files ---- */

static long path_text(const struct path *p, char *buf, size_t size)
{
	static const char deleted[] = " (deleted)";
	char text[512], *start;
	size_t len;

	/* The path ends at the end of the room that it gets; what may follow it comes behind. */
	start = fs_path_text(proc_context, p, text, sizeof(text) - sizeof(deleted));
	if (is_err(start))
		return ptr_err(start);
	if (atomic_load_relaxed(&p->dentry->flags) & DENTRY_UNLINKED)
		memcpy(start + strlen(start), deleted, sizeof(deleted));
	len = MIN(strlen(start), size);
	memcpy(buf, start, len);
	return (long)len;
}

/* The program of a process: its path with a reference, or -ENOENT. Under the epoch. */
static int exe_path(u64 key, struct path *out)
{
	struct proc_who who;
	int err = -ENOENT;

	if (!proc_find(key, &who))
		return -ENOENT;
	spin_lock(&who.process->lock);
	if (who.process->exe) {
		*out = who.process->exe->path;
		path_get(out);
		err = 0;
	}
	spin_unlock(&who.process->lock);
	return err;
}

static int exe_follow(struct dentry *link, struct path *to)
{
	return exe_path(link->inode->key, to);
}

static long exe_readlink(struct dentry *link, char *buf, size_t size)
{
	struct path p;
	long ret;

	epoch_enter();
	ret = exe_path(link->inode->key, &p);
	epoch_exit();
	if (ret)
		return ret;
	ret = path_text(&p, buf, size);
	path_put(&p);
	return ret;
}

static const struct inode_ops exe_ops = {
	.follow = exe_follow,
	.readlink = exe_readlink,
};

/* ---- fd: the running process's own descriptors; others' are EACCES ---- */

static bool is_own(u64 key)
{
	struct proc_who who;

	return thread_current()->mm && proc_find(key, &who) && who.process == process_current();
}

static int fd_follow(struct dentry *link, struct path *to)
{
	struct file *f = fd_get(task_current()->files, (int)link->inode->key);
	int err = 0;

	if (!f)
		return -ENOENT;
	if (f->path.dentry) {
		*to = f->path;
		path_get(to);
	} else {
		err = anon_path(f, to);
	}
	file_put(f);
	return err;
}

static long fd_readlink(struct dentry *link, char *buf, size_t size)
{
	struct file *f = fd_get(task_current()->files, (int)link->inode->key);
	struct path p;
	long ret = 0;

	if (!f)
		return -ENOENT;
	if (f->path.dentry) {
		p = f->path;
		path_get(&p);
	} else {
		ret = anon_path(f, &p);
	}
	file_put(f);
	if (ret)
		return ret;
	ret = path_text(&p, buf, size);
	path_put(&p);
	return ret;
}

static const struct inode_ops fd_link_ops = {
	.follow = fd_follow,
	.readlink = fd_readlink,
};

static struct dentry *fd_lookup(struct dentry *dir, const char *name, size_t len)
{
	u32 fd = parse_number(name, len);
	struct file *f;

	if (!is_own(dir->inode->key))
		return err_ptr(-EACCES);
	if (fd == 0 && !name_is(name, len, "0"))
		return err_ptr(-ENOENT);
	f = fd_get(task_current()->files, (int)fd);
	if (!f)
		return err_ptr(-ENOENT);
	file_put(f);
	return make_link(dir, name, len, fd, &fd_link_ops);
}

static bool fd_iterate(struct dentry *dir, u64 *pos, struct dir_entry *out)
{
	char name[16];
	int fd;

	if (!is_own(dir->inode->key))
		return false;
	fd = fd_next(task_current()->files, (int)*pos);
	if (fd < 0)
		return false;
	snprintf(name, sizeof(name), "%d", fd);
	entry_set(out, name, S_IFLNK);
	*pos = (u64)fd + 1;
	return true;
}

static const struct inode_ops fd_dir_ops = {
	.lookup = fd_lookup,
	.iterate = fd_iterate,
};

/* ---- task: the threads of a process ---- */

static struct dentry *thread_lookup(struct dentry *dir, const char *name, size_t len)
{
	const struct pseudo_node *node = node_find(proc_thread_nodes, name, len);

	if (!node)
		return err_ptr(-ENOENT);
	return make(dir, name, len, pseudo_inode(dir->inode->sb, node, dir->inode->key, NULL));
}

static bool thread_iterate(struct dentry *dir, u64 *pos, struct dir_entry *out)
{
	(void)dir;
	if (!proc_thread_nodes[*pos].name)
		return false;
	entry_set(out, proc_thread_nodes[*pos].name, S_IFREG);
	++*pos;
	return true;
}

static const struct inode_ops thread_dir_ops = {
	.lookup = thread_lookup,
	.iterate = thread_iterate,
};

static struct dentry *tasks_lookup(struct dentry *dir, const char *name, size_t len)
{
	u32 tid = parse_number(name, len);
	struct task *t = tid ? task_find(tid) : NULL;

	if (!t || t->process->pid != (u32)dir->inode->key)
		return err_ptr(-ENOENT);
	return make_dir(dir, name, len, tid | PROC_THREAD, &thread_dir_ops);
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
	entry_set(out, name, S_IFDIR);
	*pos = (u64)best + 1;
	return true;
}

static const struct inode_ops tasks_dir_ops = {
	.lookup = tasks_lookup,
	.iterate = tasks_iterate,
};

/* ---- /proc/<pid> ---- */

static const struct {
	const char *name;
	u32 mode;
	const struct inode_ops *ops;
} process_extras[] = {
	{"exe", S_IFLNK, &exe_ops}, {"fd", S_IFDIR, &fd_dir_ops}, {"task", S_IFDIR, &tasks_dir_ops}};

static struct dentry *process_lookup(struct dentry *dir, const char *name, size_t len)
{
	const struct pseudo_node *node = node_find(proc_process_nodes, name, len);
	u64 key = dir->inode->key;

	if (node)
		return make(dir, name, len, pseudo_inode(dir->inode->sb, node, key, NULL));
	for (u32 i = 0; i < ARRAY_SIZE(process_extras); i++) {
		if (!name_is(name, len, process_extras[i].name))
			continue;
		if (process_extras[i].mode == S_IFLNK)
			return make_link(dir, name, len, key, process_extras[i].ops);
		return make_dir(dir, name, len, key, process_extras[i].ops);
	}
	return err_ptr(-ENOENT);
}

static bool process_iterate(struct dentry *dir, u64 *pos, struct dir_entry *out)
{
	u64 extra;

	(void)dir;
	if (*pos < ARRAY_SIZE(process_extras)) {
		entry_set(out, process_extras[*pos].name, process_extras[*pos].mode);
		++*pos;
		return true;
	}
	extra = *pos - ARRAY_SIZE(process_extras);
	if (!proc_process_nodes[extra].name)
		return false;
	entry_set(out, proc_process_nodes[extra].name, S_IFREG);
	++*pos;
	return true;
}

static const struct inode_ops process_dir_ops = {
	.lookup = process_lookup,
	.iterate = process_iterate,
};

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
		return make_link(dir, name, len, 0, &self_ops);
	if (name_is(name, len, "thread-self"))
		return make_link(dir, name, len, PROC_THREAD, &self_ops);
	pid = parse_number(name, len);
	if (!pid || !process_find(pid))
		return err_ptr(-ENOENT);
	return make_dir(dir, name, len, pid, &process_dir_ops);
}

static bool root_iterate(struct dentry *dir, u64 *pos, struct dir_entry *out)
{
	static const char *const links[] = {"self", "thread-self"};
	char name[16];
	u32 pid;

	(void)dir;
	if (*pos < ARRAY_SIZE(links)) {
		entry_set(out, links[*pos], S_IFLNK);
		++*pos;
		return true;
	}
	epoch_enter();
	pid = task_next_pid((u32)(*pos - ARRAY_SIZE(links)));
	epoch_exit();
	if (!pid)
		return false;
	snprintf(name, sizeof(name), "%u", pid);
	entry_set(out, name, S_IFDIR);
	*pos = pid + ARRAY_SIZE(links);
	return true;
}

static const struct inode_ops root_ops = {
	.lookup = root_lookup,
	.iterate = root_iterate,
};

static int show_number(struct seq *s, u64 key)
{
	seq_printf(s, "%lu\n", key);
	return 0;
}

int fs_task_nodes_init(void)
{
	int err;

	proc_context = fs_context_create();
	if (!proc_context)
		return -ENOMEM;
	err = procfs_register("loadavg", proc_show_loadavg, 0);
	if (!err)
		err = procfs_register("sys/kernel/pid_max", show_number, PID_MAX);
	procfs_set_root_ops(&root_ops);
	return err;
}
