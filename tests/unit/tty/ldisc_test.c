/*
 * The line discipline on the host: what is typed, what is shown, what programs read.
 */
#include "kernel/tty/ldisc.h"

#include "abi/errno.h"
#include "abi/signal.h"
#include "tests/unit/unit.h"

static struct ldisc ld;

/* Types `text`; the last signal it stood for. */
static int type(const char *text)
{
	int signal, last = 0;

	for (; *text && ldisc_has_room(&ld); text++) {
		ldisc_receive(&ld, *text, &signal);
		last = signal ? signal : last;
	}
	return last;
}

static bool reads(const char *expected)
{
	char buf[256];
	bool more;
	long n = ldisc_read(&ld, buf, sizeof(buf), &more);

	return n == (long)strlen(expected) && memcmp(buf, expected, (size_t)n) == 0;
}

static bool reads_nothing(void)
{
	char c;
	bool more;

	return ldisc_read(&ld, &c, 1, &more) == -EAGAIN;
}

static bool shows(const char *expected)
{
	char buf[LDISC_OUTPUT];
	size_t n = ldisc_take_output(&ld, buf, sizeof(buf));
	bool same = n == strlen(expected) && memcmp(buf, expected, n) == 0;

	if (!same)
		printf("# shown: %.*s\n", (int)n, buf);
	return same;
}

static void set_local(u32 clear, u32 set)
{
	struct abi_termios2 t = ld.termios;

	t.c_lflag = (t.c_lflag & ~clear) | set;
	ldisc_set_termios(&ld, &t);
}

static void set_input(u32 clear, u32 set)
{
	struct abi_termios2 t = ld.termios;

	t.c_iflag = (t.c_iflag & ~clear) | set;
	ldisc_set_termios(&ld, &t);
}

static void set_output(u32 flags)
{
	struct abi_termios2 t = ld.termios;

	t.c_oflag = flags;
	ldisc_set_termios(&ld, &t);
}

TEST(a_line_is_readable_when_it_ends)
{
	ldisc_init(&ld);
	type("ab");
	CHECK(reads_nothing());
	type("c\r");
	CHECK(shows("abc\r\n"));
	CHECK(reads("abc\n"));
	CHECK(reads_nothing());
}

TEST(a_read_ends_with_the_line)
{
	ldisc_init(&ld);
	type("one\ntwo\n");
	CHECK(ldisc_input_count(&ld) == 8);
	CHECK(reads("one\n"));
	CHECK(reads("two\n"));
}

TEST(a_short_read_leaves_the_rest)
{
	char buf[4];
	bool more;

	ldisc_init(&ld);
	type("abcdef\n");
	CHECK(ldisc_read(&ld, buf, 4, &more) == 4 && more);
	CHECK(reads("ef\n"));
}

TEST(erase_takes_a_character_off_the_screen)
{
	ldisc_init(&ld);
	type("ab\177c\r");
	CHECK(shows("ab\b \bc\r\n"));
	CHECK(reads("ac\n"));
	type("\177\177x\r");
	CHECK(shows("x\r\n"));
	CHECK(reads("x\n"));
}

TEST(erase_of_a_control_character_takes_two_columns)
{
	ldisc_init(&ld);
	type("\001\177\r");
	CHECK(shows("^A\b \b\b \b\r\n"));
	CHECK(reads("\n"));
}

TEST(erase_of_a_tab_goes_back_to_where_it_began)
{
	ldisc_init(&ld);
	ldisc_write(&ld, "$ ", 2);
	type("a\t\177b\r");
	CHECK(shows("$ a\t\b\b\b\b\bb\r\n"));
	CHECK(reads("ab\n"));
}

TEST(erase_takes_whole_utf8_characters)
{
	ldisc_init(&ld);
	set_input(0, IUTF8);
	type("\303\244\177z\r");
	CHECK(shows("\303\244\b \bz\r\n"));
	CHECK(reads("z\n"));
}

TEST(word_erase_and_kill)
{
	ldisc_init(&ld);
	type("one two  \027");
	CHECK(shows("one two  \b \b\b \b\b \b\b \b\b \b"));
	type("\025x\r");
	CHECK(shows("\b \b\b \b\b \b\b \bx\r\n"));
	CHECK(reads("x\n"));
}

TEST(kill_without_visual_erase_shows_itself)
{
	ldisc_init(&ld);
	set_local(ECHOKE, 0);
	type("ab\025c\r");
	CHECK(shows("ab^U\r\nc\r\n"));
	CHECK(reads("c\n"));
}

TEST(reprint_shows_the_line_again)
{
	ldisc_init(&ld);
	type("ab\022");
	CHECK(shows("ab^R\r\nab"));
}

TEST(end_of_file_ends_a_read)
{
	ldisc_init(&ld);
	type("\004");
	CHECK(reads(""));
	CHECK(reads_nothing());
	type("ab\004");
	CHECK(reads("ab"));
	CHECK(reads_nothing());
	type("\004\004");
	CHECK(reads(""));
	CHECK(reads(""));
	CHECK(reads_nothing());
}

