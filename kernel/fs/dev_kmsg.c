/*
 * /dev/kmsg (Linux's Documentation/ABI/testing/dev-kmsg): a read gives one record of the kernel's log, a write adds one.
 *
 * The log is written in any context, under any lock, so it wakes nobody. While somebody waits for news, a timer looks for them ten times
 * a second. No wait is forgotten: both look at the state only after they have queued themselves, and start the timer then.
 */
#include <stdio.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/system.h"
#include "kernel/file/waitq.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/kmsg.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/cred.h"
#include "kernel/time/time.h"

#define LOOK_NS	      100000000UL
#define FACILITY_USER 8U		       /* of programs: facility 1 */
#define PRIORITY_MAX  2047U		       /* Linux keeps eight bits of facility */
#define WRITE_MAX     1024U		       /* as Linux; what does not fit a record is cut */
#define TEXT_MAX      (32 + 4 * KLOG_LINE + 1) /* head and an escaped line */

struct kmsg_reader {
	u64 next; /* [a] number of the record to read: whoever counts it up has that record */
};

static struct wait_queue kmsg_queue;
static struct timer kmsg_timer;
static u32 kmsg_timer_runs; /* [a] */
static u64 kmsg_told;	    /* [c] by the timer: records that waiters have heard of */
static u64 kmsg_cleared;    /* [a] where syslog(SYSLOG_ACTION_CLEAR) was */

/* ---- news ---- */

static void kmsg_watch(void)
{
	if (!atomic_load_relaxed(&kmsg_timer_runs) && atomic_cas(&kmsg_timer_runs, 0U, 1U))
		timer_arm(&kmsg_timer, time_now() + time_ns_to_ticks(LOOK_NS));
}

static void kmsg_look(struct timer *t)
{
	u64 now = klog_count();

	if (now != kmsg_told) {
		kmsg_told = now;
		waitq_wake(&kmsg_queue, POLL_EVENT_READ, WAITQ_ALL);
	}
	if (atomic_load_relaxed(&kmsg_queue.nr_entries)) {
		timer_arm(t, time_now() + time_ns_to_ticks(LOOK_NS));
		return;
	}
	atomic_store_relaxed(&kmsg_timer_runs, 0U);
	fence_full(); /* pairs with (B) of waitq.h: who queues now starts the timer, or is seen here */
	if (atomic_load_relaxed(&kmsg_queue.nr_entries))
		kmsg_watch();
}

/* Does the log go beyond record *arg? */
static bool kmsg_has(void *arg)
{
	const u64 *number = arg;

	kmsg_watch();
	return klog_count() > atomic_load_relaxed(number);
}

int kmsg_wait(const u64 *number)
{
	int err = waitq_wait(&kmsg_queue, POLL_EVENT_READ, false, kmsg_has, (void *)number,
			     PARK_FOREVER, PARK_INTERRUPTIBLE);

	return err == -EINTR ? -ERESTARTSYS : err;
}

u64 kmsg_first_kept(void)
{
	return atomic_load_relaxed(&kmsg_cleared);
}

void kmsg_clear(void)
{
	atomic_store_relaxed(&kmsg_cleared, klog_count());
}

/* ---- the file ---- */

/* "6,12,345,-;text": priority, number, microseconds, flags. Bytes. */
static size_t kmsg_format(char *buf, u64 number, const struct klog_record *r)
{
	size_t n = (size_t)snprintf(buf, TEXT_MAX, "%u,%lu,%lu,-;", r->priority, number,
				    time_ticks_to_ns(r->ticks) / 1000);

	for (u32 i = 0; i < r->length; i++) {
		u8 c = (u8)r->text[i];

		if (c < ' ' || c >= 127 || c == '\\')
			n += (size_t)snprintf(buf + n, TEXT_MAX - n, "\\x%02x", c);
		else
			buf[n++] = (char)c;
	}
	buf[n++] = '\n';
	return n;
}

