/* Boot arguments: words, values, numbers with suffixes, switches. */
#include "lib/cmdline.h"
#include "tests/unit/unit.h"

TEST(a_value_is_found_by_its_whole_key)
{
	char value[16];

	cmdline_init("a=1 ab=2  b=three\tflag\n");
	CHECK(cmdline_get("a", value, sizeof(value)) && !strcmp(value, "1"));
	CHECK(cmdline_get("ab", value, sizeof(value)) && !strcmp(value, "2"));
	CHECK(cmdline_get("b", value, sizeof(value)) && !strcmp(value, "three"));
	CHECK(!cmdline_get("three", value, sizeof(value)));
	CHECK(!cmdline_get("c", value, sizeof(value)));
}

TEST(a_bare_word_has_an_empty_value)
{
	char value[4] = "x";

	cmdline_init("quiet empty=");
	CHECK(cmdline_get("quiet", value, sizeof(value)) && value[0] == '\0');
	CHECK(cmdline_get("empty", value, sizeof(value)) && value[0] == '\0');
	CHECK(!cmdline_get("qui", value, sizeof(value)));
}

TEST(the_last_of_equal_keys_counts)
{
	cmdline_init("n=1 n=2 n=3");
	CHECK(cmdline_get_u64("n", 0) == 3);
}

TEST(a_value_may_hold_an_equals_sign)
{
	char value[16];

	cmdline_init("dump=/tmp/a=b");
	CHECK(cmdline_get("dump", value, sizeof(value)) && !strcmp(value, "/tmp/a=b"));
}

TEST(a_value_that_does_not_fit_is_absent)
{
	char value[4];

	cmdline_init("a=123 b=1234");
	CHECK(cmdline_get("a", value, sizeof(value)) && !strcmp(value, "123"));
	CHECK(!cmdline_get("b", value, sizeof(value)));
}

TEST(numbers_take_suffixes_and_refuse_the_rest)
{
	cmdline_init("a=7 k=4K m=2M g=1G bad=12x two=1KM none= max=18446744073709551615 "
		     "over=18446744073709551616 minus=-1");
	CHECK(cmdline_get_u64("a", 0) == 7);
	CHECK(cmdline_get_u64("k", 0) == 4UL << 10);
	CHECK(cmdline_get_u64("m", 0) == 2UL << 20);
	CHECK(cmdline_get_u64("g", 0) == 1UL << 30);
	CHECK(cmdline_get_u64("max", 0) == ~0UL);
	CHECK(cmdline_get_u64("bad", 5) == 5);
	CHECK(cmdline_get_u64("two", 5) == 5);
	CHECK(cmdline_get_u64("none", 5) == 5);
	CHECK(cmdline_get_u64("over", 5) == 5);
	CHECK(cmdline_get_u64("minus", 5) == 5);
	CHECK(cmdline_get_u64("absent", 5) == 5);
}

TEST(a_number_that_its_suffix_pushes_over_the_end_is_refused)
{
	cmdline_init("n=18446744073709551615K fits=18014398509481983K");
	CHECK(cmdline_get_u64("n", 5) == 5);
	CHECK(cmdline_get_u64("fits", 5) == 18014398509481983UL << 10);
}

TEST(switches_are_on_off_one_zero_or_bare)
{
	cmdline_init("a b=on c=1 d=off e=0 f=maybe");
	CHECK(cmdline_get_bool("a", false));
	CHECK(cmdline_get_bool("b", false));
	CHECK(cmdline_get_bool("c", false));
	CHECK(!cmdline_get_bool("d", true));
	CHECK(!cmdline_get_bool("e", true));
	CHECK(cmdline_get_bool("f", true));
	CHECK(!cmdline_get_bool("f", false));
	CHECK(cmdline_get_bool("absent", true));
}

TEST(an_empty_line_has_nothing)
{
	cmdline_init("");
	CHECK(cmdline_get_u64("a", 9) == 9);
	cmdline_init("   ");
	CHECK(cmdline_get_u64("a", 9) == 9);
}
