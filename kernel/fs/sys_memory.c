/*
 * /sys/devices/system/memory and node/node0: memory in blocks as lsmem and lscpu look for it, and the only node's numbers, for
 * numactl and hwloc. Memory cannot be taken away, so nothing here may be written.
 */
#include <stdio.h>

#include "abi/errno.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/pseudo.h"
#include "kernel/mm/mm.h"

#define MEMORY_DIR   "devices/system/memory/"
#define NODE_DIR     "devices/system/node/node0/"
#define BLOCK_BYTES  (128UL << 20) /* as Linux's sections */
#define KIB_PER_PAGE (PAGE_SIZE >> 10)

static int show_hex(struct seq *s, u64 key)
{
	seq_printf(s, "%08lx\n", key);
	return 0;
}

static int show_size(struct seq *s, u64 key)
{
	(void)key;
	seq_printf(s, "%lx\n", BLOCK_BYTES);
	return 0;
}

static int show_node_meminfo(struct seq *s, u64 key)
{
	u64 total = mm_total_pages(), free = mm_free_pages(), objects = mm_counted(MM_OBJECT);
	const struct {
		const char *name;
		u64 pages;
	} lines[] = {
		{"MemTotal:", total},
		{"MemFree:", free},
		{"MemUsed:", total - free},
		{"SwapCached:", 0},
		{"Dirty:", 0},
		{"Writeback:", 0},
		{"FilePages:", objects},
		{"AnonPages:", mm_counted(MM_ANONYMOUS)},
		{"Shmem:", objects},
		{"KernelStack:", mm_counted(MM_KERNEL_STACK)},
		{"PageTables:", mm_counted(MM_PAGE_TABLE)},
		{"Slab:", mm_slab_pages()},
		{"SReclaimable:", 0},
		{"SUnreclaim:", mm_slab_pages()},
	};

	(void)key;
	for (u32 i = 0; i < ARRAY_SIZE(lines); i++)
		seq_printf(s, "Node 0 %-15s %8lu kB\n", lines[i].name, lines[i].pages * KIB_PER_PAGE);
	return 0;
}

static int register_block(u64 block)
{
	const struct {
		const char *name;
		pseudo_show_fn show;
		u64 key;
	} files[] = {
		{"online", pseudo_show_number, 1},
		{"phys_device", pseudo_show_number, 0},
		{"phys_index", show_hex, block},
		{"removable", pseudo_show_number, 0},
		{"state", pseudo_show_text, (u64)(uintptr_t) "online"},
	};
	char path[64];
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(files) && !err; i++) {
		snprintf(path, sizeof(path), MEMORY_DIR "memory%lu/%s", block, files[i].name);
		err = sysfs_register(path, files[i].show, files[i].key);
	}
	return err;
}

int sys_memory_init(void)
{
	u64 start, end;
	int err = sysfs_register(MEMORY_DIR "block_size_bytes", show_size, 0);

	mm_bounds(&start, &end);
	for (u64 b = start / BLOCK_BYTES; b * BLOCK_BYTES < end && !err; b++)
		err = register_block(b);
	if (!err)
		err = sysfs_register(NODE_DIR "meminfo", show_node_meminfo, 0);
	if (!err)
		err = sysfs_register(NODE_DIR "distance", pseudo_show_number, 10);
	return err;
}
