#include "kernel/task/user.h"

#include "arch/riscv64/cpu.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/lock_class.h"
#include "kernel/sync/refcount.h"
#include "kernel/sync/spinlock.h"
#include "lib/list.h"

#define NR_USER_LISTS 64U

LOCK_CLASS(users, RANK_FDTABLE);

struct user_hart {
	s64 tasks; /* [c] those begun here less those ended here */
} __attribute__((aligned(CACHE_LINE)));

struct user {
	struct list link; /* [L:users] */
	u32 uid;	  /* [I] */
	u32 refs;	  /* [a] from 1 to 0, and from 0 never, under users_lock */
	u64 signals;	  /* [a] */
	u64 queue_bytes;  /* [a] */
	u64 nr_files;	  /* [a] in messages of AF_UNIX */
	struct user_hart hart[];
};

struct user *user_root;

static struct spinlock users_lock = SPINLOCK_INIT(users_class);
static struct list users[NR_USER_LISTS]; /* [L:users_lock] by id */

static struct user *user_create(u32 uid)
{
	struct user *u = kzalloc(sizeof(*u) + nr_cpus * sizeof(u->hart[0]));

	if (u) {
		u->uid = uid;
		u->refs = 1;
	}
	return u;
}

void user_init(void)
{
	for (u32 i = 0; i < NR_USER_LISTS; i++)
		list_init(&users[i]);
	user_root = user_create(0);
	if (!user_root)
		panic("no memory for the first user");
	list_add(&users[0], &user_root->link);
}

static struct user *user_find_locked(u32 uid)
{
	struct user *u;

	list_for_each(u, &users[uid % NR_USER_LISTS], link)
		if (u->uid == uid)
			return u;
	return NULL;
}

struct user *user_find(u32 uid)
{
	struct user *new = user_create(uid), *u;

	if (!new)
		return NULL;
	spin_lock(&users_lock);
	u = user_find_locked(uid);
	if (u) {
		atomic_fetch_add(&u->refs, 1);
	} else {
		u = new;
		list_add(&users[uid % NR_USER_LISTS], &u->link);
	}
	spin_unlock(&users_lock);
	if (u != new)
		kfree(new);
	return u;
}

void user_get(struct user *u)
{
	atomic_fetch_add(&u->refs, 1);
}

void user_put(struct user *u)
{
	u32 refs = atomic_load_relaxed(&u->refs);
	bool last;

	while (refs > 1) {
		if (atomic_cas(&u->refs, refs, refs - 1))
			return;
		refs = atomic_load_relaxed(&u->refs);
	}
	spin_lock(&users_lock);
	last = atomic_fetch_add(&u->refs, (u32)-1) == 1;
	if (last)
		list_del(&u->link);
	spin_unlock(&users_lock);
	if (last)
		kfree(u);
}

void user_count_task(struct user *u, s32 change)
{
	struct user_hart *h = &u->hart[cpu_id()];

	atomic_store_relaxed(&h->tasks, h->tasks + change);
}

bool user_over_limit(const struct user *u, u64 limit)
{
	s64 sum = 0;

	fence_full(); /* pairs with itself: own count before the others' */
	for (u32 i = 0; i < nr_cpus; i++)
		sum += atomic_load_relaxed(&u->hart[i].tasks);
	return sum > 0 && (u64)sum > limit;
}

bool user_charge_queue(struct user *u, u64 bytes, u64 limit)
{
	if (atomic_fetch_add(&u->queue_bytes, bytes) + bytes <= limit)
		return true;
	user_uncharge_queue(u, bytes);
	return false;
}

void user_uncharge_queue(struct user *u, u64 bytes)
{
	atomic_fetch_add(&u->queue_bytes, -bytes);
}

u64 user_charge_signal(struct user *u)
{
	return atomic_fetch_add_relaxed(&u->signals, 1) + 1;
}

void user_uncharge_signal(struct user *u)
{
	atomic_fetch_add_relaxed(&u->signals, -1UL);
}

u64 user_signals(const struct user *u)
{
	return atomic_load_relaxed(&u->signals);
}

bool user_charge_files(struct user *u, u32 nr, u64 limit)
{
	if (atomic_load_relaxed(&u->nr_files) > limit)
		return false;
	atomic_fetch_add(&u->nr_files, nr);
	return true;
}

void user_uncharge_files(struct user *u, u32 nr)
{
	atomic_fetch_add(&u->nr_files, -(u64)nr);
}
