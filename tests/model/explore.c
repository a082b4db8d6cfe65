/*
 * The search: replays a prefix of choices, then takes the first of each further choice, until the
 * program ends; then moves the last choice that has an alternative on. See explore.h; the memory
 * model is in memory.c.
 */
#include "tests/model/explore.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "tests/model/memory.h"

#define STACK_SIZE  (64 * 1024)
#define MAX_CHOICES 4096
#define MAX_STATES  (4UL << 20)
#define MAX_BROKEN  64

struct choice {
	u32 taken;
	u32 options;
};

struct coroutine {
	jmp_buf where;
	bool started;
	bool finished;
	u64 waits_for; /* runnable once the memory's message count differs; 0: not waiting */
	char stack[STACK_SIZE];
};

static const struct model_program *program;
static struct coroutine threads[MODEL_MAX_THREADS];
static u32 running;
static jmp_buf main_context;
static ucontext_t start_context, unused_context;
static u32 preemptions; /* in this execution */
static const char *violation;

static struct choice choices[MAX_CHOICES];
static u32 depth;    /* choices made in this execution */
static u32 replayed; /* choices prescribed for this execution */
static bool cut_off;

/* Hashes of the states seen, open addressing; 0 is empty. */
static u64 *seen;
static u64 seen_size, seen_count;

enum { RUN_STARTED, RUN_ENDED };

static void __noreturn execution_end(void)
{
	longjmp(main_context, RUN_ENDED);
}

static void __noreturn execution_fail(const char *what)
{
	violation = what;
	execution_end();
}

void model_check(bool ok, const char *what)
{
	if (!ok)
		execution_fail(what);
}

u32 model_choose(u32 options)
{
	struct choice *c = &choices[depth];

	if (options <= 1)
		return 0;
	if (depth == MAX_CHOICES) {
		cut_off = true;
		execution_end();
	}
	if (depth >= replayed)
		*c = (struct choice){0, options};
	depth++;
	return c->taken;
}

static void seen_grow(void)
{
	u64 old_size = seen_size, *old = seen;

	seen_size = old_size ? old_size * 2 : 1 << 16;
	seen = calloc(seen_size, sizeof(*seen));
	for (u64 i = 0; i < old_size; i++) {
		u64 at = old[i] % seen_size;

		if (!old[i])
			continue;
		while (seen[at])
			at = (at + 1) % seen_size;
		seen[at] = old[i];
	}
	free(old);
}

/* True if `hash` is new. */
static bool seen_add(u64 hash)
{
	u64 at;

	if (seen_count * 2 >= seen_size)
		seen_grow();
	for (at = hash % seen_size; seen[at]; at = (at + 1) % seen_size) {
		if (seen[at] == hash)
			return false;
	}
	seen[at] = hash;
	seen_count++;
	return true;
}

static bool thread_runnable(const struct coroutine *t)
{
	return !t->finished && t->waits_for != memory_message_count();
}

static u64 state_hash(void)
{
	u64 flags = 1 + (program->max_preemptions ? preemptions : 0);

	/* Under a bound it matters who may go on for free. */
	if (program->max_preemptions)
		flags = flags * MODEL_MAX_THREADS + running;
	for (u32 i = 0; i < program->nr_threads; i++)
		flags = flags << 3 | (u64)threads[i].started << 2 | (u64)threads[i].finished << 1 |
			thread_runnable(&threads[i]);
	return memory_hash(flags) | 1;
}

static void thread_main(void)
{
	program->thread(running);
	threads[running].finished = true;
	model_switch();
	abort();
}

static void __noreturn thread_resume(u32 id)
{
	struct coroutine *t = &threads[id];

	running = id;
	memory_set_thread(id);
	if (program->switched_to)
		program->switched_to(id);
	if (t->started)
		longjmp(t->where, 1);
	t->started = true;
	getcontext(&start_context);
	start_context.uc_stack.ss_sp = t->stack;
	start_context.uc_stack.ss_size = STACK_SIZE;
	start_context.uc_link = &unused_context;
	makecontext(&start_context, thread_main, 0);
	setcontext(&start_context);
	abort();
}

/* Not inlined: setjmp() would spoil the caller's variables. */
static void __noinline switch_to(u32 next)
{
	if (!threads[running].started || !setjmp(threads[running].where))
		thread_resume(next);
}

static u32 choose_thread(const u32 *runnable, u32 count)
{
	bool goes_on = threads[running].started && thread_runnable(&threads[running]);
	u32 next;

	if (goes_on && program->max_preemptions && preemptions == program->max_preemptions)
		return running;
	next = runnable[model_choose(count)];
	if (goes_on && next != running)
		preemptions++;
	return next;
}

