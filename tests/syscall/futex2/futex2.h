/*
 * The second futex interface, which libc's headers do not know yet.
 */
#ifndef TESTS_SYSCALL_FUTEX2_FUTEX2_H
#define TESTS_SYSCALL_FUTEX2_FUTEX2_H

#include "tests/syscall/futex/futex.h"

#define NR_futex_waitv	 449
#define NR_futex_wake	 454
#define NR_futex_wait	 455
#define NR_futex_requeue 456

#define SIZE_U32 2
#define PRIVATE2 128
#define ALL_BITS 0xffffffffUL

static inline struct futex_waitv waitv_entry(uint32_t *word, uint64_t value, uint32_t flags)
{
	return (struct futex_waitv){
		.val = value, .uaddr = (uintptr_t)word, .flags = flags, .__reserved = 0};
}

static inline long waitv(const struct futex_waitv *v, unsigned int nr, const struct timespec *end,
			 clockid_t clock)
{
	return sys5(NR_futex_waitv, v, nr, 0, end, clock);
}

#endif
