/*
 * The connection table and the TIME_WAIT records; tuple.h tells the rules.
 */
#include "kernel/net/tuple.h"

#include "abi/errno.h"
#include "abi/tcp.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/net/tcp.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/time/time.h"

#define CHAINS	     8192U
#define EXPIRE_BATCH 64U /* records that one expiry ends before it lets others run */

LOCK_CLASS(tuple_chain, RANK_TUPLE);
LOCK_CLASS(time_wait, RANK_TIME_WAIT);

struct chain {
	struct spinlock lock;
	struct tuple_node *first; /* [L] */
} __cacheline_aligned;

/* The records that this hart made, oldest first: all wait equally long. */
struct time_wait_hart {
	struct spinlock lock;
	struct list list;   /* [L] */
	struct timer timer; /* armed while the list is not empty */
	u64 nr;		    /* [a] changes under lock */
} __cacheline_aligned;

static struct chain *chains; /* [I] */
static PERCPU(struct time_wait_hart, time_waits);

static void time_wait_expire(struct timer *timer);

void tuple_init(void)
{
	chains = kzalloc(CHAINS * sizeof(*chains));
	if (!chains)
		panic("no memory for the connection table");
	for (u32 i = 0; i < CHAINS; i++)
		spin_init(&chains[i].lock, &tuple_chain_class);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		struct time_wait_hart *h = cpu_ptr(time_waits, cpu);

		spin_init(&h->lock, &time_wait_class);
		list_init(&h->list);
		timer_init(&h->timer, time_wait_expire);
	}
}

static struct chain *chain_of(const struct tuple *t)
{
	return &chains[inet_hash(&t->local, &t->remote) % CHAINS];
}

static bool tuple_equal(const struct tuple *a, const struct tuple *b)
{
	return a->local.port == b->local.port && a->remote.port == b->remote.port &&
	       inet_equal(&a->local.addr, &b->local.addr) &&
	       inet_equal(&a->remote.addr, &b->remote.addr);
}

/* Context: chain locked. The link that names the node with that tuple, or the chain's end. */
static struct tuple_node **tuple_link(struct chain *c, const struct tuple *t)
{
	struct tuple_node **link = &c->first;

	while (*link && !tuple_equal(&(*link)->tuple, t))
		link = &(*link)->next;
	return link;
}

static void tuple_unlink(struct tuple_node **link)
{
	struct tuple_node *n = *link;

	*link = n->next;
	n->linked = false;
}

static struct time_wait *time_wait_of(struct tuple_node *n)
{
	return container_of(n, struct time_wait, node);
}

static void time_wait_free(struct epoch_node *node)
{
	kfree(container_of(node, struct time_wait, free_node));
}

/* The record was claimed and is out of its chain: it leaves its hart's list and its port. */
static void time_wait_release(struct time_wait *w)
{
	struct time_wait_hart *h = cpu_ptr(time_waits, w->cpu);

	spin_lock(&h->lock);
	list_del(&w->link);
	atomic_store_relaxed(&h->nr, h->nr - 1);
	spin_unlock(&h->lock);
	if (w->owner.bucket)
		port_unbind(PORT_TCP, &w->owner);
	else
		port_drop(PORT_TCP, w->node.tuple.local.port);
	epoch_defer(&w->free_node, time_wait_free);
}

/* True for the one who ends the record. */
static bool time_wait_claim(struct time_wait *w)
{
	u32 state = atomic_load_relaxed(&w->state);

	while (state && !atomic_cas(&w->state, state, 0))
		state = atomic_load_relaxed(&w->state);
	return state != 0;
}

/*
 * Who connects may have the tuple of a record that both ends left a second ago; who is connected to
 * may have any: the other end has chosen the tuple, so it has done with the old connection.
 */
static bool time_wait_reusable(struct time_wait *w, bool accepted)
{
	if (!accepted && (atomic_load_relaxed(&w->state) != ABI_TCP_TIME_WAIT ||
			  time_now() - atomic_load_relaxed(&w->started) < time_freq))
		return false;
	return time_wait_claim(w);
}

int tuple_insert(struct tuple_node *n, bool accepted)
{
	struct chain *c = chain_of(&n->tuple);
	struct time_wait *reused = NULL;
	struct tuple_node **link;
	int err = 0;

	spin_lock(&c->lock);
	link = tuple_link(c, &n->tuple);
	if (*link) {
		if (!(*link)->sock && time_wait_reusable(time_wait_of(*link), accepted)) {
			reused = time_wait_of(*link);
			tuple_unlink(link);
		} else {
			err = -EADDRNOTAVAIL;
		}
	}
	if (!err) {
		n->next = c->first;
		n->linked = true;
		c->first = n;
	}
	spin_unlock(&c->lock);
	if (reused)
		time_wait_release(reused);
	return err;
}

/* Context: chain locked. The link of this very node; NULL: it is not in the table. */
static struct tuple_node **node_link(struct chain *c, const struct tuple_node *n)
{
	struct tuple_node **link = &c->first;

	if (!n->linked)
		return NULL;
	while (*link != n)
		link = &(*link)->next;
	return link;
}

