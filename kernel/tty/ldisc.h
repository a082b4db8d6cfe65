/*
 * Line discipline: what a terminal makes of the bytes between the line and the programs
 * (termios(3), N_TTY).
 *
 * One struct holds both directions. Input is edited in a ring of LDISC_INPUT bytes:
 *
 *	in_tail ... canon ... in_head		canon: end of the last whole line
 *
 * In canonical mode programs read up to `canon` and only what lies behind it can still be erased;
 * in raw mode canon stays where it is and everything is readable. `line_end` marks the last byte of
 * each line; a marked NUL is an end of file, which is not handed out. Echo and cooked output share
 * the second ring, so they come out in one order.
 *
 * This is plain code without locks or waiting: the caller (tty.c) holds tty->lock. Indices run
 * freely, modulo the ring.
 */
#ifndef KERNEL_TTY_LDISC_H
#define KERNEL_TTY_LDISC_H

#include "abi/termios.h"
#include "lib/types.h"

#define LDISC_INPUT  4096U
#define LDISC_OUTPUT 4096U

/* What ldisc_receive() has brought about. */
#define LDISC_READABLE BIT(0) /* a reader may find something */
#define LDISC_RESTART  BIT(1) /* stopped output goes on */

struct ldisc {
	struct abi_termios2 termios;
	u32 in_tail; /* next byte to read */
	u32 canon;   /* end of the last whole line */
	u32 in_head; /* next byte to fill */
	u32 out_tail;
	u32 out_head;
	u32 column;	 /* of the cursor, for tabs */
	u32 line_column; /* where the line that is typed began */
	bool literal;	 /* the next byte is taken as it is (VLNEXT) */
	bool stopped;	 /* output waits (VSTOP, TCOOFF) */
	bool packet;	 /* a master wants to know what becomes of the terminal (TIOCPKT) */
	u8 packet_news;	 /* TIOCPKT_* that it has not read yet */
	u8 line_end[LDISC_INPUT / 8];
	char in[LDISC_INPUT];
	char out[LDISC_OUTPUT];
};

/* Empty, with the settings of a terminal after boot. */
void ldisc_init(struct ldisc *ld);

/* ---- input ---- */

/* A byte from the line can be taken in. False while readers must take something first. */
bool ldisc_has_room(const struct ldisc *ld);
/*
 * Takes in one byte: LDISC_* and in *signal the signal it stands for, 0 for none. Needs
 * ldisc_has_room().
 */
u32 ldisc_receive(struct ldisc *ld, char byte, int *signal);
/*
 * A read would find at least `minimum` bytes (raw mode), or a line or an end of file (canonical
 * mode).
 */
bool ldisc_readable(const struct ldisc *ld, u32 minimum);
/*
 * Moves up to n bytes of what is readable to `buf`, in canonical mode to the end of the line at
 * most. Bytes; 0 at an end of file; -EAGAIN if nothing is there. *more: the same read may go on
 * with what follows.
 */
long ldisc_read(struct ldisc *ld, char *buf, size_t n, bool *more);
/* Bytes that reads would return now (FIONREAD). */
u32 ldisc_input_count(const struct ldisc *ld);
void ldisc_flush_input(struct ldisc *ld);

/* ---- output ---- */

/* Cooks up to n bytes into the output ring. Bytes taken; fewer when it is full. */
size_t ldisc_write(struct ldisc *ld, const char *text, size_t n);
/* ldisc_write() would take something. */
bool ldisc_writable(const struct ldisc *ld);
/* Moves up to n bytes to the line. 0 while stopped. */
size_t ldisc_take_output(struct ldisc *ld, char *buf, size_t n);
u32 ldisc_output_count(const struct ldisc *ld);
void ldisc_flush_output(struct ldisc *ld);
/* One byte as it is; dropped when the ring is full. */
void ldisc_emit(struct ldisc *ld, char byte);
/* The echo of one typed byte: control characters as ^X if ECHOCTL says so. */
void ldisc_echo(struct ldisc *ld, char byte);
/* One byte with the processing that c_oflag asks for. */
void ldisc_emit_cooked(struct ldisc *ld, char byte);

/* ---- settings ---- */

/*
 * Bits that are not implemented read back as 0: whoever sets them can see that they had no effect.
 */
void ldisc_set_termios(struct ldisc *ld, const struct abi_termios2 *termios);
/* Output waits, or goes on. True if it did not before. */
bool ldisc_stop(struct ldisc *ld, bool stop);

/* News for a master in packet mode: `news` instead of what it was not told of `outdated`. */
static inline void ldisc_tell(struct ldisc *ld, u8 outdated, u8 news)
{
	if (ld->packet)
		ld->packet_news = (u8)((ld->packet_news & ~outdated) | news);
}

static inline bool ldisc_local(const struct ldisc *ld, u32 flag)
{
	return ld->termios.c_lflag & flag;
}

static inline bool ldisc_utf8_tail(const struct ldisc *ld, char byte)
{
	return (ld->termios.c_iflag & IUTF8) && ((u8)byte & 0xc0) == 0x80;
}

static inline bool ldisc_is_control(char byte)
{
	return (u8)byte < ' ' || byte == 127;
}

#endif
