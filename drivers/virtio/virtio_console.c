/*
 * Virtio console with many ports: the standard streams of the program that the kernel runs.
 *
 * Ports appear, get their names and are opened and closed by the host through messages on a pair of control queues. The kernel answers each
 * PORT_ADD with PORT_READY and opens what the device names stellar.in, .out and .err. QEMU answers while a kick is in progress, so the
 * whole dialogue is over when virtio_console_probe() returns.
 *
 * Output goes through one page a port; the write is over when the device has given the page back, so that nothing is lost at power-off.
 * Input lies in the used ring until it is read. The end: the host has closed the port, and the ring is empty; asked in this order, since
 * the device puts the last data into the ring before it tells of the close.
 */
#include "abi/errno.h"
#include "arch/riscv64/layout.h"
#include "drivers/console.h"
#include "drivers/virtio/virtio.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/park.h"
#include "kernel/time/time.h"

#include <string.h>

#define F_MULTIPORT	 BIT(1)
#define CONFIG_MAX_PORTS 4

#define QUEUE_CONTROL_IN  2
#define QUEUE_CONTROL_OUT 3

#define MAX_PORTS 16U
#define CONTROL_SIZE                                                                               \
	32 /* two messages for each port may wait; the device drops what finds no room */
#define MESSAGE_SIZE   128U
#define RX_PAGES       4
#define TX_SPINS       1000 /* about 20 us */
#define CONTROL_WAIT_S 1

enum control_event {
	DEVICE_READY,
	PORT_ADD,
	PORT_REMOVE,
	PORT_READY,
	CONSOLE_PORT,
	RESIZE,
	PORT_OPEN,
	PORT_NAME,
};

struct control {
	u32 port;
	u16 event;
	u16 value;
	char name[]; /* of PORT_NAME, up to the length of the message */
};

struct virtio_console;

struct vport {
	struct console console;	   /* first: what the callbacks get */
	struct virtio_console *vc; /* [I] */
	struct virtq *rx; /* [L:reader] kernel/fs has one reader and one writer at a time */
	struct virtq *tx; /* [L:writer] */
	u32 rx_used;	  /* [L:reader] bytes already read of the oldest page of rx */
	char *tx_page;	  /* [L:writer] */
	bool tx_busy;	  /* [L:writer] the device has tx_page */
	bool host_open;	  /* [a] written by the control messages */
};

/* The control queues belong to virtio_console_probe(), then to the interrupt handler. */
struct virtio_console {
	struct virtio_device *dev;
	struct virtq *control_in;
	struct virtq *control_out;
	struct control *message; /* to the device */
	u32 nr_ports;
	struct vport ports[];
};

/* ---- data ---- */

static void vport_give_page(struct vport *p, void *page)
{
	struct virtq_piece piece = {.memory = page, .length = PAGE_SIZE, .device_writes = true};

	/* There is a descriptor for each page. */
	BUG_ON(virtq_add(p->rx, &piece, 1, page));
}

static long vport_read(struct console *c, char *buf, size_t n)
{
	struct vport *p = container_of(c, struct vport, console);
	bool open = atomic_load_acquire(&p->host_open);
	u32 length;
	char *page = virtq_peek(p->rx, &length);

	if (!page)
		return open ? 0 : -ENODATA;
	length = MIN(length, (u32)PAGE_SIZE);
	n = MIN(n, (size_t)(length - p->rx_used));
	memcpy(buf, page + p->rx_used, n);
	p->rx_used += (u32)n;
	if (p->rx_used == length) {
		p->rx_used = 0;
		vport_give_page(p, virtq_take(p->rx, &length));
		virtio_kick(p->vc->dev, p->rx);
	}
	return (long)n;
}

static bool vport_readable(struct console *c)
{
	struct vport *p = container_of(c, struct vport, console);

	return !atomic_load_acquire(&p->host_open) || virtq_has_used(p->rx);
}

/* Until the device has given the page back. False: the thread is being killed. */
static bool vport_wait_sent(struct vport *p)
{
	u32 spins = 0, length;

	while (p->tx_busy) {
		if (virtq_take(p->tx, &length))
			p->tx_busy = false;
		else if (spins++ < TX_SPINS)
			cpu_relax();
		else if (park(time_now() + time_freq / 1000, PARK_KILLABLE) == -EINTR)
			return false;
	}
	return true;
}

