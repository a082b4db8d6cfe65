/*
 * Which connection a segment is for. lwIP looks along lists of all connections; with thousands of them that is most of its time. So its lists are kept
 * empty, and for each segment that comes it is shown what matters: the one connection that our own table of 4-tuples (tuple.h) names; or, for a SYN,
 * a listening PCB made up for the socket that the port table (port.h) names; or else those that lwIP has in TIME_WAIT, so that it answers a FIN that is
 * sent again. Its own search then finds at once what there is.
 *
 * Invariant: tcp_active_pcbs and tcp_listen_pcbs are empty unless lwIP runs.
 */
#include "kernel/net/wire/internal.h"
#include "lwip/ip.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/tcp.h"

static struct {
	bool active;		   /* a segment was shown to lwIP */
	struct tcp_sock *sock;	   /* its connection, a reference; NULL: none */
	struct tcp_sock *listener; /* or the listening socket, a reference */
	struct tcp_pcb *time_wait; /* hidden meanwhile */
} shown;			   /* [w] */

static void show_none(void)
{
	shown.active = true;
	shown.sock = NULL;
	shown.listener = NULL;
	shown.time_wait = NULL;
}

static void hide_time_wait(void)
{
	shown.time_wait = tcp_tw_pcbs;
	tcp_tw_pcbs = NULL;
}

static void show_listener(const struct tuple *t)
{
	struct tcp_pcb_listen *l;

	hide_time_wait();
	shown.listener = tcp_find_listener(&t->local, &t->remote);
	if (!shown.listener)
		return;
	l = wire_listen_pcb(shown.listener, ip_current_dest_addr(), t->local.port);
	l->next = NULL;
	tcp_listen_pcbs.listen_pcbs = l;
}

/*
 * Does a segment out of order end behind the window? lwIP would keep the first such one whole and count more bytes as received than the window has,
 * which it takes for a bug of its own. The sender has to send it again.
 */
static bool overruns(const struct tcp_pcb *pcb, const struct tcp_hdr *h, u32 payload)
{
	u32 seq = net32(h->seqno), length = payload + ((TCPH_FLAGS(h) & TCP_FIN) != 0);

	return pcb->state != SYN_SENT && length && TCP_SEQ_GT(seq, pcb->rcv_nxt) &&
	       TCP_SEQ_GT(seq + length, pcb->rcv_nxt + pcb->rcv_wnd);
}

/* A SYN. False: it was dealt with. */
static bool show_syn(const struct pbuf *p, u32 at, const struct tuple *t, const struct tcp_hdr *h)
{
	show_listener(t);
	if (!shown.listener || !wire_half_full(shown.listener))
		return true;
	/* As on Linux, nobody new while the accept queue is full. */
	if (!tcp_accept_reserve(shown.listener, NULL)) {
		tcp_accept_unreserve(shown.listener);
		wire_cookie_answer(p, at, t, h);
	}
	return false;
}

/* An ACK brings a cookie back: there is a connection now, half-open, if somebody listens. */
static void open_by_cookie(const struct tuple *t, const struct tcp_hdr *h)
{
	show_listener(t);
	if (shown.listener)
		wire_cookie_replay(t, h);
	wire_show_done();
	show_none();
	shown.sock = tuple_find(t);
}

/* Context: called by lwIP for a segment that is whole, `p` at its IP header. False: drop it. */
bool wire_show_segment(struct pbuf *p)
{
	u32 skip = ip_current_header_tot_len();
	struct tuple t = {0};
	struct tcp_hdr h;

	show_none();
	if (pbuf_copy_partial(p, &h, sizeof(h), (u16_t)skip) != sizeof(h))
		return true;
	skip += TCPH_HDRLEN_BYTES(&h);
	t.local.addr = wire_from_ip(ip_current_dest_addr());
	t.local.port = net16(h.dest);
	t.remote.addr = wire_from_ip(ip_current_src_addr());
	t.remote.port = net16(h.src);
	shown.sock = tuple_find(&t);
	if (!shown.sock && (TCPH_FLAGS(&h) & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_ACK &&
	    wire_cookie_good(&t, &h))
		open_by_cookie(&t, &h);
	if (shown.sock) {
		struct wire_conn *c = wire_conn_of(shown.sock);

		hide_time_wait();
		if (!c || !c->pcb)
			return true;
		if (p->tot_len > skip && overruns(c->pcb, &h, p->tot_len - skip))
			return false;
		if (c->listener && !wire_half_admit(c, &h, p->tot_len - skip))
			return false;
		c->pcb->next = NULL;
		tcp_active_pcbs = c->pcb;
	} else if ((TCPH_FLAGS(&h) & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		return show_syn(p, ip_current_header_tot_len(), &t, &h);
	}
	return true;
}

static void time_wait_unhide(void)
{
	struct tcp_pcb **end = &tcp_tw_pcbs;

	while (*end)
		end = &(*end)->next;
	*end = shown.time_wait;
}

/* After the packet: the lists are emptied again. */
void wire_show_done(void)
{
	if (!shown.active)
		return;
	shown.active = false;
	tcp_listen_pcbs.listen_pcbs = NULL;
	if (shown.time_wait)
		time_wait_unhide();
	while (tcp_active_pcbs) {
		struct tcp_pcb *pcb = tcp_active_pcbs;

		tcp_active_pcbs = pcb->next;
		pcb->next = NULL;
		/* A new half-open one, whose socket nobody else holds here. */
		if (pcb->callback_arg &&
		    (!shown.sock || pcb->callback_arg != wire_conn_of(shown.sock)))
			wire_conn_after(pcb->callback_arg);
	}
	if (shown.sock) {
		struct wire_conn *c = wire_conn_of(shown.sock);

		if (c) {
			wire_half_settle(c);
			wire_conn_after(c);
			wire_conn_continue(c);
		}
		socket_put(&shown.sock->s);
	}
	if (shown.listener)
		socket_put(&shown.listener->s);
}
