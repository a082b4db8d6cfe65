/*
 * Private to kernel/ipc: sets of semaphores, operations that wait, undo.
 */
#ifndef KERNEL_IPC_SEM_H
#define KERNEL_IPC_SEM_H

#include "kernel/ipc/ipc_internal.h"
#include "kernel/sched/sched.h"
#include "lib/list.h"

#define SEM_VALUE_MAX 32767
#define SEM_ALL	      (~0U)

struct sem {
	s32 value; /* [L:set] 0..SEM_VALUE_MAX */
	u32 pid;   /* [L:set] of the last to change it */
};

struct sem_set {
	struct ipc_object base;
	u64 otime;	     /* [a] changes under the lock */
	u32 nr;		     /* [I] */
	u32 zero_waiters;    /* [L] requests in the queue that wait for a zero */
	struct list waiters; /* [L] struct sem_request in order of arrival */
	struct list undos;   /* [L] struct sem_undo */
	struct sem sems[];   /* [L] */
};

/* What one process (all who share by CLONE_SYSVSEM) has to take back from one set at its end. */
struct sem_undo {
	struct sem_undo *next;	    /* [e] in the list; changes under its lock */
	struct sem_undo_list *list; /* [I] */
	struct sem_set *set;	    /* [I] */
	struct list link;	    /* [L:set] set->undos */
	struct epoch_node free_node;
	s16 adjust[]; /* [L:set] */
};

struct sem_undo_list {
	u32 refs;		/* [a] tasks */
	struct spinlock lock;	/* RANK_IPC_UNDO: taken inside a set's lock */
	struct sem_undo *first; /* [e] changes under lock */
	struct epoch_node free_node;
};

enum sem_state { SEM_WAITING, SEM_ENDED };

/*
 * The operations of one semop(). While it waits it is in the set's queue, and its memory is its
 * thread's stack: who ends it writes `result`, then `state`, and touches it no more.
 */
struct sem_request {
	struct list link;	/* [L:set] */
	struct thread *thread;	/* [I] */
	struct abi_sembuf *ops; /* [I] */
	struct sem_undo *undo;	/* [I] NULL: no operation has SEM_UNDO */
	u32 nr_ops;		/* [I] */
	u32 pid;		/* [I] */
	u32 blocked;		/* [L:set] the operation that has to wait */
	bool alters;		/* [I] some operation is not a wait for zero */
	bool raises;		/* [I] some operation adds */
	bool waits_for_zero;	/* [I] some operation is a wait for zero */
	u32 state;		/* [a] enum sem_state */
	int result;		/* before `state` */
};

static inline struct sem_set *sem_set_of(struct ipc_object *o)
{
	return container_of(o, struct sem_set, base);
}

/* ---- sem.c ---- */

/* Removal, off the table: nothing may be begun with the set any more, and who waits is ended. */
void sem_end(struct sem_set *set, struct unpark_batch *batch);
/* From here on: with the set's lock held. */

/*
 * All operations of `r` or none: 0, -ERANGE, -EAGAIN (IPC_NOWAIT), or 1: it has to wait for the
 * operation r->blocked.
 */
int sem_try(struct sem_set *set, struct sem_request *r);
/* Ends the requests that values allow now, in order of arrival. */
void sem_wake(struct sem_set *set, struct unpark_batch *batch);

/* ---- sem_undo.c ---- */

/* The running task's undo for `set`, made if absent; -ENOMEM, -EIDRM as pointers. Under the epoch. */
struct sem_undo *sem_undo_get(struct sem_set *set);
/* SETVAL, SETALL: nothing to take back any more; `index` or SEM_ALL. The set's lock is held. */
void sem_undo_clear(struct sem_set *set, u32 index);
/* The set is going: its undos too. The set's lock is held. */
void sem_undo_drop_all(struct sem_set *set);

#endif
