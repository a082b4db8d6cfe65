/*
 * The checksum of IP, TCP, UDP and ICMP (RFC 1071): a ones' complement sum of 16-bit words, which may be taken eight bytes at a time, and byte-swapped
 * if the data begin at an odd address.
 */
#include "kernel/net/inet.h"

/* a + b, the carry added again. */
static u64 sum_add(u64 a, u64 b)
{
	a += b;
	return a + (a < b);
}

static u64 sum_fold_32(u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (sum & 0xffffffff) + (sum >> 32);
}

/* From an even address. */
static u64 sum_even(const u8 *p, size_t len)
{
	u64 sum = 0;

	if (((uintptr_t)p & 2) && len >= 2) {
		sum = *(const u16 *)p;
		p += 2;
		len -= 2;
	}
	if (((uintptr_t)p & 4) && len >= 4) {
		sum += *(const u32 *)p;
		p += 4;
		len -= 4;
	}
	for (; len >= 32; p += 32, len -= 32) {
		const u64 *w = (const u64 *)p;

		sum = sum_add(sum_add(sum_add(sum_add(sum, w[0]), w[1]), w[2]), w[3]);
	}
	for (; len >= 8; p += 8, len -= 8)
		sum = sum_add(sum, *(const u64 *)p);
	/* What is left lies at an address that each step leaves even. */
	for (; len >= 2; p += 2, len -= 2)
		sum = sum_add(sum, *(const u16 *)p);
	return len ? sum_add(sum, *p) : sum;
}

u32 inet_sum(u32 sum, const void *data, size_t len)
{
	const u8 *p = data;
	u64 more;

	if (!((uintptr_t)p & 1) || !len) {
		more = sum_fold_32(sum_even(p, len));
	} else {
		more = sum_fold_32(sum_even(p + 1, len - 1));
		more = (more & 0xffff) + (more >> 16);
		more = (more & 0xffff) + (more >> 16);
		more = (u64)net16((u16)more) + *p;
	}
	return (u32)sum_fold_32(more + sum);
}

u16 inet_sum_fold(u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}
