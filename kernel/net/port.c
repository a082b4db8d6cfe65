/*
 * The port manager; port.h tells the rules.
 */
#include "kernel/net/port.h"

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/socket.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"

#define PORTS	     65536U
#define PARITY_TRIES 16U /* ports of the wanted parity before any will do */
#define HOLD_ONE     2UL /* one connect-only user; bit 0 tells a count from a bucket */
#define HOLD_FIRST   (HOLD_ONE | 1)

LOCK_CLASS(port_bucket, RANK_PORT);

u64 port_range[2] = {32768, 60999};

static u64 *words[PORT_NR]; /* [a] PORTS of them; NULL: the protocol has had no socket */

/* Where this hart's next search begins: far from the other harts' ones. */
static PERCPU(u32, search_next);

bool port_table(enum port_proto proto)
{
	u64 *table;

	/* Pairs with the exchange below: who sees the table sees it empty. */
	if (atomic_load_acquire(&words[proto]))
		return true;
	table = kzalloc(PORTS * sizeof(u64));
	if (table && !atomic_cas(&words[proto], NULL, table))
		kfree(table);
	return atomic_load_acquire(&words[proto]);
}

void port_seed(u32 cpu, u32 start)
{
	*cpu_ptr(search_next, cpu) = start;
}

/* ---- holds of connecting sockets ---- */

bool port_hold(enum port_proto proto, u16 port)
{
	u64 *word = &words[proto][port], seen;

	do {
		seen = atomic_load_relaxed(word);
		if (seen && !(seen & 1))
			return false;
	} while (!atomic_cas(word, seen, seen ? seen + HOLD_ONE : HOLD_FIRST));
	return true;
}

void port_drop(enum port_proto proto, u16 port)
{
	u64 *word = &words[proto][port], seen;

	do {
		seen = atomic_load_relaxed(word);
	} while (!atomic_cas(word, seen, seen == HOLD_FIRST ? 0 : seen - HOLD_ONE));
}

/* ---- buckets ---- */

/* The bucket of a port, locked and alive; NULL: there is none. Under the epoch. */
static struct port_bucket *bucket_lock(enum port_proto proto, u16 port)
{
	for (;;) {
		/* Pairs with the full barrier of the CAS in bucket_install(). */
		u64 seen = atomic_load_acquire(&words[proto][port]);
		struct port_bucket *b = (struct port_bucket *)seen;

		if (!seen || (seen & 1))
			return NULL;
		spin_lock(&b->lock);
		if (!b->dead)
			return b;
		spin_unlock(&b->lock);
	}
}

static void bucket_free(struct epoch_node *node)
{
	kfree(container_of(node, struct port_bucket, free_node));
}

/* Context: b->lock held, which is dropped; the last owner has gone. */
static void bucket_retire(enum port_proto proto, struct port_bucket *b)
{
	b->dead = true;
	atomic_store_release(&words[proto][b->port], 0);
	spin_unlock(&b->lock);
	epoch_defer(&b->free_node, bucket_free);
}

static void owner_link(struct port_bucket *b, struct port_owner *o)
{
	atomic_store_relaxed(&o->bucket, b);
	list_init(&o->active);
	list_add_tail(&b->owners, &o->link);
}

/* A new bucket with its first owner: 0, -EAGAIN: the word has changed, -ENOMEM. */
static int bucket_install(enum port_proto proto, struct port_owner *o, u16 port)
{
	struct port_bucket *b = kzalloc(sizeof(*b));

	if (!b)
		return -ENOMEM;
	spin_init(&b->lock, &port_bucket_class);
	b->port = port;
	list_init(&b->owners);
	list_init(&b->active);
	owner_link(b, o);
	if (atomic_cas(&words[proto][port], 0UL, (u64)b))
		return 0;
	kfree(b);
	o->bucket = NULL;
	return -EAGAIN;
}

/* ---- who may bind where others are ---- */

