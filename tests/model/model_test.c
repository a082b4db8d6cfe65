/*
 * kernel/sync under the explorer: inbox, doorbell, epoch, mutex, completion, sequence counter. Each
 * must survive every interleaving, and each of its fences and ordered operations is broken in turn,
 * which the explorer must notice.
 */
#include "tests/unit/unit.h"

#include "kernel/sync/completion.h"
#include "kernel/sync/epoch.c" /* its static state is made fresh before each execution */
#include "kernel/sync/hart.h"
#include "kernel/sync/inbox.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/seqlock.h"
#include "tests/model/programs.h"

static void expect_safe(const struct model_program *p)
{
	struct model_result r = model_explore(p);

	printf("# %s: %lu executions, %lu states%s%s\n", p->name, r.executions, r.states,
	       r.violation ? ": " : "", r.violation ? r.violation : "");
	CHECK(!r.violation);
	CHECK(r.complete);
}

/*
 * --- inbox: two producers, one of them pushes a chain; each message's data is whole, in order,
 * once ---
 */

static struct inbox inbox;
static struct inbox_node inbox_nodes[3];
static u32 inbox_order[3], inbox_received;

static void inbox_setup(void)
{
	memset(&inbox, 0, sizeof(inbox));
	inbox_received = 0;
}

static void inbox_thread(u32 id)
{
	if (id == 0) {
		model_data_write(&inbox_nodes[0]);
		inbox_push(&inbox, &inbox_nodes[0]);
	} else if (id == 1) {
		model_data_write(&inbox_nodes[1]);
		model_data_write(&inbox_nodes[2]);
		inbox_nodes[1].next = &inbox_nodes[2];
		inbox_push_chain(&inbox, &inbox_nodes[1], &inbox_nodes[2]);
	}
	while (id == 2 && inbox_received < 3) {
		struct inbox_node *n = inbox_take_all(&inbox);

		if (!n)
			cpu_relax();
		for (; n && inbox_received < 3; n = n->next) {
			model_data_write(n); /* the consumer may reuse it */
			inbox_order[inbox_received++] = (u32)(n - inbox_nodes);
		}
	}
}

static void inbox_finish(void)
{
	u32 seen = 0;

	for (u32 i = 0; i < 3; i++) {
		MODEL_CHECK(inbox_order[i] != 2 || (seen & BIT(1)));
		seen |= (u32)BIT(inbox_order[i]);
	}
	MODEL_CHECK(seen == 7 && inbox_empty(&inbox));
}

static const struct model_program inbox_program = {
	"inbox", 3, inbox_setup, inbox_thread, inbox_finish, NULL, 0};

TEST(inbox_safe)
{
	expect_safe(&inbox_program);
}

/*
 * --- doorbell: a hart that halts, or goes to user mode, until two senders' messages have come ---
 */

static u32 doorbell_message[3];

static void doorbell_setup(void)
{
	model_harts_reset(3);
}

static void doorbell_send(u32 id, bool urgent)
{
	model_data_write(&doorbell_message[id]);
	hart_kick(0, (u32)BIT(id), urgent);
}

/* Takes messages until those in `expected` have come. */
static void doorbell_receive(u32 expected, enum hart_state idle)
{
	u32 got = 0, work;

	while ((got & expected) != expected) {
		if (!hart_leave_kernel(idle)) {
			model_wfi();
			hart_enter_kernel();
		}
		work = hart_take_work();
		for (u32 i = 1; i < 3; i++) {
			if (work & BIT(i))
				model_data_read(&doorbell_message[i]);
		}
		got |= work;
	}
}

static void doorbell_halted_thread(u32 id)
{
	if (id != 0)
		doorbell_send(id, false);
	else
		doorbell_receive(BIT(1) | BIT(2), HART_HALTED);
}

/* In user mode only an urgent demand rings; the other sender's comes along or waits. */
static void doorbell_user_thread(u32 id)
{
	if (id != 0)
		doorbell_send(id, id == 1);
	else
		doorbell_receive(BIT(1), HART_USER);
}

static const struct model_program doorbell_halted_program = {
	"doorbell, halted",  3, doorbell_setup, doorbell_halted_thread, NULL,
	model_hart_switched, 0};
static const struct model_program doorbell_user_program = {
	"doorbell, user mode", 3, doorbell_setup, doorbell_user_thread, NULL,
	model_hart_switched,   0};

TEST(doorbell_loses_no_wakeup)
{
	expect_safe(&doorbell_halted_program);
	expect_safe(&doorbell_user_program);
}

/*
 * --- epoch: hart 0 reads, hart 1 replaces the object and frees the old one, hart 2 moves grace
 * periods on ---
 */

static struct epoch_node objects[2];
static struct epoch_node *object_published;
static bool object_freed;

