/*
 * /proc/<pid>/mounts and mountinfo: the mount table as seen from the first root. Source: proc(5).
 */
#include "abi/mount.h"
#include "abi/stat.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/pseudo.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

struct mounts_text {
	struct seq *seq;
	struct fs_context *view;
	char *buf; /* FS_PATH_MAX */
};

static void show_flags(struct seq *s, u32 flags)
{
	static const struct {
		u32 flag;
		const char *text;
	} names[] = {
		{MS_NOSUID, ",nosuid"},		{MS_NODEV, ",nodev"},
		{MS_NOEXEC, ",noexec"},		{MS_NOATIME, ",noatime"},
		{MS_NODIRATIME, ",nodiratime"}, {MS_RELATIME, ",relatime"},
	};

	seq_puts(s, flags & MS_RDONLY ? "ro" : "rw");
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			seq_puts(s, names[i].text);
}

static void show_text(struct seq *s, const char *text)
{
	for (; *text; text++)
		if (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\\')
			seq_printf(s, "\\%03o", (u32)*text);
		else
			seq_write(s, text, 1);
}

/* Where the mount is. */
static void show_place(struct mounts_text *t, const struct mount *m)
{
	struct path p = {(struct mount *)m, m->root};

	show_text(t->seq, fs_path_text(t->view, &p, t->buf, FS_PATH_MAX));
}

/* What differs from what a tmpfs has if nobody says anything, as Linux tells it. */
static void show_super_options(struct seq *s, const struct super_block *sb)
{
	u64 limit;

	if (sb->magic != TMPFS_MAGIC)
		return;
	limit = atomic_load_relaxed(&sb->budget->limit);
	if (limit != mm_total_pages() / 2)
		seq_printf(s, ",size=%luk", limit * (PAGE_SIZE >> 10));
	if (sb->max_inodes != tmpfs_default_inodes())
		seq_printf(s, ",nr_inodes=%lu", sb->max_inodes);
	if (sb->asked_mode != TMPFS_DEFAULT_MODE)
		seq_printf(s, ",mode=%03o", sb->asked_mode);
	if (sb->asked_uid)
		seq_printf(s, ",uid=%u", sb->asked_uid);
	if (sb->asked_gid)
		seq_printf(s, ",gid=%u", sb->asked_gid);
	seq_puts(s, ",inode64");
}

static int mounts_line(const struct mount *m, void *arg)
{
	struct mounts_text *t = arg;
	struct seq *s = t->seq;

	show_text(s, m->source);
	seq_puts(s, " ");
	show_place(t, m);
	seq_printf(s, " %s ", m->sb->type);
	show_flags(s, atomic_load_relaxed(&m->flags));
	show_super_options(s, m->sb);
	seq_puts(s, " 0 0\n");
	return 0;
}

static int mountinfo_line(const struct mount *m, void *arg)
{
	struct mounts_text *t = arg;
	struct seq *s = t->seq;

	seq_printf(s, "%u %u 0:%lu ", m->id, m->parent ? m->parent->id : 0, m->sb->dev & 0xff);
	show_text(s, fs_dentry_text(m->sb->root, m->root, t->buf, FS_PATH_MAX));
	seq_puts(s, " ");
	show_place(t, m);
	seq_puts(s, " ");
	show_flags(s, atomic_load_relaxed(&m->flags));
	seq_printf(s, " - %s ", m->sb->type);
	show_text(s, m->source);
	seq_puts(s, " rw");
	show_super_options(s, m->sb);
	seq_puts(s, "\n");
	return 0;
}

static int show_all(struct seq *s, int (*line)(const struct mount *m, void *arg))
{
	struct mounts_text t = {s, fs_context_create(), kmalloc(FS_PATH_MAX)};
	int err = t.view && t.buf ? mount_for_each(line, &t) : -ENOMEM;

	kfree(t.buf);
	if (t.view)
		fs_context_put(t.view);
	return err;
}

int proc_show_mounts(struct seq *s, u64 key)
{
	(void)key;
	return show_all(s, mounts_line);
}

int proc_show_mountinfo(struct seq *s, u64 key)
{
	(void)key;
	return show_all(s, mountinfo_line);
}
