/*
 * The memory model: see explore.h for what it covers.
 *
 * A view maps each location to a message number and each thread to a clock (how many of its
 * accesses to plain data are known to have happened before). A thread has three: `current`;
 * `acquired`, what its loads so far would show after an acquire fence; and `released`, its view at
 * its last release fence, which its relaxed stores carry. A full fence also joins the one global
 * view `sc` both ways: of two full fences one sees all that the other saw. Clocks detect races on
 * plain data.
 */
#include "tests/model/memory.h"

#include <string.h>

#include "tests/model/explore.h"

#define MAX_LOCATIONS 32
#define MAX_MESSAGES  96
#define MAX_DATA      16

struct view {
	u16 message[MAX_LOCATIONS];
	u16 clock[MODEL_MAX_THREADS];
};

struct message {
	u64 value;
	struct view view;
};

struct location {
	volatile void *address;
	size_t size;
	u16 last; /* newest message */
	struct message history[MAX_MESSAGES];
};

struct data {
	const void *address;
	u16 write_clock, writer;
	u16 read_clock[MODEL_MAX_THREADS];
};

struct thread_view {
	struct view current, acquired, released;
	u64 trace; /* hash of its steps and all values it was given: decides its private state */
};

bool memory_running;

static struct location locations[MAX_LOCATIONS];
static u32 nr_locations;
static struct data data[MAX_DATA];
static u32 nr_data;
static struct thread_view threads[MODEL_MAX_THREADS];
static struct view sc;
static u32 nr_threads, self;
static u64 messages;

void memory_reset(u32 count)
{
	nr_threads = count;
	nr_locations = nr_data = 0;
	messages = 1;
	memset(threads, 0, sizeof(threads));
	memset(&sc, 0, sizeof(sc));
}

void memory_set_thread(u32 id)
{
	self = id;
}

u64 memory_message_count(void)
{
	return messages;
}

static void view_join(struct view *to, const struct view *from)
{
	for (u32 i = 0; i < nr_locations; i++)
		to->message[i] = MAX(to->message[i], from->message[i]);
	for (u32 i = 0; i < nr_threads; i++)
		to->clock[i] = MAX(to->clock[i], from->clock[i]);
}

static u64 plain_load(const volatile void *p, size_t size)
{
	if (size == 1)
		return *(const volatile u8 *)p;
	return size == 4 ? *(const volatile u32 *)p : *(const volatile u64 *)p;
}

static void plain_store(volatile void *p, size_t size, u64 v)
{
	if (size == 1)
		*(volatile u8 *)p = (u8)v;
	else if (size == 4)
		*(volatile u32 *)p = (u32)v;
	else
		*(volatile u64 *)p = v;
}

/* The location at `p`; message 0 is what setup() left there. */
static struct location *location_of(const volatile void *p, size_t size)
{
	struct location *l;

	for (u32 i = 0; i < nr_locations; i++) {
		if (locations[i].address == p)
			return &locations[i];
	}
	if (nr_locations == MAX_LOCATIONS)
		model_fail("explorer: too many locations");
	l = &locations[nr_locations++];
	l->address = (volatile void *)p;
	l->size = size;
	l->last = 0;
	memset(&l->history[0].view, 0, sizeof(l->history[0].view));
	l->history[0].value = plain_load(p, size);
	return l;
}

static void trace_value(u64 v)
{
	struct thread_view *t = &threads[self];

	t->trace = (t->trace ^ v) * 0x9e3779b97f4a7c15UL;
	t->trace ^= t->trace >> 29;
}

static enum model_order order_of(struct model_site *site)
{
	site->hits++;
	return site->weakness == MODEL_GONE ? MODEL_RELAXED : site->order;
}

static void step(void)
{
	model_switch();
	trace_value(~0UL);
}

