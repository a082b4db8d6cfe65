/*
 * User copies over the assembly of arch/riscv64/uaccess.S. A fault in there reaches kernel/trap,
 * which asks uaccess_faults_allowed(), resolves it with mm_fault() and repeats the access, or else
 * continues at the fix-up.
 */
#include "kernel/mm/uaccess.h"

#include "abi/errno.h"
#include "arch/riscv64/uaccess.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/percpu.h"

#include <string.h>

#define COPY_CHUNK   (64UL << 10) /* between two relax points */
#define STRING_CHUNK 64UL

PERCPU(bool, uaccess_nofault);

bool uaccess_faults_allowed(void)
{
	return !this_cpu(uaccess_nofault);
}

/* Debug builds: the caller may fault, and so sleep. */
static void uaccess_might_fault(void)
{
	hart_check_quiescent();
}

static size_t copy_chunk(void *dst, const void *src, size_t n)
{
	size_t left;

	uaccess_begin();
	left = arch_copy_user(dst, src, n);
	uaccess_end();
	return left;
}

static int copy_chunks(char *dst, const char *src, size_t n)
{
	uaccess_might_fault();
	while (n > COPY_CHUNK) {
		if (copy_chunk(dst, src, COPY_CHUNK))
			return -EFAULT;
		dst += COPY_CHUNK;
		src += COPY_CHUNK;
		n -= COPY_CHUNK;
		hart_relax();
	}
	return copy_chunk(dst, src, n) ? -EFAULT : 0;
}

int copy_from_user(void *dst, const void __user *src, size_t n)
{
	return user_range_ok(src, n) ? copy_chunks(dst, src, n) : -EFAULT;
}

int copy_to_user(void __user *dst, const void *src, size_t n)
{
	return user_range_ok(dst, n) ? copy_chunks(dst, src, n) : -EFAULT;
}

int clear_user(void __user *dst, size_t n)
{
	char *p = dst;

	if (!user_range_ok(dst, n))
		return -EFAULT;
	uaccess_might_fault();
	while (n) {
		size_t chunk = MIN(n, COPY_CHUNK), left;

		uaccess_begin();
		left = arch_clear_user(p, chunk);
		uaccess_end();
		if (left)
			return -EFAULT;
		p += chunk;
		n -= chunk;
		if (n)
			hart_relax();
	}
	return 0;
}

/* In chunks that end at page boundaries: what lies behind the NUL need not be mapped. */
long strncpy_from_user(char *dst, const char __user *src, size_t size)
{
	size_t done = 0;

	uaccess_might_fault();
	while (done < size) {
		u64 at = (u64)src + done;
		size_t chunk =
			MIN(MIN(size - done, STRING_CHUNK), PAGE_SIZE - (at & (PAGE_SIZE - 1)));
		char *end;

		if (!user_range_ok((const void *)at, chunk) ||
		    copy_chunk(dst + done, (const void *)at, chunk))
			return -EFAULT;
		end = memchr(dst + done, 0, chunk);
		if (end)
			return end - dst;
		done += chunk;
	}
	return -ENAMETOOLONG;
}

/* One word: a single access where it is aligned, else a copy. */
#define USER_LOAD(type)                                                                            \
	int user_load_##type(const type __user *p, type *value)                                    \
	{                                                                                          \
		long fault;                                                                        \
                                                                                                   \
		uaccess_might_fault();                                                             \
		if (unlikely(!user_word_ok(p, sizeof(*p))))                                        \
			return copy_from_user(value, p, sizeof(*p));                               \
		uaccess_begin();                                                                   \
		fault = arch_load_##type(p, value);                                                \
		uaccess_end();                                                                     \
		return fault ? -EFAULT : 0;                                                        \
	}
#define USER_STORE(type)                                                                           \
	int user_store_##type(type __user *p, type value)                                          \
	{                                                                                          \
		long fault;                                                                        \
                                                                                                   \
		uaccess_might_fault();                                                             \
		if (unlikely(!user_word_ok(p, sizeof(*p))))                                        \
			return copy_to_user(p, &value, sizeof(*p));                                \
		uaccess_begin();                                                                   \
		fault = arch_store_##type(p, value);                                               \
		uaccess_end();                                                                     \
		return fault ? -EFAULT : 0;                                                        \
	}

USER_LOAD(u64)
USER_STORE(u32)
USER_STORE(u64)

int user_cas_u32_nofault(u32 __user *p, u32 expect, u32 desired, u32 *old)
{
	long fault;

	if (!user_word_ok(p, sizeof(*p)))
		return -EFAULT;
	uaccess_begin();
	this_cpu(uaccess_nofault) = true;
	fault = arch_cas_u32(p, expect, desired, old);
	this_cpu(uaccess_nofault) = false;
	uaccess_end();
	return fault ? -EFAULT : 0;
}

int user_fault_in(const void __user *p, bool write)
{
	int sig_code;

	uaccess_might_fault();
	return mm_fault(mm_current(), (u64)p, write ? MM_WRITE : MM_READ, &sig_code) ? -EFAULT : 0;
}
