/* Numbers as users write them. */
#include "lib/number.h"
#include "tests/unit/unit.h"

#include <string.h>

static bool parses(const char *text, bool is_signed, u64 wanted)
{
	const char *p = text;
	u64 value = 0;

	return number_parse(&p, is_signed, &value) && value == wanted &&
	       p == text + strcspn(text, " \t\n");
}

static bool fails(const char *text, bool is_signed)
{
	const char *p = text;
	u64 value = 0;

	return !number_parse(&p, is_signed, &value) && p == text;
}

TEST(numbers_end_at_white_space)
{
	CHECK(parses("0", false, 0));
	CHECK(parses("42\n", false, 42));
	CHECK(parses("7 8", false, 7));
	CHECK(parses("-1\t", true, ~0UL));
	CHECK(fails("42x", false));
	CHECK(fails("", false));
	CHECK(fails("-", true));
	CHECK(fails("-1", false));
	CHECK(fails("+1", true));
}

TEST(bounds_of_64_bits)
{
	CHECK(parses("18446744073709551615", false, ~0UL));
	CHECK(fails("18446744073709551616", false));
	CHECK(fails("99999999999999999999", false));
	CHECK(parses("9223372036854775807", true, INT64_MAX));
	CHECK(fails("9223372036854775808", true));
	CHECK(parses("-9223372036854775808", true, (u64)INT64_MIN));
	CHECK(fails("-9223372036854775809", true));
}

TEST(white_space_is_skipped)
{
	CHECK(*number_skip_space(" \t\n5") == '5');
	CHECK(*number_skip_space("  ") == '\0');
}