static bool addresses_meet(const struct port_owner *a, const struct port_owner *b)
{
	bool any_a = inet_is_any(&a->addr), any_b = inet_is_any(&b->addr);
	bool v4_a = inet_is_v4(&a->addr), v4_b = inet_is_v4(&b->addr);

	if (a->bound_if && b->bound_if && a->bound_if != b->bound_if)
		return false;
	if (v4_a != v4_b) {
		/* Only an IPv6 socket on :: that takes IPv4 as well meets an IPv4 one. */
		const struct port_owner *six = v4_a ? b : a;

		return inet_is_any(&six->addr) && !six->v6only;
	}
	return any_a || any_b || inet_equal(&a->addr, &b->addr);
}

/* May `a` bind, or listen, where `b` is? */
static bool owners_conflict(enum port_proto proto, const struct port_owner *a,
			    const struct port_owner *b)
{
	if (!addresses_meet(a, b))
		return false;
	if (a->reuseport && b->reuseport && a->uid == b->uid)
		return false;
	if (a->reuseaddr && b->reuseaddr)
		return proto == PORT_TCP && b->listening;
	return true;
}

/* Context: b->lock held. */
static bool bucket_conflict(enum port_proto proto, struct port_bucket *b, const struct port_owner *o)
{
	struct port_owner *other;

	list_for_each(other, &b->owners, link)
		if (other != o && owners_conflict(proto, o, other))
			return true;
	return false;
}

/* 0, -EADDRINUSE, -ENOMEM. */
static int bind_one(enum port_proto proto, struct port_owner *o, u16 port)
{
	for (;;) {
		struct port_bucket *b;
		int err = 0;

		if (atomic_load_relaxed(&words[proto][port]) & 1)
			return -EADDRINUSE;
		epoch_enter();
		b = bucket_lock(proto, port);
		if (b) {
			if (bucket_conflict(proto, b, o))
				err = -EADDRINUSE;
			else
				owner_link(b, o);
			spin_unlock(&b->lock);
		}
		epoch_exit();
		if (!b)
			err = bucket_install(proto, o, port);
		if (err != -EAGAIN)
			return err;
	}
}

struct bind_try {
	enum port_proto proto;
	struct port_owner *owner;
};

/* For an ephemeral bind only a free port will do. */
static int bind_try(u16 port, void *arg)
{
	struct bind_try *t = arg;
	int err;

	if (atomic_load_relaxed(&words[t->proto][port]))
		return -EADDRINUSE;
	err = bucket_install(t->proto, t->owner, port);
	return err == -EAGAIN ? -EADDRINUSE : err;
}

int port_bind(enum port_proto proto, struct port_owner *o, u16 port)
{
	struct bind_try t = {proto, o};
	int err;

	if (port) {
		err = bind_one(proto, o, port);
		return err ? err : port;
	}
	err = port_search(false, bind_try, &t);
	return err == -EADDRNOTAVAIL ? -EADDRINUSE : err;
}

bool port_join(struct port_owner *o, const struct port_owner *with)
{
	struct port_bucket *b;
	bool joined = false;

	epoch_enter();
	b = atomic_load_relaxed(&with->bucket);
	if (b) {
		spin_lock(&b->lock);
		joined = with->bucket == b;
		if (joined)
			owner_link(b, o);
		spin_unlock(&b->lock);
	}
	epoch_exit();
	return joined;
}

void port_unbind(enum port_proto proto, struct port_owner *o)
{
	struct port_bucket *b = o->bucket;

	if (!b)
		return;
	spin_lock(&b->lock);
	list_del(&o->link);
	list_del(&o->active);
	atomic_store_relaxed(&o->bucket, NULL);
	if (list_empty(&b->owners))
		bucket_retire(proto, b);
	else
		spin_unlock(&b->lock);
}

int port_activate(enum port_proto proto, struct port_owner *o, bool listening)
{
	struct port_bucket *b = o->bucket;
	int err = 0;

	spin_lock(&b->lock);
	o->listening = listening;
	if (listening && bucket_conflict(proto, b, o)) {
		o->listening = false;
		err = -EADDRINUSE;
	} else if (list_empty(&o->active)) {
		list_add_tail(&b->active, &o->active);
	}
	spin_unlock(&b->lock);
	return err;
}

