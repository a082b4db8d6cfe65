/*
 * Kernel log and panic. klog() goes to a ring in memory and, up to the console level, to the UART. `stellar.loglevel=N`.
 */
#ifndef KERNEL_LOG_LOG_H
#define KERNEL_LOG_LOG_H

#include "lib/types.h"

enum klog_level { KLOG_ERR = 3, KLOG_WARN = 4, KLOG_INFO = 6, KLOG_DEBUG = 7 };

void klog(enum klog_level level, const char *fmt, ...) __printf(2, 3);
extern int klog_console_level;
__noreturn void panic(const char *fmt, ...) __printf(1, 2);
#define WARN_ON(c) ({ bool warn_c = (c); if (unlikely(warn_c)) klog(KLOG_WARN, "%s:%d: %s\n", __FILE__, __LINE__, #c); warn_c; })

/* Debug builds only. */
#ifdef KERNEL_DEBUG
#define ASSERT(c)                                                                                  \
	do {                                                                                       \
		if (unlikely(!(c)))                                                                \
			panic("assertion failed: %s at %s:%d", #c, __FILE__, __LINE__);            \
	} while (0)
#else
#define ASSERT(c) ((void)sizeof(c))
#endif
/* All builds. */
#define BUG_ON(c)                                                                                  \
	do {                                                                                       \
		if (unlikely(c))                                                                   \
			panic("%s at %s:%d", #c, __FILE__, __LINE__);                              \
	} while (0)

/* Ends QEMU with `status` (0-255) through the test finisher. */
__noreturn void machine_poweroff(u32 status);

#endif
