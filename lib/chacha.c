#include "lib/chacha.h"

#define NR_DOUBLE_ROUNDS 10

static inline u32 rotate_left(u32 x, u32 n)
{
	return x << n | x >> (32 - n);
}

static inline void quarter_round(u32 *s, u32 a, u32 b, u32 c, u32 d)
{
	s[a] += s[b];
	s[d] = rotate_left(s[d] ^ s[a], 16);
	s[c] += s[d];
	s[b] = rotate_left(s[b] ^ s[c], 12);
	s[a] += s[b];
	s[d] = rotate_left(s[d] ^ s[a], 8);
	s[c] += s[d];
	s[b] = rotate_left(s[b] ^ s[c], 7);
}

static void double_round(u32 *s)
{
	for (u32 i = 0; i < 4; i++)
		quarter_round(s, i, 4 + i, 8 + i, 12 + i);
	for (u32 i = 0; i < 4; i++)
		quarter_round(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
}

void chacha20_block(const u32 key[CHACHA_KEY_WORDS], u32 counter, const u32 nonce[3],
		    u8 out[CHACHA_BLOCK_BYTES])
{
	/* "expand 32-byte k" */
	u32 in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	u32 s[16];
	u32 i;

	for (i = 0; i < CHACHA_KEY_WORDS; i++)
		in[4 + i] = key[i];
	in[12] = counter;
	for (i = 0; i < 3; i++)
		in[13 + i] = nonce[i];
	for (i = 0; i < 16; i++)
		s[i] = in[i];
	for (i = 0; i < NR_DOUBLE_ROUNDS; i++)
		double_round(s);
	for (i = 0; i < 16; i++) {
		u32 word = s[i] + in[i];

		for (u32 b = 0; b < 4; b++)
			out[4 * i + b] = (u8)(word >> (8 * b));
	}
}
