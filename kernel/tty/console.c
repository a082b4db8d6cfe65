/*
 * The console: a terminal on the UART, as /dev/console and /dev/ttyS0.
 *
 * Output goes from the discipline's ring to the device in pieces, by whoever finds nobody else at
 * it: the one who drains goes on until the ring is empty, the others leave. So echo from an
 * interrupt never waits for a writer it interrupted.
 */
#include "drivers/console.h"
#include "abi/fcntl.h"
#include "kernel/fs/fs.h"
#include "kernel/sync/atomic.h"
#include "kernel/tty/tty.h"
#include "lib/cmdline.h"

#define PIECE	       128U
#define CONSOLE_MAJOR  5
#define SERIAL_MAJOR   4
#define SERIAL_MINOR   64
#define WINSIZE_DIGITS 4

struct tty console_tty;

static void console_output(struct tty *tty)
{
	struct console *c = tty->device;
	char piece[PIECE];
	size_t n;

	spin_lock(&tty->lock);
	if (tty->draining) {
		spin_unlock(&tty->lock);
		return;
	}
	tty->draining = true;
	while ((n = ldisc_take_output(&tty->ldisc, piece, PIECE)) > 0) {
		spin_unlock(&tty->lock);
		c->write(c, piece, n);
		waitq_wake(&tty->wait, POLL_EVENT_WRITE, WAITQ_ALL);
		spin_lock(&tty->lock);
	}
	tty->draining = false;
	spin_unlock(&tty->lock);
}

static bool console_next(void *arg, char *byte)
{
	struct console *c = arg;

	return c->read(c, byte, 1) == 1;
}

static void console_input(struct tty *tty)
{
	tty_receive(tty, console_next, tty->device);
}

static void console_notify(struct console *c)
{
	console_input(c->notify_arg);
}

static const struct tty_ops console_tty_ops = {
	.output = console_output,
	.input_room = console_input,
};

static int console_open(struct file *f)
{
	tty_get(&console_tty);
	tty_attach_file(&console_tty, f);
	return 0;
}

/*
 * Unlike /dev/console, which is for the kernel and its first program, the line itself can become a
 * session's terminal.
 */
static int serial_open(struct file *f)
{
	console_open(f);
	if (!(f->flags & O_NOCTTY))
		tty_acquire(&console_tty);
	return 0;
}

static const struct file_ops console_ops = {
	.name = "console",
	.open = console_open,
	.stat = fs_file_stat,
};

static const struct file_ops serial_ops = {
	.name = "ttyS0",
	.open = serial_open,
	.stat = fs_file_stat,
};

/* "24x80": rows and columns of the host's terminal; 0 and 0 if unknown, as on a serial line. */
static void console_winsize(struct abi_winsize *size)
{
	char text[2 * WINSIZE_DIGITS + 2];
	u16 value[2] = {0, 0};
	u32 which = 0;

	if (!cmdline_get("stellar.winsize", text, sizeof(text)))
		return;
	for (const char *p = text; *p; p++) {
		if (*p == 'x' && which == 0)
			which = 1;
		else if (*p >= '0' && *p <= '9')
			value[which] = (u16)(value[which] * 10 + (*p - '0'));
		else
			return;
	}
	size->ws_row = value[0];
	size->ws_col = value[1];
}

int tty_console_init(void)
{
	struct console *c = console_find(CONSOLE_UART);
	int err;

	if (!c)
		return 0;
	tty_setup(&console_tty, &console_tty_ops);
	console_tty.device = c;
	console_winsize(&console_tty.winsize);
	tty_add(&console_tty);
	c->notify_arg = &console_tty;
	/* Pairs with the driver's acquire load of notify: the terminal is complete. */
	atomic_store_release(&c->notify, console_notify);
	err = devfs_register("console", CONSOLE_MAJOR, 1, 0600, &console_ops, NULL);
	return err ? err
		   : devfs_register("ttyS0", SERIAL_MAJOR, SERIAL_MINOR, 0660, &serial_ops, NULL);
}
