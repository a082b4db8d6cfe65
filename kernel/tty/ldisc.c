/*
 * Line discipline, input: special characters, line editing, reading, settings.
 */
#include "kernel/tty/ldisc.h"

#include <string.h>

#include "abi/errno.h"
#include "abi/signal.h"

#define TAB_STOP 8U

/* Not implemented: they read back as 0. */
#define LOCAL_UNSUPPORTED (ECHOPRT | XCASE | FLUSHO | PENDIN | EXTPROC)
#define INPUT_UNSUPPORTED (IXOFF | INPCK | PARMRK)

#define CHAR_DISABLED '\0'

void ldisc_init(struct ldisc *ld)
{
	static const struct abi_termios2 after_boot = {
		.c_iflag = ICRNL | IXON,
		.c_oflag = OPOST | ONLCR,
		.c_cflag = B38400 | CS8 | CREAD | HUPCL,
		.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
		.c_cc = {[VINTR] = 3,
			 [VQUIT] = 28,
			 [VERASE] = 127,
			 [VKILL] = 21,
			 [VEOF] = 4,
			 [VMIN] = 1,
			 [VSTART] = 17,
			 [VSTOP] = 19,
			 [VSUSP] = 26,
			 [VREPRINT] = 18,
			 [VDISCARD] = 15,
			 [VWERASE] = 23,
			 [VLNEXT] = 22},
		.c_ispeed = 38400,
		.c_ospeed = 38400,
	};

	memset(ld, 0, sizeof(*ld));
	ld->termios = after_boot;
}

/* ---- the ring ---- */

static char input_at(const struct ldisc *ld, u32 i)
{
	return ld->in[i % LDISC_INPUT];
}

static bool input_ends_line(const struct ldisc *ld, u32 i)
{
	return ld->line_end[i % LDISC_INPUT / 8] & (1U << i % 8);
}

static void input_mark(struct ldisc *ld, u32 i, bool ends_line)
{
	u8 bit = (u8)(1U << i % 8), *byte = &ld->line_end[i % LDISC_INPUT / 8];

	*byte = (u8)(ends_line ? *byte | bit : *byte & ~bit);
}

static void input_put(struct ldisc *ld, char byte, bool ends_line)
{
	/* A line that is too long loses its last byte, so that its end always fits. */
	if (ld->in_head - ld->in_tail == LDISC_INPUT) {
		ld->in_head--;
		if (ld->termios.c_iflag & IMAXBEL)
			ldisc_emit(ld, '\a');
	}
	input_mark(ld, ld->in_head, ends_line);
	ld->in[ld->in_head++ % LDISC_INPUT] = byte;
	if (ends_line)
		ld->canon = ld->in_head;
}

bool ldisc_has_room(const struct ldisc *ld)
{
	bool whole_line = ld->canon != ld->in_tail;

	return ld->in_head - ld->in_tail < LDISC_INPUT || (ldisc_local(ld, ICANON) && !whole_line);
}

void ldisc_flush_input(struct ldisc *ld)
{
	ld->in_tail = ld->canon = ld->in_head;
	ld->literal = false;
}

/* ---- line editing ---- */

static bool is_special(const struct ldisc *ld, u32 which, char byte)
{
	return byte != CHAR_DISABLED && (u8)byte == ld->termios.c_cc[which];
}

static bool is_extended(const struct ldisc *ld, u32 which, char byte)
{
	return ldisc_local(ld, IEXTEN) && is_special(ld, which, byte);
}

/* Columns that bytes canon..end of the line take on the screen. */
static u32 line_width(const struct ldisc *ld, u32 end)
{
	u32 column = ld->line_column;

	for (u32 i = ld->canon; i != end; i++) {
		char byte = input_at(ld, i);

		if (byte == '\t')
			column += TAB_STOP - column % TAB_STOP;
		else if (ldisc_is_control(byte))
			column += ldisc_local(ld, ECHOCTL) ? 2 : 0;
		else if (!ldisc_utf8_tail(ld, byte))
			column++;
	}
	return column - ld->line_column;
}

