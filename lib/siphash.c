#include "lib/siphash.h"

#include <string.h>

struct sip {
	u64 v[4];
};

static inline u64 rotate_left(u64 x, u32 n)
{
	return x << n | x >> (64 - n);
}

static void sip_rounds(struct sip *s, u32 n)
{
	u64 *v = s->v;

	while (n--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate_left(v[1], 13) ^ v[0];
		v[3] = rotate_left(v[3], 16) ^ v[2];
		v[0] = rotate_left(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate_left(v[1], 17) ^ v[2];
		v[3] = rotate_left(v[3], 21) ^ v[0];
		v[2] = rotate_left(v[2], 32);
	}
}

static void sip_word(struct sip *s, u64 word)
{
	s->v[3] ^= word;
	sip_rounds(s, 2);
	s->v[0] ^= word;
}

u64 siphash24(const u64 key[2], const void *data, size_t n)
{
	/* "somepseudorandomlygeneratedbytes" */
	struct sip s = {{key[0] ^ 0x736f6d6570736575UL, key[1] ^ 0x646f72616e646f6dUL,
			 key[0] ^ 0x6c7967656e657261UL, key[1] ^ 0x7465646279746573UL}};
	const u8 *at = data, *end = at + (n & ~7UL);
	u64 word, last = 0;

	for (; at < end; at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sip_word(&s, word);
	}
	memcpy(&last, at, n & 7);
	sip_word(&s, last | (u64)n << 56);
	s.v[2] ^= 0xff;
	sip_rounds(&s, 4);
	return s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3];
}
