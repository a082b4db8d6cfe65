/*
 * What the files of the wire share.
 */
#ifndef KERNEL_NET_WIRE_INTERNAL_H
#define KERNEL_NET_WIRE_INTERNAL_H

#include "kernel/net/eth.h"
#include "kernel/net/raw.h"
#include "kernel/net/tcp.h"
#include "kernel/net/udp.h"
#include "kernel/sync/completion.h"
#include "kernel/sync/inbox.h"

/* After the kernel's own; arch/cc.h tells why. */
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/priv/raw_priv.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"
#undef raw_input
#undef tcp_accept
#undef tcp_alloc
#undef tcp_bind
#undef tcp_connect
#undef udp_input
#undef tcp_listen

/* ---- enter.c: the mutex and its queue ---- */

struct wire_op {
	struct inbox_node node;
	void (*run)(struct wire_op *op); /* [I] inside the wire */
};

/* Takes and gives back the mutex; leaving runs what was queued meanwhile and tells the cards of what was sent. Context: may sleep. */
void wire_enter(void);
void wire_leave(void);
/* Runs fn(arg) inside the wire and returns when it has run; at once if the caller is inside. Context: may sleep. */
void wire_call(void (*fn)(void *arg), void *arg);
/* Runs op->run soon, perhaps before this returns. `op` is not queued already. */
void wire_post(struct wire_op *op);
void wire_start(void); /* lwIP itself, once */

/* ---- card.c: frames ---- */

struct wire_tx;

struct wire_card {
	struct netif netif;
	struct eth *eth;	       /* [I] */
	struct wire_tx *gather;	       /* [w] a segment that the next ones may join */
	struct wire_tx *first, **last; /* [w] the card's queue was full: these wait */
	u32 nr_waiting;		       /* [w] */
	u64 unflushed;		       /* [w] bit = queue: the card was not told yet */
	u16 mtu, mtu6;		       /* [w] netif's, while they are lifted */
	struct inet_addr leased;       /* [w] DHCP's address in the table; any: none */
	u32 v6_known;		       /* [w] slots of netif.ip6_addr that the interface has */
	struct wire_card *next;	       /* [I] */
};

extern struct wire_card *wire_cards; /* [w] only grows */

struct wire_card *wire_card_of(const struct net_iface *i); /* NULL: not up */
void wire_card_init(struct wire_card *c);
void wire_card_flush(struct wire_card *c); /* end of a batch */
void wire_receive(struct eth *e, const struct netdev_frame *f);
void wire_sent(struct eth *e, void *cookie);
/* The next frame is of a connection that belongs to hart `cpu`. */
void wire_next_frame_of(u32 cpu);
/* The next packet may be longer than the link lets: the card cuts it. */
void wire_card_lift_mtu(void);
/* The frame being handled is known to be whole, so nobody sums it. */
bool wire_checksum_good(void);

/* ---- config.c: addresses ---- */

void wire_changed(struct net_iface *i);
void wire_config_tick(void); /* twice a second */

/* ---- groups.c ---- */

void wire_group(struct net_iface *i, const struct inet_addr *group);

/* ---- ticks.c: timers ---- */

void wire_ticks_start(void);
void wire_ticks_need(void); /* a connection has work for the timers */

/* ---- dgram.c: UDP, raw, ICMP ---- */

void wire_dgram_start(void);
int wire_udp_send(struct dgram *d);
int wire_raw_send(struct dgram *d, int protocol, bool header);

/* ---- addresses ---- */

void wire_to_ip(const struct inet_addr *a, ip_addr_t *out);
struct inet_addr wire_from_ip(const ip_addr_t *ip);
int wire_errno(err_t err);

/* ---- TCP ---- */

/* What was received and not yet read: a chain of pbufs, which the reader takes from the front while lwIP appends. */
struct wire_rx {
	struct spinlock lock; /* RANK_SOCKQ */
	struct pbuf *first;   /* [L] */
	struct pbuf *last;    /* [L] */
	u32 offset;	      /* [reader] bytes of `first` that were read */
	u32 room;	      /* [L] bytes that fit behind `last`; 0: it is not ours to fill */
	u64 bytes;	      /* [a] unread; changes under lock */
};

struct wire_conn {
	struct tcp_sock *sock; /* [I] holds it while pcb is not NULL */
	struct tcp_pcb *pcb;   /* [w] NULL: lwIP has nothing of it (any more) */
	struct stream tx;      /* what programs have written and the peer has not acknowledged */
	struct mutex reader;   /* RANK_STREAM */
	struct wire_rx rx;
	u64 pushed;	     /* [w] position in tx up to which lwIP has the bytes */
	u64 lossy_until;     /* [w] position in tx up to which segments are short, after a loss */
	u64 consumed;	     /* [a] bytes that were read */
	u64 credited;	     /* [w] of these, those that lwIP was told of */
	u32 window;	     /* [w] */
	struct wire_op work; /* wire_conn_kick() */
	u32 queued;	     /* [a] 1: work is on the queue, with a reference on sock */
	u32 more;	     /* [a] the last send had MSG_MORE */
	u32 user;	     /* [a] hart of the program's last call */
	u32 cpu;	     /* [w] whose queue of the card it uses */
	bool fin_wanted;     /* [w] FIN comes behind what is in tx */
	bool fin_sent;	     /* [w] */
	bool fresh;	     /* [w] its handshake is complete, its first window not yet chosen */
	bool orphan;	     /* [w] the file is gone, the connection ends by itself */
	struct list busy;    /* [w] on the list of those that timers look at */
	struct list half;    /* [w] SYN received, not yet ESTABLISHED */
	struct tcp_sock *listener; /* [w] of a half-open one: a reference */
	bool has_place; /* [w] it holds a place on the listener's accept queue, while its segment is looked at */
	bool deferred; /* [w] the handshake was complete, but for data that TCP_DEFER_ACCEPT wants */
	u64 defer_until;   /* [w] ticks until which they are waited for; 0: they are not */
	u64 stalled_since; /* [w] ticks of the oldest byte on its way; 0: none */
	u64 cork_until;	   /* [w] 0: nothing is held back */
	u64 orphan_until;  /* [w] */
};

