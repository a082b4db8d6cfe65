/*
 * /proc nodes about the machine and the kernel as a whole, with values from their owners. What
 * concerns processes is in proc_task.c. A line whose value nobody keeps is left out rather than
 * guessed.
 */
#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "arch/riscv64/cpu.h"
#include "arch/riscv64/sbi.h"
#include "drivers/dt.h"
#include "kernel/file/aio.h"
#include "kernel/file/file.h"
#include "kernel/file/pipe.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/load.h"
#include "kernel/fs/pseudo.h"
#include "kernel/fs/sysctl.h"
#include "kernel/fs/utsname.h"
#include "kernel/irq/irq.h"
#include "kernel/sched/sched.h"
#include "kernel/time/time.h"
#include "lib/version.h"

#define USER_HZ	 100UL
#define NS_PER_S 1000000000UL

static u64 to_user_hz(u64 ticks)
{
	return time_ticks_to_ns(ticks) / (NS_PER_S / USER_HZ);
}

/* ---- machine ---- */

/* lscpu needs the maker's numbers: without them it does not take a hart for one. All harts are alike. */
static int show_cpuinfo(struct seq *s, u64 key)
{
	u64 vendor = sbi_mvendorid(), arch = sbi_marchid(), implementation = sbi_mimpid();

	(void)key;
	for (u32 i = 0; i < nr_cpus; i++) {
		seq_printf(s, "processor\t: %u\nhart\t\t: %u\nisa\t\t: %s\nmmu\t\t: sv39\n", i,
			   cpu_of(i)->hartid, dt_isa());
		seq_printf(s, "mvendorid\t: 0x%lx\nmarchid\t\t: 0x%lx\nmimpid\t\t: 0x%lx\n", vendor,
			   arch, implementation);
		seq_printf(s, "hart isa\t: %s\n\n", dt_isa());
	}
	return 0;
}

static int show_cmdline(struct seq *s, u64 key)
{
	(void)key;
	seq_printf(s, "%s\n", dt_bootargs());
	return 0;
}

/* ---- time and load ---- */

static void cpu_line(struct seq *s, const char *name, const struct sched_stats *st)
{
	seq_printf(s, "%s %lu 0 %lu %lu 0 0 0 0 0 0\n", name, to_user_hz(st->user_ticks),
		   to_user_hz(st->system_ticks), to_user_hz(st->idle_ticks));
}

static void cpu_sum(struct sched_stats *sum)
{
	struct sched_stats st;

	memset(sum, 0, sizeof(*sum));
	for (u32 i = 0; i < nr_cpus; i++) {
		sched_cpu_stats(i, &st);
		sum->nr_running += st.nr_running;
		sum->nr_switches += st.nr_switches;
		sum->nr_started += st.nr_started;
		sum->idle_ticks += st.idle_ticks;
		sum->user_ticks += st.user_ticks;
		sum->system_ticks += st.system_ticks;
	}
}

static u64 interrupts(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < nr_cpus; i++) {
		struct irq_stats st = irq_stats_of(i);

		sum += st.timer + st.ipi + st.device;
	}
	return sum;
}

static int show_stat(struct seq *s, u64 key)
{
	struct sched_stats sum, st;
	char name[16];

	(void)key;
	cpu_sum(&sum);
	cpu_line(s, "cpu ", &sum);
	for (u32 i = 0; i < nr_cpus; i++) {
		sched_cpu_stats(i, &st);
		snprintf(name, sizeof(name), "cpu%u", i);
		cpu_line(s, name, &st);
	}
	seq_printf(s, "intr %lu\n", interrupts());
	seq_printf(s, "ctxt %lu\nbtime %lu\nprocesses %lu\n", sum.nr_switches,
		   (time_realtime_ns() - time_monotonic_ns()) / NS_PER_S, sum.nr_started);
	/* Blocked are those that wait for a disk. */
	seq_printf(s, "procs_running %lu\nprocs_blocked 0\n", sum.nr_running);
	return 0;
}

/* There is no disk, and no module: a table without lines. */
static int show_nothing(struct seq *s, u64 key)
{
	(void)s;
	(void)key;
	return 0;
}

static int show_uptime(struct seq *s, u64 key)
{
	u64 up = time_monotonic_ns() / (NS_PER_S / 100), idle;
	struct sched_stats sum;

	(void)key;
	cpu_sum(&sum);
	idle = to_user_hz(sum.idle_ticks);
	seq_printf(s, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
	return 0;
}

/* ---- names and limits ---- */

static int show_version(struct seq *s, u64 key)
{
	(void)key;
	seq_printf(s, "%s version %s (gcc %s) %s\n", KERNEL_OSTYPE, KERNEL_RELEASE, __VERSION__,
		   KERNEL_VERSION);
	return 0;
}

static int show_filesystems(struct seq *s, u64 key)
{
	const char *name;

	for (u32 i = 0; (name = fs_type_name(i)) != NULL; i++)
		seq_printf(s, "nodev\t%s\n", name);
	(void)key;
	return 0;
}

static u64 string_key(const char *text)
{
	return (u64)(uintptr_t)text;
}

/* Of kernel/file, which is a layer below. */
static int register_aio(void)
{
	static const struct sysctl controls[] = {
		{"fs/aio-nr", 0444, 1, &aio_nr, false, 0, ~0UL, NULL},
		{"fs/aio-max-nr", 0644, 1, &aio_max_nr, false, 0, ~0UL, NULL},
	};
	int err = sysctl_register(&controls[0]);

	return err ? err : sysctl_register(&controls[1]);
}

int proc_nodes_init(void)
{
	const struct {
		const char *path;
		pseudo_show_fn show;
		u64 key;
	} nodes[] = {
		{"cpuinfo", show_cpuinfo, 0},
		{"cmdline", show_cmdline, 0},
		{"stat", show_stat, 0},
		{"uptime", show_uptime, 0},
		{"version", show_version, 0},
		{"filesystems", show_filesystems, 0},
		{"diskstats", show_nothing, 0},
		/* There is neither swap nor a disk: the heads of empty tables. */
		{"swaps", pseudo_show_text,
		 string_key("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority")},
		{"partitions", pseudo_show_text, string_key("major minor  #blocks  name\n")},
		{"modules", show_nothing, 0},
		{"sys/kernel/ostype", pseudo_show_text, string_key(KERNEL_OSTYPE)},
		{"sys/kernel/osrelease", pseudo_show_text, string_key(KERNEL_RELEASE)},
		{"sys/kernel/version", pseudo_show_text, string_key(KERNEL_VERSION)},
		{"sys/fs/nr_open", pseudo_show_number, FD_TABLE_MAX},
		{"sys/fs/pipe-max-size", pseudo_show_number, PIPE_MAX_SIZE},
	};
	int err = procfs_symlink("mounts", "self/mounts");

	for (u32 i = 0; i < ARRAY_SIZE(nodes) && !err; i++)
		err = procfs_register(nodes[i].path, nodes[i].show, nodes[i].key);
	if (!err)
		err = register_aio();
	if (!err)
		err = uts_init();
	if (!err)
		err = proc_memory_init();
	if (!err)
		err = proc_irq_init();
	if (!err)
		err = proc_sched_init();
	if (!err)
		err = proc_kernel_init();
	load_init();
	return err;
}
