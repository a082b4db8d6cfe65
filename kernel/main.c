/*
 * The start order, in one list. The boot hart runs kernel_main() on the boot stack; the others run secondary_main() on a kernel stack
 * of their own. Both end as their hart's idle thread.
 */
#include "arch/riscv64/cpu.h"
#include "arch/riscv64/fpu.h"
#include "drivers/drivers.h"
#include "drivers/dt.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/proc_task.h"
#include "kernel/futex/futex.h"
#include "kernel/harts.h"
#include "kernel/ipc/ipc.h"
#include "kernel/irq/irq.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/wire/wire.h"
#include "kernel/random/random.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/sync_ops.h"
#include "kernel/task/isa.h"
#include "kernel/task/task.h"
#include "kernel/time/time.h"
#include "kernel/trace/lock_stat.h"
#include "kernel/trace/sample.h"
#include "kernel/trace/trace.h"
#include "kernel/trace/tracefs.h"
#include "kernel/trap/trap.h"
#include "kernel/tty/tty.h"
#include "lib/cmdline.h"
#include "tests/kernel/ktest.h"

#define BOOT_FAILED 125

static char dump_path[256];

static void main_dump_trace(void)
{
	if (dump_path[0])
		trace_dump(dump_path);
}

/* A user's mistake that ends the boot: one clear line. */
static __noreturn void main_fail(const char *why)
{
	klog_always("boot: %s\n", why);
	machine_poweroff(BOOT_FAILED);
}

static void main_early(u64 fdt_pa)
{
	u64 initrd_start = 0, initrd_end = 0;

	sync_ops.panic = panic;
	if (dt_init(pa_to_va(fdt_pa)))
		machine_poweroff(BOOT_FAILED);
	cmdline_init(dt_bootargs());
	uart_early_init();
	klog_console_level = (int)cmdline_get_u64("stellar.loglevel", KLOG_ERR);
	time_init(dt_timebase());
	dt_initrd(&initrd_start, &initrd_end);
	mm_early_init(pa_to_va(fdt_pa), initrd_start, initrd_end);
	/* A tree that lists both leaves the choice to a firmware call: harts start without. */
	if (isa_has(dt_isa(), "svadu") && !isa_has(dt_isa(), "svade"))
		mm_harts_set_accessed();
}

static void main_trace(void)
{
	char pattern[128] = "off";

	cmdline_get("stellar.trace", pattern, sizeof(pattern));
	if (trace_init(pattern, cmdline_get_u64("stellar.trace_buffer", 0)))
		main_fail("stellar.trace: unknown event or not enough memory");
	sample_hz = MAX(cmdline_get_u64("stellar.sample_hz", SAMPLE_HZ_DEFAULT), 1UL);
	if (cmdline_get("stellar.dump", dump_path, sizeof(dump_path)))
		panic_hook = main_dump_trace;
	machine_poweroff_hook = main_dump_trace;
}

/* In a thread: unpacking allocates, and programs and tests need to sleep. */
static void main_late(void *unused)
{
	u64 start, end;
	char suite[32];

	(void)unused;
	if (cmdline_get("stellar.test", suite, sizeof(suite))) {
		int failed = ktest_run(suite[0] ? suite : "all");

		machine_poweroff(failed ? 1 : 0);
	}
	if (!dt_initrd(&start, &end))
		main_fail("no root file system (initrd) was given");
	if (initramfs_unpack(pa_to_va(start), end - start))
		main_fail("the root file system is damaged or does not fit into memory");
	isa_zicboz_bytes = dt_zicboz_bytes();
	task_init(dt_isa());
	if (fs_task_nodes_init())
		panic("no memory for /proc");
	if (tracefs_init() || lock_stat_init())
		panic("no memory for /sys/kernel/tracing");
	if (eth_init(&wire_lwip))
		main_fail("ip= is not of Linux's form");
	task_start_init();
}

void kernel_main(u64 fdt_pa)
{
	u32 seed_length = 0;
	const void *seed;

	harts_init_boot();
	main_early(fdt_pa);
	harts_find();
	irq_init();
	main_trace();
	harts_init_this();
	sched_init();
	lock_trace_init();
	lock_trace_classes();
	seed = dt_rng_seed(&seed_length);
	random_init(seed, seed_length);
	harts_start();
	drivers_init();
	futex_init();
	fs_init();
	ipc_init();
	tty_init();
	net_init();
	if (!kthread_create("boot", main_late, NULL))
		panic("no memory for the first thread");
	sched_idle();
}
