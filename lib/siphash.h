/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a hash under a secret key, for short inputs that an attacker may choose.
 */
#ifndef LIB_SIPHASH_H
#define LIB_SIPHASH_H

#include "lib/types.h"

u64 siphash24(const u64 key[2], const void *data, size_t n);

#endif
