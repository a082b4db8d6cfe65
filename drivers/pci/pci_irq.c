/* Interrupts of PCI functions: messages, or a wire that several may share; pci.h tells the rules. */
#include "abi/errno.h"
#include "drivers/dt.h"
#include "drivers/pci/pci.h"
#include "drivers/pci/pci_internal.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

/* ---- MSI-X ---- */

#define CAPABILITY_MSIX	    0x11
#define MSIX_CONTROL	    2 /* offsets in the capability */
#define MSIX_TABLE	    4
#define MSIX_CONTROL_SIZE   0x7ffU /* entries less one */
#define MSIX_CONTROL_ENABLE BIT(15)
#define MSIX_CONTROL_MASK   BIT(14) /* all of them */
#define MSIX_TABLE_BAR	    7U

#define ENTRY_WORDS   4U /* of 32 bits: address, its upper half, data, control */
#define ENTRY_ADDRESS 0U
#define ENTRY_DATA    2U
#define ENTRY_CONTROL 3U
#define ENTRY_MASKED  1U

u32 pci_messages_start(struct pci_device *d)
{
	u32 at = pci_find_capability(d, 0, CAPABILITY_MSIX), table, count;
	u16 control;

	if (!at || !irq_has_messages())
		return 0;
	control = pci_read16(d, at + MSIX_CONTROL);
	count = (control & MSIX_CONTROL_SIZE) + 1;
	table = pci_read(d, at + MSIX_TABLE);
	d->messages = pci_map(d, table & MSIX_TABLE_BAR, table & ~MSIX_TABLE_BAR,
			      4UL * ENTRY_WORDS * count);
	if (!d->messages)
		return 0;
	for (u32 i = 0; i < count; i++)
		d->messages[ENTRY_WORDS * i + ENTRY_CONTROL] = ENTRY_MASKED;
	d->nr_messages = count;
	pci_write16(d, PCI_COMMAND, pci_read16(d, PCI_COMMAND) | PCI_COMMAND_INTX_NEVER);
	pci_write16(d, at + MSIX_CONTROL,
		    (u16)((control | MSIX_CONTROL_ENABLE) & ~MSIX_CONTROL_MASK));
	return count;
}

int pci_message_register(struct pci_device *d, u32 number, u32 cpu, const char *name,
			 void (*fn)(void *arg), void *arg)
{
	volatile u32 *entry = d->messages + (u64)ENTRY_WORDS * number;
	struct irq_message m;
	int err;

	if (number >= d->nr_messages)
		return -EINVAL;
	err = irq_register_message(cpu, name, fn, arg, &m);
	if (err)
		return err;
	entry[ENTRY_ADDRESS] = (u32)m.address;
	entry[ENTRY_ADDRESS + 1] = (u32)(m.address >> 32);
	entry[ENTRY_DATA] = m.data;
	entry[ENTRY_CONTROL] = 0;
	return 0;
}

/* ---- INTx ---- */

#define CONFIG_PIN 0x3d
#define PINS	   4U
#define UNIT_SHIFT 8 /* of slot and function in a unit address */
#define WIRES_MAX  8U

/* An entry of interrupt-map: unit address (3 cells), pin, then the controller's phandle, unit address and interrupt. */
#define MAP_CHILD_CELLS 4U

struct pci_handler {
	void (*fn)(void *arg);
	void *arg;
	struct pci_handler *next;
};

/* A wire and who listens to it. */
struct pci_wire {
	u32 source;
	struct pci_handler *first; /* [a] only grows, at boot */
};

static struct pci_wire wires[WIRES_MAX];

static u32 node_cells(u32 phandle, const char *property)
{
	u32 cells = 0;

	dt_cell(dt_phandle_node(phandle), property, 0, &cells);
	return cells;
}

/* Where the bridge's map leads the function's pin; 0: nowhere. */
static u32 wire_source(const struct pci_device *d, u32 pin)
{
	int bridge = pci_bridge_node();
	u32 unit = (u32)(d->slot << 3 | d->function) << UNIT_SHIFT;
	u32 masks[MAP_CHILD_CELLS] = {0}, child, child_pin, phandle, i = 0, source;

	for (u32 cell = 0; cell < MAP_CHILD_CELLS; cell++)
		dt_cell(bridge, "interrupt-map-mask", cell, &masks[cell]);
	while (dt_cell(bridge, "interrupt-map", i, &child) &&
	       dt_cell(bridge, "interrupt-map", i + 3, &child_pin) &&
	       dt_cell(bridge, "interrupt-map", i + MAP_CHILD_CELLS, &phandle)) {
		u32 parent = i + MAP_CHILD_CELLS + 1 + node_cells(phandle, "#address-cells");

		if ((unit & masks[0]) == (child & masks[0]) &&
		    (pin & masks[3]) == (child_pin & masks[3]) &&
		    dt_cell(bridge, "interrupt-map", parent, &source))
			return source;
		i = parent + node_cells(phandle, "#interrupt-cells");
	}
	return 0;
}

static void wire_interrupt(void *arg)
{
	struct pci_wire *w = arg;

	/* Pairs with the release in pci_wire_register(). */
	for (struct pci_handler *h = atomic_load_acquire(&w->first); h; h = h->next)
		h->fn(h->arg);
}

int pci_wire_register(struct pci_device *d, const char *name, void (*fn)(void *arg), void *arg)
{
	u32 pin = pci_read8(d, CONFIG_PIN);
	u32 source = pin && pin <= PINS ? wire_source(d, pin) : 0;
	struct pci_wire *w = wires;
	struct pci_handler *h;
	int err;

	while (w < wires + WIRES_MAX && w->source && w->source != source)
		w++;
	if (!source || w == wires + WIRES_MAX)
		return -ENODEV;
	h = kmalloc(sizeof(*h));
	if (!h)
		return -ENOMEM;
	*h = (struct pci_handler){.fn = fn, .arg = arg, .next = w->first};
	/* Pairs with the acquire load of wire_interrupt(): the wire may be in use already. */
	atomic_store_release(&w->first, h);
	if (w->source)
		return 0;
	err = irq_register(source, name, wire_interrupt, w);
	if (err) {
		w->first = NULL;
		kfree(h);
		return err;
	}
	w->source = source;
	return 0;
}
