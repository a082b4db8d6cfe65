/*
 * I/O iterators. A copy goes segment by segment, each in one piece; only when a piece faults is
 * it tried again page by page, to learn how many bytes lie before the fault (Linux returns that
 * short count).
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/file/file.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"

enum iov_direction { IOV_IN, IOV_OUT, IOV_ZERO };

void iov_iter_kernel(struct iov_iter *it, struct iov_segment *seg, void *buf, size_t len)
{
	seg->base = (u64)(uintptr_t)buf;
	seg->len = len;
	*it = (struct iov_iter){.seg = seg, .nr_segs = 1, .count = len};
}

void iov_iter_user(struct iov_iter *it, struct iov_segment *seg, u64 addr, size_t len)
{
	seg->base = addr;
	seg->len = len;
	*it = (struct iov_iter){.seg = seg, .nr_segs = 1, .user = true, .count = len};
}

void iov_iter_user_vector(struct iov_iter *it, const struct iov_segment *segs, u32 nr_segs)
{
	*it = (struct iov_iter){.seg = segs, .nr_segs = nr_segs, .user = true};
	for (u32 i = 0; i < nr_segs; i++)
		it->count += segs[i].len;
}

static int iov_copy_user(enum iov_direction dir, u64 addr, char *buf, size_t n)
{
	switch (dir) {
	case IOV_IN:
		return copy_from_user(buf, (const void __user *)(uintptr_t)addr, n);
	case IOV_OUT:
		return copy_to_user((void __user *)(uintptr_t)addr, buf, n);
	default:
		return clear_user((void __user *)(uintptr_t)addr, n);
	}
}

/* Bytes of n that could be copied. */
static size_t iov_copy_piece(enum iov_direction dir, bool user, u64 addr, char *buf, size_t n)
{
	size_t done = 0;

	if (!user) {
		if (dir == IOV_IN)
			memcpy(buf, (const void *)(uintptr_t)addr, n);
		else if (dir == IOV_OUT)
			memcpy((void *)(uintptr_t)addr, buf, n);
		else
			memset((void *)(uintptr_t)addr, 0, n);
		return n;
	}
	if (iov_copy_user(dir, addr, buf, n) == 0)
		return n;
	while (done < n) {
		size_t chunk = MIN(n - done, PAGE_SIZE - ((addr + done) & (PAGE_SIZE - 1)));

		if (iov_copy_user(dir, addr + done, buf ? buf + done : NULL, chunk) != 0)
			break;
		done += chunk;
	}
	return done;
}

static long iov_copy(enum iov_direction dir, struct iov_iter *it, char *buf, size_t n)
{
	size_t done = 0;

	n = MIN(n, it->count);
	while (done < n) {
		size_t want = MIN(n - done, it->seg->len - it->offset);
		size_t got = iov_copy_piece(dir, it->user, it->seg->base + it->offset,
					    buf ? buf + done : NULL, want);

		done += got;
		it->offset += got;
		it->count -= got;
		if (got < want)
			return done ? (long)done : -EFAULT;
		if (it->offset == it->seg->len && it->nr_segs > 1) {
			it->seg++;
			it->nr_segs--;
			it->offset = 0;
		}
	}
	return (long)done;
}

long iov_copy_in(void *dst, struct iov_iter *it, size_t n)
{
	return iov_copy(IOV_IN, it, dst, n);
}

long iov_copy_out(struct iov_iter *it, const void *src, size_t n)
{
	return iov_copy(IOV_OUT, it, (char *)src, n);
}

long iov_zero(struct iov_iter *it, size_t n)
{
	return iov_copy(IOV_ZERO, it, NULL, n);
}
