/*
 * Private to mq*.c: a queue and who waits at it.
 */
#ifndef KERNEL_IPC_MQ_INTERNAL_H
#define KERNEL_IPC_MQ_INTERNAL_H

#include "kernel/file/waitq.h"
#include "kernel/ipc/mq.h"
#include "kernel/sync/spinlock.h"
#include "lib/heap.h"
#include "lib/list.h"

struct process;
struct user;

struct mq_message {
	struct heap_node node; /* [L:queue] the most urgent first, then the oldest */
	u32 priority;	       /* [I] */
	u64 size;	       /* [I] bytes of text */
	char text[];	       /* [I] */
};

/* Who is told of a message in an empty queue: once, then nobody is. */
struct mq_notice {
	struct process *process; /* a reference; NULL: nobody */
	struct mq_way way;
};

struct mq {
	struct spinlock lock; /* RANK_IPC */
	u64 max_count;	      /* [I] messages */
	u64 max_size;	      /* [I] bytes of one */
	struct user *user;    /* [I] whom its memory is counted for, a reference */
	struct heap messages; /* [L] */
	u64 count, bytes;     /* [L] of the messages in it */
	struct list receivers,
		senders;	    /* [L] struct mq_waiter: the highest real-time priority first */
	struct mq_notice notice;    /* [L] */
	struct wait_queue watchers; /* poll */
};

/* ---- mq.c ---- */
struct mq *mq_alloc(const struct mq_size *size); /* an error pointer: -ENOMEM, -EMFILE (RLIMIT_MSGQUEUE) */
void mq_free(struct mq *q);			 /* with what is in it */

#endif
