/*
 * Consoles: the UART as a terminal with plain line input, and the three virtio ports that carry
 * the standard streams of a run byte by byte. Each has one mutex for readers and one for writers,
 * so that a write comes out in one piece.
 *
 * Terminal input is put together line by line: echo, erase, end of file (^D at the start of a
 * line) as a Linux terminal in its default state does; a finished line is handed out in as many
 * reads as it takes. Output gets a carriage return before each newline.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/termios.h"
#include "drivers/console.h"
#include "kernel/file/waitq.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"

#define LINE_SIZE  1024U
#define CHUNK	   512U
#define ASCII_EOT  4
#define ASCII_BS   8
#define ASCII_NAK  21 /* ^U: erase the line */
#define ASCII_DEL  127
#define TTY_MAJOR  5
#define PORT_MAJOR 240 /* first of the numbers for local use, where Linux puts virtio ports, too */

LOCK_CLASS(console_input, RANK_FILE);
LOCK_CLASS(console_output, RANK_FILE);

struct console_device {
	struct console *console; /* [I] */
	bool terminal;		 /* [I] the UART: line input, CR before LF */
	struct mutex input;
	struct mutex output;
	struct wait_queue wait; /* readers and watchers */
	char line[LINE_SIZE];	/* [L:input] */
	u32 line_len;		/* [L:input] bytes in line */
	u32 line_used;		/* [L:input] already handed out */
	u32 line_ready;		/* [a] the line is finished: written under input */
};

static struct console_device console_devices[CONSOLE_PORTS];

static void console_notify(struct console *c)
{
	struct console_device *cd = c->notify_arg;

	waitq_wake(&cd->wait, POLL_EVENT_READ | POLL_EVENT_HUP, WAITQ_ALL);
}

/* ---- terminal input ---- */

static void line_echo(struct console_device *cd, const char *text, size_t n)
{
	cd->console->write(cd->console, text, n);
}

static void line_erase(struct console_device *cd, u32 n)
{
	while (n-- && cd->line_len) {
		cd->line_len--;
		line_echo(cd, "\b \b", 3);
	}
}

/* One typed character; true when it finishes the line. */
static bool line_input(struct console_device *cd, char ch)
{
	if (ch == '\r')
		ch = '\n';
	switch (ch) {
	case ASCII_BS:
	case ASCII_DEL:
		line_erase(cd, 1);
		return false;
	case ASCII_NAK:
		line_erase(cd, cd->line_len);
		return false;
	case ASCII_EOT:
		return true;
	case '\n':
		cd->line[cd->line_len++] = ch;
		line_echo(cd, "\r\n", 2);
		return true;
	default:
		/* One place is kept for the newline; what is too long is lost, as on Linux. */
		if (cd->line_len == LINE_SIZE - 1)
			return false;
		cd->line[cd->line_len++] = ch;
		line_echo(cd, &ch, 1);
		return false;
	}
}

/* Takes what has been typed, up to the end of a line. `input` is held. */
static void line_collect(struct console_device *cd)
{
	char ch;

	while (!cd->line_ready && cd->console->read(cd->console, &ch, 1) == 1)
		if (line_input(cd, ch))
			atomic_store_release(&cd->line_ready, 1);
}

/* -EAGAIN: no line yet. `input` is held. */
static long line_read(struct console_device *cd, struct iov_iter *it)
{
	long n;

	line_collect(cd);
	if (!cd->line_ready)
		return -EAGAIN;
	n = iov_copy_out(it, cd->line + cd->line_used, cd->line_len - cd->line_used);
	if (n < 0)
		return n;
	cd->line_used += (u32)n;
	if (cd->line_used == cd->line_len) {
		cd->line_used = 0;
		cd->line_len = 0;
		atomic_store_relaxed(&cd->line_ready, 0);
	}
	return n;
}

/* ---- file operations ---- */

/* -EAGAIN: nothing there now. `input` is held. */
static long port_read(struct console_device *cd, struct iov_iter *it)
{
	char small[CHUNK], *buf = small, *page = NULL;
	size_t room = sizeof(small);
	long n;

	if (it->count > room && (page = page_alloc(0, 0)) != NULL) {
		buf = page;
		room = PAGE_SIZE;
	}
	n = cd->console->read(cd->console, buf, MIN(it->count, room));
	if (n > 0)
		n = iov_copy_out(it, buf, (size_t)n);
	else if (n == 0)
		n = -EAGAIN;
	else if (n == -ENODATA)
		n = 0;
	if (page)
		page_free(page, 0);
	return n;
}

static bool console_readable(void *arg)
{
	struct console_device *cd = arg;

	return atomic_load_acquire(&cd->line_ready) || cd->console->readable(cd->console);
}

static long console_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct console_device *cd = f->data;

	(void)pos;
	if (it->count == 0)
		return 0;
	for (;;) {
		long n;
		int err;

		mutex_lock(&cd->input);
		n = cd->terminal ? line_read(cd, it) : port_read(cd, it);
		mutex_unlock(&cd->input);
		if (n != -EAGAIN || nonblock)
			return n;
		err = waitq_wait(&cd->wait, POLL_EVENT_READ | POLL_EVENT_HUP, false,
				 console_readable, cd, PARK_FOREVER, PARK_INTERRUPTIBLE);
		if (err)
			return err == -EINTR ? -ERESTARTSYS : err;
	}
}

