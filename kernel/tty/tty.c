/*
 * Terminal files: reading, writing, readiness, hang-up; the list of all terminals.
 */
#include "kernel/tty/tty.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "kernel/fs/fs.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"
#include "kernel/time/time.h"

#define CHUNK	     256U
#define VTIME_NS     100000000UL /* VTIME counts tenths of a second */
#define EVENTS_READ  (POLL_EVENT_READ | POLL_EVENT_HUP)
#define EVENTS_WRITE (POLL_EVENT_WRITE | POLL_EVENT_HUP)

LOCK_CLASS(tty, RANK_TTY);
LOCK_CLASS(ttys, RANK_TTY_LIST);
LOCK_CLASS(tty_reader, RANK_FILE);
LOCK_CLASS(tty_writer, RANK_FILE);

static struct spinlock list_lock = SPINLOCK_INIT(ttys_class);
static struct list all_ttys = LIST_INIT(all_ttys); /* [L:list_lock] */

/* ---- life ---- */

void tty_setup(struct tty *tty, const struct tty_ops *ops)
{
	tty->ops = ops;
	tty->refs = 1;
	list_init(&tty->link);
	mutex_init(&tty->reader, &tty_reader_class);
	mutex_init(&tty->writer, &tty_writer_class);
	waitq_init(&tty->wait);
	waitq_init(&tty->master_wait);
	spin_init(&tty->lock, &tty_class);
	ldisc_init(&tty->ldisc);
}

void tty_get(struct tty *tty)
{
	atomic_fetch_add(&tty->refs, 1);
}

static void tty_free(struct epoch_node *node)
{
	pty_free(container_of(node, struct tty, free_node));
}

void tty_put(struct tty *tty)
{
	/*
	 * The console's own reference stays, so this is a pseudo-terminal. After a grace period:
	 * whoever was woken through its queues may still look at them.
	 */
	if (atomic_fetch_add(&tty->refs, (u32)-1) == 1)
		epoch_defer(&tty->free_node, tty_free);
}

void ttys_lock(void)
{
	spin_lock(&list_lock);
}

void ttys_unlock(void)
{
	spin_unlock(&list_lock);
}

void tty_add(struct tty *tty)
{
	ttys_lock();
	list_add_tail(&all_ttys, &tty->link);
	ttys_unlock();
}

void tty_remove(struct tty *tty)
{
	ttys_lock();
	list_del(&tty->link);
	ttys_unlock();
}

/* Who is on the list has at least one reference: its master's, or the console's own. */
static struct tty *tty_find(bool (*match)(const struct tty *tty, u32 number), u32 number)
{
	struct tty *tty, *found = NULL;

	ttys_lock();
	list_for_each(tty, &all_ttys, link) {
		if (match(tty, number)) {
			tty_get(tty);
			found = tty;
			break;
		}
	}
	ttys_unlock();
	return found;
}

static bool match_session(const struct tty *tty, u32 session)
{
	return tty->session == session;
}

static bool match_pty(const struct tty *tty, u32 index)
{
	return tty->ops == &pty_ops && tty->index == index;
}

struct tty *tty_find_session(u32 session)
{
	return session ? tty_find(match_session, session) : NULL;
}

struct tty *tty_find_pty(u32 index)
{
	return tty_find(match_pty, index);
}

void tty_of_session(u32 session, u32 *number, s32 *foreground)
{
	struct tty *tty = tty_find_session(session);

	*number = 0;
	*foreground = -1;
	if (!tty)
		return;
	*number = tty->ops == &pty_ops ? (136 + tty->index / 256) << 8 | tty->index % 256
				       : 4 << 8 | 64;
	*foreground = (s32)atomic_load_relaxed(&tty->foreground);
	tty_put(tty);
}

/* ---- from the device ---- */

size_t tty_receive(struct tty *tty, bool (*next)(void *arg, char *byte), void *arg)
{
	size_t done = 0;
	bool more = true;

	while (more) {
		u32 events = 0;
		int signal = 0;
		char byte;

		spin_lock(&tty->lock);
		while (!signal && (more = ldisc_has_room(&tty->ldisc) && next(arg, &byte))) {
			events |= ldisc_receive(&tty->ldisc, byte, &signal);
			done++;
		}
		spin_unlock(&tty->lock);
		if (signal)
			tty_signal_foreground(tty, signal);
		if (events & LDISC_READABLE)
			waitq_wake(&tty->wait, EVENTS_READ, WAITQ_ALL);
		if (events & LDISC_RESTART || signal)
			waitq_wake(&tty->wait, EVENTS_WRITE, WAITQ_ALL);
	}
	/* Echo, or what ^S had held back. */
	tty->ops->output(tty);
	return done;
}

