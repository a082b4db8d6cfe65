/*
 * SYN cookies: a SYN for which there is no room among the half-open connections is answered without remembering it. The first number in the answer tells
 * all that is needed when the client's ACK brings it back:
 *
 *	bits 31..8	hash of the 4-tuple, the client's first number, and the rest, under a secret
 *	bits 7..2	the time, in turns of 64 seconds
 *	bits 1..0	the client's segment size, one of four
 *
 * Then lwIP is given the SYN once more, made up from the ACK, with the cookie as its own first number, and after it the ACK. What else the SYN offered
 * (window scaling, SACK, timestamps) is lost, as on Linux. An ACK is looked at for two turns after the last cookie was sent; who guesses blindly needs
 * eight million attempts.
 */
#include "kernel/net/net.h"
#include "kernel/net/wire/internal.h"
#include "kernel/random/random.h"
#include "kernel/sync/atomic.h"
#include "kernel/time/time.h"
#include "lib/siphash.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip.h"

#define TURN_S	   64U
#define TURN_MASK  63U
#define MSS_OPTION 2
#define OPTION_END 0
#define OPTION_NOP 1
#define SEGMENT	   (TCP_HLEN + 4U)

static const u16 mss_of[] = {536, 1220, 1440, 1460};

static u64 secret[2];  /* [I] once the wire starts */
static u64 last_sent;  /* [w] ticks; 0: never */
static bool replaying; /* [w] lwIP is given a SYN again */
static u32 replayed;   /* [w] the cookie */

void wire_cookie_start(void)
{
	random_bytes(secret, sizeof(secret));
}

bool wire_cookie_isn(u32 *isn)
{
	*isn = replayed;
	return replaying;
}

static u32 turn_now(void)
{
	return (u32)(time_now() / (time_freq * TURN_S));
}

static u32 cookie_make(const struct tuple *t, u32 client, u32 turn, u32 size)
{
	struct {
		struct inet_addr local, remote;
		u32 ports, client, turn, size;
	} in = {t->local.addr, t->remote.addr, (u32)t->local.port << 16 | t->remote.port,
		client,	       turn,	       size};

	static_assert(sizeof(in) == 48, "no padding is hashed");
	return (u32)siphash24(secret, &in, sizeof(in)) << 8 | (turn & TURN_MASK) << 2 | size;
}

/* The segment size that the SYN's options tell; IP's minimum if they do not. */
static u32 offered_mss(const struct pbuf *p, u32 at, u32 end)
{
	while (at + 4 <= end) {
		u8 kind = pbuf_get_at(p, (u16_t)at), len = pbuf_get_at(p, (u16_t)(at + 1));

		if (kind == MSS_OPTION && len == 4)
			return (u32)pbuf_get_at(p, (u16_t)(at + 2)) << 8 |
			       pbuf_get_at(p, (u16_t)(at + 3));
		if (kind == OPTION_END || (kind != OPTION_NOP && len < 2))
			break;
		at += kind == OPTION_NOP ? 1 : len;
	}
	return mss_of[0];
}

static u32 mss_index(u32 mss)
{
	u32 i = ARRAY_SIZE(mss_of) - 1;

	while (i && mss_of[i] > mss)
		i--;
	return i;
}

/* A segment with a segment size and nothing else. The checksum is left to the caller. */
static struct pbuf *syn_make(const struct tuple *from, u32 seq, u32 ack, u8 flags, u32 mss)
{
	struct pbuf *p = pbuf_alloc(PBUF_IP, SEGMENT, PBUF_RAM);
	struct tcp_hdr *h;
	u32 option = TCP_BUILD_MSS_OPTION(mss);

	if (!p)
		return NULL;
	h = p->payload;
	*h = (struct tcp_hdr){.src = net16(from->local.port),
			      .dest = net16(from->remote.port),
			      .seqno = net32(seq),
			      .ackno = net32(ack),
			      .wnd = 0xffff};
	TCPH_HDRLEN_FLAGS_SET(h, SEGMENT / 4, flags);
	memcpy(h + 1, &option, sizeof(option));
	return p;
}

void wire_cookie_answer(const struct pbuf *p, u32 at, const struct tuple *t, const struct tcp_hdr *syn)
{
	u32 client = net32(syn->seqno);
	u32 size = mss_index(offered_mss(p, at + TCP_HLEN, at + TCPH_HDRLEN_BYTES(syn)));
	struct netif *n = ip_current_input_netif();
	struct pbuf *answer = syn_make(t, cookie_make(t, client, turn_now(), size), client + 1,
				       TCP_SYN | TCP_ACK, TCP_MSS);
	struct tcp_hdr *h;

	if (!answer)
		return;
	h = answer->payload;
	if (n->chksum_flags & NETIF_CHECKSUM_GEN_TCP)
		h->chksum = ip_chksum_pseudo(answer, IP_PROTO_TCP, answer->tot_len,
					     ip_current_dest_addr(), ip_current_src_addr());
	last_sent = time_now();
	net_count(TCP_COOKIES_SENT);
	ip_output_if(answer, ip_current_dest_addr(), ip_current_src_addr(), TCP_TTL, 0,
		     IP_PROTO_TCP, n);
	pbuf_free(answer);
}

bool wire_cookie_good(const struct tuple *t, const struct tcp_hdr *ack)
{
	u32 cookie = net32(ack->ackno) - 1, turn = turn_now();
	u32 age = (turn - (cookie >> 2)) & TURN_MASK;

	return last_sent && time_now() - last_sent < 2 * TURN_S * time_freq && age <= 1 &&
	       cookie_make(t, net32(ack->seqno) - 1, turn - age, cookie & 3) == cookie;
}

void wire_cookie_replay(const struct tuple *t, const struct tcp_hdr *ack)
{
	struct tuple from = {t->remote, t->local};
	struct pbuf *syn;
	struct tcp_hdr *h;

	replayed = net32(ack->ackno) - 1;
	syn = syn_make(&from, net32(ack->seqno) - 1, 0, TCP_SYN, mss_of[replayed & 3]);
	if (!syn)
		return;
	h = syn->payload;
	h->wnd = ack->wnd;
	h->chksum = ip_chksum_pseudo(syn, IP_PROTO_TCP, syn->tot_len, ip_current_src_addr(),
				     ip_current_dest_addr());
	net_count(TCP_COOKIES_RECEIVED);
	replaying = true;
	tcp_input(syn, ip_current_input_netif());
	replaying = false;
}