/* Takes the character at in_head, just cut off, from the screen. */
static void erase_echo(struct ldisc *ld, char byte)
{
	u32 width = 1;

	if (byte == '\t')
		width = line_width(ld, ld->in_head + 1) - line_width(ld, ld->in_head);
	else if (ldisc_is_control(byte))
		width = ldisc_local(ld, ECHOCTL) ? 2 : 0;
	while (width--) {
		ldisc_emit_cooked(ld, '\b');
		/* A tab showed nothing that must be overwritten. */
		if (byte == '\t')
			continue;
		ldisc_emit_cooked(ld, ' ');
		ldisc_emit_cooked(ld, '\b');
	}
}

static bool in_word(char byte)
{
	return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') ||
	       byte == '_' || (u8)byte >= 0x80;
}

/* Cuts the last character, all its bytes, off the line: its first byte. The line is not empty. */
static char cut_character(struct ldisc *ld)
{
	do
		ld->in_head--;
	while (ld->in_head != ld->canon && ldisc_utf8_tail(ld, input_at(ld, ld->in_head)));
	return input_at(ld, ld->in_head);
}

static bool line_empty(const struct ldisc *ld)
{
	return ld->in_head == ld->canon;
}

static void erase_one(struct ldisc *ld, char typed)
{
	char byte;

	if (line_empty(ld))
		return;
	byte = cut_character(ld);
	if (!ldisc_local(ld, ECHO))
		return;
	if (ldisc_local(ld, ECHOE))
		erase_echo(ld, byte);
	else
		ldisc_echo(ld, typed);
}

static void erase_word(struct ldisc *ld)
{
	bool seen = false;

	while (!line_empty(ld)) {
		u32 end = ld->in_head;
		char byte = cut_character(ld);

		if (!in_word(byte) && seen) {
			ld->in_head = end;
			return;
		}
		seen |= in_word(byte);
		if (ldisc_local(ld, ECHO))
			erase_echo(ld, byte);
	}
}

static void erase_line(struct ldisc *ld, char typed)
{
	u32 visible = ECHOK | ECHOKE | ECHOE;

	if (ldisc_local(ld, ECHO) && (ld->termios.c_lflag & visible) == visible) {
		while (!line_empty(ld))
			erase_echo(ld, cut_character(ld));
		return;
	}
	ld->in_head = ld->canon;
	if (!ldisc_local(ld, ECHO))
		return;
	ldisc_echo(ld, typed);
	if (ldisc_local(ld, ECHOK))
		ldisc_emit_cooked(ld, '\n');
}

static void reprint_line(struct ldisc *ld, char typed)
{
	ldisc_echo(ld, typed);
	ldisc_emit_cooked(ld, '\n');
	for (u32 i = ld->canon; i != ld->in_head; i++)
		ldisc_echo(ld, input_at(ld, i));
}

/* ---- receiving ---- */

static void echo_typed(struct ldisc *ld, char byte)
{
	if (line_empty(ld))
		ld->line_column = ld->column;
	if (byte == '\n')
		ldisc_emit_cooked(ld, byte);
	else
		ldisc_echo(ld, byte);
}

static u32 receive_plain(struct ldisc *ld, char byte)
{
	if (ldisc_local(ld, ECHO))
		echo_typed(ld, byte);
	input_put(ld, byte, false);
	return ldisc_local(ld, ICANON) ? 0 : LDISC_READABLE;
}

