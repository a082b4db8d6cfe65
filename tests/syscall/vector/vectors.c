#include "tests/syscall/vector/vector.h"

long vector_bytes(void)
{
	long vlenb;

	__asm__ volatile(".option push; .option arch, +v; csrr %0, vlenb; .option pop"
			 : "=r"(vlenb));
	return 32 * vlenb;
}

void vectors_make(struct vectors *v, unsigned seed)
{
	v->vstart = 0;
	v->vl = 3;
	v->vtype = VTYPE_E16_M2;
	v->vcsr = seed & 7;
	for (unsigned i = 0; i < VECTOR_BYTES_MAX; i++)
		v->bytes[i] = (uint8_t)(seed * 41 + i * 7 + i / 256);
}

/* Written out, for a library's memcmp() may use vectors itself one day. */
bool vectors_equal(const struct vectors *a, const struct vectors *b)
{
	long n = vector_bytes();

	if (a->vstart != b->vstart || a->vl != b->vl || a->vtype != b->vtype || a->vcsr != b->vcsr)
		return false;
	for (long i = 0; i < n; i++)
		if (a->bytes[i] != b->bytes[i])
			return false;
	return true;
}

static bool all_bytes(const struct vectors *v, uint8_t byte)
{
	long n = vector_bytes();

	for (long i = 0; i < n; i++)
		if (v->bytes[i] != byte)
			return false;
	return true;
}

bool vectors_zero(const struct vectors *v)
{
	return !v->vstart && !v->vl && !v->vtype && !v->vcsr && all_bytes(v, 0);
}

bool vectors_taken(const struct vectors *v)
{
	return !v->vstart && !v->vl && v->vtype == VTYPE_INVALID && all_bytes(v, 0xff);
}
