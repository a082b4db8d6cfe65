/*
 * The log ring: fixed slots, claimed by one fetch-add, so that any hart may log in any context without a lock. A slow writer that is
 * lapped loses its line, which is what a ring is for.
 */
#include "kernel/log/log.h"

#include "kernel/sync/atomic.h"
#include "kernel/sync/spinlock.h"

#include <stdarg.h>
#include <stdio.h>

#define LOG_LINE  192
#define LOG_LINES 256

static char log_ring[LOG_LINES][LOG_LINE];
static u64 log_next; /* [a] */

int klog_console_level = KLOG_ERR;
void (*klog_console_write)(const char *text, size_t length);

LOCK_CLASS(console, RANK_CONSOLE);
static struct spinlock console_lock = SPINLOCK_INIT(console_class);

void klog_write(const char *text, size_t length)
{
	spin_lock(&console_lock);
	klog_console_write(text, length);
	spin_unlock(&console_lock);
}

static void klog_line(bool print, const char *fmt, va_list args)
{
	char *line = log_ring[atomic_fetch_add_relaxed(&log_next, 1) % LOG_LINES];
	int length = vsnprintf(line, LOG_LINE, fmt, args);

	if (length >= LOG_LINE) {
		length = LOG_LINE - 1;
		line[length - 1] = '\n';
	}
	if (!print || !klog_console_write || length <= 0)
		return;
	klog_write(line, (size_t)length);
}

void klog(enum klog_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	klog_line((int)level <= klog_console_level, fmt, args);
	va_end(args);
}

void klog_always(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	klog_line(true, fmt, args);
	va_end(args);
}