static void object_free(struct epoch_node *node)
{
	model_data_write(node); /* a race with every read that is not ordered before */
	object_freed = true;
}

/* `harts` that the grace periods watch; all in the kernel. */
static void epoch_reset(u32 harts)
{
	model_harts_reset(harts);
	memset(&gp.waiting, 0, sizeof(gp) - offsetof(__typeof__(gp), waiting));
	gp.lock.word = 0;
	gp.now = 1;
	barrier.outstanding = barrier.seq = 0;
	barrier.done.word = NULL;
	mutex_init(&barrier.lock, &epoch_barrier_class);
	object_published = &objects[0];
	object_freed = false;
}

static void epoch_read(void)
{
	model_data_read(atomic_load_acquire(&object_published));
}

static void epoch_replace(void)
{
	atomic_store_release(&object_published, &objects[1]);
	epoch_defer(&objects[0], object_free);
}

/* What a poll does, without barriers and kicks; only hart 0 is watched. */
static void epoch_scan_and_run(u32 scans)
{
	while (scans--)
		epoch_scan();
	epoch_run(this_cpu_ptr(epoch_local));
}

static void epoch_user_setup(void)
{
	epoch_reset(1);
	cpu_of(0)->state = HART_USER;
}

/*
 * The reader comes from user mode and goes back; the updater and a third hart move the grace
 * periods on.
 */
static void epoch_user_thread(u32 id)
{
	if (id == 0) {
		hart_enter_kernel();
		epoch_read();
		hart_leave_kernel(HART_USER);
	} else if (id == 1) {
		epoch_replace();
		epoch_scan_and_run(1);
	} else {
		epoch_scan();
	}
}

static void epoch_kernel_setup(void)
{
	epoch_reset(1);
}

/* The reader stays in the kernel and passes a quiescent point between two reads. */
static void epoch_kernel_thread(u32 id)
{
	if (id == 0) {
		epoch_read();
		epoch_quiesce();
		epoch_read();
	} else {
		epoch_replace();
		epoch_scan_and_run(3);
	}
}

static void epoch_poll_setup(void)
{
	epoch_reset(2);
	cpu_of(0)->state = HART_USER;
}

static void epoch_poll_thread(u32 id)
{
	if (id == 0) {
		hart_enter_kernel();
		epoch_read();
		hart_leave_kernel(HART_USER);
	} else {
		epoch_replace();
		epoch_poll();
	}
}

/* If the object lives on, a hart has been asked to carry the grace period on. */
static void epoch_poll_finish(void)
{
	MODEL_CHECK(object_freed || ((cpu_of(0)->work | cpu_of(1)->work) & HART_WORK_EPOCH));
}

static void epoch_barrier_setup(void)
{
	epoch_reset(2);
	model_hart_switched(1);
	epoch_defer(&objects[0], object_free);
}

/* Hart 1 has a deferred object and halts whenever it may; the barrier must reach it. */
static void epoch_barrier_thread(u32 id)
{
	u32 work = 0;

	if (id == 0) {
		epoch_barrier();
		MODEL_CHECK(object_freed);
		model_data_write(&objects[0]);
		hart_kick(1, HART_WORK_STOP, true);
		while (hart_leave_kernel(HART_USER))
			hart_take_work();
		return;
	}
	while (!(work & HART_WORK_STOP)) {
		if (!hart_leave_kernel(HART_HALTED)) {
			model_wfi();
			hart_enter_kernel();
		}
		work = hart_take_work();
		if (work & HART_WORK_EPOCH)
			epoch_poll();
	}
}

static const struct model_program epoch_user_program = {
	"epoch, user mode", 3, epoch_user_setup, epoch_user_thread, NULL, model_hart_switched, 0};
static const struct model_program epoch_kernel_program = {
	"epoch, quiescent point", 2, epoch_kernel_setup, epoch_kernel_thread, NULL,
	model_hart_switched,	  0};
static const struct model_program epoch_poll_program = {
	"epoch, poll",	     2, epoch_poll_setup, epoch_poll_thread, epoch_poll_finish,
	model_hart_switched, 0};
static const struct model_program epoch_barrier_program = {
	"epoch, barrier",    2, epoch_barrier_setup, epoch_barrier_thread, NULL,
	model_hart_switched, 2};

TEST(epoch_frees_nothing_in_use)
{
	expect_safe(&epoch_user_program);
	expect_safe(&epoch_kernel_program);
}

TEST(epoch_goes_on)
{
	expect_safe(&epoch_poll_program);
	expect_safe(&epoch_barrier_program);
}

/* --- mutex: two threads count; one may be interrupted while it waits, and tries again --- */

LOCK_CLASS(model_mutex, RANK_INODE);

static struct mutex mutex;
static u32 mutex_counter;

