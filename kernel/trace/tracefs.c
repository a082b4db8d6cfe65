/*
 * The files below /sys/kernel/tracing. As on Linux `tracing_on` is 1 at boot and no event is enabled; enabling one makes
 * the rings, if a boot argument has not. Events are switched one by one (events/<category>/<event>/enable), by category, or all.
 *
 * Whatever needs that no hart is inside an emitter first stops recording, then calls every hart: emitters run in the kernel, a
 * call is answered where nothing is held, so when all have answered all have left.
 */
#include "kernel/trace/tracefs.h"

#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "kernel/fs/pseudo.h"
#include "kernel/irq/irq.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/hart.h"
#include "kernel/task/task.h"
#include "kernel/task/trace_maps.h"
#include "kernel/trace/describe.h"
#include "kernel/trace/lock_stat.h"
#include "kernel/trace/rings.h"
#include "kernel/trace/trace.h"
#include "kernel/trace/tracefs_internal.h"
#include "lib/number.h"

#define ROOT	   "kernel/tracing/"
#define MARKER_MAX 1024UL /* as Linux: the rest of a longer text is dropped */

LOCK_CLASS(tracefs, RANK_FILE);
struct mutex tracefs_lock;

static void answer(void *unused)
{
	(void)unused;
}

static void tell_thread(void *unused)
{
	(void)unused;
	trace_sync_thread(thread_current()->tid);
	if (trace_enabled(sample))
		sched_sample_present();
}

/* What runs and what lives already: later only changes are recorded. */
static void tell_present(void)
{
	hart_call(hart_all(), tell_thread, NULL);
	lock_trace_classes();
	epoch_enter();
	for (u32 pid = task_next_pid(0); pid; pid = task_next_pid(pid)) {
		struct process *p = process_find(pid);
		struct task *t;

		if (!p)
			continue;
		spin_lock(&p->lock);
		list_for_each(t, &p->tasks, siblings)
			trace_task_name(t->thread.tid, pid, t->thread.name);
		spin_unlock(&p->lock);
	}
	epoch_exit();
	if (trace_enabled(map))
		task_trace_programs();
}

static bool anything_wanted(void)
{
	return trace_wanted(TRACE_EVERY) != TRACE_WANT_NONE;
}

/* Runs `change` while nothing records. Context: tracefs_lock held. */
static int while_quiet(int (*change)(u64 value), u64 value)
{
	bool on = trace_recording();
	int err;

	trace_set_recording(false);
	hart_call(hart_all(), answer, NULL);
	err = change(value);
	/* Once more: whoever sees a switch on sees the rings as they are now. */
	hart_call(hart_all(), answer, NULL);
	trace_set_recording(on);
	if (on && anything_wanted())
		tell_present();
	return err;
}

/* "0" or "1". */
static int parse_switch(const char *text, bool *on)
{
	u64 value;

	text = number_skip_space(text);
	if (!number_parse(&text, false, &value) || value > 1)
		return -EINVAL;
	*on = value;
	return 0;
}

/* ---- tracing_on ---- */

static int show_on(struct seq *s, u64 key)
{
	(void)key;
	seq_printf(s, "%d\n", trace_recording());
	return 0;
}

static int store_on(const char *text, u64 key)
{
	bool on, before;
	int err = parse_switch(text, &on);

	(void)key;
	if (err)
		return err;
	mutex_lock(&tracefs_lock);
	before = trace_recording();
	trace_set_recording(on);
	if (on && !before && anything_wanted())
		tell_present();
	mutex_unlock(&tracefs_lock);
	return 0;
}

/* ---- enable, of one event, a category, or all: key is what trace_set_wanted() takes ---- */

static int show_enabled(struct seq *s, u64 key)
{
	static const char *const texts[] = {
		[TRACE_WANT_NONE] = "0\n", [TRACE_WANT_SOME] = "X\n", [TRACE_WANT_ALL] = "1\n"};

	seq_puts(s, texts[trace_wanted((u32)key)]);
	return 0;
}

/* The first event: makes the rings. */
static int want(u64 which)
{
	return trace_set_wanted((u32)which, true);
}

static int store_enabled(const char *text, u64 key)
{
	bool on, sampled;
	int err = parse_switch(text, &on);

	if (err)
		return err;
	mutex_lock(&tracefs_lock);
	if (on && !anything_wanted()) {
		err = while_quiet(want, key);
	} else {
		sampled = trace_enabled(sample);
		err = trace_set_wanted((u32)key, on);
		/* Harts that run on, and programs that are there, must hear of it. */
		if (!sampled && trace_enabled(sample))
			tell_present();
	}
	mutex_unlock(&tracefs_lock);
	return err;
}

static int show_available(struct seq *s, u64 key)
{
	(void)key;
	for (u32 i = 1; i < TRACE_NR_TYPES; i++)
		seq_printf(s, "%s:%s\n", trace_category_name(trace_category_of(i)),
			   event_types[i].name);
	return 0;
}

/* ---- set_event_pid ---- */

static int show_pids(struct seq *s, u64 key)
{
	u32 tids[TRACE_MAX_PIDS], nr = trace_get_filter(tids);

	(void)key;
	for (u32 i = 0; i < nr; i++)
		seq_printf(s, "%u\n", tids[i]);
	return 0;
}

