/*
 * memcpy, memmove and memset for speed: picolibc's are byte loops (64 MiB cleared in 100 ms under TCG, against 8 ms here). Blocks of
 * eight words when both ends agree in alignment, bytes elsewhere.
 */
#include "lib/types.h"

#include <string.h>

#define WORD  sizeof(u64)
#define BLOCK (8 * WORD)

/* GCC must not turn these loops into calls of themselves. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

typedef u64 __attribute__((may_alias)) word;

static bool same_alignment(const void *a, const void *b)
{
	return (((u64)a ^ (u64)b) & (WORD - 1)) == 0;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	if (same_alignment(d, s)) {
		for (; n && ((u64)d & (WORD - 1)); n--)
			*d++ = *s++;
		for (; n >= BLOCK; n -= BLOCK, d += BLOCK, s += BLOCK) {
			const word *from = (const word *)s;
			word *to = (word *)d;
			u64 w0 = from[0], w1 = from[1], w2 = from[2], w3 = from[3];
			u64 w4 = from[4], w5 = from[5], w6 = from[6], w7 = from[7];

			to[0] = w0;
			to[1] = w1;
			to[2] = w2;
			to[3] = w3;
			to[4] = w4;
			to[5] = w5;
			to[6] = w6;
			to[7] = w7;
		}
		for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
			*(word *)d = *(const word *)s;
	}
	while (n--)
		*d++ = *s++;
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	u8 *d = (u8 *)dst + n;
	const u8 *s = (const u8 *)src + n;

	if ((u64)dst - (u64)src >= n)
		return memcpy(dst, src, n); /* forward copying reads nothing that it wrote */
	if (same_alignment(d, s)) {
		for (; n && ((u64)d & (WORD - 1)); n--)
			*--d = *--s;
		for (; n >= WORD; n -= WORD) {
			d -= WORD;
			s -= WORD;
			*(word *)d = *(const word *)s;
		}
	}
	while (n--)
		*--d = *--s;
	return dst;
}

void *memset(void *dst, int value, size_t n)
{
	u64 pattern = (u8)value * 0x0101010101010101UL;
	u8 *d = dst;

	for (; n && ((u64)d & (WORD - 1)); n--)
		*d++ = (u8)value;
	for (; n >= BLOCK; n -= BLOCK, d += BLOCK) {
		word *to = (word *)d;

		to[0] = pattern;
		to[1] = pattern;
		to[2] = pattern;
		to[3] = pattern;
		to[4] = pattern;
		to[5] = pattern;
		to[6] = pattern;
		to[7] = pattern;
	}
	for (; n >= WORD; n -= WORD, d += WORD)
		*(word *)d = pattern;
	while (n--)
		*d++ = (u8)value;
	return dst;
}
