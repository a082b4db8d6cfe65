/*
 * /sys/devices/system: the harts, as glibc (sysconf), lscpu, perf, numactl and libuv look for
 * them. QEMU's virt machine has one package and one memory node; each hart is a core of its own.
 */
#include <stdio.h>

#include "arch/riscv64/cpu.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/pseudo.h"
#include "kernel/sync/hart.h"

#define CPU_DIR	 "devices/system/cpu/"
#define NODE_DIR "devices/system/node/"

static int show_cpu_list(struct seq *s, u64 key)
{
	(void)key;
	seq_cpu_list(s, hart_all());
	seq_puts(s, "\n");
	return 0;
}

static int show_cpu_mask(struct seq *s, u64 key)
{
	(void)key;
	seq_cpu_mask(s, hart_all());
	seq_puts(s, "\n");
	return 0;
}

static int show_empty(struct seq *s, u64 key)
{
	(void)key;
	seq_puts(s, "\n");
	return 0;
}

/* The set of hart `key` alone. */
static int show_one_list(struct seq *s, u64 key)
{
	seq_cpu_list(s, BIT(key));
	seq_puts(s, "\n");
	return 0;
}

static int show_one_mask(struct seq *s, u64 key)
{
	seq_cpu_mask(s, BIT(key));
	seq_puts(s, "\n");
	return 0;
}

struct sys_node {
	const char *path;
	pseudo_show_fn show;
	u64 key;
};

static int register_all(const char *dir, const struct sys_node *nodes, u32 n)
{
	char path[96];
	int err = 0;

	for (u32 i = 0; i < n && !err; i++) {
		snprintf(path, sizeof(path), "%s%s", dir, nodes[i].path);
		err = sysfs_register(path, nodes[i].show, nodes[i].key);
	}
	return err;
}

static int register_cpu(u32 cpu)
{
	const struct sys_node nodes[] = {
		{"topology/physical_package_id", pseudo_show_number, 0},
		{"topology/core_id", pseudo_show_number, cpu},
		{"topology/thread_siblings", show_one_mask, cpu},
		{"topology/thread_siblings_list", show_one_list, cpu},
		{"topology/core_cpus", show_one_mask, cpu},
		{"topology/core_cpus_list", show_one_list, cpu},
		{"topology/core_siblings", show_cpu_mask, 0},
		{"topology/core_siblings_list", show_cpu_list, 0},
		{"topology/package_cpus", show_cpu_mask, 0},
		{"topology/package_cpus_list", show_cpu_list, 0},
	};
	char dir[64];

	snprintf(dir, sizeof(dir), CPU_DIR "cpu%u/", cpu);
	return register_all(dir, nodes, ARRAY_SIZE(nodes));
}

int sys_nodes_init(void)
{
	const struct sys_node cpu_nodes[] = {
		{"online", show_cpu_list, 0},  {"possible", show_cpu_list, 0},
		{"present", show_cpu_list, 0}, {"offline", show_empty, 0},
		{"isolated", show_empty, 0},   {"kernel_max", pseudo_show_number, MAX_CPUS - 1},
	};
	const struct sys_node memory_nodes[] = {
		{"online", pseudo_show_number, 0},   {"possible", pseudo_show_number, 0},
		{"has_cpu", pseudo_show_number, 0},  {"has_memory", pseudo_show_number, 0},
		{"node0/cpulist", show_cpu_list, 0}, {"node0/cpumap", show_cpu_mask, 0},
	};
	/* Where programs look for disks and devices first: there are none. */
	static const char *const empty[] = {"block",	 "bus",	     "class/block",
					    "dev/block", "dev/char", "fs"};
	int err = register_all(CPU_DIR, cpu_nodes, ARRAY_SIZE(cpu_nodes));

	if (!err)
		err = register_all(NODE_DIR, memory_nodes, ARRAY_SIZE(memory_nodes));
	for (u32 i = 0; i < nr_cpus && !err; i++)
		err = register_cpu(i);
	if (!err)
		err = sys_memory_init();
	for (u32 i = 0; i < ARRAY_SIZE(empty) && !err; i++)
		err = sysfs_mkdir(empty[i]);
	if (!err)
		err = sysfs_register("kernel/cpu_byteorder", pseudo_show_text,
				     (u64)(uintptr_t) "little");
	if (!err)
		err = sysfs_register("kernel/address_bits", pseudo_show_number, 64);
	return err;
}