void tuple_remove(struct tuple_node *n)
{
	struct chain *c = chain_of(&n->tuple);
	struct tuple_node **link;

	spin_lock(&c->lock);
	link = node_link(c, n);
	if (link)
		tuple_unlink(link);
	spin_unlock(&c->lock);
}

struct tcp_sock *tuple_find(const struct tuple *t)
{
	struct chain *c = chain_of(t);
	struct tuple_node *n;
	struct tcp_sock *sock = NULL;

	spin_lock(&c->lock);
	n = *tuple_link(c, t);
	if (n && n->sock) {
		sock = n->sock;
		socket_get(&sock->s);
	}
	spin_unlock(&c->lock);
	return sock;
}

/* ---- TIME_WAIT ---- */

/* The record takes the port over from the socket. */
static void time_wait_take_port(struct time_wait *w, struct tcp_sock *t)
{
	w->owner.addr = t->port.addr;
	w->owner.v6only = t->port.v6only;
	w->owner.reuseaddr = t->port.reuseaddr;
	w->owner.reuseport = t->port.reuseport;
	w->owner.uid = t->port.uid;
	if (t->port_held)
		t->port_held = false;
	else if (!port_join(&w->owner, &t->port))
		panic("a connection without a port");
	port_unbind(PORT_TCP, &t->port);
}

static void time_wait_queue(struct time_wait *w)
{
	struct time_wait_hart *h;
	bool first;

	w->cpu = cpu_self()->id;
	h = cpu_ptr(time_waits, w->cpu);
	spin_lock(&h->lock);
	w->started = time_now();
	w->deadline = w->started + TIME_WAIT_SECONDS * time_freq;
	first = list_empty(&h->list);
	list_add_tail(&h->list, &w->link);
	atomic_store_relaxed(&h->nr, h->nr + 1);
	spin_unlock(&h->lock);
	if (first)
		timer_arm(&h->timer, w->deadline);
}

void time_wait_start(struct tcp_sock *t, bool fin_seen)
{
	struct chain *c = chain_of(&t->tuple.tuple);
	struct time_wait *w = kzalloc(sizeof(*w));
	struct tuple_node **link;

	if (!w) {
		tcp_forget(t);
		return;
	}
	w->node.tuple = t->tuple.tuple;
	w->state = fin_seen ? ABI_TCP_TIME_WAIT : ABI_TCP_FIN_WAIT2;
	time_wait_take_port(w, t);
	/* On its hart's list before it can be found, so that whoever claims it finds it there. */
	time_wait_queue(w);
	spin_lock(&c->lock);
	link = node_link(c, &t->tuple);
	w->node.next = (*link)->next;
	w->node.linked = true;
	t->tuple.linked = false;
	*link = &w->node;
	spin_unlock(&c->lock);
}

void time_wait_fin(const struct tuple *of)
{
	struct chain *c = chain_of(of);
	struct tuple_node *n;

	spin_lock(&c->lock);
	n = *tuple_link(c, of);
	if (n && !n->sock) {
		struct time_wait *w = time_wait_of(n);
		struct time_wait_hart *h = cpu_ptr(time_waits, w->cpu);

		spin_lock(&h->lock);
		if (atomic_cas(&w->state, ABI_TCP_FIN_WAIT2, ABI_TCP_TIME_WAIT)) {
			w->started = time_now();
			w->deadline = w->started + TIME_WAIT_SECONDS * time_freq;
			list_del(&w->link);
			list_add_tail(&h->list, &w->link);
		}
		spin_unlock(&h->lock);
	}
	spin_unlock(&c->lock);
}

/* The oldest record if its time has come and nobody else ends it; *next: when to look again. */
static struct time_wait *time_wait_due(struct time_wait_hart *h, u64 *next)
{
	struct time_wait *w = NULL;

	spin_lock(&h->lock);
	while (!list_empty(&h->list)) {
		w = list_first(&h->list, struct time_wait, link);
		*next = w->deadline;
		if (w->deadline > time_now()) {
			w = NULL;
			break;
		}
		if (time_wait_claim(w))
			break;
		list_del(&w->link);
		w = NULL;
	}
	spin_unlock(&h->lock);
	return w;
}

static void time_wait_expire(struct timer *timer)
{
	struct time_wait_hart *h = container_of(timer, struct time_wait_hart, timer);
	u64 next = TIME_NEVER;
	struct time_wait *w;

	for (u32 i = 0; i < EXPIRE_BATCH; i++) {
		next = TIME_NEVER;
		w = time_wait_due(h, &next);
		if (!w)
			break;
		tuple_remove(&w->node);
		time_wait_release(w);
	}
	if (next != TIME_NEVER)
		timer_arm(timer, next);
}

/* ---- looking at the table ---- */

u32 tuple_chains(void)
{
	return CHAINS;
}

void tuple_for_each(u32 chain, void (*fn)(const struct tuple_node *n, void *arg), void *arg)
{
	struct chain *c = &chains[chain];

	if (!atomic_load_relaxed(&c->first))
		return;
	spin_lock(&c->lock);
	for (struct tuple_node *n = c->first; n; n = n->next)
		fn(n, arg);
	spin_unlock(&c->lock);
}

u64 time_wait_count(void)
{
	u64 nr = 0;

	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		nr += atomic_load_relaxed(&cpu_ptr(time_waits, cpu)->nr);
	return nr;
}
