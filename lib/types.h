/*
 * Basic types and macros shared by every layer, kernel and host builds alike.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/* A pointer into user space; only the user-copy functions may follow it (checked by sparse). */
#ifdef __CHECKER__
#define __user __attribute__((noderef, address_space(1)))
#else
#define __user
#endif

#define static_assert _Static_assert

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n)	      (1UL << (n))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Alignment: `a` is a power of two. */
#define ALIGN_UP(x, a)	 (((x) + ((typeof(x))(a)-1)) & ~((typeof(x))(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((typeof(x))(a)-1))
#define IS_ALIGNED(x, a) (((x) & ((typeof(x))(a)-1)) == 0)

#define MIN(a, b)                                                                                  \
	({                                                                                         \
		typeof(a) min_a = (a);                                                             \
		typeof(b) min_b = (b);                                                             \
		min_a < min_b ? min_a : min_b;                                                     \
	})
#define MAX(a, b)                                                                                  \
	({                                                                                         \
		typeof(a) max_a = (a);                                                             \
		typeof(b) max_b = (b);                                                             \
		max_a > max_b ? max_a : max_b;                                                     \
	})

#define CACHE_LINE	    64
#define __cacheline_aligned __attribute__((aligned(CACHE_LINE)))
#define __noreturn	    __attribute__((noreturn))
/* Where a call would cost more than what it does: said of hot paths only. */
#define __force_inline inline __attribute__((always_inline))
#ifndef __noinline /* some C libraries have these two as well */
#define __noinline __attribute__((noinline))
#endif
#ifndef __packed
#define __packed __attribute__((packed))
#endif
#define __printf(f, a) __attribute__((format(printf, f, a)))
/* System-call and trap paths, laid out together by the linker script. */
#define __hot __attribute__((section(".text.hot")))
/*
 * The first of them, in one page with the trap entry: QEMU chains jumps only within a page, and any other costs it a look-up, as much as
 * some twenty instructions.
 */
#define __hot_first __attribute__((section(".text.hot.first")))

/* Errors carried in pointers: the top 4095 addresses are never valid. */
static inline void *err_ptr(long err)
{
	return (void *)err;
}

static inline long ptr_err(const void *p)
{
	return (long)p;
}

static inline bool is_err(const void *p)
{
	return (unsigned long)p >= (unsigned long)-4095;
}

#endif
