/*
 * SEM_UNDO: what a process has added to or taken from semaphores is taken back when it ends.
 *
 * Each undo is in two lists: that of its set, under the set's lock, and that of its process (all
 * tasks that share it by CLONE_SYSVSEM), changed under the list's own lock inside the set's and read
 * under the epoch. Two may take it out: the last task of the process, and the removal of the set;
 * both hold the set's lock when they do, and the loser does not find it there any more.
 *
 *	exit				IPC_RMID		without the second look
 *	first of the list; its set	lock set; removed = 1
 *	lock set			unlink all undos
 *	removed? look again		unlock; free later	the undo is unlinked and freed twice
 *	unlink, apply, unlock
 *
 * The set that exit reads from an undo is there: the undo is freed a grace period after the removal
 * has unlinked it, and so is the set.
 */
#include "kernel/ipc/sem.h"

#include "abi/sched.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"

#include <string.h>

LOCK_CLASS(sem_undo_list, RANK_IPC_UNDO);

/* ---- the list of a process ---- */

/* The running task's list, made if absent; NULL when out of memory. */
static struct sem_undo_list *undo_list_get(void)
{
	struct task *t = task_current();

	if (t->sem_undo)
		return t->sem_undo;
	t->sem_undo = kmalloc(sizeof(*t->sem_undo));
	if (t->sem_undo) {
		*t->sem_undo = (struct sem_undo_list){.refs = 1};
		spin_init(&t->sem_undo->lock, &sem_undo_list_class);
	}
	return t->sem_undo;
}

static struct sem_undo *undo_find(struct sem_undo_list *list, const struct sem_set *set)
{
	struct sem_undo *u = atomic_load_acquire(&list->first);

	while (u && u->set != set)
		u = atomic_load_acquire(&u->next);
	return u;
}

static void undo_expired(struct epoch_node *node)
{
	kfree(container_of(node, struct sem_undo, free_node));
}

static void undo_list_expired(struct epoch_node *node)
{
	kfree(container_of(node, struct sem_undo_list, free_node));
}

/* Out of both lists; the set's lock is held. A reader inside goes on along u->next. */
static void undo_unlink(struct sem_undo *u)
{
	struct sem_undo **link = &u->list->first;

	spin_lock(&u->list->lock);
	while (*link != u)
		link = &(*link)->next;
	atomic_store_release(link, u->next);
	spin_unlock(&u->list->lock);
	list_del(&u->link);
	epoch_defer(&u->free_node, undo_expired);
}

/* Into both lists, unless a thread that shares the list was faster or the set has been removed. */
static struct sem_undo *undo_link(struct sem_undo *u)
{
	struct sem_undo *other;

	if (!ipc_lock(&u->set->base)) {
		kfree(u);
		return NULL;
	}
	spin_lock(&u->list->lock);
	other = undo_find(u->list, u->set);
	if (!other) {
		u->next = u->list->first;
		atomic_store_release(&u->list->first, u); /* pairs with the acquire in undo_find() */
		list_add_tail(&u->set->undos, &u->link);
	}
	spin_unlock(&u->list->lock);
	ipc_unlock(&u->set->base);
	if (!other)
		return u;
	kfree(u);
	return other;
}

struct sem_undo *sem_undo_get(struct sem_set *set)
{
	struct sem_undo_list *list = undo_list_get();
	struct sem_undo *u;
	size_t size = sizeof(*u) + set->nr * sizeof(u->adjust[0]);

	if (!list)
		return err_ptr(-ENOMEM);
	u = undo_find(list, set);
	if (u)
		return u;
	u = kzalloc(size);
	if (!u)
		return err_ptr(-ENOMEM);
	u->list = list;
	u->set = set;
	u = undo_link(u);
	return u ? u : err_ptr(-EIDRM);
}

void sem_undo_clear(struct sem_set *set, u32 index)
{
	struct sem_undo *u;

	list_for_each(u, &set->undos, link) {
		if (index == SEM_ALL)
			memset(u->adjust, 0, set->nr * sizeof(u->adjust[0]));
		else
			u->adjust[index] = 0;
	}
}

void sem_undo_drop_all(struct sem_set *set)
{
	struct sem_undo *u, *next;

	list_for_each_safe(u, next, &set->undos, link)
		undo_unlink(u);
}

/* ---- clone and exit ---- */

int sem_task_clone(struct task *child, u64 flags)
{
	if (!(flags & CLONE_SYSVSEM))
		return 0;
	child->sem_undo = undo_list_get();
	if (!child->sem_undo)
		return -ENOMEM;
	atomic_fetch_add(&child->sem_undo->refs, 1);
	return 0;
}

/* What is out of range stops at its end, as on Linux. The set's lock is held. */
static void undo_apply(struct sem_undo *u, struct unpark_batch *batch)
{
	struct sem_set *set = u->set;
	u32 pid = process_current()->pid;

	for (u32 i = 0; i < set->nr; i++) {
		s32 value = set->sems[i].value + u->adjust[i];

		if (!u->adjust[i])
			continue;
		set->sems[i].value = MIN(MAX(value, 0), SEM_VALUE_MAX);
		set->sems[i].pid = pid;
	}
	atomic_store_relaxed(&set->otime, ipc_now());
	sem_wake(set, batch);
}

/* The first undo of the list is made and gone. False: there is none. */
static bool undo_first(struct sem_undo_list *list)
{
	struct unpark_batch batch = {0};
	struct sem_undo *u;
	struct sem_set *set;

	epoch_enter();
	u = atomic_load_acquire(&list->first);
	if (!u) {
		epoch_exit();
		return false;
	}
	set = u->set;
	if (ipc_lock(&set->base)) {
		undo_unlink(u);
		undo_apply(u, &batch);
		ipc_unlock(&set->base);
	}
	epoch_exit();
	unpark_batch_flush(&batch);
	return true;
}

void sem_task_exit(struct task *t)
{
	struct sem_undo_list *list = t->sem_undo;

	if (!list)
		return;
	t->sem_undo = NULL;
	if (atomic_fetch_add(&list->refs, (u32)-1) != 1)
		return;
	while (undo_first(list))
		kernel_relax();
	/* A removal that has unlinked the last undo may still hold the list's lock. */
	epoch_defer(&list->free_node, undo_list_expired);
}
