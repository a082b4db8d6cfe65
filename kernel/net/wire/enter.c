/*
 * The one mutex around lwIP and the queue of operations beside it; wire.h tells the rules.
 */
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/net/wire/internal.h"
#include "kernel/random/random.h"
#include "kernel/sync/atomic.h"
#include "kernel/time/time.h"
#include "lwip/init.h"
#include "lwip/sys.h"

LOCK_CLASS(wire, RANK_WIRE);

static struct mutex lock = MUTEX_INIT(lock, wire_class);
static struct inbox ops;

/* ---- what lwIP asks ---- */

void wire_assert(const char *what)
{
	panic("lwIP: %s", what);
}

u32 wire_random(void)
{
	u32 r;

	random_bytes(&r, sizeof(r));
	return r;
}

void *wire_malloc(size_t n)
{
	return kmalloc(n);
}

void *wire_calloc(size_t n, size_t size)
{
	return kzalloc(n * size);
}

void wire_free(void *p)
{
	kfree(p);
}

/* Not inverted. */
uint16_t wire_chksum(const void *data, int len)
{
	return (u16)~inet_sum_fold(inet_sum(0, data, (size_t)len));
}

u32_t sys_now(void)
{
	return (u32_t)(time_now() / (time_freq / 1000));
}

/* ---- the mutex ---- */

/* lwIP counts slow ticks where it is called for each; here they follow the clock, also while no connection needs any. */
static void set_clock(void)
{
	tcp_ticks = (u32_t)(time_now() / (time_freq / 1000 * TCP_SLOW_INTERVAL));
}

void wire_enter(void)
{
	mutex_lock(&lock);
	set_clock();
}

static void run_ops(void)
{
	struct inbox_node *n = inbox_take_all(&ops), *next;

	for (; n; n = next) {
		struct wire_op *op = container_of(n, struct wire_op, node);

		next = n->next;
		op->run(op);
	}
}

void wire_leave(void)
{
	do {
		run_ops();
		for (struct wire_card *c = wire_cards; c; c = c->next)
			wire_card_flush(c);
		mutex_unlock(&lock);
		fence_full(); /* (B) Pairs with (A) in wire_post(). */
	} while (!inbox_empty(&ops) && mutex_trylock(&lock));
}

void wire_post(struct wire_op *op)
{
	inbox_push(&ops, &op->node); /* (A), a full barrier */
	if (mutex_held(&lock) || !mutex_trylock(&lock))
		return;
	set_clock();
	wire_leave();
}

struct wire_wait {
	struct wire_op op;
	void (*fn)(void *arg);
	void *arg;
	struct completion done;
};

static void run_waited(struct wire_op *op)
{
	struct wire_wait *w = container_of(op, struct wire_wait, op);

	w->fn(w->arg);
	completion_signal(&w->done);
}

void wire_call(void (*fn)(void *arg), void *arg)
{
	struct wire_wait w = {.op.run = run_waited, .fn = fn, .arg = arg};

	if (mutex_held(&lock)) {
		fn(arg);
		return;
	}
	if (mutex_trylock(&lock)) {
		set_clock();
		fn(arg);
		wire_leave();
		return;
	}
	completion_init(&w.done);
	wire_post(&w.op);
	completion_wait(&w.done);
}

/* ---- start ---- */

void wire_start(void)
{
	static bool started;

	if (started)
		return;
	started = true;
	lwip_init();
	wire_dgram_start();
	wire_isn_start();
	wire_cookie_start();
	wire_open_start();
	wire_ticks_start();
}

void wire_to_ip(const struct inet_addr *a, ip_addr_t *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_is_v4(a)) {
		IP_SET_TYPE_VAL(*out, IPADDR_TYPE_V4);
		ip_2_ip4(out)->addr = a->w[3];
	} else {
		IP_SET_TYPE_VAL(*out, IPADDR_TYPE_V6);
		memcpy(ip_2_ip6(out)->addr, a->b, sizeof(a->b));
	}
}

struct inet_addr wire_from_ip(const ip_addr_t *ip)
{
	struct inet_addr a;

	if (IP_IS_V4(ip))
		return inet_addr_v4(ip_2_ip4(ip)->addr);
	memcpy(a.b, ip_2_ip6(ip)->addr, sizeof(a.b));
	return a;
}
