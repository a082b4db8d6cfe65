#include "lib/cmdline.h"

#include <string.h>

static const char *cmdline_text = "";

void cmdline_init(const char *line)
{
	cmdline_text = line;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* The value part of the last word with this key, and its length; NULL if there is none. */
static const char *cmdline_find(const char *key, size_t *length)
{
	size_t key_length = strlen(key);
	const char *found = NULL;

	for (const char *p = cmdline_text; *p;) {
		const char *word = p;

		while (*p && !is_space(*p))
			p++;
		if (!strncmp(word, key, key_length) && word + key_length <= p &&
		    (word + key_length == p || word[key_length] == '=')) {
			found = word + key_length + (word + key_length < p);
			*length = (size_t)(p - found);
		}
		while (is_space(*p))
			p++;
	}
	return found;
}

bool cmdline_get(const char *key, char *value, size_t size)
{
	size_t length;
	const char *text = cmdline_find(key, &length);

	if (!text || length >= size)
		return false;
	memcpy(value, text, length);
	value[length] = '\0';
	return true;
}

u64 cmdline_get_u64(const char *key, u64 fallback)
{
	static const char suffixes[] = "KMG";
	size_t length, i = 0;
	const char *text = cmdline_find(key, &length), *suffix;
	u64 value = 0;
	u32 shift;

	if (!text)
		return fallback;
	for (; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
		u64 digit = (u64)(text[i] - '0');

		if (value > (~0UL - digit) / 10)
			return fallback;
		value = value * 10 + digit;
	}
	if (i == 0)
		return fallback;
	if (i == length)
		return value;
	suffix = strchr(suffixes, text[i]);
	if (!suffix || i + 1 != length)
		return fallback;
	shift = 10 * (u32)(suffix - suffixes + 1);
	return value << shift >> shift == value ? value << shift : fallback;
}

bool cmdline_get_bool(const char *key, bool fallback)
{
	char value[8];

	if (!cmdline_get(key, value, sizeof(value)))
		return fallback;
	if (!value[0] || !strcmp(value, "on") || !strcmp(value, "1"))
		return true;
	if (!strcmp(value, "off") || !strcmp(value, "0"))
		return false;
	return fallback;
}
