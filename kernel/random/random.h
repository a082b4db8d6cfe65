/*
 * Random numbers: one ChaCha20 generator a hart, each with a key of its own that is replaced after
 * every use (fast key erasure), so that a later leak of kernel memory tells nothing about numbers
 * given out before. No lock, no shared line.
 *
 * The first key comes from the device tree's rng-seed, which the host fills from its own generator,
 * and the time of boot.
 */
#ifndef KERNEL_RANDOM_RANDOM_H
#define KERNEL_RANDOM_RANDOM_H

#include "lib/types.h"

/*
 * Boot hart, before any use. `seed` may be short or absent (len 0): then only timing feeds the key.
 */
void random_init(const void *seed, size_t len);

/* Fills `buf`, of any length. Context: any. */
void random_bytes(void *buf, size_t n);

/* Mixes `n` bytes into this hart's key (a write to /dev/random). Context: any. */
void random_add_entropy(const void *data, size_t n);

#endif