static void vport_send(struct vport *p, const char *buf, size_t n)
{
	struct virtq_piece piece = {.memory = p->tx_page, .length = (u32)n};

	memcpy(p->tx_page, buf, n);
	BUG_ON(virtq_add(p->tx, &piece, 1, p->tx_page));
	p->tx_busy = true;
	virtio_kick(p->vc->dev, p->tx);
}

static long vport_write(struct console *c, const char *buf, size_t n)
{
	struct vport *p = container_of(c, struct vport, console);
	size_t done = 0;

	while (done < n) {
		size_t some = MIN(n - done, PAGE_SIZE);

		if (!vport_wait_sent(p))
			break;
		vport_send(p, buf + done, some);
		done += some;
	}
	vport_wait_sent(p);
	return done || !n ? (long)done : -EINTR;
}

/* ---- ports and control messages ---- */

static void control_give(struct virtio_console *vc, struct control *message)
{
	struct virtq_piece piece = {.memory = message, .length = MESSAGE_SIZE, .device_writes = true};

	BUG_ON(virtq_add(vc->control_in, &piece, 1, message));
}

static void control_send(struct virtio_console *vc, u32 port, enum control_event event, u16 value)
{
	struct virtq_piece piece = {.memory = vc->message, .length = sizeof(struct control)};
	u64 until = time_now() + CONTROL_WAIT_S * time_freq;
	u32 length;

	*vc->message = (struct control){.port = port, .event = (u16)event, .value = value};
	BUG_ON(virtq_add(vc->control_out, &piece, 1, vc->message));
	virtio_kick(vc->dev, vc->control_out);
	while (!virtq_take(vc->control_out, &length)) {
		if (time_now() > until)
			panic("virtio console does not take a control message");
		cpu_relax();
	}
}

static void vport_setup(struct virtio_console *vc, u32 id)
{
	struct vport *p = &vc->ports[id];

	if (p->tx_page) /* it was removed, and is back */
		goto ready;
	p->tx_page = page_alloc(0, 0);
	if (!p->tx_page)
		goto no_memory;
	virtq_disarm(p->tx);
	for (u32 i = 0; i < RX_PAGES; i++) {
		void *page = page_alloc(0, 0);

		if (!page)
			goto no_memory;
		vport_give_page(p, page);
	}
	virtio_kick(vc->dev, p->rx);
ready:
	control_send(vc, id, PORT_READY, 1);
	return;
no_memory:
	klog(KLOG_ERR, "virtio: no memory for console port %u\n", id);
	control_send(vc, id, PORT_READY, 0);
}

static void vport_name(struct virtio_console *vc, u32 id, const char *name, size_t length)
{
	static const char *const names[CONSOLE_PORTS] = {
		[CONSOLE_IN] = "stellar.in",
		[CONSOLE_OUT] = "stellar.out",
		[CONSOLE_ERR] = "stellar.err",
	};
	struct vport *p = &vc->ports[id];

	for (u32 i = CONSOLE_IN; i < CONSOLE_PORTS; i++) {
		if (strlen(names[i]) != strnlen(name, length) ||
		    memcmp(names[i], name, strlen(names[i])) || console_find(i))
			continue;
		p->console.name = names[i];
		console_register(i, &p->console);
		control_send(vc, id, PORT_OPEN, 1);
	}
}

static void vport_notify(struct vport *p)
{
	/* Pairs with the release in kernel/fs, which sets the argument before. */
	void (*notify)(struct console *) = atomic_load_acquire(&p->console.notify);

	if (notify)
		notify(&p->console);
}

