/*
 * Private to kernel/ipc: message queues, and those who wait at them.
 */
#ifndef KERNEL_IPC_MSG_H
#define KERNEL_IPC_MSG_H

#include "kernel/ipc/ipc_internal.h"
#include "kernel/sched/sched.h"
#include "lib/list.h"

struct msg {
	struct list link; /* [L:queue] */
	s64 type;	  /* [I] > 0 */
	u64 size;	  /* [I] bytes of text */
	char text[];	  /* [I] */
};

struct msg_queue {
	struct ipc_object base;
	u64 stime, rtime;      /* [L] */
	u64 bytes, count;      /* [L] of the messages in the queue */
	u64 max_bytes;	       /* [L] */
	u32 lspid, lrpid;      /* [L] */
	struct list messages;  /* [L] struct msg, oldest first */
	struct list receivers; /* [L] struct msg_waiter in order of arrival */
	struct list senders;   /* [L] struct msg_waiter in order of arrival */
};

/* Which messages a receiver takes. */
enum msg_match {
	MSG_MATCH_ANY,
	MSG_MATCH_EQUAL,
	MSG_MATCH_NOT_EQUAL,
	MSG_MATCH_UP_TO,
	MSG_MATCH_INDEX
};
struct msg_filter {
	enum msg_match match;
	s64 type;     /* or the index */
	u64 max_size; /* longer ones: -E2BIG */
};

enum msg_state { MSG_WAITING, MSG_ENDED };

/*
 * A thread that waits to send or to receive, on its stack; as struct sem_request, whoever ends it
 * writes `msg` and `result`, then `state`, and touches it no more.
 */
struct msg_waiter {
	struct list link;	  /* [L:queue] */
	struct thread *thread;	  /* [I] */
	struct msg *msg;	  /* to send; or what was received, before `state` */
	struct msg_filter filter; /* [I] of a receiver */
	u32 pid;		  /* [I] */
	u32 state;		  /* [a] enum msg_state */
	int result;		  /* before `state`; -EAGAIN: look again */
};

static inline struct msg_queue *msg_queue_of(struct ipc_object *o)
{
	return container_of(o, struct msg_queue, base);
}

/* ---- msg.c: the queue's lock is held ---- */
void msg_finish(struct msg_waiter *w, int result, struct unpark_batch *batch);
/* Ends all who wait: -EIDRM, or -EAGAIN to make them look again at what IPC_SET has changed. */
void msg_finish_all(struct msg_queue *q, int result, struct unpark_batch *batch);

#endif
