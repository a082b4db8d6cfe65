/* The host bridge, configuration space and addresses; pci.h tells the rules. */
#include "drivers/pci/pci.h"

#include "abi/errno.h"
#include "arch/riscv64/layout.h"
#include "drivers/dt.h"
#include "drivers/pci/pci_internal.h"
#include "kernel/log/log.h"

#define SLOTS		32U
#define FUNCTIONS	8U
#define FUNCTION_CONFIG 4096U /* bytes of configuration space */

#define CONFIG_VENDOR	    0x00
#define CONFIG_DEVICE	    0x02
#define CONFIG_STATUS	    0x06
#define CONFIG_HEADER	    0x0e
#define CONFIG_BAR(i)	    (0x10 + 4 * (i))
#define CONFIG_CAPABILITIES 0x34

#define VENDOR_NONE	    0xffff
#define STATUS_CAPABILITIES BIT(4)
#define HEADER_TYPE	    0x7f
#define HEADER_MANY	    0x80 /* the slot has more functions */
#define CAPABILITIES_FIRST  0x40
#define CAPABILITIES_MAX    48 /* that fit: a list that is longer goes round */

#define BAR_IO	  BIT(0)
#define BAR_TYPE  (3U << 1)
#define BAR_64BIT (2U << 1)
#define BAR_FLAGS 0xfU
#define BAR_ALIGN 4096U /* so that no two devices share a page */

/* A window of the bridge in `ranges`: address on the bus (3 cells), address in memory and size (2 each). */
#define RANGE_CELLS	   7
#define RANGE_SPACE(first) ((first) >> 24 & 3)
#define SPACE_MEMORY_32	   2

static struct {
	int node;	     /* < 0: there is no bridge */
	u64 ecam, ecam_size; /* physical */
	u64 bus, memory;     /* where the window begins, on the bus and in memory */
	u64 size, used;	     /* of the window */
} bridge;

int pci_bridge_node(void)
{
	return bridge.node;
}

/* ---- configuration space ---- */

u32 pci_read(const struct pci_device *d, u32 offset)
{
	return *(volatile u32 *)(d->config + offset);
}

u16 pci_read16(const struct pci_device *d, u32 offset)
{
	return *(volatile u16 *)(d->config + offset);
}

u8 pci_read8(const struct pci_device *d, u32 offset)
{
	return d->config[offset];
}

static void pci_write(const struct pci_device *d, u32 offset, u32 value)
{
	*(volatile u32 *)(d->config + offset) = value;
}

void pci_write16(const struct pci_device *d, u32 offset, u16 value)
{
	*(volatile u16 *)(d->config + offset) = value;
}

u32 pci_find_capability(const struct pci_device *d, u32 after, u8 id)
{
	u32 at = after ? after + 1 : CONFIG_CAPABILITIES;

	if (!(pci_read16(d, CONFIG_STATUS) & STATUS_CAPABILITIES))
		return 0;
	for (u32 i = 0; i < CAPABILITIES_MAX; i++) {
		u32 next = pci_read8(d, at) & 0xfcU;

		if (next < CAPABILITIES_FIRST)
			return 0;
		if (pci_read8(d, next) == id)
			return next;
		at = next + 1;
	}
	return 0;
}

/* ---- addresses ---- */

/* Takes `size` bytes, a power of two, from the window. Their place in the window; -1: it is full. */
static s64 window_take(u64 size)
{
	u64 at = ALIGN_UP(bridge.bus + bridge.used, MAX(size, (u64)BAR_ALIGN)) - bridge.bus;

	if (at >= bridge.size || size > bridge.size - at)
		return -1;
	bridge.used = at + MAX(size, (u64)BAR_ALIGN);
	return (s64)at;
}

/* The bytes that a BAR wants, 0 if none: the bits that cannot be set tell. */
static u64 bar_size(const struct pci_device *d, u32 i, bool wide)
{
	u64 mask;

	pci_write(d, CONFIG_BAR(i), 0xffffffff);
	mask = pci_read(d, CONFIG_BAR(i)) & ~(u64)BAR_FLAGS;
	if (!wide)
		return mask ? 0x100000000UL - mask : 0;
	pci_write(d, CONFIG_BAR(i + 1), 0xffffffff);
	mask |= (u64)pci_read(d, CONFIG_BAR(i + 1)) << 32;
	return mask ? 0 - mask : 0;
}

