/*
 * mremap: mappings that grow, shrink and move.
 */
#include <fcntl.h>

#include "tests/syscall/memory/memory.h"

#define MREMAP_KEEP 4 /* MREMAP_DONTUNMAP */

static long remap(const void *p, size_t old, size_t new, int flags, const void *to)
{
	return sys5(SYS_mremap, p, old, new, flags, to);
}

/* Writes a number into each page. */
static void mark(char *p, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		*(long *)(p + i * PAGE) = (long)i + 1;
}

static long wrong_marks(const char *p, size_t pages)
{
	long wrong = 0;

	for (size_t i = 0; i < pages; i++)
		wrong += *(const long *)(p + i * PAGE) != (long)i + 1;
	return wrong;
}

TEST(remap_shrinks_in_place)
{
	char *p = map_pages(8);

	mark(p, 8);
	CHECK_EQ(remap(p, 8 * PAGE, 3 * PAGE, 0, 0), p);
	CHECK_EQ(wrong_marks(p, 3), 0);
	CHECK(is_mapped(p + 2 * PAGE));
	CHECK(!is_mapped(p + 3 * PAGE));
	munmap(p, 3 * PAGE);
}

TEST(remap_grows_in_place_where_free)
{
	char *p = map_pages(8);

	mark(p, 2);
	munmap(p + 2 * PAGE, 6 * PAGE);
	CHECK_EQ(remap(p, 2 * PAGE, 6 * PAGE, 0, 0), p);
	CHECK_EQ(wrong_marks(p, 2), 0);
	CHECK_EQ(p[5 * PAGE], 0);
	munmap(p, 6 * PAGE);
}

TEST(remap_moves_where_not_free)
{
	char *p = map_pages(8), *q;

	mark(p, 8);
	CHECK_EQ(remap(p, 2 * PAGE, 4 * PAGE, 0, 0), -ENOMEM);
	CHECK_EQ(remap(p, 8 * PAGE, 1024 * PAGE, MREMAP_MAYMOVE, 0) > 0, true);
	q = map_pages(2);
	munmap(q, 2 * PAGE);
}

TEST(remap_keeps_contents_over_many_tables)
{
	size_t pages = 1500;
	char *p = map_pages(pages + 1), *q;

	mark(p, pages);
	q = (char *)remap(p, pages * PAGE, 2 * pages * PAGE, MREMAP_MAYMOVE, 0);
	if (!CHECK((long)q > 0))
		return;
	CHECK(q != p);
	CHECK_EQ(wrong_marks(q, pages), 0);
	CHECK_EQ(q[pages * PAGE], 0);
	CHECK(!is_mapped(p));
	CHECK(is_mapped(p + pages * PAGE));
	munmap(q, 2 * pages * PAGE);
	munmap(p + pages * PAGE, PAGE);
}

TEST(remap_fixed_replaces)
{
	char *p = map_pages(4), *q = map_pages(8);

	mark(p, 4);
	memset(q, 7, 8 * PAGE);
	CHECK_EQ(remap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE), q + PAGE);
	CHECK_EQ(wrong_marks(q + PAGE, 4), 0);
	CHECK_EQ(q[0], 7);
	CHECK_EQ(q[5 * PAGE], 7);
	CHECK(!is_mapped(p));
	/* To a larger and a smaller size. */
	CHECK_EQ(remap(q + PAGE, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p), p);
	CHECK_EQ(wrong_marks(p, 2), 0);
	CHECK(!is_mapped(q + PAGE) && !is_mapped(q + 4 * PAGE) && is_mapped(q + 5 * PAGE));
	munmap(p, 4 * PAGE);
	munmap(q, 8 * PAGE);
}