void tty_hangup(struct tty *tty)
{
	atomic_store_release(&tty->hung_up, true);
	tty_leave_session(tty);
	waitq_wake(&tty->wait, EVENTS_READ | EVENTS_WRITE, WAITQ_ALL);
}

static bool tty_hung_up(struct tty *tty)
{
	return atomic_load_acquire(&tty->hung_up);
}

/* ---- reading ---- */

static bool tty_read_ready(void *arg)
{
	struct tty *tty = arg;
	bool ready;

	spin_lock(&tty->lock);
	ready = ldisc_readable(&tty->ldisc, 1);
	spin_unlock(&tty->lock);
	return ready || tty_hung_up(tty);
}

/* One line, or in raw mode what is there. Bytes, -EAGAIN or -EFAULT. */
static long tty_read_now(struct tty *tty, struct iov_iter *it)
{
	char buf[CHUNK];
	long done = 0, n;
	bool more = true;

	mutex_lock(&tty->reader);
	while (more && it->count) {
		spin_lock(&tty->lock);
		n = ldisc_read(&tty->ldisc, buf, MIN(it->count, (u64)CHUNK), &more);
		spin_unlock(&tty->lock);
		if (n > 0)
			n = iov_copy_out(it, buf, (size_t)n);
		if (n < 0) {
			done = done ? done : n;
			break;
		}
		done += n;
	}
	mutex_unlock(&tty->reader);
	tty->ops->input_room(tty);
	return done;
}

/* How long a read in raw mode waits (termios(3), MIN and TIME). */
struct read_pace {
	bool raw;
	size_t minimum;
	u64 time;     /* ticks; 0 none */
	u64 deadline; /* of the whole read: MIN 0, TIME > 0 */
};

static void tty_read_pace(struct tty *tty, size_t count, struct read_pace *pace)
{
	const struct abi_termios2 *t = &tty->ldisc.termios;

	spin_lock(&tty->lock);
	pace->raw = !(t->c_lflag & ICANON);
	pace->minimum = MIN((size_t)t->c_cc[VMIN], count);
	pace->time = time_ns_to_ticks(t->c_cc[VTIME] * VTIME_NS);
	spin_unlock(&tty->lock);
	pace->deadline = pace->minimum ? PARK_FOREVER : time_now() + pace->time;
}

/*
 * Waits for more after `done` bytes. 0, or the errno that ends the read: -ETIMEDOUT, -EAGAIN,
 * -ERESTARTSYS.
 */
static int tty_read_wait(struct tty *tty, const struct read_pace *pace, long done, bool nonblock)
{
	u64 deadline = pace->raw ? pace->deadline : PARK_FOREVER;
	int err;

	if (pace->raw && !pace->minimum && !pace->time)
		return -ETIMEDOUT;
	if (nonblock)
		return -EAGAIN;
	if (pace->raw && pace->minimum && pace->time && done)
		deadline = time_now() + pace->time;
	err = waitq_wait(&tty->wait, EVENTS_READ, false, tty_read_ready, tty, deadline,
			 PARK_INTERRUPTIBLE);
	return err == -EINTR ? -ERESTARTSYS : err;
}

static long tty_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct tty *tty = f->data;
	struct read_pace pace;
	long done = 0, n;
	int err;

	(void)pos;
	if (it->count == 0)
		return 0;
	tty_read_pace(tty, it->count, &pace);
	for (;;) {
		err = tty_hung_up(tty) ? 0 : tty_check_foreground(tty, SIGTTIN);
		if (err)
			return done ? done : err;
		n = tty_read_now(tty, it);
		if (n >= 0)
			done += n;
		if (n >= 0 && (!pace.raw || (size_t)done >= pace.minimum))
			return done;
		if (n == -EFAULT || tty_hung_up(tty))
			return done || n != -EFAULT ? done : n;
		err = tty_read_wait(tty, &pace, done, nonblock);
		if (err)
			return done || err == -ETIMEDOUT ? done : err;
	}
}

/* ---- writing ---- */

static bool tty_write_ready(void *arg)
{
	struct tty *tty = arg;
	bool ready;

	spin_lock(&tty->lock);
	ready = ldisc_writable(&tty->ldisc);
	spin_unlock(&tty->lock);
	return ready || tty_hung_up(tty);
}

