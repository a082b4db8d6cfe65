/*
 * kernel/ipc under the explorer: the real look-up, semop(), its waits, and removal. In every
 * interleaving each call ends, with a result that fits what the others did, and nobody touches a set
 * that was freed or a request whose thread has left. Then the argument is broken, piece by piece,
 * and the explorer must notice.
 *
 * A pretended hart is in the kernel but for its parks; a grace period waits until each of the others
 * has been elsewhere, as kernel/sync/epoch.c does. Freeing is a write to the set's memory.
 */
#include "tests/unit/unit.h"

/* Nothing is traced: the switches of the emitters would be one more word for the explorer to interleave. */
#define KERNEL_TRACE_TRACE_H
#define trace_sem_op(id, nr, num, op) ((void)(id), (void)(nr), (void)(num), (void)(op))
#define trace_ipc_wait(id)	      ((void)(id))
#define trace_ipc_wait_done(ret)      ((void)(ret))
#define trace_ipc_done(ret)	      ((void)(ret))

#include "kernel/ipc/sem.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/spinlock.c" /* over the model's atomics, whichever library is linked first */
#include "kernel/syscall/syscall.h"
#include "kernel/task/task.h"
#include "tests/model/programs.h"

#include <stdlib.h>

#undef time_now
#define time_now() 0UL /* no clock on the host */
#define HARTS	   3

/* What is broken. */
static enum { NOTHING, NO_GRACE, NO_TEST, LATE_TOUCH } broken;

struct model_task {
	struct task task;
	u32 permit;		     /* [a] of park() */
	u32 section;		     /* [a] odd: in the kernel */
	bool interrupted;	     /* the next park() ends by a signal */
	struct sem_request *request; /* while it waits, and after */
	bool left;		     /* semop() has returned */
};

static struct model_task tasks[MODEL_MAX_THREADS];
static struct process process = {.pid = 1};
static struct {
	struct sem_set set;
	struct sem sems[1];
} memory;
static bool freed;
static struct lock_class ipc_object_class = {.name = "ipc_object", .rank = RANK_IPC};

/* ---- the set's and the requests' memory, watched ---- */

static void check_set(void)
{
	model_data_read(&memory);
	model_check(!freed, "a set that was freed was touched");
}

static struct model_task *owner_of(const void *p)
{
	for (u32 i = 0; i < HARTS; i++) {
		char *r = (char *)tasks[i].request;

		if (r && (char *)p >= r && (char *)p < r + sizeof(struct sem_request))
			return &tasks[i];
	}
	return NULL;
}

static void touch_request(const void *p)
{
	struct model_task *t = owner_of(p);

	model_check(!t || !t->left, "a request that has ended was touched");
}

static void watched_spin_lock(struct spinlock *l)
{
	check_set();
	spin_lock(l);
}

static void watched_list_del(struct list *node)
{
	touch_request(node);
	model_data_write(list_entry(node, struct sem_request, link));
	list_del(node);
}

static void watched_list_add_tail(struct list *head, struct list *node)
{
	struct sem_request *r = list_entry(node, struct sem_request, link);

	container_of(r->thread, struct model_task, task.thread)->request = r;
	model_data_write(r);
	list_add_tail(head, node);
}

static bool lock_without_test(struct ipc_object *o)
{
	watched_spin_lock(&o->lock);
	return true;
}

static bool lock_or_not(struct ipc_object *o)
{
	check_set();
	return broken == NO_TEST ? lock_without_test(o) : ipc_lock(o);
}

#define spin_lock     watched_spin_lock
#define list_del      watched_list_del
#define list_add_tail watched_list_add_tail
#define ipc_lock      lock_or_not
#undef atomic_store_release
#define atomic_store_release(p, v)                                                                 \
	({                                                                                         \
		MODEL_STORE(p, v, MODEL_RELEASE);                                                  \
		if (broken == LATE_TOUCH) {                                                        \
			(void)atomic_load_relaxed(p);                                              \
			touch_request(p);                                                          \
		}                                                                                  \
	})

#include "kernel/ipc/sem.c"

#undef spin_lock
#undef list_del
#undef list_add_tail
#undef ipc_lock

#include "kernel/ipc/table.c"

/* ---- what the code stands on ---- */

struct ipc_table sem_table;
struct ipc_limits ipc_limits;

void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

void *kmalloc(size_t size)
{
	return malloc(size);
}

/* For one chunk of slots. */
static struct ipc_object *chunk[IPC_CHUNK];

void *kzalloc(size_t size)
{
	return size <= sizeof(chunk) ? memset(chunk, 0, size) : NULL;
}

void kfree(void *p)
{
	free(p);
}

int copy_from_user(void *dst, const void __user *src, size_t n)
{
	memcpy(dst, src, n);
	return 0;
}

u64 time_ns_to_ticks(u64 ns)
{
	return ns;
}

u64 ipc_now(void)
{
	return 0;
}

bool ipc_permitted(const struct ipc_object *o, u32 want)
{
	(void)o;
	(void)want;
	return true;
}

bool ipc_owned(const struct ipc_object *o)
{
	return ipc_permitted(o, 0);
}

