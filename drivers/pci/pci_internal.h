/*
 * Between the two halves of the bus: configuration and interrupts.
 */
#ifndef DRIVERS_PCI_PCI_INTERNAL_H
#define DRIVERS_PCI_PCI_INTERNAL_H

#define PCI_COMMAND	       0x04
#define PCI_COMMAND_IO	       BIT(0)
#define PCI_COMMAND_MEMORY     BIT(1)
#define PCI_COMMAND_MASTER     BIT(2)
#define PCI_COMMAND_INTX_NEVER BIT(10)

/* The host bridge in the device tree. */
int pci_bridge_node(void);

#endif
