/*
 * Line discipline, output: echo and what programs write, in one ring. A byte becomes at most
 * OUTPUT_WORST bytes (a tab), and is cooked whole or not at all.
 */
#include "kernel/tty/ldisc.h"

#define OUTPUT_WORST 8U
#define TAB_STOP     8U

bool ldisc_writable(const struct ldisc *ld)
{
	return LDISC_OUTPUT - ldisc_output_count(ld) >= OUTPUT_WORST;
}

u32 ldisc_output_count(const struct ldisc *ld)
{
	return ld->out_head - ld->out_tail;
}

void ldisc_emit(struct ldisc *ld, char byte)
{
	if (ldisc_output_count(ld) < LDISC_OUTPUT)
		ld->out[ld->out_head++ % LDISC_OUTPUT] = byte;
}

static void emit_newline(struct ldisc *ld)
{
	u32 flags = ld->termios.c_oflag;

	if (flags & ONLCR)
		ldisc_emit(ld, '\r');
	if (flags & (ONLCR | ONLRET))
		ld->column = 0;
	ld->line_column = ld->column;
	ldisc_emit(ld, '\n');
}

static void emit_return(struct ldisc *ld)
{
	u32 flags = ld->termios.c_oflag;

	if ((flags & ONOCR) && ld->column == 0)
		return;
	if (!(flags & OCRNL) || (flags & ONLRET))
		ld->column = ld->line_column = 0;
	ldisc_emit(ld, flags & OCRNL ? '\n' : '\r');
}

static void emit_tab(struct ldisc *ld)
{
	u32 spaces = TAB_STOP - ld->column % TAB_STOP;

	ld->column += spaces;
	if ((ld->termios.c_oflag & TABDLY) != XTABS) {
		ldisc_emit(ld, '\t');
		return;
	}
	while (spaces--)
		ldisc_emit(ld, ' ');
}

static void emit_plain(struct ldisc *ld, char byte)
{
	if (!ldisc_is_control(byte)) {
		if ((ld->termios.c_oflag & OLCUC) && byte >= 'a' && byte <= 'z')
			byte = (char)(byte - 'a' + 'A');
		if (!ldisc_utf8_tail(ld, byte))
			ld->column++;
	}
	ldisc_emit(ld, byte);
}

void ldisc_emit_cooked(struct ldisc *ld, char byte)
{
	if (!(ld->termios.c_oflag & OPOST)) {
		ldisc_emit(ld, byte);
		return;
	}
	switch (byte) {
	case '\n':
		emit_newline(ld);
		break;
	case '\r':
		emit_return(ld);
		break;
	case '\t':
		emit_tab(ld);
		break;
	case '\b':
		if (ld->column)
			ld->column--;
		ldisc_emit(ld, byte);
		break;
	default:
		emit_plain(ld, byte);
	}
}

void ldisc_echo(struct ldisc *ld, char byte)
{
	/* An echo without room is lost, as on Linux: input must not wait for output. */
	if (!ldisc_writable(ld))
		return;
	if (ldisc_local(ld, ECHOCTL) && ldisc_is_control(byte) && byte != '\t') {
		ldisc_emit(ld, '^');
		ldisc_emit(ld, (char)(byte ^ 0x40));
		ld->column += 2;
		return;
	}
	ldisc_emit_cooked(ld, byte);
}

size_t ldisc_write(struct ldisc *ld, const char *text, size_t n)
{
	size_t done = 0;

	while (done < n && ldisc_writable(ld))
		ldisc_emit_cooked(ld, text[done++]);
	/* What is typed from here on begins where the program's output ends. */
	if (ld->canon == ld->in_head)
		ld->line_column = ld->column;
	return done;
}

size_t ldisc_take_output(struct ldisc *ld, char *buf, size_t n)
{
	size_t done = 0;

	if (ld->stopped)
		return 0;
	while (done < n && ld->out_tail != ld->out_head)
		buf[done++] = ld->out[ld->out_tail++ % LDISC_OUTPUT];
	return done;
}

void ldisc_flush_output(struct ldisc *ld)
{
	ld->out_tail = ld->out_head;
}
