/*
 * boot: when did the first instruction of the first user process run?
 *
 * The `time` CSR starts at zero when QEMU resets the machine, so entry.S's reading is the time
 * since reset; firmware included, which is the same under every kernel. tools/compare measures
 * that part by itself (a probe whose first instruction reads `time` where a kernel would start)
 * and subtracts it.
 */
#include <stdint.h>
#include <stdio.h>
#include <termios.h>

/* QEMU's virt machine counts 10 MHz (its device tree's timebase-frequency); not discoverable by a
 * first process without /proc or /sys.
 */
#define TICKS_PER_US 10

extern uint64_t boot_entry_time;

int main(void)
{
	if (boot_entry_time == 0) {
		fprintf(stderr, "boot: entry point was not run\n");
		return 1;
	}
	printf("{\"name\":\"boot/first_user/default\",\"unit\":\"us\",\"better\":\"lower\","
	       "\"value\":%.1f}\n",
	       (double)boot_entry_time / TICKS_PER_US);
	/* Linux panics when its first process ends, and loses what its UART has not sent by then. */
	fflush(stdout);
	tcdrain(1);
	return 0;
}