static void fence(enum model_order order, enum model_weakness weakness)
{
	struct thread_view *t = &threads[self];

	if (order == MODEL_ACQUIRE || order == MODEL_FULL)
		view_join(&t->current, &t->acquired);
	if (order == MODEL_FULL && weakness == MODEL_INTACT) {
		view_join(&t->current, &sc);
		sc = t->current;
	}
	if (order == MODEL_RELEASE || order == MODEL_FULL)
		t->released = t->current;
}

static u64 read_message(struct location *l, u16 number, enum model_order order)
{
	struct thread_view *t = &threads[self];

	t->current.message[l - locations] = number;
	view_join(&t->acquired, &t->current);
	view_join(&t->acquired, &l->history[number].view);
	if (order == MODEL_ACQUIRE || order == MODEL_FULL)
		view_join(&t->current, &l->history[number].view);
	trace_value(l->history[number].value);
	return l->history[number].value;
}

/*
 * `inherited`: what the message must carry beside the thread's own release view (a
 * read-modify-write continues a release).
 */
static void write_message(struct location *l, u64 v, enum model_order order,
			  const struct view *inherited)
{
	struct thread_view *t = &threads[self];
	struct message *m;

	if (l->last + 1 == MAX_MESSAGES)
		model_fail("explorer: too many stores to one location");
	m = &l->history[++l->last];
	messages++;
	t->current.message[l - locations] = l->last;
	m->value = v;
	m->view = order == MODEL_RELEASE || order == MODEL_FULL ? t->current : t->released;
	m->view.message[l - locations] = l->last;
	if (inherited)
		view_join(&m->view, inherited);
	plain_store(l->address, l->size, v);
}

u64 model_load(const volatile void *p, size_t size, struct model_site *site)
{
	struct location *l;
	u16 oldest;

	if (!memory_running)
		return plain_load(p, size);
	step();
	l = location_of(p, size);
	oldest = threads[self].current.message[l - locations];
	/* Newest first: the usual execution is the first one explored. */
	return read_message(l, l->last - (u16)model_choose(l->last - oldest + 1u), order_of(site));
}

void model_store(volatile void *p, size_t size, u64 v, struct model_site *site)
{
	if (!memory_running) {
		plain_store(p, size, v);
		return;
	}
	step();
	write_message(location_of(p, size), size == 4 ? (u32)v : v, order_of(site), NULL);
}

/*
 * A read-modify-write reads the newest message, and is a full fence on either side unless weakened.
 */
static u64 replace(struct location *l, u64 v, struct model_site *site)
{
	enum model_order order = order_of(site);
	struct view inherited = l->history[l->last].view;
	u64 old;

	if (order == MODEL_FULL)
		fence(MODEL_FULL, site->weakness);
	old = read_message(l, l->last, order);
	write_message(l, l->size == 4 ? (u32)v : v, order, &inherited);
	if (order == MODEL_FULL)
		fence(MODEL_FULL, site->weakness);
	return old;
}

static u64 apply(enum model_op op, u64 old, u64 v)
{
	switch (op) {
	case MODEL_ADD:
		return old + v;
	case MODEL_OR:
		return old | v;
	case MODEL_AND:
		return old & v;
	default:
		return v;
	}
}

u64 model_rmw(volatile void *p, size_t size, enum model_op op, u64 v, struct model_site *site)
{
	struct location *l;
	u64 old;

	if (!memory_running) {
		old = plain_load(p, size);
		plain_store(p, size, apply(op, old, v));
		return old;
	}
	step();
	l = location_of(p, size);
	return replace(l, apply(op, l->history[l->last].value, v), site);
}

/*
 * Succeeds on the newest message only; fails by reading any message that differs, which orders
 * nothing.
 */
