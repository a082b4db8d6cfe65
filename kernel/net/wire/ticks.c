/*
 * Time for lwIP. TCP's timers run every 40 ms (delayed acknowledgements) and 80 ms (retransmissions), but only while a connection needs them; ARP,
 * reassembly, neighbours, DHCP twice a second. A timer may not sleep, so it queues work for the poll loop of hart 0.
 */
#include "kernel/net/wire/internal.h"
#include "kernel/sync/atomic.h"
#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/igmp.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "lwip/priv/tcp_priv.h"

#define SLOW_MS 500U

static struct timer fast_timer, slow_timer;
static struct net_work fast_work, slow_work;
static bool fast_armed; /* [w] */
static bool fast_odd;	/* [w] */

static u64 ms(u64 n)
{
	return time_now() + n * (time_freq / 1000);
}

/* ---- TCP ---- */

static void fast_arm(void)
{
	fast_armed = true;
	timer_arm(&fast_timer, ms(TCP_FAST_INTERVAL));
}

void wire_ticks_need(void)
{
	if (!fast_armed)
		fast_arm();
}

/* lwIP leaves a segment alone that the card still holds: learn first what was sent. */
static void reclaim(void)
{
	for (struct wire_card *c = wire_cards; c; c = c->next)
		for (u32 q = 0; q < c->eth->dev->nr_queues; q++)
			c->eth->dev->ops->poll(c->eth->dev, q, 0);
}

static void run_fast(struct net_work *w)
{
	(void)w;
	wire_enter();
	fast_odd = !fast_odd;
	if (fast_odd)
		reclaim();
	wire_conn_timers(fast_odd);
	if (wire_conn_busy() || tcp_tw_pcbs)
		fast_arm();
	else
		fast_armed = false;
	wire_leave();
}

static void fast_fired(struct timer *t)
{
	(void)t;
	net_work_queue(0, &fast_work);
}

/* ---- the rest ---- */

static void run_slow(struct net_work *w)
{
	static bool second;

	(void)w;
	wire_enter();
	dhcp_fine_tmr();
	/* They count tenths of a second. */
	for (u32 k = 0; k < SLOW_MS / IGMP_TMR_INTERVAL; k++) {
		igmp_tmr();
		mld6_tmr();
	}
	second = !second;
	if (second) {
		static u32 seconds;

		etharp_tmr();
		ip_reass_tmr();
		nd6_tmr();
		ip6_reass_tmr();
		if (++seconds % DHCP_COARSE_TIMER_SECS == 0)
			dhcp_coarse_tmr();
	}
	wire_config_tick();
	wire_leave();
	timer_arm(&slow_timer, ms(SLOW_MS));
}

static void slow_fired(struct timer *t)
{
	(void)t;
	net_work_queue(0, &slow_work);
}

void wire_ticks_start(void)
{
	fast_work.fn = run_fast;
	slow_work.fn = run_slow;
	timer_init(&fast_timer, fast_fired);
	timer_init(&slow_timer, slow_fired);
	timer_arm(&slow_timer, ms(SLOW_MS));
}