/* Chooses who goes on; returns in the thread that called once it is chosen again. */
void model_switch(void)
{
	u32 runnable[MODEL_MAX_THREADS], count = 0, unfinished = 0, next;

	for (u32 i = 0; i < program->nr_threads; i++) {
		unfinished += !threads[i].finished;
		if (thread_runnable(&threads[i]))
			runnable[count++] = i;
	}
	if (unfinished == 0)
		execution_end();
	if (count == 0)
		execution_fail("deadlock: every thread waits");
	if (depth >= replayed && !seen_add(state_hash()))
		execution_end();
	if (seen_count > MAX_STATES) {
		cut_off = true;
		execution_end();
	}
	next = choose_thread(runnable, count);
	threads[next].waits_for = 0;
	if (next != running || !threads[next].started)
		switch_to(next);
}

void model_relax(void)
{
	if (memory_catch_up())
		return;
	threads[running].waits_for = memory_message_count();
	model_switch();
}

void model_fail(const char *what)
{
	execution_fail(what);
}

static void execute(void)
{
	depth = 0;
	preemptions = 0;
	violation = NULL;
	memory_running = false;
	program->setup();
	for (u32 i = 0; i < program->nr_threads; i++) {
		threads[i].started = threads[i].finished = false;
		threads[i].waits_for = 0;
	}
	memory_reset(program->nr_threads);
	memory_running = true;
	running = 0;
	if (setjmp(main_context) == RUN_STARTED)
		model_switch();
	memory_running = false;
	for (u32 i = 0; i < program->nr_threads && !violation; i++) {
		if (!threads[i].finished)
			return;
	}
	if (!violation && program->finish && setjmp(main_context) == RUN_STARTED)
		program->finish();
}

/* Moves on to the next combination of choices; false after the last. */
static bool next_execution(void)
{
	while (depth > 0 && choices[depth - 1].taken + 1 == choices[depth - 1].options)
		depth--;
	if (depth == 0)
		return false;
	choices[depth - 1].taken++;
	replayed = depth;
	return true;
}

struct model_result model_explore(const struct model_program *p)
{
	struct model_result r = {0};

	program = p;
	replayed = 0;
	cut_off = false;
	free(seen);
	seen = NULL;
	seen_size = seen_count = 0;
	do {
		execute();
		r.executions++;
	} while (!violation && !cut_off && next_execution());
	r.violation = violation;
	r.states = seen_count;
	r.complete = !cut_off;
	return r;
}

/*
 * The first copy of the same line in the program: inline functions have one in each file. It keeps
 * the notes.
 */
static struct model_site *first_copy(const struct model_site *s)
{
	struct model_site *t;

	for_each_model_site(t)
	{
		if (t->line == s->line && strcmp(t->file, s->file) == 0)
			break;
	}
	return t;
}

static void weaken(const struct model_site *first, enum model_weakness w)
{
	struct model_site *s;

	for_each_model_site(s)
	{
		if (first_copy(s) == first)
			s->weakness = w;
	}
}

static void mutate(const struct model_program *p, struct model_site *s, enum model_weakness w)
{
	struct model_result r;

	s->tried |= BIT(w);
	if (s->noticed & BIT(w))
		return;
	weaken(s, w);
	r = model_explore(p);
	weaken(s, MODEL_INTACT);
	if (r.violation)
		s->noticed |= BIT(w);
	printf("# %s: %s:%d %s: %s (%lu executions)\n", p->name, s->file, s->line,
	       w == MODEL_TSO ? "without store-load order" : "relaxed",
	       r.violation ? r.violation : "not noticed", r.executions);
}

void model_mutate(const struct model_program *p, bool rmw_fences)
{
	struct model_site *s, *broken[MAX_BROKEN];
	u32 count = 0;

	for_each_model_site(s) s->hits = 0;
	model_explore(p);
	for_each_model_site(s)
	{
		struct model_site *first = first_copy(s);

		for (u32 i = 0; i < count && first; i++)
			first = first == broken[i] ? NULL : first;
		if (first && s->hits && s->order != MODEL_RELAXED && strstr(s->file, "kernel/") &&
		    count < MAX_BROKEN)
			broken[count++] = first;
	}
	for (u32 i = 0; i < count; i++) {
		mutate(p, broken[i], MODEL_GONE);
		if (broken[i]->order == MODEL_FULL && (rmw_fences || !broken[i]->rmw))
			mutate(p, broken[i], MODEL_TSO);
	}
}

u32 model_unnoticed(const char *file, bool rmw)
{
	struct model_site *s;
	size_t end = strlen(file);
	u32 count = 0;

	for_each_model_site(s)
	{
		size_t length = strlen(s->file);

		if (length < end || strcmp(s->file + length - end, file) || (s->rmw && !rmw))
			continue;
		if (!(s->tried & ~s->noticed))
			continue;
		printf("# %s:%d: nothing notices that it is broken\n", s->file, s->line);
		count++;
	}
	return count;
}