void port_deactivate(struct port_owner *o)
{
	struct port_bucket *b = o->bucket;

	if (!b)
		return;
	spin_lock(&b->lock);
	o->listening = false;
	list_del(&o->active);
	spin_unlock(&b->lock);
}

/* ---- finding ---- */

/*
 * Connect takes even distances from the start of the range first and bind odd ones, as Linux has it,
 * so that the two seldom meet. But only for a few tries: when all ports of one parity are taken,
 * each search would look at thousands of them before it came to the others.
 */
int port_search(bool connect, int (*try_port)(u16 port, void *arg), void *arg)
{
	u32 first = (u32)atomic_load_relaxed(&port_range[0]);
	u32 count = (u32)atomic_load_relaxed(&port_range[1]) - first + 1;
	u32 pairs = (count + 1) / 2, start = (this_cpu(search_next) += 1) % pairs;

	for (u32 i = 0; i < PARITY_TRIES + 2 * pairs; i++) {
		u32 n = i < PARITY_TRIES ? 2 * i : i - PARITY_TRIES;
		u32 offset = (start + n / 2) % pairs * 2 + (n % 2 ^ (connect ? 0 : 1));
		int err;

		if (offset >= count)
			continue;
		err = try_port((u16)(first + offset), arg);
		if (err == -EADDRINUSE)
			continue;
		this_cpu(search_next) = start + n / 2;
		return err ? err : (int)(first + offset);
	}
	return -EADDRNOTAVAIL;
}

/* The n-th of the best owners; context: bucket locked. */
struct port_pick {
	struct port_owner *owner;
	int score;
	u32 group; /* members of its SO_REUSEPORT group */
};

static struct port_pick pick_best(struct port_bucket *b,
				  int (*fits)(const struct port_owner *, void *), void *arg)
{
	struct port_pick best = {.score = -1};
	struct port_owner *o;

	list_for_each(o, &b->active, active) {
		int score = fits(o, arg);

		if (score < 0 || score < best.score)
			continue;
		if (score > best.score)
			best = (struct port_pick){o, score, 1};
		else if (o->reuseport && best.owner->reuseport)
			best.group++;
		else
			best.owner = o; /* the newest of equals, as SO_REUSEADDR on UDP has it */
	}
	return best;
}

static struct port_owner *pick_member(struct port_bucket *b, const struct port_pick *best, u32 n,
				      int (*fits)(const struct port_owner *, void *), void *arg)
{
	struct port_owner *o;

	list_for_each(o, &b->active, active)
		if (fits(o, arg) == best->score && n-- == 0)
			return o;
	return best->owner;
}

struct socket *port_find(enum port_proto proto, u16 port, u32 hash,
			 int (*fits)(const struct port_owner *o, void *arg), void *arg)
{
	struct port_bucket *b;
	struct socket *s = NULL;

	epoch_enter();
	b = bucket_lock(proto, port);
	if (b) {
		struct port_pick best = pick_best(b, fits, arg);

		if (best.group > 1)
			best.owner = pick_member(b, &best, hash % best.group, fits, arg);
		if (best.owner) {
			s = best.owner->socket;
			socket_get(s);
		}
		spin_unlock(&b->lock);
	}
	epoch_exit();
	return s;
}

void port_for_each(enum port_proto proto, u16 port, bool (*fn)(struct port_owner *o, void *arg),
		   void *arg)
{
	struct port_bucket *b;
	struct port_owner *o;

	if (!atomic_load_acquire(&words[proto]))
		return;
	epoch_enter();
	b = bucket_lock(proto, port);
	if (b) {
		list_for_each(o, &b->active, active)
			if (!fn(o, arg))
				break;
		spin_unlock(&b->lock);
	}
	epoch_exit();
}
