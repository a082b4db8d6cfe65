/*
 * Polling: first a look without registering (the common case is that something is ready or that
 * the caller does not wait); then a watcher entry on the queue of every file, and look, park,
 * look again until something is ready. The permit of park covers a wake between look and park.
 * O(files) per look.
 */
#include "kernel/file/poll.h"

#include "abi/errno.h"
#include "arch/riscv64/cpu.h"
#include "kernel/file/waitq.h"
#include "kernel/mm/mm.h"

#define POLL_ON_STACK 6

struct poll_watch {
	struct wait_entry entry;
	struct wait_queue *queue; /* NULL: the file never changes */
};

static int poll_look(struct poll_item *items, u32 n)
{
	int ready = 0;

	for (u32 i = 0; i < n; i++) {
		PollEvent wanted = items[i].events | POLL_EVENT_ERR | POLL_EVENT_HUP;

		if (!items[i].file)
			continue;
		items[i].revents = file_poll(items[i].file, NULL) & wanted;
		if (items[i].revents)
			ready++;
	}
	return ready;
}

static void poll_notify(struct wait_entry *e, PollEvent events, struct unpark_batch *batch)
{
	(void)events;
	unpark_batch_add(batch, e->thread);
}

static void poll_watch_all(struct poll_item *items, struct poll_watch *watches, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		struct poll_watch *w = &watches[i];

		w->queue = NULL;
		if (!items[i].file)
			continue;
		file_poll(items[i].file, &w->queue);
		if (!w->queue)
			continue;
		w->entry = (struct wait_entry){
			.thread = thread_current(),
			.events = items[i].events | POLL_EVENT_ERR | POLL_EVENT_HUP,
			.fn = poll_notify,
		};
		waitq_add(w->queue, &w->entry);
	}
}

static void poll_unwatch_all(struct poll_watch *watches, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (watches[i].queue)
			waitq_remove(watches[i].queue, &watches[i].entry);
}

int poll_files(struct poll_item *items, u32 n, u64 deadline)
{
	struct poll_watch few[POLL_ON_STACK], *watches = few;
	int ready = poll_look(items, n);
	int err = 0;

	if (ready || deadline == 0)
		return ready;
	if (n > POLL_ON_STACK) {
		watches = kmalloc(n * sizeof(*watches));
		if (!watches)
			return -ENOMEM;
	}
	poll_watch_all(items, watches, n);
	while (!(ready = poll_look(items, n)) && !err)
		err = park(deadline, PARK_INTERRUPTIBLE);
	poll_unwatch_all(watches, n);
	if (watches != few)
		kfree(watches);
	if (ready)
		return ready;
	return err == -ETIMEDOUT ? 0 : err;
}
