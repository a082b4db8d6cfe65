/* The boot argument ip=. */
#include "kernel/net/ipconfig.h"

#include <string.h>

enum { CLIENT, SERVER, GATEWAY, NETMASK, HOST, DEVICE, AUTOCONF, NR_FIELDS };

struct field {
	const char *text;
	size_t length;
};

static bool is_word(struct field f, const char *word)
{
	return f.length == strlen(word) && !memcmp(f.text, word, f.length);
}

/* Four decimal numbers with dots; empty: 0. */
static bool parse_address(struct field f, u32 *out)
{
	u8 bytes[4] = {0};
	u32 part = 0, value = 0, digits = 0;

	for (size_t i = 0; i < f.length; i++) {
		if (f.text[i] == '.') {
			if (!digits || part == 3)
				return false;
			bytes[part++] = (u8)value;
			value = digits = 0;
			continue;
		}
		if (f.text[i] < '0' || f.text[i] > '9')
			return false;
		value = value * 10 + (u32)(f.text[i] - '0');
		digits++;
		if (value > 255)
			return false;
	}
	if (f.length && (!digits || part != 3))
		return false;
	bytes[3] = (u8)value;
	memcpy(out, bytes, sizeof(bytes));
	return true;
}

/* Ones and then zeros only. */
static bool parse_prefix(struct field f, u32 address, u32 *prefix)
{
	u32 first = address & 0xff, mask; /* the first byte of the address */

	if (!f.length) {
		*prefix = first < 128 ? 8 : first < 192 ? 16 : 24;
		return true;
	}
	if (!parse_address(f, &mask))
		return false;
	mask = __builtin_bswap32(mask);
	*prefix = (u32)__builtin_popcount(mask);
	return mask == (*prefix ? ~0U << (32 - *prefix) : 0);
}

static bool parse_autoconf(struct field f, bool *dhcp)
{
	*dhcp = is_word(f, "dhcp") || is_word(f, "on") || is_word(f, "any") || is_word(f, "both");
	return *dhcp || !f.length || is_word(f, "off") || is_word(f, "none");
}

bool ipconfig_parse(const char *text, struct ipconfig *out)
{
	struct field fields[NR_FIELDS] = {0};
	u32 nr = 0;

	memset(out, 0, sizeof(*out));
	if (!strchr(text, ':'))
		return *text && parse_autoconf((struct field){text, strlen(text)}, &out->dhcp);
	for (const char *at = text; at && nr < NR_FIELDS; nr++) {
		const char *colon = strchr(at, ':');

		fields[nr] = (struct field){at, colon ? (size_t)(colon - at) : strlen(at)};
		at = colon ? colon + 1 : NULL;
	}
	if (fields[DEVICE].length >= sizeof(out->device) ||
	    !parse_address(fields[CLIENT], &out->address) ||
	    !parse_prefix(fields[NETMASK], out->address, &out->prefix) ||
	    !parse_address(fields[GATEWAY], &out->gateway) ||
	    !parse_autoconf(fields[AUTOCONF], &out->dhcp))
		return false;
	if (fields[DEVICE].length)
		memcpy(out->device, fields[DEVICE].text, fields[DEVICE].length);
	out->dhcp = out->dhcp && !out->address;
	return true;
}
