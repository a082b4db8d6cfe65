/*
 * /proc/<pid>/maps, smaps and smaps_rollup: the mappings of a process and what they hold. The text
 * is made with the space locked, so it is of one moment but for the pages, which may come and go.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/stat.h"
#include "kernel/file/file.h"
#include "kernel/fs/proc_task.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

#define NAME_COLUMN  73U
#define PATH_MAX_LEN 512U
#define KIB(pages)   ((pages) * (PAGE_SIZE >> 10))

struct map_text {
	struct seq *s;
	struct mm *mm;
	u64 first, last; /* of a rollup: where it begins and ends */
	struct mm_usage sum;
	char path[PATH_MAX_LEN];
};

static const char *map_path(struct map_text *t, const struct path *p)
{
	char *text;

	if (!p->dentry)
		return "";
	text = proc_path_text(p, t->path, sizeof(t->path));
	return is_err(text) ? "" : text;
}

/* What the mapping was made from: device, inode and name ("" if it has none). */
static const char *map_identity(struct map_text *t, const struct mm_region *r, struct vm_identity *id)
{
	struct file *f = file_of_backing(r->backing);
	struct stat_info st;

	*id = (struct vm_identity){0};
	if (f) {
		if (f->ops->stat(f, &st) == 0) {
			id->dev = st.dev;
			id->ino = st.ino;
		}
		return map_path(t, &f->path);
	}
	if (r->backing && r->backing->ops->identify) {
		r->backing->ops->identify(r->backing, id);
		return strcpy(t->path, id->name);
	}
	if (r->object && r->shared)
		return "/dev/zero (deleted)";
	return r->name ? r->name : "";
}

static void map_header(struct map_text *t, const struct mm_region *r)
{
	struct seq *s = t->s;
	size_t before = s->len;
	struct vm_identity id;
	const char *name = map_identity(t, r, &id);

	seq_printf(s, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", r->start, r->end,
		   r->prot & PROT_READ ? 'r' : '-', r->prot & PROT_WRITE ? 'w' : '-',
		   r->prot & PROT_EXEC ? 'x' : '-', r->shared ? 's' : 'p', r->offset,
		   ABI_MAJOR(id.dev), ABI_MINOR(id.dev), id.ino);
	if (*name) {
		while (s->len - before < NAME_COLUMN)
			seq_puts(s, " ");
		seq_puts(s, name);
	}
	seq_puts(s, "\n");
}

static int map_line(const struct mm_region *r, void *arg)
{
	map_header(arg, r);
	return 0;
}

static void usage_line(struct seq *s, const char *name, u64 kib)
{
	seq_printf(s, "%-16s%8lu kB\n", name, kib);
}

/* What only a sum over all mappings has: shares by kind. All files are in memory, as Linux's shmem. */
static void usage_kinds(struct seq *s, const struct mm_usage *u)
{
	usage_line(s, "Pss_Anon:", (u->share_bytes - u->object_share_bytes) >> 10);
	usage_line(s, "Pss_File:", 0);
	usage_line(s, "Pss_Shmem:", u->object_share_bytes >> 10);
}

static void usage_lines(struct seq *s, const struct mm_usage *u, u64 locked, bool rollup)
{
	usage_line(s, "Rss:", KIB(u->resident));
	usage_line(s, "Pss:", u->share_bytes >> 10);
	usage_line(s, "Pss_Dirty:", u->dirty_share_bytes >> 10);
	if (rollup)
		usage_kinds(s, u);
	usage_line(s, "Shared_Clean:", KIB(u->shared_clean));
	usage_line(s, "Shared_Dirty:", KIB(u->shared_dirty));
	usage_line(s, "Private_Clean:", KIB(u->private_clean));
	usage_line(s, "Private_Dirty:", KIB(u->private_dirty));
	usage_line(s, "Referenced:", KIB(u->resident));
	usage_line(s, "Anonymous:", KIB(u->resident - u->object));
	usage_line(s, "KSM:", 0);
	usage_line(s, "LazyFree:", 0);
	usage_line(s, "AnonHugePages:", u->huge * 2048);
	usage_line(s, "ShmemPmdMapped:", 0);
	usage_line(s, "FilePmdMapped:", 0);
	usage_line(s, "Shared_Hugetlb:", 0);
	usage_line(s, "Private_Hugetlb:", 0);
	usage_line(s, "Swap:", 0);
	usage_line(s, "SwapPss:", 0);
	usage_line(s, "Locked:", locked);
}

