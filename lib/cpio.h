/*
 * Reader of "newc" cpio archives, several of them in a row with zeros between and after them, as
 * docs/boot.md describes. It trusts nothing: every length is checked against the end before it is
 * used, so a damaged archive yields an error and its place.
 */
#ifndef LIB_CPIO_H
#define LIB_CPIO_H

#include "lib/types.h"

struct cpio {
	const char *start;
	const char *end;
	const char *at;	   /* next header, or zeros before it */
	bool inside;	   /* entries seen since the last trailer */
	const char *error; /* why cpio_next() returned -EINVAL */
	u64 error_offset;
};

struct cpio_entry {
	const char *name; /* NUL-terminated, inside the archive; no leading "/" or "./" */
	const char *data; /* `size` bytes inside the archive */
	u64 size;
	u64 data_room; /* bytes from data to the next header or the end; all zeros after `size` */
	u32 mode, uid, gid, nlink;
	u32 rdev_major, rdev_minor;
	s64 mtime; /* seconds */
};

void cpio_open(struct cpio *c, const void *start, u64 size);
/* 1 and *e filled; 0 at the end of the last archive; -EINVAL when damaged. */
int cpio_next(struct cpio *c, struct cpio_entry *e);

#endif
