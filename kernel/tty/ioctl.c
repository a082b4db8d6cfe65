/*
 * Terminal requests (ioctl_tty(2)) that a terminal and the master of a pseudo-terminal share: both
 * act on the terminal's settings. What changes the terminal is for the foreground group (SIGTTOU).
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/signal.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/tty/tty.h"

/* ---- settings ---- */

/* Bits per second of the speed codes 0..15 and, with CBAUDEX, 1..15. */
static const u32 speeds[] = {0,	  50,	75,   110,  134,  150,	200,   300,
			     600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
static const u32 speeds_extended[] = {0,       57600,	115200,	 230400,  460800,  500000,
				      576000,  921600,	1000000, 1152000, 1500000, 2000000,
				      2500000, 3000000, 3500000, 4000000};

static u32 speed_of(u32 cflag, u32 custom)
{
	u32 code = cflag & CBAUD;

	if (code == BOTHER)
		return custom;
	return code & BOTHER ? speeds_extended[code & 15] : speeds[code];
}

static long settings_get(struct tty *tty, u32 cmd, void __user *to)
{
	struct abi_termios2 termios;

	spin_lock(&tty->lock);
	termios = tty->ldisc.termios;
	spin_unlock(&tty->lock);
	/* termios2 is termios and the speeds behind it. */
	return copy_to_user(to, &termios,
			    cmd == TCGETS ? sizeof(struct abi_termios) : sizeof(termios));
}

static bool output_sent(void *arg)
{
	struct tty *tty = arg;
	bool sent;

	spin_lock(&tty->lock);
	sent = ldisc_output_count(&tty->ldisc) == 0;
	spin_unlock(&tty->lock);
	return sent || atomic_load_acquire(&tty->hung_up);
}

/*
 * Until the device has all output. A pseudo-terminal has nothing behind its ring, and its master
 * need not read.
 */
static int output_drain(struct tty *tty)
{
	int err;

	if (tty->ops == &pty_ops)
		return 0;
	err = waitq_wait(&tty->wait, POLL_EVENT_WRITE | POLL_EVENT_HUP, false, output_sent, tty,
			 PARK_FOREVER, PARK_INTERRUPTIBLE);
	return err == -EINTR ? -ERESTARTSYS : err;
}

static long settings_set(struct tty *tty, u32 cmd, const void __user *from)
{
	bool short_form = cmd == TCSETS || cmd == TCSETSW || cmd == TCSETSF;
	bool drain = cmd != TCSETS && cmd != TCSETS2, flush = cmd == TCSETSF || cmd == TCSETSF2;
	struct abi_termios2 termios;
	int err;

	spin_lock(&tty->lock);
	termios = tty->ldisc.termios;
	spin_unlock(&tty->lock);
	err = copy_from_user(&termios, from,
			     short_form ? sizeof(struct abi_termios) : sizeof(termios));
	if (!err && drain)
		err = output_drain(tty);
	if (err)
		return err;
	termios.c_ospeed = speed_of(termios.c_cflag, termios.c_ospeed);
	termios.c_ispeed = termios.c_ospeed;
	spin_lock(&tty->lock);
	if (flush) {
		ldisc_flush_input(&tty->ldisc);
		ldisc_tell(&tty->ldisc, 0, TIOCPKT_FLUSHREAD);
	}
	ldisc_set_termios(&tty->ldisc, &termios);
	spin_unlock(&tty->lock);
	/* Readers may find something in the new mode, and stopped output goes on without IXON. */
	waitq_wake(&tty->wait, POLL_EVENT_READ | POLL_EVENT_WRITE, WAITQ_ALL);
	tty->ops->output(tty);
	tty->ops->input_room(tty);
	return 0;
}

static long winsize_get(struct tty *tty, void __user *to)
{
	struct abi_winsize size;

	spin_lock(&tty->lock);
	size = tty->winsize;
	spin_unlock(&tty->lock);
	return copy_to_user(to, &size, sizeof(size));
}

static long winsize_set(struct tty *tty, const void __user *from)
{
	struct abi_winsize size;
	bool changed;

	if (copy_from_user(&size, from, sizeof(size)))
		return -EFAULT;
	spin_lock(&tty->lock);
	changed = memcmp(&tty->winsize, &size, sizeof(size)) != 0;
	tty->winsize = size;
	spin_unlock(&tty->lock);
	if (changed)
		tty_signal_foreground(tty, SIGWINCH);
	return 0;
}

/* ---- flow ---- */

static void flush_queues(struct tty *tty, bool input, bool output, u8 news)
{
	spin_lock(&tty->lock);
	if (input)
		ldisc_flush_input(&tty->ldisc);
	if (output)
		ldisc_flush_output(&tty->ldisc);
	ldisc_tell(&tty->ldisc, 0, news);
	spin_unlock(&tty->lock);
	if (news)
		tty->ops->output(tty);
	if (output)
		waitq_wake(&tty->wait, POLL_EVENT_WRITE, WAITQ_ALL);
	if (input)
		tty->ops->input_room(tty);
}

static long flow_flush(struct tty *tty, u64 which, bool master)
{
	bool input = which == TCIFLUSH || which == TCIOFLUSH;
	bool output = which == TCOFLUSH || which == TCIOFLUSH;

	if (!input && !output)
		return -EINVAL;
	/* What the terminal writes is the master's input. */
	if (master)
		flush_queues(tty, output, input, 0);
	else
		flush_queues(
			tty, input, output,
			(u8)((input ? TIOCPKT_FLUSHREAD : 0) | (output ? TIOCPKT_FLUSHWRITE : 0)));
	return 0;
}

static long flow_control(struct tty *tty, u64 action)
{
	struct ldisc *ld = &tty->ldisc;

	if (action > TCION)
		return -EINVAL;
	spin_lock(&tty->lock);
	if (action == TCOOFF || action == TCOON)
		ldisc_stop(ld, action == TCOOFF);
	else
		ldisc_emit(ld, (char)ld->termios.c_cc[action == TCIOFF ? VSTOP : VSTART]);
	spin_unlock(&tty->lock);
	tty->ops->output(tty);
	return 0;
}

static long queue_count(struct tty *tty, u32 cmd, bool master, u32 __user *to)
{
	bool input = (cmd == FIONREAD) != master;
	u32 count;

	spin_lock(&tty->lock);
	count = input ? ldisc_input_count(&tty->ldisc) : ldisc_output_count(&tty->ldisc);
	spin_unlock(&tty->lock);
	return user_store_u32(to, count);
}

/* ---- dispatch ---- */

static bool changes_terminal(u32 cmd)
{
	switch (cmd) {
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
	case TCSBRK:
	case TCSBRKP:
	case TCXONC:
	case TCFLSH:
		return true;
	default:
		return false;
	}
}

long tty_ioctl(struct tty *tty, u32 cmd, u64 arg, bool master)
{
	void __user *user = (void __user *)(uintptr_t)arg;
	int err = !master && changes_terminal(cmd) ? tty_check_foreground(tty, SIGTTOU) : 0;

	if (err)
		return err;
	switch (cmd) {
	case TCGETS:
	case TCGETS2:
		return settings_get(tty, cmd, user);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return settings_set(tty, cmd, user);
	case TIOCGWINSZ:
		return winsize_get(tty, user);
	case TIOCSWINSZ:
		return winsize_set(tty, user);
	case FIONREAD:
	case TIOCOUTQ:
		return queue_count(tty, cmd, master, user);
	case TCFLSH:
		return flow_flush(tty, arg, master);
	case TCXONC:
		return flow_control(tty, arg);
	case TCSBRK:
	case TCSBRKP:
		/*
		 * A break is not a thing either device can send; what remains is to wait for the
		 * output (tcdrain).
		 */
		return output_drain(tty);
	case TIOCSTI:
		return -EIO; /* as Linux with its default dev.tty.legacy_tiocsti=0 */
	default:
		return tty_job_ioctl(tty, cmd, arg, master);
	}
}