static int smaps_region(const struct mm_region *r, void *arg)
{
	struct map_text *t = arg;
	struct mm_usage u = {0};

	mm_region_usage(t->mm, r->start, r->end, &u);
	map_header(t, r);
	usage_line(t->s, "Size:", (r->end - r->start) >> 10);
	usage_line(t->s, "KernelPageSize:", PAGE_SIZE >> 10);
	usage_line(t->s, "MMUPageSize:", PAGE_SIZE >> 10);
	usage_lines(t->s, &u, r->locked ? u.share_bytes >> 10 : 0, false);
	seq_printf(t->s, "VmFlags:%s%s%s%s%s%s%s\n", r->prot & PROT_READ ? " rd" : "",
		   r->prot & PROT_WRITE ? " wr" : "", r->prot & PROT_EXEC ? " ex" : "",
		   r->shared ? " sh" : "", " mr mw me", r->grows_down ? " gd" : "",
		   r->locked ? " lo" : "");
	return 0;
}

static int rollup_region(const struct mm_region *r, void *arg)
{
	struct map_text *t = arg;

	if (!t->last)
		t->first = r->start;
	t->last = r->end;
	mm_region_usage(t->mm, r->start, r->end, &t->sum);
	return 0;
}

/* Over all mappings; `rollup`: only their sum. */
static int show_regions(struct seq *s, u64 key, int (*fn)(const struct mm_region *r, void *arg),
			bool rollup)
{
	struct map_text *t = kzalloc(sizeof(*t));
	struct proc_space space = {0};
	int err;

	if (!t)
		return -ENOMEM;
	t->s = s;
	err = proc_space_get(key, true, &space);
	if (!err) {
		t->mm = space.mm;
		err = mm_for_each_region(t->mm, fn, t);
		if (!err && rollup) {
			seq_printf(s, "%08lx-%08lx ---p 00000000 00:00 0 [rollup]\n", t->first,
				   t->last);
			usage_lines(s, &t->sum, KIB(mm_locked_pages(t->mm)), true);
		}
		mm_put(t->mm);
	}
	kfree(t);
	/* Who has no space has no mappings. */
	return err == -ESRCH ? 0 : err;
}

int proc_show_maps(struct seq *s, u64 key)
{
	return show_regions(s, key, map_line, false);
}

int proc_show_smaps(struct seq *s, u64 key)
{
	return show_regions(s, key, smaps_region, false);
}

int proc_show_smaps_rollup(struct seq *s, u64 key)
{
	return show_regions(s, key, rollup_region, true);
}

void proc_status_memory(struct seq *s, const struct proc_space *space)
{
	const struct process_layout *l = &space->layout;
	struct mm_stats st;
	const struct {
		const char *name;
		u64 *pages;
	} lines[] = {
		{"VmPeak:", &st.peak_virtual}, {"VmSize:", &st.virtual}, {"VmLck:", &st.locked},
		{"VmHWM:", &st.peak_resident}, {"VmRSS:", &st.resident}, {"VmData:", &st.data},
		{"VmStk:", &st.stack},	       {"VmPTE:", &st.tables},
	};

	mm_stats(space->mm, &st);
	for (u32 i = 0; i < ARRAY_SIZE(lines); i++)
		seq_printf(s, "%s\t%8lu kB\n", lines[i].name, KIB(*lines[i].pages));
	/* All files are in memory: what Linux counts as Shmem. */
	seq_printf(s, "RssAnon:\t%8lu kB\nRssFile:\t%8u kB\nRssShmem:\t%8lu kB\n",
		   KIB(st.resident - MIN(st.object, st.resident)), 0U, KIB(st.object));
	seq_printf(s, "VmExe:\t%8lu kB\nVmSwap:\t%8u kB\n", (l->end_code - l->start_code) >> 10, 0U);
}

int proc_show_statm(struct seq *s, u64 key)
{
	struct proc_space space;
	struct mm_stats st;
	u64 text;

	if (proc_space_get(key, false, &space)) {
		seq_puts(s, "0 0 0 0 0 0 0\n");
		return 0;
	}
	mm_stats(space.mm, &st);
	text = ALIGN_UP(space.layout.end_code - space.layout.start_code, PAGE_SIZE) / PAGE_SIZE;
	seq_printf(s, "%lu %lu %lu %lu 0 %lu 0\n", st.virtual, st.resident, st.object, text,
		   st.data + st.stack);
	mm_put(space.mm);
	return 0;
}
