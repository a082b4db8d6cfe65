/*
 * PCI Express: the functions behind a host bridge of the kind "ECAM" (each function's configuration space is 4 KiB of memory), where the
 * device tree describes one. Only bus 0, where QEMU puts what is not asked to lie behind a bridge.
 *
 * Nobody has given the devices addresses: the firmware leaves that to us. A function gets them when a driver starts it, from the bridge's
 * window for 32-bit memory, upwards; they are never given back. A function without a driver stays off.
 *
 * Interrupts. With an IMSIC each is a message (MSI-X): a store that the device makes to the file of the hart that was chosen, one for each
 * purpose. Else the function has one wire (INTx), which it may share with others: whoever gets it asks his device.
 *
 * Boot only, one hart; the handlers run in interrupts.
 * Source: PCI Local Bus 3.0, sections 6.1, 6.2.5 (addresses), 6.7 (capabilities), 6.8.2 (MSI-X); PCI Express Base 3.0, 7.2.2 (ECAM); IEEE 1275's
 * PCI bus binding (ranges, interrupt-map).
 */
#ifndef DRIVERS_PCI_PCI_H
#define DRIVERS_PCI_PCI_H

#include "lib/types.h"

#define PCI_BARS 6U

struct pci_device {
	volatile u8 *config; /* [I] configuration space */
	u16 vendor, device;  /* [I] */
	u8 slot, function;   /* [I] */
	struct pci_bar {
		u64 address; /* physical; 0: not there, or not memory */
		u64 size;
	} bars[PCI_BARS];	/* [I] after pci_start() */
	volatile u32 *messages; /* [I] the MSI-X table; NULL: INTx */
	u32 nr_messages;	/* [I] */
};

/* Calls `found` for every function there is. What it keeps, it copies. */
void pci_scan(void (*found)(const struct pci_device *d));

u32 pci_read(const struct pci_device *d, u32 offset);	/* 4 bytes, aligned */
u16 pci_read16(const struct pci_device *d, u32 offset); /* 2 bytes, aligned */
u8 pci_read8(const struct pci_device *d, u32 offset);
void pci_write16(const struct pci_device *d, u32 offset, u16 value);

/* The next capability `id` behind the one at offset `after` (0 to start): its offset; 0: no more. */
u32 pci_find_capability(const struct pci_device *d, u32 after, u8 id);

/* Gives addresses to the function and turns it on. 0; -ENOSPC: the window is full; -ENODEV: there is no window. */
int pci_start(struct pci_device *d);
/* `length` bytes from `offset` of a memory BAR; NULL: it has not that many, or they are not aligned to 4. After pci_start(). */
volatile void *pci_map(const struct pci_device *d, u32 bar, u64 offset, u64 length);

/* Turns MSI-X on, every message masked. The number of messages; 0: the device or the machine has none, INTx stays. After pci_start(). */
u32 pci_messages_start(struct pci_device *d);
/* Message `number` runs fn(arg) on hart `cpu`. 0 or -errno of irq_register_message(). */
int pci_message_register(struct pci_device *d, u32 number, u32 cpu, const char *name,
			 void (*fn)(void *arg), void *arg);
/*
 * The function's wire runs fn(arg), which may find that it was not its device. 0; -ENODEV: the bridge does not say where the wire
 * leads; -ENOMEM; or what irq_register() says.
 */
int pci_wire_register(struct pci_device *d, const char *name, void (*fn)(void *arg), void *arg);

#endif