struct sem_undo *sem_undo_get(struct sem_set *set)
{
	(void)set;
	return NULL;
}

void sem_undo_drop_all(struct sem_set *set)
{
	(void)set;
}

struct keyset *keyset_create(void)
{
	return NULL;
}

struct keyset_node *keyset_find(struct keyset *set, u32 key)
{
	(void)set;
	(void)key;
	return NULL;
}

bool keyset_insert(struct keyset *set, struct keyset_node *node)
{
	return set && node;
}

void keyset_remove(struct keyset *set, struct keyset_node *node)
{
	(void)set;
	(void)node;
}

static struct model_task *model_self(void)
{
	return container_of(thread_current(), struct model_task, task.thread);
}

static void section_step(struct model_task *t)
{
	atomic_store_release(&t->section, t->section + 1);
	fence_full();
}

static int task_park(u64 deadline, u32 flags)
{
	struct model_task *t = model_self();

	(void)deadline;
	(void)flags;
	if (t->interrupted) {
		t->interrupted = false;
		return -EINTR;
	}
	section_step(t);
	while (!atomic_load_relaxed(&t->permit))
		cpu_relax();
	atomic_xchg(&t->permit, 0);
	section_step(t);
	return 0;
}

static void task_unpark(struct thread *t)
{
	atomic_xchg(&container_of(t, struct model_task, task.thread)->permit, 1);
}

static bool task_batch_add(struct unpark_batch *b, struct thread *t)
{
	(void)b;
	task_unpark(t);
	return true;
}

/* Each of the others has been out of the kernel. */
static void grace_period(void)
{
	fence_full();
	for (u32 i = 0; i < nr_cpus; i++) {
		u32 seen = atomic_load_acquire(&tasks[i].section);

		if (&tasks[i] == model_self() || !(seen & 1))
			continue;
		while (atomic_load_relaxed(&tasks[i].section) == seen)
			cpu_relax();
		fence_acquire();
	}
}

/* ---- the programs ---- */

static long results[HARTS];

static void reset(u32 harts)
{
	model_harts_reset(harts);
	memset(tasks, 0, sizeof(tasks));
	memset(&memory, 0, sizeof(memory));
	memset(results, 0, sizeof(results));
	freed = false;
	spin_init(&memory.set.base.lock, &ipc_object_class);
	memory.set.nr = 1;
	memory.set.base.linked = true;
	list_init(&memory.set.waiters);
	list_init(&memory.set.undos);
	sem_table.chunks[0] = chunk;
	sem_table.used[0] = 1;
	sem_table.in_use = 1;
	chunk[0] = &memory.set.base;
	for (u32 i = 0; i < harts; i++) {
		tasks[i].section = 1;
		tasks[i].task.process = &process;
		cpu_of(i)->current = &tasks[i].task.thread;
	}
	park_ops = (struct park_ops){
		.park = task_park, .unpark = task_unpark, .batch_add = task_batch_add};
	model_hart_switched(0);
}

static void operate(u32 id, s16 op)
{
	struct abi_sembuf ops = {0, op, 0};
	struct model_task *t = &tasks[id];

	results[id] = sem_call(0, &ops, 1, PARK_FOREVER);
	t->left = true;
	if (t->request)
		model_data_write(t->request); /* the next call's frame */
	section_step(t);
}

static void remove_set(u32 id)
{
	struct unpark_batch batch = {0};

	ipc_unlink(&sem_table, &memory.set.base);
	sem_end(&memory.set, &batch);
	if (broken != NO_GRACE)
		grace_period();
	model_data_write(&memory);
	freed = true;
	section_step(&tasks[id]);
}

static void setup_two(void)
{
	reset(2);
}

static void setup_two_interrupted(void)
{
	reset(2);
	tasks[0].interrupted = true;
}

static void setup_three(void)
{
	reset(3);
}

static void setup_three_interrupted(void)
{
	reset(3);
	tasks[0].interrupted = true;
}

/* One waits for a unit, one removes the set. */
static void removal_thread(u32 id)
{
	if (id == 0)
		operate(0, -1);
	else
		remove_set(1);
}

static void removal_finish(void)
{
	MODEL_CHECK(results[0] == -EINVAL || results[0] == -EIDRM || results[0] == -EINTR);
	MODEL_CHECK(freed);
}

static const struct model_program removal_program = {
	.name = "ipc: semop, removal",
	.nr_threads = 2,
	.setup = setup_two,
	.thread = removal_thread,
	.finish = removal_finish,
	.switched_to = model_hart_switched,
};
static const struct model_program removal_signal_program = {
	.name = "ipc: semop, removal, signal",
	.nr_threads = 2,
	.setup = setup_two_interrupted,
	.thread = removal_thread,
	.finish = removal_finish,
	.switched_to = model_hart_switched,
};

/* One waits for a unit, one gives it. */
static void give_thread(u32 id)
{
	operate(id, id == 0 ? -1 : 1);
}