/* Newlines become CR LF on a terminal. `out` holds twice `n`. Bytes in it. */
static size_t terminal_cook(char *out, const char *in, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (in[i] == '\n')
			out[len++] = '\r';
		out[len++] = in[i];
	}
	return len;
}

/* Takes up to n bytes of the iterator through `buf` (3 * n of room on a terminal) to the device. */
static long console_write_some(struct console_device *cd, struct iov_iter *it, char *buf, size_t n)
{
	long got = iov_copy_in(buf, it, n), err;

	if (got <= 0)
		return got;
	if (cd->terminal) {
		size_t len = terminal_cook(buf + n, buf, (size_t)got);

		err = cd->console->write(cd->console, buf + n, len);
	} else {
		err = cd->console->write(cd->console, buf, (size_t)got);
	}
	return err < 0 ? err : got;
}

static long console_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct console_device *cd = f->data;
	char small[3 * CHUNK], *buf = small, *page = NULL;
	size_t room = CHUNK, done = 0;
	long n = 0;

	(void)pos;
	(void)nonblock;
	if (it->count > CHUNK && (page = page_alloc(0, 0)) != NULL) {
		buf = page;
		room = cd->terminal ? PAGE_SIZE / 3 : PAGE_SIZE;
	}
	mutex_lock(&cd->output);
	while (it->count) {
		n = console_write_some(cd, it, buf, room);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	mutex_unlock(&cd->output);
	if (page)
		page_free(page, 0);
	return done ? (long)done : n;
}

static PollEvent console_poll(struct file *f, struct wait_queue **source)
{
	struct console_device *cd = f->data;
	PollEvent events = POLL_EVENT_WRITE;

	if (source)
		*source = &cd->wait;
	if (!cd->terminal)
		return events | (cd->console->readable(cd->console) ? POLL_EVENT_READ : 0);
	/*
	 * A terminal is readable when a line is whole: see what has been typed, unless a reader
	 * does so right now.
	 */
	if (mutex_trylock(&cd->input)) {
		line_collect(cd);
		mutex_unlock(&cd->input);
	}
	return events | (atomic_load_acquire(&cd->line_ready) ? POLL_EVENT_READ : 0);
}

/* What a Linux terminal has after boot. */
static const struct abi_termios terminal_default = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD | HUPCL,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = {[VINTR] = 3,
		 [VQUIT] = 28,
		 [VERASE] = ASCII_DEL,
		 [VKILL] = ASCII_NAK,
		 [VEOF] = ASCII_EOT,
		 [VMIN] = 1,
		 [VSTART] = 17,
		 [VSTOP] = 19,
		 [VSUSP] = 26,
		 [VREPRINT] = 18,
		 [VDISCARD] = 15,
		 [VWERASE] = 23,
		 [VLNEXT] = 22},
};

static long console_ioctl(struct file *f, u32 cmd, u64 arg)
{
	static const struct abi_winsize size = {.ws_row = 24, .ws_col = 80};
	struct console_device *cd = f->data;
	void __user *to = (void __user *)(uintptr_t)arg;

	if (!cd->terminal)
		return -ENOTTY;
	switch (cmd) {
	case TCGETS:
		return copy_to_user(to, &terminal_default, sizeof(terminal_default));
	case TIOCGWINSZ:
		return copy_to_user(to, &size, sizeof(size));
	default:
		return -ENOTTY;
	}
}

static const struct file_ops console_ops = {
	.name = "console",
	.read = console_read,
	.write = console_write,
	.ioctl = console_ioctl,
	.poll = console_poll,
	.stat = fs_file_stat,
};

static const char *const port_names[CONSOLE_PORTS] = {
	[CONSOLE_IN] = "vport0p1", [CONSOLE_OUT] = "vport0p2", [CONSOLE_ERR] = "vport0p3"};

static int console_add(enum console_port port)
{
	struct console_device *cd = &console_devices[port];
	struct console *c = console_find(port);
	int err;

	if (!c)
		return 0;
	cd->console = c;
	cd->terminal = port == CONSOLE_UART;
	mutex_init(&cd->input, &console_input_class);
	mutex_init(&cd->output, &console_output_class);
	waitq_init(&cd->wait);
	c->notify_arg = cd;
	/* Pairs with the driver's test of notify before its call: the argument is there. */
	atomic_store_release(&c->notify, console_notify);
	if (!cd->terminal)
		return devfs_register(port_names[port], PORT_MAJOR, port, 0600, &console_ops, cd);
	err = devfs_register("console", TTY_MAJOR, 1, 0600, &console_ops, cd);
	return err ? err : devfs_register("tty", TTY_MAJOR, 0, 0666, &console_ops, cd);
}

int dev_console_init(void)
{
	int err = 0;

	for (int port = 0; port < CONSOLE_PORTS && !err; port++)
		err = console_add((enum console_port)port);
	return err;
}

struct file *fs_open_console(int which, bool ports)
{
	static const u32 flags[] = {O_RDONLY, O_WRONLY, O_WRONLY};

	if (which < 0 || which > 2)
		return NULL;
	if (!ports)
		return devfs_open("console", O_RDWR);
	return devfs_open(port_names[CONSOLE_IN + which], flags[which]);
}
