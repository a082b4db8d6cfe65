/*
 * 16550 UART: the kernel log and the interactive console. Output polls for room; input arrives by interrupt into a ring with one
 * producer (the handler) and one consumer (the console's reader, serialised by kernel/fs).
 */
#include "arch/riscv64/layout.h"
#include "drivers/console.h"
#include "drivers/drivers.h"
#include "drivers/dt.h"
#include "kernel/irq/irq.h"
#include "kernel/log/log.h"
#include "kernel/sync/atomic.h"

#define UART_RBR 0 /* receive */
#define UART_THR 0 /* transmit */
#define UART_IER 1
#define UART_FCR 2
#define UART_LSR 5

#define IER_RECEIVE    0x01
#define FCR_ENABLE     0x01
#define LSR_DATA_READY 0x01
#define LSR_THR_EMPTY  0x20
#define UART_FIFO      16

#define INPUT_SIZE 1024

static volatile u8 *uart; /* [I] */
static u32 uart_source;	  /* [I] */
static char input[INPUT_SIZE];
static u32 input_head; /* [a] written by the handler */
static u32 input_tail; /* [a] written by the reader */

static void uart_put(const char *text, size_t length)
{
	while (length) {
		size_t burst = MIN(length, (size_t)UART_FIFO);

		while (!(uart[UART_LSR] & LSR_THR_EMPTY))
			cpu_relax();
		for (size_t i = 0; i < burst; i++)
			uart[UART_THR] = (u8)*text++;
		length -= burst;
	}
}

static long uart_write(struct console *c, const char *buf, size_t n)
{
	(void)c;
	klog_write(buf, n);
	return (long)n;
}

static long uart_read(struct console *c, char *buf, size_t n)
{
	u32 tail = input_tail, head = atomic_load_acquire(&input_head);
	size_t done = 0;

	(void)c;
	while (done < n && tail != head)
		buf[done++] = input[tail++ % INPUT_SIZE];
	/* The bytes are read before their room is given back. Pairs with the load in uart_interrupt(). */
	atomic_store_release(&input_tail, tail);
	return (long)done;
}

static bool uart_readable(struct console *c)
{
	(void)c;
	return atomic_load_acquire(&input_head) != atomic_load_relaxed(&input_tail);
}

static struct console uart_console = {
	.name = "uart",
	.write = uart_write,
	.read = uart_read,
	.readable = uart_readable,
};

static void uart_interrupt(void *unused)
{
	u32 head = input_head;
	void (*notify)(struct console *) = atomic_load_acquire(&uart_console.notify);

	(void)unused;
	while (uart[UART_LSR] & LSR_DATA_READY) {
		char byte = (char)uart[UART_RBR];

		/* A full ring drops input, as a UART does. */
		if (head - atomic_load_acquire(&input_tail) < INPUT_SIZE)
			input[head++ % INPUT_SIZE] = byte;
	}
	atomic_store_release(&input_head, head);
	if (notify)
		notify(&uart_console);
}

void uart_early_init(void)
{
	int node = dt_find(-1, "ns16550a");
	u64 address, size;

	if (node < 0 || !dt_reg(node, 0, &address, &size))
		return;
	dt_cell(node, "interrupts", 0, &uart_source);
	uart = pa_to_va(address);
	uart[UART_IER] = 0;
	uart[UART_FCR] = FCR_ENABLE;
	klog_console_write = uart_put;
	console_register(CONSOLE_UART, &uart_console);
}

void uart_init(void)
{
	if (!uart || irq_register(uart_source, "uart", uart_interrupt, NULL))
		return;
	uart[UART_IER] = IER_RECEIVE;
}
