/*
 * /proc nodes about memory as a whole: meminfo, vmstat, and what may be set below /proc/sys/vm. A
 * line whose value nobody keeps is left out rather than guessed; what does not exist here (swap,
 * pages to be written back) is 0.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/pseudo.h"
#include "kernel/fs/sysctl.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/epoch.h"

#define KIB_PER_PAGE (PAGE_SIZE >> 10)

#define HUGE_BYTES (2UL << 20)
#define HUGE_PAGES (HUGE_BYTES / PAGE_SIZE)

struct line {
	const char *name;
	u64 value;
};

static int show_meminfo(struct seq *s, u64 key)
{
	u64 free = mm_free_pages(), objects = mm_counted(MM_OBJECT), slab = mm_slab_pages();
	const struct line lines[] = {
		{"MemTotal:", mm_total_pages()},
		{"MemFree:", free},
		{"MemAvailable:", free},
		{"Buffers:", 0},
		{"Cached:", objects},
		{"SwapCached:", 0},
		{"SwapTotal:", 0},
		{"SwapFree:", 0},
		{"Dirty:", 0},
		{"Writeback:", 0},
		{"AnonPages:", mm_counted(MM_ANONYMOUS)},
		{"Shmem:", objects},
		{"KReclaimable:", 0},
		{"Slab:", slab},
		{"SReclaimable:", 0},
		{"SUnreclaim:", slab},
		{"KernelStack:", mm_counted(MM_KERNEL_STACK)},
		{"PageTables:", mm_counted(MM_PAGE_TABLE)},
		{"AnonHugePages:", mm_counted(MM_HUGE) * HUGE_PAGES},
		{"CommitLimit:", mm_commit_limit()},
		{"Committed_AS:", mm_committed_pages()},
	};

	(void)key;
	for (u32 i = 0; i < ARRAY_SIZE(lines); i++)
		seq_printf(s, "%-15s %8lu kB\n", lines[i].name, lines[i].value * KIB_PER_PAGE);
	return 0;
}

static int show_vmstat(struct seq *s, u64 key)
{
	u64 objects = mm_counted(MM_OBJECT);
	const struct line lines[] = {
		{"nr_free_pages", mm_free_pages()},
		{"nr_anon_pages", mm_counted(MM_ANONYMOUS)},
		{"nr_file_pages", objects},
		{"nr_shmem", objects},
		{"nr_dirty", 0},
		{"nr_writeback", 0},
		{"nr_slab_reclaimable", 0},
		{"nr_slab_unreclaimable", mm_slab_pages()},
		{"nr_anon_transparent_hugepages", mm_counted(MM_HUGE)},
		{"nr_page_table_pages", mm_counted(MM_PAGE_TABLE)},
		{"nr_kernel_stack", mm_counted(MM_KERNEL_STACK) * KIB_PER_PAGE},
		{"pgpgin", 0},
		{"pgpgout", 0},
		{"pswpin", 0},
		{"pswpout", 0},
		{"pgfault", mm_counted(MM_FAULTS)},
		{"pgmajfault", 0},
		{"oom_kill", mm_counted(MM_OOM_KILLS)},
	};

	(void)key;
	for (u32 i = 0; i < ARRAY_SIZE(lines); i++)
		seq_printf(s, "%s %lu\n", lines[i].name, lines[i].value);
	return 0;
}

static const char *const huge_policies[] = {
	[MM_HUGE_ALWAYS] = "always",
	[MM_HUGE_MADVISE] = "madvise",
	[MM_HUGE_NEVER] = "never",
};

static int show_huge_policy(struct seq *s, u64 key)
{
	u64 policy = atomic_load_relaxed(&mm_huge_policy);

	(void)key;
	for (u64 i = 0; i < ARRAY_SIZE(huge_policies); i++)
		seq_printf(s, i == policy ? "%s[%s]" : "%s%s", i ? " " : "", huge_policies[i]);
	seq_puts(s, "\n");
	return 0;
}

static int store_huge_policy(const char *text, u64 key)
{
	size_t len = strcspn(text, "\n");

	(void)key;
	for (u64 i = 0; i < ARRAY_SIZE(huge_policies); i++) {
		if (strlen(huge_policies[i]) != len || strncmp(text, huge_policies[i], len) != 0)
			continue;
		atomic_store_relaxed(&mm_huge_policy, i);
		return 0;
	}
	return -EINVAL;
}

static int show_huge_size(struct seq *s, u64 key)
{
	(void)key;
	seq_printf(s, "%lu\n", HUGE_BYTES);
	return 0;
}

static int huge_nodes_init(void)
{
	int err = sysfs_register_writable("kernel/mm/transparent_hugepage/enabled", 0644,
					  show_huge_policy, store_huge_policy, 0);

	return err ? err
		   : sysfs_register("kernel/mm/transparent_hugepage/hpage_pmd_size", show_huge_size,
				    0);
}

static u64 drop_caches; /* [a] what was written last */

/* Nothing of the files can be dropped: they are in memory only. What harts keep for themselves can. */
static int set_drop_caches(u64 *values, const u64 *wanted, u32 nr)
{
	(void)nr;
	if (wanted[0] & 3) {
		epoch_barrier();
		mm_drain_all();
	}
	atomic_store_relaxed(values, wanted[0]);
	return 0;
}

static const struct sysctl memory_sysctls[] = {
	{
		.path = "vm/overcommit_memory",
		.mode = 0644,
		.nr = 1,
		.values = &mm_overcommit_policy,
		.max = OVERCOMMIT_NEVER,
	},
	{
		.path = "vm/overcommit_ratio",
		.mode = 0644,
		.nr = 1,
		.values = &mm_overcommit_ratio,
		.max = INT32_MAX,
	},
	{
		.path = "vm/max_map_count",
		.mode = 0444,
		.nr = 1,
		.values = &mm_max_map_count,
		.max = INT32_MAX,
	},
	{
		.path = "vm/drop_caches",
		.mode = 0200,
		.nr = 1,
		.values = &drop_caches,
		.min = 1,
		.max = 4,
		.set = set_drop_caches,
	},
};

int proc_memory_init(void)
{
	int err = procfs_register("meminfo", show_meminfo, 0);

	if (!err)
		err = procfs_register("vmstat", show_vmstat, 0);
	if (!err)
		err = huge_nodes_init();
	for (u32 i = 0; i < ARRAY_SIZE(memory_sysctls) && !err; i++)
		err = sysctl_register(&memory_sysctls[i]);
	return err;
}
