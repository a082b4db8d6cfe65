/*
 * trace_pipe: the records as text, oldest first, each once, while they are made. A read blocks until there is one;
 * poll calls it readable always, because emitters wake nobody.
 *
 * A reader copies a record and then looks whether the writer has meanwhile come round to it:
 *
 *	reader				hart that owns the ring
 *	copy buffer[pos]		write buffer[head] (where pos was, once head - pos == size)
 *	fence (A)			head + 1, a release
 *	head - pos < size?
 *
 * The hart writes the slot before it counts it, so the reader keeps a distance of one slot: with fewer than size - 1 records
 * between, the slot at pos is not the one being written. What was overtaken is counted and told, as by Linux.
 */
#include <stdio.h>

#include "abi/errno.h"
#include "kernel/fs/fs.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"
#include "kernel/time/time.h"
#include "kernel/trace/describe.h"
#include "kernel/trace/rings.h"
#include "kernel/trace/tracefs_internal.h"

#define LINE_MAX_LEN 256
#define POLL_MS	     20 /* emitters wake nobody: a reader that waits looks again */

static u64 next[MAX_CPUS][TRACE_NR_RINGS]; /* [L:tracefs_lock] record that the pipe gives next */

void trace_pipe_reset(void)
{
	for (u32 i = 0; i < nr_cpus * TRACE_NR_RINGS; i++)
		next[i / TRACE_NR_RINGS][i % TRACE_NR_RINGS] = 0;
}

/* Records of the ring that the writer has come round to before they were read; skips them. */
static u64 skip_overtaken(const struct trace_ring *ring, u64 *pos)
{
	u64 head = atomic_load_acquire(&ring->head);
	u64 oldest = head > ring->mask - 1 ? head - (ring->mask - 1) : 0;
	u64 lost = *pos < oldest ? oldest - *pos : 0;

	*pos += lost;
	return lost;
}

/* The ring's next record; false if there is none. *lost grows by what was overtaken. */
static bool look(const struct trace_ring *ring, u64 *pos, struct trace_record *out, u64 *lost)
{
	do {
		*lost += skip_overtaken(ring, pos);
		if (*pos == atomic_load_acquire(&ring->head))
			return false;
		*out = ((const struct trace_record *)ring->buffer)[*pos & ring->mask];
		fence_full(); /* (A): the copy before the look at head; pairs with the release in trace_emit() */
	} while (atomic_load_relaxed(&ring->head) - *pos > ring->mask - 1);
	return true;
}

struct pick {
	struct trace_record record;
	u32 cpu;
	u64 *pos;
	u64 lost;
};

/* The oldest record of all rings. Context: tracefs_lock held. */
static bool pick_oldest(struct pick *best)
{
	bool found = false;

	for (u32 i = 0; i < nr_cpus * TRACE_NR_RINGS; i++) {
		u32 cpu = i / TRACE_NR_RINGS, kind = i % TRACE_NR_RINGS;
		const struct trace_ring *ring = trace_ring_of(cpu, kind);
		struct trace_record r;
		u64 lost = 0;

		if (!ring || !look(ring, &next[cpu][kind], &r, &lost)) {
			continue;
		} else if (!found || lost || r.ts < best->record.ts) {
			*best = (struct pick){r, cpu, &next[cpu][kind], lost};
			found = true;
		}
		if (lost)
			break;
	}
	return found;
}

static void thread_name(u32 tid, char name[16])
{
	struct task *t;

	snprintf(name, 16, tid ? "<...>" : "<idle>");
	epoch_enter();
	t = tid ? task_find(tid) : NULL;
	if (t)
		snprintf(name, 16, "%.15s", t->thread.name);
	epoch_exit();
}

/* A line in the form of Linux's. */
static size_t format(const struct pick *p, char *line)
{
	u64 us = p->record.ts / (time_freq / 1000000);
	char name[16];
	size_t len = 0;

	if (p->lost)
		len = (size_t)snprintf(line, LINE_MAX_LEN, "CPU:%u [LOST %lu EVENTS]\n", p->cpu,
				       p->lost);
	thread_name(p->record.tid, name);
	len += (size_t)snprintf(line + len, LINE_MAX_LEN - len, "%16s-%-7u [%03u] %5lu.%06lu: ", name,
				p->record.tid, p->cpu, us / 1000000, us % 1000000);
	len += event_describe(&p->record, line + len, LINE_MAX_LEN - len);
	len = MIN(len, (size_t)LINE_MAX_LEN - 1);
	line[len++] = '\n';
	return len;
}

/* One line, if there is one and it fits what is left: its length, 0, or -EFAULT. */
static long give_line(struct iov_iter *it)
{
	char line[LINE_MAX_LEN];
	struct pick p;
	size_t len;
	long n = 0;

	mutex_lock(&tracefs_lock);
	if (pick_oldest(&p)) {
		len = format(&p, line);
		if (len <= it->count) {
			n = iov_copy_out(it, line, len);
			if (n > 0)
				++*p.pos;
		}
	}
	mutex_unlock(&tracefs_lock);
	return n;
}

static long trace_pipe_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	long done = 0, n;

	(void)f;
	(void)pos;
	if (it->count < LINE_MAX_LEN)
		return -EINVAL;
	for (;;) {
		while ((n = give_line(it)) > 0)
			done += n;
		if (done || n < 0)
			return done ? done : n;
		if (nonblock)
			return -EAGAIN;
		if (sched_sleep_until(time_now() + time_freq * POLL_MS / 1000, PARK_INTERRUPTIBLE))
			return -ERESTARTSYS;
	}
}

const struct file_ops trace_pipe_ops = {
	.name = "trace_pipe",
	.read = trace_pipe_read,
	.stat = fs_file_stat,
};