static void control_handle(struct virtio_console *vc, const struct control *m, u32 length)
{
	if (length < sizeof(*m) || m->port >= vc->nr_ports)
		return;
	switch (m->event) {
	case PORT_ADD:
		vport_setup(vc, m->port);
		break;
	case PORT_NAME:
		vport_name(vc, m->port, m->name, length - sizeof(*m));
		break;
	case PORT_OPEN:
		atomic_store_release(&vc->ports[m->port].host_open, m->value != 0);
		vport_notify(&vc->ports[m->port]);
		break;
	case PORT_REMOVE:
		atomic_store_release(&vc->ports[m->port].host_open, false);
		vport_notify(&vc->ports[m->port]);
		break;
	default: /* CONSOLE_PORT, RESIZE: of terminals, which these ports are not */
		break;
	}
}

static void control_handle_all(struct virtio_console *vc)
{
	struct control *message;
	u8 copy[MESSAGE_SIZE] __attribute__((aligned(8)));
	u32 length;

	/* The buffer goes back first: the answers to what the handler sends need room. */
	while ((message = virtq_take(vc->control_in, &length)) != NULL) {
		memcpy(copy, message, sizeof(copy));
		control_give(vc, message);
		control_handle(vc, (const struct control *)copy, MIN(length, MESSAGE_SIZE));
	}
}

static void virtio_console_interrupt(struct virtio_device *dev, u32 vector)
{
	struct virtio_console *vc = dev->driver;

	(void)vector;
	control_handle_all(vc);
	for (u32 id = 0; id < vc->nr_ports; id++) {
		if (virtq_has_used(vc->ports[id].rx))
			vport_notify(&vc->ports[id]);
	}
}

/* ---- start ---- */

/* Port 0 has the first pair of queues, the control messages the second, port n the pair n + 1. */
static bool vport_create_queues(struct virtio_console *vc, u32 id)
{
	u16 first = (u16)(id ? 2 * id + 2 : 0);
	struct vport *p = &vc->ports[id];

	p->vc = vc;
	p->console.write = vport_write;
	p->console.read = vport_read;
	p->console.readable = vport_readable;
	p->rx = virtio_queue_create(vc->dev, first, RX_PAGES, 0);
	p->tx = virtio_queue_create(vc->dev, (u16)(first + 1), RX_PAGES, 0);
	return p->rx && p->rx->size == RX_PAGES && p->tx;
}

static bool virtio_console_create_queues(struct virtio_console *vc)
{
	struct virtio_device *dev = vc->dev;
	u8 *messages = page_alloc(0, 0);

	vc->control_in = virtio_queue_create(dev, QUEUE_CONTROL_IN, CONTROL_SIZE, 0);
	vc->control_out = virtio_queue_create(dev, QUEUE_CONTROL_OUT, 1, 0);
	vc->message = kmalloc(sizeof(*vc->message));
	if (!messages || !vc->control_in || !vc->control_out || !vc->message)
		return false;
	virtq_disarm(vc->control_out);
	for (u32 i = 0; i < vc->control_in->size; i++)
		control_give(vc, (struct control *)(messages + MESSAGE_SIZE * i));
	for (u32 id = 0; id < vc->nr_ports; id++) {
		if (!vport_create_queues(vc, id))
			return false;
	}
	return true;
}

void virtio_console_probe(struct virtio_device *dev)
{
	struct virtio_console *vc;
	u32 nr_ports;

	if (virtio_negotiate(dev, F_MULTIPORT))
		return;
	nr_ports = dev->features & F_MULTIPORT ? virtio_config(dev, CONFIG_MAX_PORTS) : 0;
	nr_ports = MIN(nr_ports, MAX_PORTS);
	vc = kzalloc(sizeof(*vc) + nr_ports * sizeof(vc->ports[0]));
	if (!nr_ports || !vc)
		goto fail;
	vc->dev = dev;
	vc->nr_ports = nr_ports;
	dev->driver = vc;
	if (virtio_vectors(dev, "virtio-console", 1) < 0 || !virtio_console_create_queues(vc))
		goto fail;
	dev->interrupt = virtio_console_interrupt;
	virtio_ready(dev);
	virtio_kick(dev, vc->control_in);
	control_send(vc, 0, DEVICE_READY, 1);
	control_handle_all(vc);
	return;
fail:
	/* What was allocated stays with the device: it may still know of it. */
	klog(KLOG_ERR, "virtio: a console device cannot be used: no ports, interrupt or memory\n");
	virtio_fail(dev);
}