extern const struct tcp_path tcp_wire_path;

/* conn.c */
struct wire_conn *wire_conn_alloc(struct tcp_sock *t);
void wire_conn_free(struct tcp_sock *t);
void wire_conn_attach(struct wire_conn *c,
		      struct tcp_pcb *pcb); /* takes over a reference on the socket */
/* lwIP's PCB is gone: the socket's state is CLOSE, with `error` (positive) if there is one. */
void wire_conn_gone(struct wire_conn *c, int error);
/* Ends it without a word (rst false) or with a reset. */
void wire_conn_abort(struct wire_conn *c, bool rst, int error);
/* After lwIP was in the connection: its state, its place among the busy ones. */
void wire_conn_after(struct wire_conn *c);
void wire_conn_kick(struct wire_conn *c);
/* After a segment came: what waits in the ring follows, at the end of the batch. */
void wire_conn_continue(struct wire_conn *c);
void wire_conn_options(struct wire_conn *c);
void wire_conn_timers(bool slow); /* the busy ones */
bool wire_conn_busy(void);

/* show.c */
bool wire_show_segment(struct pbuf *p);
void wire_show_done(void);

/* isn.c */
void wire_isn_start(void);

/* cookie.c */
void wire_cookie_start(void);
/* Answers a SYN, its header `at` bytes into `p`, that nothing will remember. */
void wire_cookie_answer(const struct pbuf *p, u32 at, const struct tuple *t,
			const struct tcp_hdr *syn);
/* True if an ACK that belongs to no connection brings back a cookie that was sent to that client. */
bool wire_cookie_good(const struct tuple *t, const struct tcp_hdr *ack);
/* Then: gives lwIP, to which the listener is shown, the SYN again. */
void wire_cookie_replay(const struct tuple *t, const struct tcp_hdr *ack);
/* True meanwhile: *isn is the number that lwIP has to begin with. */
bool wire_cookie_isn(u32 *isn);

/* open.c */
void wire_open_start(void);
/* No half-open connection more for this listener. */
bool wire_half_full(const struct tcp_sock *listener);
int wire_tcp_connect(struct tcp_sock *t);
void wire_tcp_cancel(struct tcp_sock *t);
void wire_tcp_unlisten(struct tcp_sock *t);
void wire_half_done(struct wire_conn *c); /* no longer half-open */
/* A segment with `payload` bytes for a half-open connection. False: it counts as lost. */
bool wire_half_admit(struct wire_conn *c, const struct tcp_hdr *h, u32 payload);
void wire_half_settle(struct wire_conn *c); /* after that segment */
void wire_half_tick(struct wire_conn *c);
struct tcp_pcb_listen *wire_listen_pcb(struct tcp_sock *listener, const ip_addr_t *local, u16 port);
void wire_syn_tick(struct wire_conn *c);

/* data.c */
err_t wire_conn_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err);
err_t wire_conn_sent(void *arg, struct tcp_pcb *pcb, u16_t len);
void wire_conn_push(struct wire_conn *c);
void wire_conn_credit(struct wire_conn *c);
void wire_rx_drop(struct wire_rx *rx);
long wire_send(struct tcp_sock *t, struct sock_msg *m);

/* segment.c */
#define WIRE_LONG_WAIT 0xffffffffU
/* Bytes in a real segment. */
u32 wire_payload(const struct tcp_pcb *pcb);
/* Bytes in a long segment at most; 0: there are none now. */
u32 wire_long_max(const struct wire_conn *c);
/* Bytes that go into a long segment now, of `rest` that are there; 0: better a real one; WIRE_LONG_WAIT: wait for an acknowledgement. */
u32 wire_long_next(const struct wire_conn *c, u64 rest, u32 max);
/* tcp_write() of n bytes, or less, of `rest` that are there, in segments of up to `payload` bytes. Bytes; 0: lwIP takes none. */
u32 wire_write(struct tcp_pcb *pcb, const void *data, u32 n, u64 rest, u32 payload);
/* A long segment whose turn it is, and that the windows do not let out, becomes real ones. */
void wire_segment_cut(struct wire_conn *c);

/* recv.c */
long wire_recv(struct tcp_sock *t, struct sock_msg *m);

static inline struct wire_conn *wire_conn_of(const struct tcp_sock *t)
{
	return t->wire;
}

#endif
