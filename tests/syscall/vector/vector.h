/* All vector registers at once. No system call may come between putting and getting them: it takes them. */
#ifndef TESTS_SYSCALL_VECTOR_VECTOR_H
#define TESTS_SYSCALL_VECTOR_VECTOR_H

#include "tests/syscall/harness.h"

/* As much as QEMU can have: 1024 bits. */
#define VECTOR_BYTES_MAX (32 * 128)
#define VTYPE_INVALID	 (1L << 63)
#define VTYPE_E8_M1	 0
#define VTYPE_E16_M2	 011

struct vectors {
	long vstart, vl, vtype, vcsr;
	uint8_t bytes[VECTOR_BYTES_MAX];
};

/* Bytes of all registers: the program's first vector instruction, unless one came before. */
long vector_bytes(void);
/* Different bytes, 3 elements of 16 bits, another rounding mode for each seed. */
void vectors_make(struct vectors *v, unsigned seed);

static inline __attribute__((always_inline)) void vectors_put(const struct vectors *v)
{
	const uint8_t *at = v->bytes;
	long eight;

	__asm__ volatile(".option push; .option arch, +v\n"
			 "csrr %1, vlenb; slli %1, %1, 3\n"
			 "vl8re8.v v0, (%0); add %0, %0, %1\n"
			 "vl8re8.v v8, (%0); add %0, %0, %1\n"
			 "vl8re8.v v16, (%0); add %0, %0, %1\n"
			 "vl8re8.v v24, (%0)\n"
			 "vsetvl zero, %2, %3; csrw vcsr, %4\n"
			 ".option pop"
			 : "+r"(at), "=&r"(eight)
			 : "r"(v->vl), "r"(v->vtype), "r"(v->vcsr)
			 : "memory");
}

static inline __attribute__((always_inline)) void vectors_get(struct vectors *v)
{
	uint8_t *at = v->bytes;
	long eight;

	__asm__ volatile(".option push; .option arch, +v\n"
			 "csrr %1, vstart; sd %1, 0(%2)\n"
			 "csrr %1, vl; sd %1, 8(%2)\n"
			 "csrr %1, vtype; sd %1, 16(%2)\n"
			 "csrr %1, vcsr; sd %1, 24(%2)\n"
			 "csrr %1, vlenb; slli %1, %1, 3\n"
			 "vs8r.v v0, (%0); add %0, %0, %1\n"
			 "vs8r.v v8, (%0); add %0, %0, %1\n"
			 "vs8r.v v16, (%0); add %0, %0, %1\n"
			 "vs8r.v v24, (%0)\n"
			 ".option pop"
			 : "+r"(at), "=&r"(eight)
			 : "r"(v)
			 : "memory");
}

bool vectors_equal(const struct vectors *a, const struct vectors *b);
/* As a thread's are at its first instruction; as a system call leaves them. */
bool vectors_zero(const struct vectors *v);
bool vectors_taken(const struct vectors *v);

/* Executes this program anew under this name: the wait status of what child.c does for `what`. */
#define CHILD_NAME "vector-child"
int exec_status(const char *what);

#endif
