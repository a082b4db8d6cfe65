/*
 * The sifive_test device of QEMU's virt machine: ends the emulator with an exit status.
 */
#ifndef DRIVERS_FINISHER_H
#define DRIVERS_FINISHER_H

#include "lib/types.h"

/* Runs once before a power-off that is not a panic: main.c sets it to write the trace out. */
extern void (*machine_poweroff_hook)(void);

/* Ends QEMU with `status` (0-255), after the hook. Context: no lock held. */
__noreturn void machine_poweroff(u32 status);
/* Starts the machine again, after the hook; where QEMU does not restart (-no-reboot) it ends with status 0. */
__noreturn void machine_restart(void);
/* At once, without the hook. Context: any. */
__noreturn void machine_halt(u32 status);

#endif
