#include "kernel/task/cred.h"

#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"
#include "kernel/task/user.h"

struct cred cred_root = {
	.refs = 1,
	.cap_effective = CAP_ALL,
	.cap_permitted = CAP_ALL,
	.cap_bounding = CAP_ALL,
};

void cred_get(struct cred *c)
{
	atomic_fetch_add(&c->refs, 1);
}

static void cred_free(struct epoch_node *node)
{
	struct cred *c = container_of(node, struct cred, free_node);

	cred_groups_put(c->groups);
	user_put(c->user);
	kfree(c);
}

void cred_put(struct cred *c)
{
	if (atomic_fetch_add(&c->refs, (u32)-1) == 1)
		epoch_defer(&c->free_node, cred_free);
}

const struct cred *cred_current(void)
{
	return task_current()->cred;
}

struct cred *cred_prepare(void)
{
	struct cred *c = kmalloc(sizeof(*c));

	if (!c)
		return NULL;
	*c = *cred_current();
	c->refs = 1;
	user_get(c->user);
	if (c->groups)
		atomic_fetch_add(&c->groups->refs, 1);
	return c;
}

/* Others may no longer look into a process that was, or is, somebody else. */
static bool cred_protects(const struct cred *c, const struct cred *old)
{
	return c->euid != old->euid || c->egid != old->egid || c->fsuid != old->fsuid ||
	       c->fsgid != old->fsgid || (c->cap_permitted & ~old->cap_permitted);
}

void cred_commit(struct cred *c)
{
	struct task *t = task_current();
	struct process *p = t->process;
	struct cred *old = t->cred;

	if (cred_protects(c, old)) {
		atomic_store_relaxed(&p->dumpable, DUMPABLE_NO);
		atomic_store_relaxed(&p->parent_death_signal, 0);
	}
	atomic_store_release(&t->cred, c);
	if (t->thread.tid == p->pid) {
		cred_get(c);
		cred_put(atomic_xchg(&p->cred, c));
	}
	if (old->user != c->user) {
		user_count_task(old->user, -1);
		user_count_task(c->user, 1);
	}
	cred_put(old);
}

int cred_set_uid(struct cred *c, u32 uid)
{
	struct user *user;

	if (c->uid == uid)
		return 0;
	user = user_find(uid);
	if (!user)
		return -ENOMEM;
	user_put(c->user);
	c->user = user;
	c->uid = uid;
	return 0;
}

/* ---- groups ---- */

struct cred_groups *cred_groups_alloc(u32 nr)
{
	struct cred_groups *g = kmalloc(sizeof(*g) + nr * sizeof(g->gid[0]));

	if (g)
		*g = (struct cred_groups){.refs = 1, .nr = nr};
	return g;
}

void cred_groups_put(struct cred_groups *g)
{
	if (g && atomic_fetch_add(&g->refs, (u32)-1) == 1)
		kfree(g);
}

/* Restores the heap order below `i` among the first `n`. */
static void groups_sift(u32 *gid, u32 i, u32 n)
{
	for (u32 child; (child = 2 * i + 1) < n; i = child) {
		u32 value = gid[i];

		if (child + 1 < n && gid[child + 1] > gid[child])
			child++;
		if (value >= gid[child])
			return;
		gid[i] = gid[child];
		gid[child] = value;
	}
}

/* Heap sort: a hostile list must not cost more than a friendly one. */
static void groups_sort(struct cred_groups *g)
{
	for (u32 i = g->nr / 2; i-- > 0;)
		groups_sift(g->gid, i, g->nr);
	for (u32 n = g->nr; n > 1; n--) {
		u32 largest = g->gid[0];

		g->gid[0] = g->gid[n - 1];
		g->gid[n - 1] = largest;
		groups_sift(g->gid, 0, n - 1);
	}
}

void cred_set_groups(struct cred *c, struct cred_groups *g)
{
	groups_sort(g);
	cred_groups_put(c->groups);
	c->groups = g;
}

static bool cred_in_supplementary(const struct cred *c, u32 gid)
{
	u32 low = 0, high = c->groups ? c->groups->nr : 0;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (c->groups->gid[middle] == gid)
			return true;
		if (c->groups->gid[middle] < gid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool cred_in_group(const struct cred *c, u32 gid)
{
	return c->fsgid == gid || cred_in_supplementary(c, gid);
}

/* ---- who may ---- */

bool cred_same_ids(const struct cred *own, const struct cred *other)
{
	return own->uid == other->uid && own->uid == other->euid && own->uid == other->suid &&
	       own->gid == other->gid && own->gid == other->egid && own->gid == other->sgid;
}

bool task_may_inspect(struct task *t)
{
	struct process *p = t->process;
	const struct cred *own = cred_current(), *other = atomic_load_acquire(&t->cred);

	if (p == process_current() || cred_capable(own, CAP_SYS_PTRACE))
		return true;
	return cred_same_ids(own, other) && atomic_load_relaxed(&p->dumpable) == DUMPABLE_USER &&
	       !(other->cap_permitted & ~own->cap_permitted);
}

static bool current_in_supplementary(u32 gid)
{
	return cred_in_supplementary(cred_current(), gid);
}

/* access(2): as if the program had no set-id bits. Root by its real id has what it is permitted, nobody else anything. */
static void cred_by_real_ids(const struct cred *c, struct fs_cred *out)
{
	u64 caps = c->uid == 0 ? c->cap_permitted : 0;

	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		caps = c->cap_effective;
	out->uid = c->uid;
	out->gid = c->gid;
	out->override = caps & BIT(CAP_DAC_OVERRIDE);
}

/*
 * For kernel/fs, which is a layer below. Kernel threads other than pid 1 are no tasks; they act as
 * root.
 */
static void cred_for_fs(struct fs_cred *out)
{
	bool is_task = thread_current()->mm;
	const struct cred *c = is_task ? cred_current() : &cred_root;

	*out = (struct fs_cred){
		.uid = c->fsuid,
		.gid = c->fsgid,
		.override = cred_capable(c, CAP_DAC_OVERRIDE),
		.lease = cred_capable(c, CAP_LEASE),
		.in_group = is_task ? current_in_supplementary : NULL,
	};
	if (is_task && task_current()->by_real_ids)
		cred_by_real_ids(c, out);
}

static u64 size_limit_for_fs(void)
{
	return thread_current()->mm ? process_rlimit(process_current(), RLIMIT_FSIZE) : ~0UL;
}

static void size_exceeded_for_fs(void)
{
	struct abi_siginfo info;

	signal_info_user(&info, SIGXFSZ, SI_USER);
	signal_send_task(task_current(), &info);
}

void cred_init(void)
{
	user_init();
	cred_root.user = user_root;
	fs_cred_current = cred_for_fs;
	fs_size_limit = size_limit_for_fs;
	fs_size_exceeded = size_exceeded_for_fs;
}
