/* The definition of a moved line, access by access. */
#include "perf/plugin/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE(n) (0x80000000ull + 64 * (n))

static int failed;

static void check_access(unsigned int hart, uint64_t line, bool store, enum lines_move expected,
			 const char *what)
{
	enum lines_move move = lines_access(hart, LINE(line), store, LINE(line) + 8, 0x1000 + hart);

	if (move == expected)
		return;
	printf("%s: move %d, expected %d\n", what, move, expected);
	failed++;
}

static void test_moves(void)
{
	check_access(0, 0, false, LINES_NONE, "first read");
	check_access(1, 0, false, LINES_NONE, "reads alone never move a line");
	check_access(0, 0, true, LINES_WRITE, "write after another's read");
	check_access(0, 0, true, LINES_NONE, "write again");
	check_access(0, 0, false, LINES_NONE, "read of what it wrote");
	check_access(1, 0, false, LINES_READ, "read of what another wrote");
	check_access(1, 0, false, LINES_NONE, "read again");
	check_access(0, 0, true, LINES_WRITE, "write after another's read, again");
	check_access(1, 0, true, LINES_WRITE, "write of what another wrote");
	check_access(0, 0, false, LINES_READ, "read back");
	check_access(0, 1, true, LINES_NONE, "first write");
	check_access(63, 1, false, LINES_READ, "the last hart reads");
	check_access(5, 2, true, LINES_NONE, "a private line");
	check_access(5, 2, true, LINES_NONE, "a private line, again");
}

/* Line 4 moves three times, line 3 once, line 5 never. */
static void test_window(void)
{
	char text[1024] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	if (!out)
		abort();
	for (int line = 3; line <= 5; line++)
		lines_access(0, LINE(line), true, LINE(line), 0x1000);
	lines_window_begin();
	lines_access(1, LINE(3), false, LINE(3), 0x2000);
	lines_access(1, LINE(4), false, LINE(4), 0x2000);
	lines_access(1, LINE(4), true, LINE(4), 0x3000);
	lines_access(0, LINE(4), true, LINE(4) + 16, 0x4000);
	lines_access(0, LINE(5), true, LINE(5), 0x1000);
	lines_window_end(out);
	fclose(out);
	if (strcmp(text, "[\n{\"paddr\":\"0x80000100\",\"vaddr\":\"0x80000110\",\"moves\":3,"
			 "\"reads\":1,\"writes\":2,\"read_pc\":\"0x2000\",\"write_pc\":\"0x4000\"},"
			 "\n{\"paddr\":\"0x800000c0\",\"vaddr\":\"0x800000c0\",\"moves\":1,"
			 "\"reads\":1,\"writes\":0,\"read_pc\":\"0x2000\",\"write_pc\":\"0x0\"}]")) {
		printf("wrong report: %s\n", text);
		failed++;
	}
}

int main(void)
{
	if (!lines_init())
		return 1;
	test_moves();
	test_window();
	return failed != 0;
}
