/*
 * The converter's threads, by tid. A tid that is born again gets a new incarnation; what is known of the old one stays
 * in its struct.
 */
#ifndef TOOLS_TRACE_THREADS_H
#define TOOLS_TRACE_THREADS_H

#include "kernel/trace/record.h"

/* Slices that may be open on a thread, outermost first. */
enum slice {
	SLICE_SYSCALL,
	SLICE_FUTEX_WAIT,
	SLICE_FUTEX_WAKE,
	SLICE_FAULT,
	SLICE_WOKEN,
	SLICE_LOCK,
	SLICE_IPC,
	SLICE_IPC_WAIT,
	SLICE_SOCKET,
	SLICE_SOCKET_WAIT,
	SLICE_OOM
};
#define MAX_SLICES 8

enum thread_run { RUN_UNKNOWN, RUN_NEW, RUN_RUNNABLE, RUN_RUNNING, RUN_BLOCKED, RUN_DEAD };

struct thread {
	struct thread *next; /* of all, in order of appearance */
	u32 tid;
	u32 tgid;	/* 0: never told */
	u32 parent_tid; /* 0: unknown */
	char name[TRACE_TASK_NAME_LEN];
	bool born;  /* within the trace */
	bool dead;  /* within the trace */
	bool ended; /* before the part that is told */
	bool seen;  /* in the part that is told */
	u32 prio;   /* at the last switch to it */
	/* merge */
	enum thread_run run;
	u32 cpu;       /* while RUN_RUNNING */
	u32 queued_on; /* hart that it waits for, plus 1; 0: none */
	/* slices */
	enum slice open[MAX_SLICES];
	u32 depth;
	u16 syscall;	 /* number of the open call */
	u64 track;	 /* uuid, 0: not yet described */
	u64 flow;	 /* from the waker, 0: none */
	u64 comm_bundle; /* where comm_index holds (ftrace.c) */
	u32 comm_index;
};

struct threads {
	struct thread **slots; /* open addressing by tid */
	u32 nr_slots;
	u32 used;
	struct thread *first;
	struct thread **last;
};

void threads_init(struct threads *threads);
void threads_free(struct threads *threads);

/* The current incarnation of `tid`, or NULL. */
struct thread *thread_find(const struct threads *threads, u32 tid);

/* The same, made if there is none. */
struct thread *thread_get(struct threads *threads, u32 tid);

/* A new incarnation of `tid`. */
struct thread *thread_new(struct threads *threads, u32 tid);

static inline u32 thread_tgid(const struct thread *t)
{
	return t->tgid ? t->tgid : t->tid;
}

#endif
