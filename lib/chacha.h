/*
 * ChaCha20 block function (RFC 8439): 64 bytes of key stream from a 256-bit key, a block counter
 * and a nonce.
 */
#ifndef LIB_CHACHA_H
#define LIB_CHACHA_H

#include "lib/types.h"

#define CHACHA_KEY_WORDS   8
#define CHACHA_BLOCK_BYTES 64

void chacha20_block(const u32 key[CHACHA_KEY_WORDS], u32 counter, const u32 nonce[3],
		    u8 out[CHACHA_BLOCK_BYTES]);

#endif