static u32 new_tids[TRACE_MAX_PIDS]; /* [L:tracefs_lock] */

static int set_filter(u64 nr)
{
	return trace_set_filter(new_tids, (u32)nr);
}

static int store_pids(const char *text, u64 key)
{
	u64 tid, nr = 0;
	int err = 0;

	(void)key;
	mutex_lock(&tracefs_lock);
	for (text = number_skip_space(text); *text && !err; text = number_skip_space(text)) {
		if (nr == TRACE_MAX_PIDS)
			err = -E2BIG;
		else if (!number_parse(&text, false, &tid) || tid > UINT32_MAX)
			err = -EINVAL;
		else
			new_tids[nr++] = (u32)tid;
	}
	if (!err)
		err = while_quiet(set_filter, nr);
	mutex_unlock(&tracefs_lock);
	return err;
}

/* ---- buffer_size_kb ---- */

static int show_size(struct seq *s, u64 key)
{
	(void)key;
	seq_printf(s, "%lu\n", trace_ring_bytes() >> 10);
	return 0;
}

static int set_size(u64 bytes)
{
	int err = trace_set_ring_bytes(bytes);

	trace_pipe_reset();
	return err;
}

static int store_size(const char *text, u64 key)
{
	u64 kib;
	int err;

	(void)key;
	text = number_skip_space(text);
	if (!number_parse(&text, false, &kib) || kib > UINT32_MAX)
		return -EINVAL;
	mutex_lock(&tracefs_lock);
	err = while_quiet(set_size, kib << 10);
	mutex_unlock(&tracefs_lock);
	return err;
}

/* ---- options/overwrite ---- */

static int show_overwrite(struct seq *s, u64 key)
{
	(void)key;
	seq_printf(s, "%d\n", trace_overwrites());
	return 0;
}

static int set_overwrite(u64 on)
{
	int err = trace_set_overwrite(on);

	trace_pipe_reset();
	return err;
}

static int store_overwrite(const char *text, u64 key)
{
	bool on;
	int err = parse_switch(text, &on);

	(void)key;
	if (err)
		return err;
	mutex_lock(&tracefs_lock);
	if (on != trace_overwrites())
		err = while_quiet(set_overwrite, on);
	mutex_unlock(&tracefs_lock);
	return err;
}

/* ---- trace_clock: there is one, in Linux's terms the one that runs on in suspend ---- */

static int show_clock(struct seq *s, u64 key)
{
	(void)key;
	seq_puts(s, "[boot]\n");
	return 0;
}

static int store_clock(const char *text, u64 key)
{
	(void)key;
	return strcmp(text, "boot") && strcmp(text, "boot\n") ? -EINVAL : 0;
}

/* ---- trace_marker ---- */

static int store_marker(const char *text, u64 key)
{
	size_t len = MIN(strlen(text), MARKER_MAX);

	(void)key;
	while (len && text[len - 1] == '\n')
		len--;
	for (size_t at = 0; at < len; at += 16) {
		u64 part[2] = {0};

		memcpy(part, text + at, MIN(len - at, sizeof(part)));
		trace_marker(part[0], part[1], at + 16 < len);
	}
	return 0;
}

static int register_enable(const char *path, u32 which)
{
	char full[80];

	snprintf(full, sizeof(full), ROOT "events/%s/enable", path);
	return sysfs_register_writable(full, 0640, show_enabled, store_enabled, which);
}

static int register_events(void)
{
	char path[64];
	int err = 0;

	for (u32 i = 0; i < TRACE_NR_CATEGORIES && !err; i++)
		err = register_enable(trace_category_name(i), TRACE_OF_CATEGORY + i);
	for (u32 i = 1; i < TRACE_NR_TYPES && !err; i++) {
		snprintf(path, sizeof(path), "%s/%s", trace_category_name(trace_category_of(i)),
			 event_types[i].name);
		err = register_enable(path, i);
	}
	return err;
}

int tracefs_init(void)
{
	static const struct {
		const char *path;
		u32 mode;
		pseudo_show_fn show;
		pseudo_store_fn store;
		u64 key;
	} files[] = {
		{ROOT "tracing_on", 0640, show_on, store_on, 0},
		{ROOT "events/enable", 0640, show_enabled, store_enabled, TRACE_EVERY},
		{ROOT "available_events", 0440, show_available, NULL, 0},
		{ROOT "set_event_pid", 0640, show_pids, store_pids, 0},
		{ROOT "buffer_size_kb", 0640, show_size, store_size, 0},
		{ROOT "options/overwrite", 0640, show_overwrite, store_overwrite, 0},
		{ROOT "trace_clock", 0640, show_clock, store_clock, 0},
		{ROOT "trace_marker", 0220, NULL, store_marker, 0},
	};
	int err = 0;

	mutex_init(&tracefs_lock, &tracefs_class);
	for (u32 i = 0; i < ARRAY_SIZE(files) && !err; i++)
		err = sysfs_register_writable(files[i].path, files[i].mode, files[i].show,
					      files[i].store, files[i].key);
	if (!err)
		err = register_events();
	return err ? err : sysfs_register_file(ROOT "trace_pipe", 0440, &trace_pipe_ops);
}
