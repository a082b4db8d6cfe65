/*
 * ppoll and pselect6. Both take references on all files, because others may close them meanwhile,
 * and wait in poll_files().
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/poll.h"
#include "abi/resource.h"
#include "abi/system.h"
#include "abi/time.h"
#include "kernel/file/poll.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/park.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/signal.h"
#include "kernel/time/time.h"

#define SIGSET_SIZE 8
#define WORD_BITS   64U

static_assert(POLLIN == POLL_EVENT_IN && POLLOUT == POLL_EVENT_OUT && POLLHUP == POLL_EVENT_HUP &&
		      POLLERR == POLL_EVENT_ERR && POLLNVAL == POLL_EVENT_NVAL,
	      "poll's bits are the readiness bits");

/* The time-out of a call: a relative timespec in user memory, which is told what is left. */
struct poll_timeout {
	u64 addr;     /* 0: wait for ever */
	u64 deadline; /* ticks */
};

static int timeout_get(struct poll_timeout *t, u64 addr)
{
	struct abi_timespec ts;
	u64 ns;

	t->addr = addr;
	t->deadline = PARK_FOREVER;
	if (!addr)
		return 0;
	if (copy_from_user(&ts, (const void __user *)(uintptr_t)addr, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	if (ts.tv_sec == 0 && ts.tv_nsec == 0)
		t->deadline = 0;
	else if (!__builtin_mul_overflow((u64)ts.tv_sec, (u64)NSEC_PER_SEC, &ns) &&
		 !__builtin_add_overflow(ns, (u64)ts.tv_nsec, &ns) &&
		 __builtin_add_overflow(time_now(), time_ns_to_ticks(ns), &t->deadline))
		t->deadline = PARK_FOREVER;
	return 0;
}

/* What is left goes back to the user; a failure to write it is no error, as on Linux. */
static void timeout_put(const struct poll_timeout *t)
{
	struct abi_timespec ts = {0};
	u64 now, left;

	if (!t->addr || t->deadline == 0 || t->deadline == PARK_FOREVER)
		return;
	now = time_now();
	left = now < t->deadline ? time_ticks_to_ns(t->deadline - now) : 0;
	ts.tv_sec = (s64)(left / NSEC_PER_SEC);
	ts.tv_nsec = (s64)(left % NSEC_PER_SEC);
	if (copy_to_user((void __user *)(uintptr_t)t->addr, &ts, sizeof(ts)))
		return;
}

/* A temporary signal mask. *pushed tells whether signal_pop_mask() is due. */
static int mask_push(u64 addr, u64 size, bool *pushed)
{
	u64 mask;

	*pushed = false;
	if (!addr)
		return 0;
	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (user_load_u64((const u64 __user *)(uintptr_t)addr, &mask))
		return -EFAULT;
	signal_push_mask(mask);
	*pushed = true;
	return 0;
}

/* Waits, under the temporary mask. A caller that wants its timeout left as it is cannot be restarted with it. */
static long poll_wait(struct poll_item *items, u32 n, const struct poll_timeout *t, bool masked)
{
	long ret = poll_files(items, n, t->deadline);

	if (task_current()->personality & STICKY_TIMEOUTS)
		return masked ? signal_pop_mask(ret) : ret;
	if (ret == -EINTR)
		ret = -ERESTARTNOHAND;
	timeout_put(t);
	return masked ? signal_pop_mask(ret) : ret;
}

static void items_put(struct poll_item *items, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (items[i].file)
			file_put(items[i].file);
}

/* ---- ppoll ---- */

/* Takes the files. The number of descriptors that are not open, which are "ready" with POLLNVAL. */
static u32 ppoll_take(const struct abi_pollfd *fds, struct poll_item *items, u32 n)
{
	u32 invalid = 0;

	for (u32 i = 0; i < n; i++) {
		items[i] = (struct poll_item){.events = (u16)fds[i].events};
		if (fds[i].fd < 0)
			continue;
		items[i].file = fd_get(task_current()->files, fds[i].fd);
		if (!items[i].file) {
			items[i].revents = POLL_EVENT_NVAL;
			invalid++;
		}
	}
	return invalid;
}

static long ppoll_run(struct abi_pollfd *fds, struct poll_item *items, u32 n,
		      struct poll_timeout *t, bool masked)
{
	u32 invalid = ppoll_take(fds, items, n);
	long ret;

	if (invalid)
		t->deadline = 0;
	ret = poll_wait(items, n, t, masked);
	if (ret >= 0)
		ret += invalid;
	for (u32 i = 0; i < n; i++)
		fds[i].revents = (s16)items[i].revents;
	items_put(items, n);
	return ret;
}

long sys_ppoll(SYSCALL_ARGS)
{
	u32 n = (u32)a1;
	struct abi_pollfd *fds;
	struct poll_item *items;
	struct poll_timeout t;
	size_t size = n * sizeof(*fds);
	bool masked;
	long ret;

	if (n > process_rlimit(process_current(), RLIMIT_NOFILE))
		return -EINVAL;
	ret = timeout_get(&t, a2);
	if (ret)
		return ret;
	fds = kmalloc(MAX(n, 1U) * (sizeof(*fds) + sizeof(*items)));
	if (!fds)
		return -ENOMEM;
	items = (struct poll_item *)(fds + n);
	ret = copy_from_user(fds, (const void __user *)(uintptr_t)a0, size);
	if (!ret)
		ret = mask_push(a3, a4, &masked);
	if (!ret) {
		ret = ppoll_run(fds, items, n, &t, masked);
		if (ret >= 0 && copy_to_user((void __user *)(uintptr_t)a0, fds, size))
			ret = -EFAULT;
	}
	kfree(fds);
	return ret;
}

/* ---- pselect6 ---- */

enum { SET_READ, SET_WRITE, SET_EXCEPT, NR_SETS };

static const PollEvent select_events[NR_SETS] = {
	[SET_READ] = POLL_EVENT_READ | POLL_EVENT_HUP | POLL_EVENT_ERR,
	[SET_WRITE] = POLL_EVENT_WRITE | POLL_EVENT_ERR,
	[SET_EXCEPT] = POLL_EVENT_PRI,
};

struct select {
	u32 n;		   /* descriptors 0..n-1 */
	u32 words;	   /* per set */
	u64 addr[NR_SETS]; /* 0: set not given */
	u64 *set[NR_SETS];
	struct poll_item *items; /* one per descriptor; file NULL where it is in no set */
};

static bool set_has(const u64 *set, u32 fd)
{
	return (set[fd / WORD_BITS] >> (fd % WORD_BITS)) & 1;
}

static int select_load(struct select *s)
{
	u64 *sets = kzalloc(NR_SETS * s->words * sizeof(u64) + s->n * sizeof(*s->items) + 1);

	if (!sets)
		return -ENOMEM;
	s->items = (struct poll_item *)(sets + NR_SETS * s->words);
	for (u32 i = 0; i < NR_SETS; i++) {
		s->set[i] = sets + i * s->words;
		if (s->addr[i] && copy_from_user(s->set[i], (const void __user *)(uintptr_t)s->addr[i],
						 s->words * sizeof(u64)))
			return -EFAULT;
	}
	return 0;
}

/* Takes the files of all sets; -EBADF if one is not open. */
static int select_take(struct select *s)
{
	for (u32 fd = 0; fd < s->n; fd++) {
		PollEvent events = 0;

		for (u32 i = 0; i < NR_SETS; i++)
			if (set_has(s->set[i], fd))
				events |= select_events[i];
		if (!events)
			continue;
		s->items[fd].events = events;
		s->items[fd].file = fd_get(task_current()->files, (int)fd);
		if (!s->items[fd].file)
			return -EBADF;
	}
	return 0;
}

/* The sets become what is ready; the sum of their bits. */
static long select_store(struct select *s)
{
	long count = 0;

	for (u32 i = 0; i < NR_SETS; i++) {
		for (u32 fd = 0; fd < s->n; fd++) {
			if (!set_has(s->set[i], fd))
				continue;
			if (s->items[fd].revents & select_events[i])
				count++;
			else
				s->set[i][fd / WORD_BITS] &= ~BIT(fd % WORD_BITS);
		}
		if (s->addr[i] && copy_to_user((void __user *)(uintptr_t)s->addr[i], s->set[i],
					       s->words * sizeof(u64)))
			return -EFAULT;
	}
	return count;
}

long sys_pselect6(SYSCALL_ARGS)
{
	struct {
		u64 addr, size;
	} mask = {0};
	struct select s = {.n = (u32)a0, .addr = {a1, a2, a3}};
	struct poll_timeout t;
	bool masked;
	long ret;

	if ((int)a0 < 0)
		return -EINVAL;
	s.n = MIN(s.n, fd_limit());
	s.words = (s.n + WORD_BITS - 1) / WORD_BITS;
	ret = timeout_get(&t, a4);
	if (!ret && a5 && copy_from_user(&mask, (const void __user *)(uintptr_t)a5, sizeof(mask)))
		ret = -EFAULT;
	if (ret)
		return ret;
	ret = select_load(&s);
	if (!ret)
		ret = select_take(&s);
	if (!ret)
		ret = mask_push(mask.addr, mask.size, &masked);
	if (!ret) {
		ret = poll_wait(s.items, s.n, &t, masked);
		if (ret >= 0)
			ret = select_store(&s);
	}
	if (s.items)
		items_put(s.items, s.n);
	kfree(s.set[0]);
	return ret;
}