/* The function is off meanwhile: it would answer to what is written here. */
static int bars_assign(struct pci_device *d)
{
	for (u32 i = 0; i < PCI_BARS; i++) {
		u32 flags = pci_read(d, CONFIG_BAR(i));
		bool wide = (flags & BAR_TYPE) == BAR_64BIT && i + 1 < PCI_BARS;
		u64 size;
		s64 at;

		if (flags & BAR_IO)
			continue;
		size = bar_size(d, i, wide);
		if (size) {
			at = window_take(size);
			if (at < 0)
				return -ENOSPC;
			d->bars[i] =
				(struct pci_bar){.address = bridge.memory + (u64)at, .size = size};
			pci_write(d, CONFIG_BAR(i), (u32)(bridge.bus + (u64)at));
			if (wide)
				pci_write(d, CONFIG_BAR(i + 1), (u32)((bridge.bus + (u64)at) >> 32));
		}
		i += wide;
	}
	return 0;
}

int pci_start(struct pci_device *d)
{
	u16 command = pci_read16(d, PCI_COMMAND) & (u16) ~(PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	int err;

	if (!bridge.size)
		return -ENODEV;
	pci_write16(d, PCI_COMMAND, command);
	err = bars_assign(d);
	if (!err)
		pci_write16(d, PCI_COMMAND, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return err;
}

volatile void *pci_map(const struct pci_device *d, u32 bar, u64 offset, u64 length)
{
	if (bar >= PCI_BARS || offset % 4 || offset > d->bars[bar].size ||
	    length > d->bars[bar].size - offset)
		return NULL;
	return pa_to_va(d->bars[bar].address + offset);
}

/* ---- the bridge ---- */

static u64 cells_64(int node, const char *property, u32 i)
{
	u32 high = 0, low = 0;

	dt_cell(node, property, i, &high);
	dt_cell(node, property, i + 1, &low);
	return (u64)high << 32 | low;
}

static void bridge_find_window(void)
{
	u32 first;

	for (u32 i = 0; dt_cell(bridge.node, "ranges", i, &first); i += RANGE_CELLS) {
		if (RANGE_SPACE(first) != SPACE_MEMORY_32)
			continue;
		bridge.bus = cells_64(bridge.node, "ranges", i + 1);
		bridge.memory = cells_64(bridge.node, "ranges", i + 3);
		bridge.size = cells_64(bridge.node, "ranges", i + 5);
		return;
	}
}

static bool bridge_find(void)
{
	bridge.node = dt_find(-1, "pci-host-ecam-generic");
	if (bridge.node < 0 || !dt_reg(bridge.node, 0, &bridge.ecam, &bridge.ecam_size) ||
	    bridge.ecam_size < (u64)SLOTS * FUNCTIONS * FUNCTION_CONFIG)
		return false;
	bridge_find_window();
	return true;
}

/* True if the slot may have further functions. */
static bool scan_function(u8 slot, u8 function, void (*found)(const struct pci_device *d))
{
	u64 at = (u64)(slot * FUNCTIONS + function) * FUNCTION_CONFIG;
	struct pci_device d = {
		.config = pa_to_va(bridge.ecam + at), .slot = slot, .function = function};
	u8 header;

	d.vendor = pci_read16(&d, CONFIG_VENDOR);
	if (d.vendor == VENDOR_NONE)
		return function != 0;
	d.device = pci_read16(&d, CONFIG_DEVICE);
	header = pci_read8(&d, CONFIG_HEADER);
	if ((header & HEADER_TYPE) == 0)
		found(&d);
	else
		klog(KLOG_INFO, "pci: nothing behind bridge %u.%u is looked at\n", slot, function);
	return function != 0 || (header & HEADER_MANY);
}

void pci_scan(void (*found)(const struct pci_device *d))
{
	if (!bridge_find())
		return;
	for (u8 slot = 0; slot < SLOTS; slot++) {
		for (u8 function = 0; function < FUNCTIONS; function++) {
			if (!scan_function(slot, function, found))
				break;
		}
	}
}