/* From the middle: what is on both sides stays, and rights move along. */
TEST(remap_of_a_part)
{
	char *p = map_pages(6), *to = map_pages(2);

	mark(p, 6);
	mprotect(p + 2 * PAGE, 2 * PAGE, PROT_READ);
	CHECK_EQ(remap(p + 2 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
	CHECK_EQ(*(long *)to, 3);
	CHECK_EQ(sys3(SYS_read, -1, to, 1), -EBADF);
	CHECK(is_mapped(p + PAGE) && !is_mapped(p + 2 * PAGE) && is_mapped(p + 4 * PAGE));
	CHECK_EQ(wrong_marks(p, 2), 0);
	/* Over two mappings: not at all. */
	CHECK_EQ(remap(p + PAGE, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE, 0), -EFAULT);
	munmap(p, 6 * PAGE);
	munmap(to, 2 * PAGE);
}

TEST(remap_keeps_the_old_mapping_if_told)
{
	char *p = map_pages(3), *q;

	mark(p, 3);
	q = (char *)remap(p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_KEEP, 0);
	if (!CHECK((long)q > 0))
		return;
	CHECK_EQ(wrong_marks(q, 3), 0);
	CHECK_EQ(*(long *)p, 0);
	munmap(p, 3 * PAGE);
	munmap(q, 3 * PAGE);
}

TEST(remap_of_size_zero_doubles_shared_memory)
{
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q;

	mark(p, 2);
	q = (char *)remap(p, 0, 2 * PAGE, MREMAP_MAYMOVE, 0);
	if (!CHECK((long)q > 0))
		return;
	CHECK_EQ(wrong_marks(q, 2), 0);
	q[100] = 5;
	CHECK_EQ(p[100], 5);
	munmap(p, 2 * PAGE);
	CHECK_EQ(wrong_marks(q, 2), 0);
	munmap(q, 2 * PAGE);
	p = map_pages(1);
	CHECK_EQ(remap(p, 0, PAGE, MREMAP_MAYMOVE, 0), -EINVAL);
	munmap(p, PAGE);
}

TEST(remap_moves_pages_of_a_file)
{
	int fd = open("/remap_file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *p, *q;

	CHECK_EQ(ftruncate(fd, 4 * PAGE), 0);
	p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	if (!CHECK(p != MAP_FAILED))
		return;
	mark(p, 4);
	q = (char *)remap(p + PAGE, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_KEEP, 0);
	if (!CHECK((long)q > 0))
		return;
	CHECK_EQ(*(long *)q, 2);
	q[8] = 9;
	CHECK_EQ(p[PAGE + 8], 9);
	munmap(p, 4 * PAGE);
	munmap(q, 3 * PAGE);
	close(fd);
	unlink("/remap_file");
}

TEST(remap_refusals)
{
	char *p = map_pages(4);
	int fixed = MREMAP_MAYMOVE | MREMAP_FIXED;
	const struct errno_case cases[] = {
		{"same", SYS_mremap, {(long)p, PAGE, PAGE, 0, 0}, 0},
		{"flags", SYS_mremap, {(long)p, PAGE, PAGE, 8, 0}, EINVAL},
		{"fixed alone", SYS_mremap, {(long)p, PAGE, PAGE, MREMAP_FIXED, 0}, EINVAL},
		{"keep alone", SYS_mremap, {(long)p, PAGE, PAGE, MREMAP_KEEP, 0}, EINVAL},
		{"keep other size",
		 SYS_mremap,
		 {(long)p, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_KEEP, 0},
		 EINVAL},
		{"odd", SYS_mremap, {(long)p + 1, PAGE, PAGE, MREMAP_MAYMOVE, 0}, EINVAL},
		{"no size", SYS_mremap, {(long)p, PAGE, 0, MREMAP_MAYMOVE, 0}, EINVAL},
		{"hole", SYS_mremap, {(long)page_unmapped(), PAGE, PAGE, MREMAP_MAYMOVE, 0}, EFAULT},
		{"too large", SYS_mremap, {(long)p, PAGE, 1L << 50, MREMAP_MAYMOVE, 0}, ENOMEM},
		{"odd target", SYS_mremap, {(long)p, PAGE, PAGE, fixed, (long)p + 2 * PAGE + 1}, EINVAL},
		{"overlap", SYS_mremap, {(long)p, 2 * PAGE, 2 * PAGE, fixed, (long)p + PAGE}, EINVAL},
		{"kernel", SYS_mremap, {(long)p, PAGE, PAGE, fixed, -8192L}, EINVAL},
		{"odd flags and hole", SYS_mremap, {-4096L, PAGE, PAGE, MREMAP_MAYMOVE, 0}, EFAULT},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	munmap(p, 4 * PAGE);
}

/* Other threads map and unmap while a large mapping moves. */
static volatile bool stop;

static void *use_other_memory(void *arg)
{
	long wrong = 0;

	(void)arg;
	while (!stop) {
		char *p = map_pages(4);

		mark(p, 4);
		wrong += wrong_marks(p, 4);
		munmap(p, 4 * PAGE);
	}
	CHECK_EQ(wrong, 0);
	return NULL;
}

TEST(remap_beside_other_threads)
{
	pthread_t threads[3];
	char *p = map_pages(600);

	mark(p, 600);
	stop = false;
	for (int i = 0; i < 3; i++)
		threads[i] = thread_start(use_other_memory, NULL);
	for (int i = 0; i < 60; i++) {
		char *room = mmap(NULL, 600 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		p = (char *)remap(p, 600 * PAGE, 600 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room);
		if (!CHECK_EQ(p, room))
			break;
	}
	stop = true;
	for (int i = 0; i < 3; i++)
		thread_join(threads[i]);
	CHECK_EQ(wrong_marks(p, 600), 0);
	munmap(p, 600 * PAGE);
}
