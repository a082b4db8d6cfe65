/*
 * The log ring: fixed slots, claimed by one fetch-add, so that any hart may log in any context without a lock. A slow writer that is
 * lapped loses its line, which is what a ring is for.
 *
 * Readers take no lock either: a slot says which record it holds whole, and a reader looks at that before and after it copies.
 */
#include "kernel/log/log.h"

#include "abi/errno.h"
#include "arch/riscv64/csr.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/spinlock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct log_slot {
	u64 whole; /* [a] the number of its record, plus one; 0 while it is written */
	struct klog_record record;
};

static struct log_slot log_ring[KLOG_LINES];
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

/* `length` is of the whole text, which ends with a newline unless it was cut. */
static void record_finish(struct klog_record *r, u32 priority, int length)
{
	u32 n = (u32)MAX(length, 0);

	r->ticks = csr_time();
	r->priority = priority;
	if (n >= KLOG_LINE) {
		n = KLOG_LINE - 1;
		r->text[n - 1] = '\n';
	}
	r->length = n && r->text[n - 1] == '\n' ? n - 1 : n;
}

static void klog_line(u32 priority, bool print, const char *fmt, va_list args)
{
	u64 number = atomic_fetch_add_relaxed(&log_next, 1);
	struct log_slot *slot = &log_ring[number % KLOG_LINES];
	struct klog_record *r = &slot->record;
	int length;

	atomic_store_relaxed(&slot->whole, 0UL);
	fence_full(); /* (A) pairs with (B): who reads a byte of this record sees that it is not the old one */
	length = vsnprintf(r->text, KLOG_LINE, fmt, args);
	record_finish(r, priority, length);
	atomic_store_release(&slot->whole, number + 1); /* pairs with the acquire in klog_read() */
	if (print && klog_console_write && length > 0)
		klog_write(r->text, (size_t)MIN(length, KLOG_LINE - 1));
}

static bool klog_prints(u32 priority)
{
	return (int)(priority & KLOG_LEVEL_MASK) <= atomic_load_relaxed(&klog_console_level);
}

void klog(enum klog_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	klog_line(level, klog_prints(level), fmt, args);
	va_end(args);
}

void klog_always(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	klog_line(KLOG_INFO, true, fmt, args);
	va_end(args);
}

static __printf(2, 3) void klog_priority(u32 priority, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	klog_line(priority, klog_prints(priority), fmt, args);
	va_end(args);
}

void klog_program(u32 priority, const char *text)
{
	klog_priority(priority, "%s\n", text);
}

u64 klog_count(void)
{
	return atomic_load_relaxed(&log_next);
}

int klog_read(u64 *number, struct klog_record *out)
{
	u64 next = klog_count();
	const struct log_slot *slot = &log_ring[*number % KLOG_LINES];
	u64 whole;

	if (*number >= next)
		return 0;
	if (next - *number > KLOG_LINES) {
		*number = next - KLOG_LINES;
		return -EPIPE;
	}
	whole = atomic_load_acquire(&slot->whole);
	*out = slot->record;
	fence_full(); /* (B) */
	if (whole == *number + 1 && atomic_load_relaxed(&slot->whole) == whole) {
		out->length = MIN(out->length, KLOG_LINE - 1U);
		return 1;
	}
	/* Overwritten during the copy: the next look says so. Else it is not finished. */
	return 0;
}