static void mutex_setup(void)
{
	model_harts_reset(2);
	mutex_init(&mutex, &model_mutex_class);
	mutex_counter = 0;
	model_interrupt(1);
}

static void mutex_thread(u32 id)
{
	if (id == 0 || mutex_lock_killable(&mutex))
		mutex_lock(&mutex);
	model_data_write(&mutex_counter);
	mutex_counter++;
	mutex_unlock(&mutex);
}

static void mutex_finish(void)
{
	MODEL_CHECK(mutex_counter == 2);
	MODEL_CHECK(mutex.word == 0 && list_empty(&mutex.queue));
}

static const struct model_program mutex_program = {
	"mutex", 2, mutex_setup, mutex_thread, mutex_finish, model_hart_switched, 0};

/* The same with three threads, of which two spin first, so that they meet the woken one. */
static void mutex_spin_setup(void)
{
	mutex_setup();
	model_harts_reset(3);
	model_spin_once(1);
	model_spin_once(2);
}

static void mutex_spin_thread(u32 id)
{
	(void)id;
	mutex_lock(&mutex);
	model_data_write(&mutex_counter);
	mutex_counter++;
	mutex_unlock(&mutex);
}

static void mutex_spin_finish(void)
{
	MODEL_CHECK(mutex_counter == 3);
	MODEL_CHECK(mutex.word == 0 && list_empty(&mutex.queue));
}

static const struct model_program mutex_spin_program = {
	"mutex, spinning",   3, mutex_spin_setup, mutex_spin_thread, mutex_spin_finish,
	model_hart_switched, 2};

TEST(mutex_excludes_and_wakes)
{
	expect_safe(&mutex_program);
	expect_safe(&mutex_spin_program);
}

/* --- spin lock --- */

LOCK_CLASS(model_spin, RANK_RUNQ);

static struct spinlock spin;

static void spin_setup(void)
{
	model_harts_reset(3);
	spin_init(&spin, &model_spin_class);
}

static void spin_thread(u32 id)
{
	(void)id;
	spin_lock(&spin);
	model_data_write(&spin);
	spin_unlock(&spin);
}

static const struct model_program spin_program = {
	"spin lock", 3, spin_setup, spin_thread, NULL, model_hart_switched, 0};

TEST(spinlock_excludes)
{
	expect_safe(&spin_program);
}

/* --- completion: data passes from the signaller to the waiter --- */

static struct completion completion;
static u32 completion_data;

static void completion_setup(void)
{
	model_harts_reset(2);
	completion.word = NULL;
}

static void completion_thread(u32 id)
{
	if (id == 0) {
		model_data_write(&completion_data);
		completion_signal(&completion);
	} else {
		completion_wait(&completion);
		model_data_read(&completion_data);
	}
}

static const struct model_program completion_program = {
	"completion", 2, completion_setup, completion_thread, NULL, model_hart_switched, 0};

TEST(completion_passes_data)
{
	expect_safe(&completion_program);
}

/* --- sequence counter: a reader never returns half of a record --- */

static struct seqcount record_seq;
static u32 record_x, record_y;

static void seq_setup(void)
{
	record_seq.seq = record_x = record_y = 0;
}

static void seq_thread(u32 id)
{
	u32 seq, x, y;

	if (id == 0) {
		seq_write_begin(&record_seq);
		atomic_store_relaxed(&record_x, 1);
		atomic_store_relaxed(&record_y, 1);
		seq_write_end(&record_seq);
		return;
	}
	do {
		seq = seq_read_begin(&record_seq);
		x = atomic_load_relaxed(&record_x);
		y = atomic_load_relaxed(&record_y);
	} while (seq_read_retry(&record_seq, seq));
	MODEL_CHECK(x == y);
}

static const struct model_program seq_program = {
	"sequence counter", 2, seq_setup, seq_thread, NULL, NULL, 0};

TEST(seqcount_tears_nothing)
{
	expect_safe(&seq_program);
}

/* --- every fence and every ordered operation of all these is needed by one of them --- */

TEST(each_fence_is_needed)
{
	static const char *const files[] = {"hart.h",	   "epoch.h",	   "epoch.c",
					    "spin_word.h", "completion.h", "seqlock.h"};

	model_mutate(&inbox_program, false);
	model_mutate(&seq_program, false);
	model_mutate(&completion_program, false);
	model_mutate(&spin_program, false);
	model_mutate(&mutex_program, false);
	model_mutate(&doorbell_user_program, true);
	model_mutate(&epoch_kernel_program, false);
	model_mutate(&epoch_user_program, false);
	CHECK(model_unnoticed("inbox.c", true) == 0);
	CHECK(model_unnoticed("hart.c", true) == 0);
	for (u32 i = 0; i < ARRAY_SIZE(files); i++)
		CHECK(model_unnoticed(files[i], false) == 0);
}