/* All of `text`, waiting for room. Bytes, or -errno if none: -EIO, -EAGAIN, -ERESTARTSYS. */
static long tty_write_all(struct tty *tty, const char *text, size_t n, bool nonblock)
{
	size_t done = 0, taken;
	int err = 0;

	while (done < n && !err) {
		if (tty_hung_up(tty)) {
			err = -EIO;
			break;
		}
		spin_lock(&tty->lock);
		taken = ldisc_write(&tty->ldisc, text + done, n - done);
		spin_unlock(&tty->lock);
		done += taken;
		if (taken)
			tty->ops->output(tty);
		else if (nonblock)
			err = -EAGAIN;
		else
			err = waitq_wait(&tty->wait, EVENTS_WRITE, false, tty_write_ready, tty,
					 PARK_FOREVER, PARK_INTERRUPTIBLE);
	}
	if (done)
		return (long)done;
	return err == -EINTR ? -ERESTARTSYS : err;
}

static int tty_may_write(struct tty *tty)
{
	if (tty_hung_up(tty))
		return -EIO;
	if (!ldisc_local(&tty->ldisc, TOSTOP))
		return 0;
	return tty_check_foreground(tty, SIGTTOU);
}

static long tty_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct tty *tty = f->data;
	char buf[CHUNK];
	long done = 0, got, n = tty_may_write(tty);

	(void)pos;
	if (n)
		return n;
	if (nonblock ? !mutex_trylock(&tty->writer) : mutex_lock_interruptible(&tty->writer))
		return nonblock ? -EAGAIN : -ERESTARTSYS;
	while (it->count) {
		n = got = iov_copy_in(buf, it, CHUNK);
		if (got > 0)
			n = tty_write_all(tty, buf, (size_t)got, nonblock);
		if (n > 0)
			done += n;
		if (n <= 0 || n < got)
			break;
	}
	mutex_unlock(&tty->writer);
	return done ? done : n;
}

/* ---- the rest of a file ---- */

static PollEvent tty_poll(struct file *f, struct wait_queue **source)
{
	struct tty *tty = f->data;
	const u8 *cc = tty->ldisc.termios.c_cc;
	PollEvent events = 0;

	if (source)
		*source = &tty->wait;
	if (tty_hung_up(tty))
		return POLL_EVENT_READ | POLL_EVENT_WRITE | POLL_EVENT_HUP | POLL_EVENT_ERR;
	spin_lock(&tty->lock);
	if (ldisc_readable(&tty->ldisc, !cc[VTIME] && cc[VMIN] ? cc[VMIN] : 1))
		events |= POLL_EVENT_READ;
	if (ldisc_writable(&tty->ldisc))
		events |= POLL_EVENT_WRITE;
	spin_unlock(&tty->lock);
	return events;
}

static long tty_file_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct tty *tty = f->data;

	if (tty_hung_up(tty))
		return -EIO;
	return tty_ioctl(tty, cmd, arg, false);
}

static void tty_release(struct file *f)
{
	struct tty *tty = f->data;

	if (tty->ops->closed)
		tty->ops->closed(tty);
	tty_put(tty);
}

void tty_attach_file(struct tty *tty, struct file *f)
{
	f->ops = &tty_file_ops;
	f->data = tty;
	if (tty->ops->opened)
		tty->ops->opened(tty);
}

/* The foreground group, or who asks. */
s32 tty_async_owner(struct file *f)
{
	struct tty *tty = f->data;
	u32 group = atomic_load_relaxed(&tty->foreground);

	return group ? -(s32)group : (s32)process_pid(process_current());
}

const struct file_ops tty_file_ops = {
	.name = "tty",
	.read = tty_read,
	.write = tty_write,
	.ioctl = tty_file_ioctl,
	.poll = tty_poll,
	.stat = fs_file_stat,
	.release = tty_release,
	.async_owner = tty_async_owner,
};

/* ---- /dev/tty ---- */

static int tty_open_current(struct file *f)
{
	struct tty *tty = tty_current();

	if (!tty)
		return -ENXIO;
	tty_attach_file(tty, f);
	return 0;
}

static const struct file_ops tty_current_ops = {
	.name = "tty",
	.open = tty_open_current,
	.stat = fs_file_stat,
};

void tty_init(void)
{
	int err = devfs_register("tty", 5, 0, 0666, &tty_current_ops, NULL);

	if (!err)
		err = tty_console_init();
	if (!err)
		err = pty_init();
	if (err)
		panic("tty: cannot set up the terminals (%d)", err);
	tty_job_init();
}