TEST(end_of_file_right_behind_a_full_buffer_belongs_to_it)
{
	char buf[2];
	bool more;

	ldisc_init(&ld);
	type("ab\004");
	CHECK(ldisc_read(&ld, buf, 2, &more) == 2 && !more);
	CHECK(reads_nothing());
}

TEST(literal_next_disarms_a_special_character)
{
	ldisc_init(&ld);
	CHECK(type("\026\003\r") == 0);
	CHECK(shows("^\b^C\r\n"));
	CHECK(reads("\003\n"));
}

TEST(signals_flush_and_echo)
{
	ldisc_init(&ld);
	CHECK(type("ab\003") == SIGINT);
	CHECK(shows("^C"));
	CHECK(type("\034") == SIGQUIT);
	CHECK(type("\032") == SIGTSTP);
	type("x\r");
	CHECK(reads("x\n"));
	set_local(0, NOFLSH);
	CHECK(type("y\003z\r") == SIGINT);
	CHECK(reads("yz\n"));
	set_local(ISIG, 0);
	CHECK(type("\003\r") == 0);
	CHECK(reads("\003\n"));
}

TEST(flow_control_holds_output_back)
{
	ldisc_init(&ld);
	type("\023");
	ldisc_write(&ld, "text", 4);
	CHECK(shows(""));
	type("\021");
	CHECK(shows("text"));
	set_input(0, IXANY);
	type("\023");
	ldisc_write(&ld, "more", 4);
	type("q");
	CHECK(shows("moreq"));
}

TEST(input_maps_carriage_returns)
{
	ldisc_init(&ld);
	set_input(ICRNL, INLCR);
	set_local(ICANON, 0);
	type("a\r\n");
	CHECK(reads("a\r\r"));
	set_input(INLCR, IGNCR | ISTRIP);
	type("a\r\341");
	CHECK(reads("aa"));
}

TEST(raw_mode_reads_what_is_there)
{
	ldisc_init(&ld);
	set_local(ICANON | ECHO | ISIG, 0);
	type("a\003\177");
	CHECK(shows(""));
	CHECK(ldisc_readable(&ld, 3));
	CHECK(!ldisc_readable(&ld, 4));
	CHECK(reads("a\003\177"));
	CHECK(reads_nothing());
}

TEST(switching_modes_keeps_what_was_typed)
{
	ldisc_init(&ld);
	type("part");
	set_local(ICANON, 0);
	CHECK(reads("part"));
	type("more");
	set_local(0, ICANON);
	CHECK(reads("more"));
	type("x\r");
	CHECK(reads("x\n"));
}

TEST(output_processing)
{
	ldisc_init(&ld);
	ldisc_write(&ld, "a\nb\n", 4);
	CHECK(shows("a\r\nb\r\n"));
	set_output(OPOST | XTABS);
	ldisc_write(&ld, "ab\tc\n", 5);
	CHECK(shows("ab      c\n"));
	set_output(OPOST | OCRNL | OLCUC);
	ldisc_write(&ld, "a\r", 2);
	CHECK(shows("A\n"));
	set_output(0);
	ldisc_write(&ld, "a\n\t", 3);
	CHECK(shows("a\n\t"));
}

TEST(a_full_output_ring_takes_no_part_of_a_character)
{
	char page[LDISC_OUTPUT];
	size_t taken;

	ldisc_init(&ld);
	memset(page, '\n', sizeof(page));
	taken = ldisc_write(&ld, page, sizeof(page));
	CHECK(taken < sizeof(page) && ldisc_output_count(&ld) == 2 * taken);
	CHECK(!ldisc_writable(&ld));
	CHECK(ldisc_take_output(&ld, page, 64) == 64);
	CHECK(ldisc_writable(&ld));
}

TEST(a_line_that_is_too_long_still_ends)
{
	static char buf[LDISC_INPUT + 1];
	bool more;

	ldisc_init(&ld);
	set_local(ECHO, 0);
	for (u32 i = 0; i < 2 * LDISC_INPUT; i++)
		type("x");
	type("\n");
	CHECK(!ldisc_has_room(&ld));
	CHECK(ldisc_read(&ld, buf, sizeof(buf), &more) == LDISC_INPUT);
	CHECK(buf[LDISC_INPUT - 1] == '\n');
	CHECK(reads_nothing());
}

TEST(raw_input_waits_for_room)
{
	ldisc_init(&ld);
	set_local(ICANON | ECHO, 0);
	for (u32 i = 0; i < LDISC_INPUT; i++)
		type("x");
	CHECK(!ldisc_has_room(&ld));
	CHECK(ldisc_input_count(&ld) == LDISC_INPUT);
}

TEST(settings_that_do_not_exist_read_back_as_off)
{
	ldisc_init(&ld);
	set_local(0, ECHOPRT | EXTPROC);
	set_input(0, PARMRK | IXOFF);
	CHECK(!(ld.termios.c_lflag & (ECHOPRT | EXTPROC)));
	CHECK(!(ld.termios.c_iflag & (PARMRK | IXOFF)));
}
