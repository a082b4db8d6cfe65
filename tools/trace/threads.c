#include "tools/trace/threads.h"

#include <stdio.h>
#include <stdlib.h>

static void *xcalloc(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (!p) {
		fprintf(stderr, "convert: out of memory\n");
		exit(1);
	}
	return p;
}

void threads_init(struct threads *threads)
{
	*threads = (struct threads){.nr_slots = 1024};
	threads->slots = xcalloc(threads->nr_slots, sizeof(*threads->slots));
	threads->last = &threads->first;
}

void threads_free(struct threads *threads)
{
	struct thread *next;

	for (struct thread *t = threads->first; t; t = next) {
		next = t->next;
		free(t);
	}
	free(threads->slots);
}

static struct thread **find(const struct threads *threads, u32 tid)
{
	u32 i = tid * 2654435761U & (threads->nr_slots - 1);

	while (threads->slots[i] && threads->slots[i]->tid != tid)
		i = (i + 1) & (threads->nr_slots - 1);
	return &threads->slots[i];
}

static void grow(struct threads *threads)
{
	struct thread **old = threads->slots;
	u32 nr_old = threads->nr_slots;

	threads->nr_slots *= 2;
	threads->slots = xcalloc(threads->nr_slots, sizeof(*threads->slots));
	for (u32 i = 0; i < nr_old; i++)
		if (old[i])
			*find(threads, old[i]->tid) = old[i];
	free(old);
}

struct thread *thread_new(struct threads *threads, u32 tid)
{
	if (threads->used * 2 >= threads->nr_slots)
		grow(threads);

	struct thread **slot = find(threads, tid);
	struct thread *t = xcalloc(1, sizeof(*t));

	threads->used += !*slot;
	*slot = t;
	t->tid = tid;
	t->prio = 120;
	*threads->last = t;
	threads->last = &t->next;
	return t;
}

struct thread *thread_find(const struct threads *threads, u32 tid)
{
	return *find(threads, tid);
}

struct thread *thread_get(struct threads *threads, u32 tid)
{
	struct thread *t = *find(threads, tid);

	return t ? t : thread_new(threads, tid);
}
