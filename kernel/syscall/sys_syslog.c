/*
 * syslog(2): the kernel's log as text, and how much of it goes to the console.
 */
#include <stdio.h>

#include "abi/errno.h"
#include "abi/system.h"
#include "abi/time.h"
#include "kernel/fs/kmsg.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/mutex.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/time/time.h"

#define SYSLOG_LINE    (32 + KLOG_LINE) /* "<6>[    1.234567] ", the text, a newline */
#define LEVEL_QUIETEST 1		/* of Linux's numbering: what is below it is printed */
#define LEVEL_NOISIEST 8

LOCK_CLASS(syslog, RANK_FILE);
static struct mutex syslog_lock = MUTEX_INIT(syslog_lock, syslog_class);
static u64 syslog_next; /* [L:syslog_lock] the record that SYSLOG_ACTION_READ gives next */
static u32 syslog_used; /* [L:syslog_lock] bytes of it that a short buffer has had already */
static int syslog_saved_level = -1; /* [L:syslog_lock] before CONSOLE_OFF; -1: it is on */

static u32 line_format(char *buf, const struct klog_record *r)
{
	u64 us = time_ticks_to_ns(r->ticks) / NSEC_PER_USEC;

	return (u32)snprintf(buf, SYSLOG_LINE, "<%u>[%5lu.%06lu] %.*s\n", r->priority,
			     us / USEC_PER_SEC, us % USEC_PER_SEC, (int)r->length, r->text);
}

/* Record `*number`, or the oldest if that is gone, as a line. Its bytes, 0: there is none. */
static u32 line_of(u64 *number, char *buf)
{
	struct klog_record r;
	int found;

	do {
		found = klog_read(number, &r);
	} while (found == -EPIPE);
	return found ? line_format(buf, &r) : 0;
}

/* Bytes of all lines from `from` on. */
static u64 text_size(u64 from)
{
	char line[SYSLOG_LINE];
	u64 size = 0;
	u32 n;

	while ((n = line_of(&from, line)) != 0) {
		size += n;
		from++;
	}
	return size;
}

/* The last `size` bytes of what was not cleared, in whole lines. */
static long read_all(u64 addr, u64 size)
{
	u64 at = kmsg_first_kept(), left = text_size(at), done = 0;
	char line[SYSLOG_LINE];
	u32 n;

	while ((n = line_of(&at, line)) != 0) {
		at++;
		if (left > size) {
			left -= MIN(left, (u64)n);
			continue;
		}
		if (done + n > size)
			break;
		if (copy_to_user((void __user *)(uintptr_t)(addr + done), line, n))
			return -EFAULT;
		done += n;
	}
	return (long)done;
}

/* What was not read so far; at least something. */
static long read_news_locked(u64 addr, u64 size)
{
	char line[SYSLOG_LINE];
	u64 done = 0;
	u32 n;

	while (done < size) {
		u64 before = syslog_next, take;

		n = line_of(&syslog_next, line);
		if (!n)
			break;
		if (before != syslog_next)
			syslog_used = 0;
		take = MIN((u64)(n - syslog_used), size - done);
		if (copy_to_user((void __user *)(uintptr_t)(addr + done), line + syslog_used, take))
			return done ? (long)done : -EFAULT;
		done += take;
		syslog_used += (u32)take;
		if (syslog_used == n) {
			syslog_next++;
			syslog_used = 0;
		}
	}
	return (long)done;
}

static long read_news(u64 addr, u64 size)
{
	u64 next;
	long ret;

	for (;;) {
		mutex_lock(&syslog_lock);
		ret = read_news_locked(addr, size);
		next = syslog_next;
		mutex_unlock(&syslog_lock);
		if (ret)
			return ret;
		ret = kmsg_wait(&next);
		if (ret)
			return ret;
	}
}

static long unread_size(void)
{
	long size;

	mutex_lock(&syslog_lock);
	size = (long)text_size(syslog_next) - (long)syslog_used;
	mutex_unlock(&syslog_lock);
	return size;
}

/* klog prints a level and all below; Linux's number is the first that is not printed. */
static void console_level_locked(int level)
{
	atomic_store_relaxed(&klog_console_level, level - 1);
}

static long console_control(u32 action, s32 level)
{
	if (action == SYSLOG_ACTION_CONSOLE_LEVEL &&
	    (level < LEVEL_QUIETEST || level > LEVEL_NOISIEST))
		return -EINVAL;
	mutex_lock(&syslog_lock);
	if (action == SYSLOG_ACTION_CONSOLE_OFF) {
		if (syslog_saved_level < 0)
			syslog_saved_level = klog_console_level + 1;
		console_level_locked(LEVEL_QUIETEST);
	} else if (action == SYSLOG_ACTION_CONSOLE_ON) {
		if (syslog_saved_level >= 0)
			console_level_locked(syslog_saved_level);
		syslog_saved_level = -1;
	} else {
		console_level_locked(level);
		syslog_saved_level = -1;
	}
	mutex_unlock(&syslog_lock);
	return 0;
}

static long syslog_read(u32 action, u64 addr, s32 size)
{
	long ret;

	if (!addr || size < 0)
		return -EINVAL;
	if (size == 0)
		return 0;
	if (!user_range(addr, (u64)size))
		return -EFAULT;
	if (action == SYSLOG_ACTION_READ)
		return read_news(addr, (u64)size);
	ret = read_all(addr, (u64)size);
	if (action == SYSLOG_ACTION_READ_CLEAR)
		kmsg_clear();
	return ret;
}

long sys_syslog(SYSCALL_ARGS)
{
	u32 action = (u32)a0;

	/* As with Linux's dmesg_restrict=1, which Debian has. */
	if (!capable(CAP_SYSLOG))
		return -EPERM;
	switch (action) {
	case SYSLOG_ACTION_CLOSE:
	case SYSLOG_ACTION_OPEN:
		return 0;
	case SYSLOG_ACTION_READ:
	case SYSLOG_ACTION_READ_ALL:
	case SYSLOG_ACTION_READ_CLEAR:
		return syslog_read(action, a1, (s32)a2);
	case SYSLOG_ACTION_CLEAR:
		kmsg_clear();
		return 0;
	case SYSLOG_ACTION_CONSOLE_OFF:
	case SYSLOG_ACTION_CONSOLE_ON:
	case SYSLOG_ACTION_CONSOLE_LEVEL:
		return console_control(action, (s32)a2);
	case SYSLOG_ACTION_SIZE_UNREAD:
		return unread_size();
	case SYSLOG_ACTION_SIZE_BUFFER:
		return KLOG_LINES * KLOG_LINE;
	default:
		return -EINVAL;
	}
}
