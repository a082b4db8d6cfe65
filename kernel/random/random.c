#include "kernel/random/random.h"

#include "arch/riscv64/csr.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "lib/chacha.h"

#include <string.h>

struct random_state {
	u32 key[CHACHA_KEY_WORDS];   /* [c] */
	bool seeded;		     /* [c] */
	u8 pool[CHACHA_BLOCK_BYTES]; /* [c] key stream not yet given out, at its end */
	u32 left;		     /* [c] bytes of it */
};
static PERCPU(struct random_state, random_state);

/* The seed of every hart's key, made one-way: harts differ by the nonce. */
static u32 boot_key[CHACHA_KEY_WORDS]; /* [I] after random_init */

static void mix(u32 key[CHACHA_KEY_WORDS], const void *data, size_t n)
{
	const u8 *p = data;
	const u32 nonce[3] = {0};
	u8 block[CHACHA_BLOCK_BYTES];

	while (n) {
		size_t part = MIN(n, sizeof(u32) * CHACHA_KEY_WORDS);

		for (size_t i = 0; i < part; i++)
			((u8 *)key)[i] ^= p[i];
		chacha20_block(key, (u32)part, nonce, block);
		memcpy(key, block, sizeof(u32) * CHACHA_KEY_WORDS);
		p += part;
		n -= part;
	}
	memset(block, 0, sizeof(block));
}

void random_init(const void *seed, size_t len)
{
	u64 time = csr_time();

	mix(boot_key, seed, len);
	mix(boot_key, &time, sizeof(time));
}

static struct random_state *random_this_cpu(void)
{
	struct random_state *r = this_cpu_ptr(random_state);
	u64 time;

	if (unlikely(!r->seeded)) {
		u32 nonce[3] = {1, cpu_id(), 0};
		u8 block[CHACHA_BLOCK_BYTES];

		chacha20_block(boot_key, 0, nonce, block);
		memcpy(r->key, block, sizeof(r->key));
		memset(block, 0, sizeof(block));
		time = csr_time();
		mix(r->key, &time, sizeof(time));
		r->seeded = true;
	}
	return r;
}

/* Half of block 0 becomes the next key, block 1 is output. */
static void refill(struct random_state *r)
{
	const u32 nonce[3] = {0};
	u8 first[CHACHA_BLOCK_BYTES];

	chacha20_block(r->key, 0, nonce, first);
	chacha20_block(r->key, 1, nonce, r->pool);
	memcpy(r->key, first, sizeof(r->key));
	memset(first, 0, sizeof(first));
	r->left = sizeof(r->pool);
}

void random_bytes(void *buf, size_t n)
{
	struct random_state *r = random_this_cpu();
	u8 *out = buf;

	while (n) {
		size_t part;
		u8 *from;

		if (r->left == 0)
			refill(r);
		part = MIN(n, (size_t)r->left);
		from = r->pool + sizeof(r->pool) - r->left;
		memcpy(out, from, part);
		memset(from, 0, part);
		r->left -= (u32)part;
		out += part;
		n -= part;
	}
}

void random_add_entropy(const void *data, size_t n)
{
	mix(random_this_cpu()->key, data, n);
}
