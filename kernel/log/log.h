/*
 * Kernel log and panic. klog() formats into a ring in memory and, up to the console level, to the UART
 * (`stellar.loglevel=N`; 0 is quiet).
 */
#ifndef KERNEL_LOG_LOG_H
#define KERNEL_LOG_LOG_H

#include "drivers/finisher.h"
#include "lib/types.h"

struct trap_frame;

enum klog_level { KLOG_ERR = 3, KLOG_WARN = 4, KLOG_INFO = 6, KLOG_DEBUG = 7 };
#define KLOG_LEVEL_MASK 7U

extern int klog_console_level; /* [a] syslog(2) changes it */

/* Raw output, filled by the UART driver; NULL before. Writes all of it; takes no lock. */
extern void (*klog_console_write)(const char *text, size_t length);

/* Program output to the same device, not mixed into a log line. Context: no lock above RANK_CONSOLE held. */
void klog_write(const char *text, size_t length);

/* Context: any. The text ends with a newline. */
void klog(enum klog_level level, const char *fmt, ...) __printf(2, 3);
/* To the UART whatever the level is: the boot's one-line errors, test results. */
void klog_always(const char *fmt, ...) __printf(1, 2);

/* ---- reading it back: /dev/kmsg, syslog(2) ---- */

#define KLOG_LINE  192 /* bytes of a record's text, with its end */
#define KLOG_LINES 256 /* records that are kept */

struct klog_record {
	u64 ticks;    /* of the `time` CSR */
	u32 priority; /* 8 * facility + level; facility 0 is the kernel */
	u32 length;   /* of the text, without a newline */
	char text[KLOG_LINE];
};
/* The number of the next record; they begin at 0. */
u64 klog_count(void);
/*
 * Copies record `*number` out. 1; 0: it does not exist yet, or is being written; -EPIPE: it has been overwritten, and *number is now
 * the oldest there is. Context: any.
 */
int klog_read(u64 *number, struct klog_record *out);
/* A program's line, as klog(); what does not fit is cut. */
void klog_program(u32 priority, const char *text);

/* Last resort of the whole system: see panic.c. */
__noreturn void panic(const char *fmt, ...) __printf(1, 2);
/* As panic(), for a trap: reports the registers and the backtrace of the interrupted code. */
__noreturn void panic_frame(const struct trap_frame *frame, const char *fmt, ...) __printf(2, 3);
/* HART_WORK_STOP: another hart panics; leave our backtrace where it finds it and halt. */
__noreturn void panic_stop_self(void);
/* Writes what `cpu` runs (thread name and id) into `text`: kernel/sched is above this layer. May be NULL. */
extern void (*panic_describe_thread)(u32 cpu, char *text, size_t size);
/* Runs once in a panic after the report, before power-off: main.c sets it to dump the trace rings. */
extern void (*panic_hook)(void);

#define WARN_ON(c)                                                                                 \
	({                                                                                         \
		bool warn_c = (c);                                                                 \
		if (unlikely(warn_c))                                                              \
			klog(KLOG_WARN, "%s:%d: %s\n", __FILE__, __LINE__, #c);                    \
		warn_c;                                                                            \
	})

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

#endif
