/*
 * APLIC in MSI mode: turns the wires of devices into messages to interrupt files (imsic.c).
 */
#ifndef KERNEL_IRQ_APLIC_H
#define KERNEL_IRQ_APLIC_H

#include "lib/types.h"

/* Boot hart: the supervisor domain that sends to the files of device-tree node `imsic`. Without one there are no wired interrupts. */
void aplic_init(int imsic);
/* Makes `source` raise interrupt `id` in the interrupt file at physical address `file`. Boot, one hart. */
void aplic_route(u32 source, u64 file, u32 id);
/* After the handler of `source` has run: looks at the wire again. */
void aplic_complete(u32 source);

#endif