bool model_cas(volatile void *p, size_t size, u64 old, u64 v, struct model_site *site)
{
	struct location *l;
	u16 different[MAX_MESSAGES];
	u32 options = 0, choice;
	bool may_succeed;

	if (!memory_running) {
		if (plain_load(p, size) != old)
			return false;
		plain_store(p, size, v);
		return true;
	}
	step();
	l = location_of(p, size);
	old = size == 4 ? (u32)old : old;
	may_succeed = l->history[l->last].value == old;
	for (u16 n = l->last;; n--) {
		if (l->history[n].value != old)
			different[options++] = n;
		if (n == threads[self].current.message[l - locations])
			break;
	}
	choice = model_choose(options + may_succeed);
	trace_value(may_succeed && choice == 0);
	if (may_succeed && choice-- == 0) {
		replace(l, v, site);
		return true;
	}
	site->hits++;
	read_message(l, different[choice], MODEL_RELAXED);
	return false;
}

void model_fence(struct model_site *site)
{
	enum model_order order = order_of(site);

	if (!memory_running)
		return;
	if (order == MODEL_FULL && site->weakness == MODEL_INTACT)
		step(); /* only the order of full fences among themselves matters to others */
	fence(order, site->weakness);
}

bool memory_catch_up(void)
{
	struct thread_view *t = &threads[self];
	bool behind = false;

	for (u32 i = 0; i < nr_locations; i++) {
		behind |= t->current.message[i] != locations[i].last;
		t->current.message[i] = locations[i].last;
	}
	return behind;
}

static struct data *data_of(const void *p)
{
	for (u32 i = 0; i < nr_data; i++) {
		if (data[i].address == p)
			return &data[i];
	}
	if (nr_data == MAX_DATA)
		model_fail("explorer: too many data");
	data[nr_data] = (struct data){.address = p};
	return &data[nr_data++];
}

void model_data_read(const void *p)
{
	struct view *v = &threads[self].current;
	struct data *d;

	if (!memory_running)
		return;
	d = data_of(p);
	if (d->writer != self && d->write_clock > v->clock[d->writer])
		model_fail("data race: read not ordered after a write");
	d->read_clock[self] = ++v->clock[self];
}

void model_data_write(const void *p)
{
	struct view *v = &threads[self].current;
	struct data *d;

	if (!memory_running)
		return;
	d = data_of(p);
	if (d->writer != self && d->write_clock > v->clock[d->writer])
		model_fail("data race: write not ordered after a write");
	for (u32 i = 0; i < nr_threads; i++) {
		if (i != self && d->read_clock[i] > v->clock[i])
			model_fail("data race: write not ordered after a read");
	}
	d->writer = (u16)self;
	d->write_clock = ++v->clock[self];
}

static u64 hash_bytes(u64 h, const void *p, size_t size)
{
	for (size_t i = 0; i < size; i += 2) {
		u16 w;

		memcpy(&w, (const char *)p + i, sizeof(w));
		h = (h ^ w) * 0x100000001b3UL;
		h ^= h >> 32;
	}
	return h;
}

static u64 hash_view(u64 h, const struct view *v)
{
	h = hash_bytes(h, v->message, nr_locations * sizeof(v->message[0]));
	return hash_bytes(h, v->clock, nr_threads * sizeof(v->clock[0]));
}

/* Locations are hashed by address: their numbers depend on who came first. */
u64 memory_hash(u64 seed)
{
	u64 h = seed * 0x9e3779b97f4a7c15UL;

	for (u32 i = 0; i < nr_locations; i++) {
		const struct location *l = &locations[i];
		u16 oldest = l->last;

		for (u32 t = 0; t < nr_threads; t++)
			oldest = MIN(oldest, threads[t].current.message[i]);
		h = hash_bytes(h, &l->address, sizeof(l->address));
		for (u32 n = oldest; n <= l->last; n++) {
			h = hash_bytes(h, &l->history[n].value, sizeof(u64));
			h = hash_view(h, &l->history[n].view);
		}
	}
	for (u32 t = 0; t < nr_threads; t++) {
		h = hash_bytes(h, &threads[t].trace, sizeof(u64));
		h = hash_view(h, &threads[t].current);
		h = hash_view(h, &threads[t].acquired);
		h = hash_view(h, &threads[t].released);
	}
	h = hash_view(h, &sc);
	return hash_bytes(h, data, nr_data * sizeof(data[0]));
}
