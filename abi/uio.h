/*
 * Scatter/gather vectors, polling and terminal structures.
 */
#ifndef ABI_UIO_H
#define ABI_UIO_H

#include "lib/types.h"

#define UIO_MAXIOV 1024

struct abi_iovec {
	u64 iov_base;
	u64 iov_len;
};
static_assert(sizeof(struct abi_iovec) == 16, "struct iovec");

/* RWF_* flags of preadv2 and pwritev2. */
#define RWF_HIPRI    0x01
#define RWF_DSYNC    0x02
#define RWF_SYNC     0x04
#define RWF_NOWAIT   0x08
#define RWF_APPEND   0x10
#define RWF_NOAPPEND 0x20

#endif