/* Canonical mode: true if the byte edits the line. */
static bool receive_edit(struct ldisc *ld, char byte)
{
	if (is_special(ld, VERASE, byte)) {
		erase_one(ld, byte);
	} else if (is_extended(ld, VWERASE, byte)) {
		erase_word(ld);
	} else if (is_special(ld, VKILL, byte)) {
		erase_line(ld, byte);
	} else if (is_extended(ld, VREPRINT, byte) && ldisc_local(ld, ECHO)) {
		reprint_line(ld, byte);
	} else if (is_extended(ld, VLNEXT, byte)) {
		ld->literal = true;
		if (ldisc_local(ld, ECHO) && ldisc_local(ld, ECHOCTL)) {
			ldisc_emit(ld, '^');
			ldisc_emit(ld, '\b');
		}
	} else {
		return false;
	}
	return true;
}

static u32 receive_canonical(struct ldisc *ld, char byte)
{
	if (receive_edit(ld, byte))
		return 0;
	if (is_special(ld, VEOF, byte)) {
		input_put(ld, CHAR_DISABLED, true);
		return LDISC_READABLE;
	}
	if (byte != '\n' && !is_special(ld, VEOL, byte) && !is_extended(ld, VEOL2, byte))
		return receive_plain(ld, byte);
	if (ldisc_local(ld, ECHO) || (byte == '\n' && ldisc_local(ld, ECHONL)))
		echo_typed(ld, byte);
	input_put(ld, byte, true);
	return LDISC_READABLE;
}

static int signal_of(const struct ldisc *ld, char byte)
{
	if (!ldisc_local(ld, ISIG))
		return 0;
	if (is_special(ld, VINTR, byte))
		return SIGINT;
	if (is_special(ld, VQUIT, byte))
		return SIGQUIT;
	return is_special(ld, VSUSP, byte) ? SIGTSTP : 0;
}

static u32 restart_output(struct ldisc *ld)
{
	return ldisc_stop(ld, false) ? LDISC_RESTART : 0;
}

static u32 receive_signal(struct ldisc *ld, char byte)
{
	if (!ldisc_local(ld, NOFLSH)) {
		ldisc_flush_input(ld);
		ldisc_flush_output(ld);
		ldisc_tell(ld, 0, TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE);
	}
	if (ldisc_local(ld, ECHO))
		ldisc_echo(ld, byte);
	return ld->termios.c_iflag & IXON ? restart_output(ld) : 0;
}

/* IGNCR, ICRNL and INLCR. False: the byte is dropped. */
static bool map_input(const struct ldisc *ld, char *byte)
{
	u32 flags = ld->termios.c_iflag;

	if (*byte == '\r' && (flags & IGNCR))
		return false;
	if (*byte == '\r' && (flags & ICRNL))
		*byte = '\n';
	else if (*byte == '\n' && (flags & INLCR))
		*byte = '\r';
	return true;
}

u32 ldisc_receive(struct ldisc *ld, char byte, int *signal)
{
	u32 flags = ld->termios.c_iflag, result = 0;

	*signal = 0;
	if (flags & ISTRIP)
		byte &= 0x7f;
	if ((flags & IUCLC) && ldisc_local(ld, IEXTEN) && byte >= 'A' && byte <= 'Z')
		byte = (char)(byte - 'A' + 'a');
	if (ld->literal) {
		ld->literal = false;
		return receive_plain(ld, byte);
	}
	if ((flags & IXON) && is_special(ld, VSTART, byte))
		return restart_output(ld);
	if ((flags & IXON) && is_special(ld, VSTOP, byte)) {
		ldisc_stop(ld, true);
		return 0;
	}
	*signal = signal_of(ld, byte);
	if (*signal)
		return receive_signal(ld, byte);
	if ((flags & IXON) && (flags & IXANY))
		result = restart_output(ld);
	if (!map_input(ld, &byte))
		return result;
	return result |
	       (ldisc_local(ld, ICANON) ? receive_canonical(ld, byte) : receive_plain(ld, byte));
}

/* ---- reading ---- */

bool ldisc_readable(const struct ldisc *ld, u32 minimum)
{
	if (ldisc_local(ld, ICANON))
		return ld->canon != ld->in_tail;
	return ld->in_head - ld->in_tail >= minimum;
}

