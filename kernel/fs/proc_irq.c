/*
 * /proc/interrupts and /proc/softirqs. Harts count timer interrupts, doorbells and device interrupts; which device it was nobody counts.
 * There are no soft interrupts here: the table that programs expect says so.
 */
#include "arch/riscv64/cpu.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/pseudo.h"
#include "kernel/irq/irq.h"

static void show_harts(struct seq *s, u32 indent)
{
	seq_printf(s, "%*s", (int)indent, "");
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		seq_printf(s, "CPU%-8u", cpu);
	seq_puts(s, "\n");
}

static int show_interrupts(struct seq *s, u64 key)
{
	static const struct {
		const char *name, *what;
		u32 offset; /* of the count in struct irq_stats */
	} lines[] = {
		{"TMR", "Timer interrupts", offsetof(struct irq_stats, timer)},
		{"EXT", "Device interrupts", offsetof(struct irq_stats, device)},
		{"IPI", "Doorbells of other harts", offsetof(struct irq_stats, ipi)},
	};

	(void)key;
	show_harts(s, 11);
	for (u32 i = 0; i < ARRAY_SIZE(lines); i++) {
		seq_printf(s, "%3s: ", lines[i].name);
		for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
			struct irq_stats stats = irq_stats_of(cpu);

			seq_printf(s, "%10lu ", *(u64 *)((char *)&stats + lines[i].offset));
		}
		seq_printf(s, "  %s\n", lines[i].what);
	}
	return 0;
}

static int show_softirqs(struct seq *s, u64 key)
{
	static const char *const names[] = {"HI",	"TIMER",   "NET_TX", "NET_RX",	"BLOCK",
					    "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU"};

	(void)key;
	show_harts(s, 20);
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		seq_printf(s, "%12s:", names[i]);
		for (u32 cpu = 0; cpu < nr_cpus; cpu++)
			seq_printf(s, " %10u", 0);
		seq_puts(s, "\n");
	}
	return 0;
}

int proc_irq_init(void)
{
	int err = procfs_register("interrupts", show_interrupts, 0);

	return err ? err : procfs_register("softirqs", show_softirqs, 0);
}
