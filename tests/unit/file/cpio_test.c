/*
 * The archive reader on good, damaged and hostile archives.
 */
#include "lib/cpio.h"

#include <stdlib.h>

#include "abi/errno.h"
#include "abi/stat.h"
#include "tests/unit/unit.h"

static char archive[64 << 10];
static size_t archive_len;

static void put(const void *data, size_t n)
{
	memcpy(archive + archive_len, data, n);
	archive_len += n;
}

static void pad_to(size_t alignment)
{
	while (archive_len % alignment)
		archive[archive_len++] = '\0';
}

/* An entry as cpio writes it; `claim`: the size in the header. */
static void put_entry(const char *name, unsigned mode, const void *data, size_t size, unsigned claim)
{
	char header[111];

	snprintf(header, sizeof(header), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		 1, mode, 10, 20, 1, 1234, claim, 0, 0, 1, 3, (unsigned)strlen(name) + 1, 0);
	put(header, 110);
	put(name, strlen(name) + 1);
	pad_to(4);
	put(data, size);
	pad_to(4);
}

static void put_trailer(void)
{
	put_entry("TRAILER!!!", 0, "", 0, 0);
}

static void good_archive(void)
{
	memset(archive, 0, sizeof(archive));
	archive_len = 0;
	put_entry("dir", S_IFDIR | 0755, "", 0, 0);
	put_entry("./dir/file", S_IFREG | 0644, "hello", 5, 5);
	put_trailer();
}

TEST(reads_entries)
{
	struct cpio_entry e;
	struct cpio c;

	good_archive();
	cpio_open(&c, archive, archive_len);
	CHECK(cpio_next(&c, &e) == 1);
	CHECK(strcmp(e.name, "dir") == 0 && S_ISDIR(e.mode) && e.size == 0);
	CHECK(cpio_next(&c, &e) == 1);
	CHECK(strcmp(e.name, "dir/file") == 0 && e.size == 5 && memcmp(e.data, "hello", 5) == 0);
	CHECK(e.uid == 10 && e.gid == 20 && e.mtime == 1234 && e.rdev_major == 1 && e.rdev_minor == 3);
	CHECK(cpio_next(&c, &e) == 0);
	CHECK(cpio_next(&c, &e) == 0);
}

TEST(reads_archives_in_a_row)
{
	struct cpio_entry e;
	struct cpio c;

	good_archive();
	pad_to(4096);
	put_entry("second", S_IFREG, "2", 1, 1);
	put_trailer();
	pad_to(4096);
	cpio_open(&c, archive, archive_len);
	CHECK(cpio_next(&c, &e) == 1);
	CHECK(cpio_next(&c, &e) == 1);
	CHECK(cpio_next(&c, &e) == 1);
	CHECK(strcmp(e.name, "second") == 0);
	CHECK(cpio_next(&c, &e) == 0);
}

TEST(tells_the_room_behind_a_file)
{
	struct cpio_entry e;
	struct cpio c;

	good_archive();
	archive_len = 0;
	put_entry("a", S_IFREG, "xyz", 3, 3);
	pad_to(512);
	put_entry("b", S_IFREG, "", 0, 0);
	put_trailer();
	cpio_open(&c, archive, archive_len);
	CHECK(cpio_next(&c, &e) == 1);
	CHECK(e.data + e.data_room == archive + 512);
}

/* Every cut is an error, never a crash and never a success: the archive has no trailer then. */
TEST(every_truncation_is_an_error)
{
	good_archive();
	/* The last cut leaves the trailer's header and name whole: its padding may be missing. */
	for (size_t len = 1; len < archive_len - 3; len++) {
		char *copy = malloc(len);
		struct cpio_entry e;
		struct cpio c;
		int ret;

		memcpy(copy, archive, len);
		cpio_open(&c, copy, len);
		do {
			ret = cpio_next(&c, &e);
		} while (ret == 1);
		CHECK(ret == -EINVAL && c.error && c.error_offset <= len);
		free(copy);
	}
}

static int read_all(size_t len)
{
	struct cpio_entry e;
	struct cpio c;
	int ret;

	cpio_open(&c, archive, len);
	do {
		ret = cpio_next(&c, &e);
		if (ret == 1)
			CHECK(e.data >= archive && e.data + e.size <= archive + len &&
			      e.size <= e.data_room);
	} while (ret == 1);
	return ret;
}

TEST(rejects_bad_headers)
{
	good_archive();
	archive[0] = '1';
	CHECK(read_all(archive_len) == -EINVAL);
	good_archive();
	archive[20] = 'g'; /* not hexadecimal */
	CHECK(read_all(archive_len) == -EINVAL);
	good_archive();
	memcpy(archive + 94, "00000000", 8); /* no name */
	CHECK(read_all(archive_len) == -EINVAL);
	good_archive();
	memcpy(archive + 94, "ffffffff", 8); /* name behind the end */
	CHECK(read_all(archive_len) == -EINVAL);
	good_archive();
	archive[113] = 'x'; /* name not terminated */
	CHECK(read_all(archive_len) == -EINVAL);
}

TEST(rejects_sizes_beyond_the_end)
{
	static const unsigned claims[] = {6000, 0x7fffffff, 0xffffffff, 0xfffffffe};

	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		memset(archive, 0, sizeof(archive));
		archive_len = 0;
		put_entry("file", S_IFREG, "data", 4, claims[i]);
		put_trailer();
		CHECK(read_all(archive_len) == -EINVAL);
	}
}

TEST(survives_random_damage)
{
	srand(1);
	for (int round = 0; round < 20000; round++) {
		good_archive();
		for (int i = rand() % 4; i >= 0; i--)
			archive[(size_t)rand() % archive_len] = (char)rand();
		read_all(archive_len);
	}
}