/* Takes an end-of-file mark at the front, if there is one. */
static bool take_end_of_file(struct ldisc *ld)
{
	if (ld->in_tail == ld->canon || !input_ends_line(ld, ld->in_tail) ||
	    input_at(ld, ld->in_tail) != CHAR_DISABLED)
		return false;
	ld->in_tail++;
	return true;
}

static long read_line(struct ldisc *ld, char *buf, size_t n, bool *more)
{
	size_t done = 0;

	*more = false;
	if (take_end_of_file(ld))
		return 0;
	while (done < n) {
		u32 i = ld->in_tail++;

		buf[done++] = input_at(ld, i);
		if (input_ends_line(ld, i))
			return (long)done;
		/* The mark behind a line belongs to this read, even if its buffer is full. */
		if (take_end_of_file(ld))
			return (long)done;
	}
	*more = true;
	return (long)done;
}

long ldisc_read(struct ldisc *ld, char *buf, size_t n, bool *more)
{
	size_t done = 0;

	*more = false;
	if (!ldisc_readable(ld, 1))
		return -EAGAIN;
	if (ldisc_local(ld, ICANON))
		return read_line(ld, buf, n, more);
	while (done < n && ld->in_tail != ld->in_head)
		buf[done++] = input_at(ld, ld->in_tail++);
	ld->canon = ld->in_tail;
	*more = ld->in_tail != ld->in_head;
	return (long)done;
}

u32 ldisc_input_count(const struct ldisc *ld)
{
	u32 count = 0;

	if (!ldisc_local(ld, ICANON))
		return ld->in_head - ld->in_tail;
	for (u32 i = ld->in_tail; i != ld->canon; i++)
		count += !(input_ends_line(ld, i) && input_at(ld, i) == CHAR_DISABLED);
	return count;
}

/* ---- settings ---- */

/*
 * What was typed before canonical mode begins is one line; when it ends, the unfinished line is
 * readable, and marks of end of file are bytes like others.
 */
static void switch_mode(struct ldisc *ld)
{
	memset(ld->line_end, 0, sizeof(ld->line_end));
	ld->literal = false;
	ld->canon = ld->in_tail;
	if (ldisc_local(ld, ICANON) && ld->in_head != ld->in_tail) {
		input_mark(ld, ld->in_head - 1, true);
		ld->canon = ld->in_head;
	}
}

bool ldisc_stop(struct ldisc *ld, bool stop)
{
	if (ld->stopped == stop)
		return false;
	ld->stopped = stop;
	if (stop)
		ldisc_tell(ld, TIOCPKT_START, TIOCPKT_STOP);
	else
		ldisc_tell(ld, TIOCPKT_STOP, TIOCPKT_START);
	return true;
}

/* ^S and ^Q stop and continue: a master in packet mode may do that itself. */
static bool usual_flow(const struct abi_termios2 *t)
{
	return (t->c_iflag & IXON) && t->c_cc[VSTOP] == ('S' & 0x1f) &&
	       t->c_cc[VSTART] == ('Q' & 0x1f);
}

void ldisc_set_termios(struct ldisc *ld, const struct abi_termios2 *termios)
{
	u32 changed = ld->termios.c_lflag ^ termios->c_lflag;
	bool flow = usual_flow(termios);

	if (flow != usual_flow(&ld->termios))
		ldisc_tell(ld, TIOCPKT_DOSTOP | TIOCPKT_NOSTOP,
			   flow ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP);
	ld->termios = *termios;
	ld->termios.c_lflag &= ~LOCAL_UNSUPPORTED;
	ld->termios.c_iflag &= ~INPUT_UNSUPPORTED;
	if (!(termios->c_iflag & IXON))
		ldisc_stop(ld, false);
	if (changed & ICANON)
		switch_mode(ld);
}
