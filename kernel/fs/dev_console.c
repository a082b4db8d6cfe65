/*
 * The three virtio ports that carry the standard streams of a run byte by byte. Each has one mutex
 * for readers and one for writers, so that a write comes out in one piece. The UART is a terminal
 * (kernel/tty).
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "drivers/console.h"
#include "kernel/file/waitq.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"

#define CHUNK	   512U
#define PORT_MAJOR 240 /* first of the numbers for local use, where Linux puts virtio ports, too */

LOCK_CLASS(console_input, RANK_FILE);
LOCK_CLASS(console_output, RANK_FILE);

struct console_device {
	struct console *console; /* [I] */
	struct mutex input;
	struct mutex output;
	struct wait_queue wait; /* readers and watchers */
};

static struct console_device console_devices[CONSOLE_PORTS];

static void console_notify(struct console *c)
{
	struct console_device *cd = c->notify_arg;

	waitq_wake(&cd->wait, POLL_EVENT_READ | POLL_EVENT_HUP, WAITQ_ALL);
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

	return cd->console->readable(cd->console);
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
		n = port_read(cd, it);
		mutex_unlock(&cd->input);
		if (n != -EAGAIN || nonblock)
			return n;
		err = waitq_wait(&cd->wait, POLL_EVENT_READ | POLL_EVENT_HUP, false,
				 console_readable, cd, PARK_FOREVER, PARK_INTERRUPTIBLE);
		if (err)
			return err == -EINTR ? -ERESTARTSYS : err;
	}
}

/* Takes up to n bytes of the iterator through `buf` to the device. */
static long console_write_some(struct console_device *cd, struct iov_iter *it, char *buf, size_t n)
{
	long got = iov_copy_in(buf, it, n), err;

	if (got <= 0)
		return got;
	err = cd->console->write(cd->console, buf, (size_t)got);
	return err < 0 ? err : got;
}

static long console_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct console_device *cd = f->data;
	char small[CHUNK], *buf = small, *page = NULL;
	size_t room = CHUNK, done = 0;
	long n = 0;

	(void)pos;
	(void)nonblock;
	if (it->count > CHUNK && (page = page_alloc(0, 0)) != NULL) {
		buf = page;
		room = PAGE_SIZE;
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
	return events | (cd->console->readable(cd->console) ? POLL_EVENT_READ : 0);
}

static const struct file_ops console_ops = {
	.name = "console",
	.read = console_read,
	.write = console_write,
	.poll = console_poll,
	.stat = fs_file_stat,
};

static const char *const port_names[CONSOLE_PORTS] = {
	[CONSOLE_IN] = "vport0p1", [CONSOLE_OUT] = "vport0p2", [CONSOLE_ERR] = "vport0p3"};

static int console_add(enum console_port port)
{
	struct console_device *cd = &console_devices[port];
	struct console *c = console_find(port);

	if (!c)
		return 0;
	cd->console = c;
	mutex_init(&cd->input, &console_input_class);
	mutex_init(&cd->output, &console_output_class);
	waitq_init(&cd->wait);
	c->notify_arg = cd;
	/* Pairs with the driver's test of notify before its call: the argument is there. */
	atomic_store_release(&c->notify, console_notify);
	return devfs_register(port_names[port], PORT_MAJOR, port, 0600, &console_ops, cd);
}

int dev_console_init(void)
{
	int err = 0;

	for (int port = CONSOLE_IN; port < CONSOLE_PORTS && !err; port++)
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
