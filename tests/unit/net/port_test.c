/*
 * The port manager: Linux's rules of sharing, and harts that bind, hold and look up the same ports,
 * under ThreadSanitizer, too.
 */
#include <stdlib.h>

#include "abi/errno.h"
#include "kernel/net/port.h"
#include "kernel/net/socket.h"
#include "kernel/sync/atomic.h"
#include "tests/unit/host_cpu.h"
#include "tests/unit/unit.h"

static struct port_owner owner(const struct inet_addr *addr, bool reuseaddr, bool reuseport)
{
	struct port_owner o = {.addr = *addr, .reuseaddr = reuseaddr, .reuseport = reuseport};

	return o;
}

static void ready(struct port_owner *o)
{
	list_init(&o->link);
	list_init(&o->active);
}

static int bind(struct port_owner *o, u16 port)
{
	ready(o);
	return port_bind(PORT_TCP, o, port);
}

static void start(u32 harts)
{
	static bool done;

	host_cpus_init(harts);
	host_cpu_become(0);
	if (!done)
		CHECK(port_table(PORT_TCP) && port_table(PORT_UDP));
	done = true;
}

TEST(one_owner_unless_all_agree)
{
	struct port_owner a = owner(&inet_any_v4, false, false), b = a;
	struct port_owner c = owner(&inet_loopback_v4, true, false), d = c;

	start(1);
	CHECK(bind(&a, 80) == 80);
	CHECK(bind(&b, 80) == -EADDRINUSE && bind(&c, 80) == -EADDRINUSE);
	CHECK(!port_hold(PORT_TCP, 80));
	CHECK(bind(&b, 81) == 81);
	port_unbind(PORT_TCP, &a);
	port_unbind(PORT_TCP, &b);
	/* SO_REUSEADDR of both, until one listens. */
	CHECK(bind(&c, 80) == 80 && bind(&d, 80) == 80);
	CHECK(port_activate(PORT_TCP, &c, true) == 0);
	CHECK(port_activate(PORT_TCP, &d, true) == -EADDRINUSE);
	port_unbind(PORT_TCP, &c);
	CHECK(port_activate(PORT_TCP, &d, true) == 0);
	port_unbind(PORT_TCP, &d);
	CHECK(port_hold(PORT_TCP, 80) && port_hold(PORT_TCP, 80));
	CHECK(bind(&a, 80) == -EADDRINUSE);
	port_drop(PORT_TCP, 80);
	CHECK(bind(&a, 80) == -EADDRINUSE);
	port_drop(PORT_TCP, 80);
	CHECK(bind(&a, 80) == 80);
	port_unbind(PORT_TCP, &a);
}

TEST(families_meet_at_any)
{
	struct port_owner v4 = owner(&inet_any_v4, false, false);
	struct port_owner v6 = owner(&inet_any_v6, false, false), only = v6;
	struct port_owner one = owner(&inet_loopback_v6, false, false);

	start(1);
	only.v6only = true;
	CHECK(bind(&v4, 90) == 90);
	CHECK(bind(&v6, 90) == -EADDRINUSE);
	CHECK(bind(&only, 90) == 90);
	CHECK(bind(&one, 90) == -EADDRINUSE);
	port_unbind(PORT_TCP, &only);
	CHECK(bind(&one, 90) == 90);
	port_unbind(PORT_TCP, &one);
	port_unbind(PORT_TCP, &v4);
}

TEST(reuseport_is_one_users)
{
	struct port_owner a = owner(&inet_any_v4, false, true), b = a, c = a;

	start(1);
	c.uid = 1000;
	CHECK(bind(&a, 70) == 70 && bind(&b, 70) == 70);
	CHECK(bind(&c, 70) == -EADDRINUSE);
	port_unbind(PORT_TCP, &a);
	port_unbind(PORT_TCP, &b);
}

static int fits_all(const struct port_owner *o, void *arg)
{
	(void)o;
	(void)arg;
	return 1;
}

/* Takes a port once; counts the tries. */
struct taken {
	bool port[65536];
	u64 tries;
};

static int take(u16 port, void *arg)
{
	struct taken *t = arg;

	t->tries++;
	if (t->port[port])
		return -EADDRINUSE;
	t->port[port] = true;
	return 0;
}

TEST(search_finds_every_port_with_few_tries)
{
	struct taken *t = calloc(1, sizeof(*t));
	u64 range = port_range[1] - port_range[0] + 1, even = 0;

	start(1);
	for (u64 i = 0; i < range; i++)
		even += (u64)port_search(true, take, t) % 2 == 0;
	CHECK(port_search(true, take, t) == -EADDRNOTAVAIL);
	CHECK(even == range / 2);
	CHECK(t->tries < 40 * range);
	free(t);
}

TEST(search_prefers_a_parity)
{
	struct taken *t = calloc(1, sizeof(*t));

	start(1);
	for (int i = 0; i < 5000; i++) {
		CHECK(port_search(true, take, t) % 2 == 0);
		CHECK(port_search(false, take, t) % 2 == 1);
	}
	free(t);
}

#define ROUNDS	  20000
#define HOT_PORTS 3U

static struct socket sockets[8];
static u32 exclusive[HOT_PORTS]; /* [a] bound by one without sharing */
static u32 held[HOT_PORTS];	 /* [a] connect-only users */

static void race_hold(u32 p)
{
	if (!port_hold(PORT_TCP, (u16)(5000 + p)))
		return;
	atomic_fetch_add(&held[p], 1);
	CHECK(atomic_load_relaxed(&exclusive[p]) == 0);
	atomic_fetch_add(&held[p], (u32)-1);
	port_drop(PORT_TCP, (u16)(5000 + p));
}

static void race_bind(u32 p, struct port_owner *o)
{
	*o = owner(&inet_any_v4, false, false);
	o->socket = &sockets[cpu_id()];
	if (bind(o, (u16)(5000 + p)) < 0)
		return;
	CHECK(atomic_fetch_add(&exclusive[p], 1) == 0);
	CHECK(atomic_load_relaxed(&held[p]) == 0);
	CHECK(port_activate(PORT_TCP, o, true) == 0);
	atomic_fetch_add(&exclusive[p], (u32)-1);
	port_unbind(PORT_TCP, o);
}

static void race_find(u32 p)
{
	struct socket *s = port_find(PORT_TCP, (u16)(5000 + p), 0, fits_all, NULL);

	if (s)
		CHECK(s >= sockets && s < sockets + 8);
}

static void race(void *arg)
{
	struct port_owner *o = malloc(sizeof(*o));

	(void)arg;
	for (u32 i = 0; i < ROUNDS; i++) {
		u32 p = (i + cpu_id()) % HOT_PORTS;

		switch ((i * 7 + cpu_id()) % 3) {
		case 0:
			race_hold(p);
			break;
		case 1:
			race_bind(p, o);
			break;
		default:
			race_find(p);
		}
		host_user_mode();
	}
	free(o);
}

TEST(harts_race_for_ports)
{
	start(4);
	for (u32 i = 0; i < 8; i++)
		sockets[i].refs = 1;
	host_cpus_run(race, NULL);
	host_cpu_become(0);
	for (u32 p = 0; p < HOT_PORTS; p++) {
		struct port_owner o = owner(&inet_any_v4, false, false);

		CHECK(bind(&o, (u16)(5000 + p)) == (int)(5000 + p));
		port_unbind(PORT_TCP, &o);
	}
}
