/*
 * newc: a header of 6 + 13 * 8 hexadecimal characters, the name with its NUL, padding to 4, the
 * data, padding to 4.
 */
#include "lib/cpio.h"

#include <string.h>

#include "abi/errno.h"

#define CPIO_HEADER  110U
#define CPIO_NAMEMAX 4096U

enum cpio_field {
	CPIO_INO,
	CPIO_MODE,
	CPIO_UID,
	CPIO_GID,
	CPIO_NLINK,
	CPIO_MTIME,
	CPIO_SIZE,
	CPIO_DEV_MAJOR,
	CPIO_DEV_MINOR,
	CPIO_RDEV_MAJOR,
	CPIO_RDEV_MINOR,
	CPIO_NAMESIZE,
	CPIO_CHECK,
	CPIO_FIELDS
};

void cpio_open(struct cpio *c, const void *start, u64 size)
{
	*c = (struct cpio){.start = start, .end = (const char *)start + size, .at = start};
}

static int cpio_fail(struct cpio *c, const char *error)
{
	c->error = error;
	c->error_offset = (u64)(c->at - c->start);
	return -EINVAL;
}

static int hex_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return -1;
}

static bool cpio_parse(const char *header, u32 field[CPIO_FIELDS])
{
	header += 6;
	for (u32 i = 0; i < CPIO_FIELDS; i++) {
		field[i] = 0;
		for (u32 j = 0; j < 8; j++) {
			int digit = hex_digit(*header++);

			if (digit < 0)
				return false;
			field[i] = field[i] << 4 | (u32)digit;
		}
	}
	return true;
}

static const char *strip_root(const char *name)
{
	for (;;) {
		if (name[0] == '/')
			name++;
		else if (name[0] == '.' && name[1] == '/')
			name += 2;
		else
			return name;
	}
}

/* Offsets are padded to 4 counted from the archive's start. The result may lie behind the end. */
static u64 cpio_pad(const struct cpio *c, const char *at)
{
	return ALIGN_UP((u64)(at - c->start), 4UL);
}

/* Reads the entry at c->at, whose header is complete, and moves behind it. */
static int cpio_entry(struct cpio *c, struct cpio_entry *e)
{
	u64 total = (u64)(c->end - c->start), data;
	u32 field[CPIO_FIELDS];
	const char *name = c->at + CPIO_HEADER;

	if (memcmp(c->at, "070701", 6) != 0)
		return cpio_fail(c, "no header where one should be");
	if (!cpio_parse(c->at, field))
		return cpio_fail(c, "header is not hexadecimal");
	if (field[CPIO_NAMESIZE] == 0 || field[CPIO_NAMESIZE] > CPIO_NAMEMAX)
		return cpio_fail(c, "name too long or empty");
	if (field[CPIO_NAMESIZE] > (u64)(c->end - name))
		return cpio_fail(c, "ends inside a name");
	if (name[field[CPIO_NAMESIZE] - 1] != '\0')
		return cpio_fail(c, "name is not terminated");
	data = cpio_pad(c, name + field[CPIO_NAMESIZE]);
	if (data > total || field[CPIO_SIZE] > total - data)
		return cpio_fail(c, "ends inside a file");
	*e = (struct cpio_entry){
		.name = strip_root(name),
		.data = c->start + data,
		.size = field[CPIO_SIZE],
		.mode = field[CPIO_MODE],
		.uid = field[CPIO_UID],
		.gid = field[CPIO_GID],
		.nlink = field[CPIO_NLINK],
		.rdev_major = field[CPIO_RDEV_MAJOR],
		.rdev_minor = field[CPIO_RDEV_MINOR],
		.mtime = field[CPIO_MTIME],
	};
	/* What pads the data is zeros like all that may stand before a header. */
	c->at = e->data + e->size;
	return 1;
}

static void cpio_skip_zeros(struct cpio *c)
{
	while (c->at < c->end && *c->at == '\0')
		c->at++;
}

int cpio_next(struct cpio *c, struct cpio_entry *e)
{
	for (;;) {
		int ret;

		cpio_skip_zeros(c);
		if (c->at == c->end)
			return c->inside ? cpio_fail(c, "ends without a trailer") : 0;
		if ((u64)(c->end - c->at) < CPIO_HEADER)
			return cpio_fail(c, "ends inside a header");
		ret = cpio_entry(c, e);
		if (ret < 0)
			return ret;
		if (strcmp(e->name, "TRAILER!!!") != 0) {
			c->inside = true;
			cpio_skip_zeros(c);
			e->data_room = (u64)(c->at - e->data);
			return 1;
		}
		c->inside = false;
	}
}
