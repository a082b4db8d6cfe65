#include "lib/number.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

const char *number_skip_space(const char *text)
{
	while (is_space(*text))
		text++;
	return text;
}

bool number_parse(const char **text, bool is_signed, u64 *value)
{
	const char *p = *text;
	bool negative = is_signed && *p == '-';
	u64 limit = is_signed ? (u64)INT64_MAX + negative : ~0UL, n = 0;

	p += negative;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		u64 digit = (u64)(*p - '0');

		if (n > (limit - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (*p && !is_space(*p))
		return false;
	*value = negative ? -n : n;
	*text = p;
	return true;
}