/* The next record, which nobody else who reads here gets. Bytes, -EAGAIN, -EPIPE: some were lost, -EINVAL: it does not fit. */
static long kmsg_read_next(struct kmsg_reader *reader, struct iov_iter *it)
{
	struct klog_record record;
	char text[TEXT_MAX];
	u64 was, number;
	size_t n = 0;
	int found;

	do {
		was = number = atomic_load_relaxed(&reader->next);
		found = klog_read(&number, &record);
		if (!found)
			return -EAGAIN;
		if (found > 0)
			n = kmsg_format(text, number++, &record);
		if (n > it->count)
			return -EINVAL;
		/* Read, even if the buffer turns out to be bad. */
	} while (!atomic_cas(&reader->next, was, number));
	return found < 0 ? found : iov_copy_out(it, text, n);
}

static long kmsg_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct kmsg_reader *reader = f->data;
	long ret;

	(void)pos;
	for (;;) {
		ret = kmsg_read_next(reader, it);
		if (ret != -EAGAIN || nonblock)
			return ret;
		ret = kmsg_wait(&reader->next);
		if (ret)
			return ret;
	}
}

/* "<priority>" at the beginning of a line: what follows it, or the line as it is. A program cannot speak for the kernel. */
static const char *kmsg_priority(const char *line, u32 *priority)
{
	const char *at = line + 1;
	u32 given = 0;

	if (*line != '<')
		return line;
	while (*at >= '0' && *at <= '9' && given <= PRIORITY_MAX)
		given = given * 10 + (u32)(*at++ - '0');
	if (*at != '>' || at == line + 1 || given > PRIORITY_MAX)
		return line;
	*priority = given > KLOG_LEVEL_MASK ? given : given | FACILITY_USER;
	return at + 1;
}

static long kmsg_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	u64 count = it->count;
	u32 priority = FACILITY_USER | KLOG_WARN;
	char text[KLOG_LINE];
	const char *line;
	long n;

	(void)f;
	(void)pos;
	(void)nonblock;
	if (count > WRITE_MAX)
		return -EINVAL;
	n = iov_copy_in(text, it, sizeof(text) - 1);
	if (n < 0)
		return n;
	text[n] = '\0';
	line = kmsg_priority(text, &priority);
	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	klog_program(priority, line);
	return (long)count;
}

static long kmsg_seek(struct file *f, s64 offset, int whence)
{
	struct kmsg_reader *reader = f->data;
	u64 to;

	if (!reader)
		return -EBADF;
	if (offset)
		return -ESPIPE;
	if (whence == SEEK_SET)
		to = 0;
	else if (whence == SEEK_DATA)
		to = kmsg_first_kept();
	else if (whence == SEEK_END)
		to = klog_count();
	else
		return -EINVAL;
	/* What is older than the ring is no loss to somebody who asked for the beginning. */
	if (klog_count() - to > KLOG_LINES)
		to = klog_count() - KLOG_LINES;
	atomic_store_relaxed(&reader->next, to);
	return 0;
}

static PollEvent kmsg_poll(struct file *f, struct wait_queue **source)
{
	struct kmsg_reader *reader = f->data;

	if (!reader)
		return POLL_EVENT_ERR | POLL_EVENT_NVAL;
	if (source)
		*source = &kmsg_queue;
	return kmsg_has(&reader->next) ? POLL_EVENT_READ : 0;
}

static int kmsg_open(struct file *f)
{
	struct kmsg_reader *reader;

	if (!file_readable(f))
		return 0;
	if (!capable(CAP_SYSLOG))
		return -EPERM;
	reader = kzalloc(sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	f->data = reader;
	return (int)kmsg_seek(f, 0, SEEK_SET);
}

static void kmsg_release(struct file *f)
{
	kfree(f->data);
}

static const struct file_ops kmsg_ops = {
	.name = "kmsg",
	.read = kmsg_read,
	.write = kmsg_write,
	.seek = kmsg_seek,
	.own_position = true,
	.poll = kmsg_poll,
	.open = kmsg_open,
	.stat = fs_file_stat,
	.release = kmsg_release,
};

int dev_kmsg_init(void)
{
	waitq_init(&kmsg_queue);
	timer_init(&kmsg_timer, kmsg_look);
	return devfs_register("kmsg", 1, 11, 0644, &kmsg_ops, NULL);
}