static void give_finish(void)
{
	MODEL_CHECK(results[1] == 0);
	MODEL_CHECK(results[0] == 0 || results[0] == -EINTR);
	MODEL_CHECK(memory.sems[0].value == (results[0] ? 1 : 0));
	MODEL_CHECK(list_empty(&memory.set.waiters));
}

static const struct model_program give_program = {
	.name = "ipc: semop down, up",
	.nr_threads = 2,
	.setup = setup_two,
	.thread = give_thread,
	.finish = give_finish,
	.switched_to = model_hart_switched,
};
static const struct model_program give_signal_program = {
	.name = "ipc: semop down, up, signal",
	.nr_threads = 2,
	.setup = setup_two_interrupted,
	.thread = give_thread,
	.finish = give_finish,
	.switched_to = model_hart_switched,
};

/* All three, with and without the signal. */
static void all_thread(u32 id)
{
	if (id == 2)
		remove_set(2);
	else
		give_thread(id);
}

static void all_finish(void)
{
	MODEL_CHECK(results[1] == 0 || results[1] == -EINVAL || results[1] == -EIDRM);
	/* Who was served was given something. */
	MODEL_CHECK(results[0] != 0 || results[1] == 0);
	MODEL_CHECK(freed);
}

static const struct model_program all_program = {
	.name = "ipc: semop down, up, removal",
	.nr_threads = 3,
	.setup = setup_three,
	.thread = all_thread,
	.finish = all_finish,
	.switched_to = model_hart_switched,
	.max_preemptions = 2,
};
static const struct model_program all_signal_program = {
	.name = "ipc: semop down, up, removal, signal",
	.nr_threads = 3,
	.setup = setup_three_interrupted,
	.thread = all_thread,
	.finish = all_finish,
	.switched_to = model_hart_switched,
	.max_preemptions = 2,
};

/* One makes the set, one looks for it. */
static void setup_unmade(void)
{
	static const struct ipc_type type = {.limit = &ipc_limits.sem[SEMMNI]};

	reset(2);
	ipc_limits.sem[SEMMNI] = 1;
	sem_table.type = &type;
	sem_table.next_id = IPC_ID_ANY;
	sem_table.last_index = NO_INDEX;
	sem_table.sequence = 0;
	sem_table.chunks[0] = NULL;
	sem_table.used[0] = 0;
	sem_table.in_use = 0;
	chunk[0] = NULL;
}

static void make_thread(u32 id)
{
	if (id == 0) {
		model_data_write(&memory);
		results[0] = ipc_link(&sem_table, &memory.set.base);
	} else if (ipc_find(&sem_table, 0)) {
		model_data_read(&memory);
	}
}

static void make_finish(void)
{
	MODEL_CHECK(results[0] == 0);
	MODEL_CHECK(ipc_at(&sem_table, 0) == &memory.set.base);
}

static const struct model_program make_program = {
	.name = "ipc: make, find",
	.nr_threads = 2,
	.setup = setup_unmade,
	.thread = make_thread,
	.finish = make_finish,
	.switched_to = model_hart_switched,
};

/* The same in a chunk that is there. */
static void setup_unmade_slot(void)
{
	setup_unmade();
	sem_table.chunks[0] = chunk;
}

static const struct model_program make_slot_program = {
	.name = "ipc: make in an old chunk, find",
	.nr_threads = 2,
	.setup = setup_unmade_slot,
	.thread = make_thread,
	.finish = make_finish,
	.switched_to = model_hart_switched,
};

static const struct model_program *const programs[] = {
	&make_program, &make_slot_program,   &removal_program, &removal_signal_program,
	&give_program, &give_signal_program, /* two threads to here */
	&all_program,  &all_signal_program,
};
#define SMALL_PROGRAMS 6

TEST(every_interleaving)
{
	for (u32 i = 0; i < ARRAY_SIZE(programs); i++) {
		struct model_result r = model_explore(programs[i]);

		printf("# %s: %lu executions, %lu states%s%s\n", programs[i]->name, r.executions,
		       r.states, r.violation ? ": " : "", r.violation ? r.violation : "");
		CHECK(!r.violation);
		CHECK(r.complete);
	}
}

static bool noticed(int what)
{
	bool found = false;

	broken = what;
	for (u32 i = 0; i < ARRAY_SIZE(programs) && !found; i++) {
		struct model_result r = model_explore(programs[i]);

		if (r.violation)
			printf("# broken %d: %s: %s\n", what, programs[i]->name, r.violation);
		found = r.violation;
	}
	broken = NOTHING;
	return found;
}

TEST(freeing_without_a_grace_period)
{
	CHECK(noticed(NO_GRACE));
}

TEST(locking_without_the_test)
{
	CHECK(noticed(NO_TEST));
}

TEST(touching_after_the_end)
{
	CHECK(noticed(LATE_TOUCH));
}

/*
 * Not in table.c: what its stores publish is written before the exchange of next_id, or the zeroes of
 * a chunk, which are no data to the explorer.
 */
TEST(each_order_is_needed)
{
	for (u32 i = 0; i < SMALL_PROGRAMS; i++)
		model_mutate(programs[i], false);
	CHECK(model_unnoticed("ipc/sem.c", false) == 0);
}
