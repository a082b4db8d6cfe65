/*
 * Which segments are joined into one packet for a card that cuts them, and what it then says. The frames are made here as lwIP makes them: headers in
 * a pbuf of their own, payload in pages.
 */
#include "kernel/net/wire/tx.h"

#include <stdlib.h>

#include "kernel/mm/mm.h"
#include "lwip/prot/tcp.h"
#include "tests/unit/unit.h"

#define HEADERS	 66U /* Ethernet, IP, TCP with timestamps */
#define SIZE	 1448U
#define FEATURES (NETDEV_F_CSUM | NETDEV_F_TSO4)

static int holds; /* page_get() without page_put() */

void page_get(void *va)
{
	(void)va;
	holds++;
}
void page_put(void *va)
{
	(void)va;
	holds--;
}
void *kmalloc(size_t n)
{
	return malloc(n);
}
void kfree(void *p)
{
	free(p);
}
void *wire_malloc(size_t n)
{
	return malloc(n);
}
void *wire_calloc(size_t n, size_t size)
{
	return calloc(n, size);
}
void wire_free(void *p)
{
	free(p);
}
void wire_assert(const char *what)
{
	printf("# %s\n", what);
	abort();
}
u32 wire_random(void)
{
	return 4;
}
uint16_t wire_chksum(const void *data, int len)
{
	return (u16)~inet_sum_fold(inet_sum(0, data, (size_t)len));
}
u32 sys_now(void)
{
	return 0;
}
int wire_ip4_input(void *p, void *inp)
{
	(void)p;
	(void)inp;
	return 0;
}
int wire_ip6_input(void *p)
{
	(void)p;
	return 0;
}
u32 wire_isn(const void *local, u16 local_port, const void *remote, u16 remote_port)
{
	(void)local;
	(void)local_port;
	(void)remote;
	(void)remote_port;
	return 4;
}
void *wire_ip4_route(const void *to)
{
	(void)to;
	return NULL;
}
const void *wire_ip4_hop(const void *n, const void *to)
{
	(void)n;
	(void)to;
	return NULL;
}
void *wire_ip6_route(const void *to)
{
	(void)to;
	return NULL;
}
const void *wire_ip6_hop(const void *n, const void *to)
{
	(void)n;
	(void)to;
	return NULL;
}
u32 *wire_tcp_output(void *p, void *h, const void *pcb, u32 *opts)
{
	(void)p;
	(void)h;
	(void)pcb;
	return opts;
}

static u8 payload[1 << 17] __attribute__((aligned(4096)));

struct what {
	u32 seq, from, length;
	u8 flags;
	u16 port, id;
	u16 size;   /* of a long one */
	bool whole; /* the pages lie side by side, and lwIP noticed */
};

/* A frame 10.0.0.1 -> 10.0.0.2 with `length` bytes of payload from `from` on. */
static struct pbuf *frame(struct what w)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, HEADERS, PBUF_RAM);
	u8 *f = p->payload;
	struct tcp_hdr *tcp = (struct tcp_hdr *)(f + 34);
	u32 total = HEADERS - 14 + w.length;

	memset(f, 0, HEADERS);
	f[12] = 8;
	f[14] = 0x45;
	f[16] = (u8)(total >> 8);
	f[17] = (u8)total;
	f[18] = (u8)(w.id >> 8);
	f[19] = (u8)w.id;
	f[22] = 64;
	f[23] = 6;
	memcpy(f + 26, (u8[]){10, 0, 0, 1, 10, 0, 0, 2}, 8);
	tcp->src = net16(w.port ? w.port : 1000);
	tcp->dest = net16(80);
	tcp->seqno = net32(w.seq);
	tcp->_hdrlen_rsvd_flags = net16((u16)(8 << 12 | (w.flags ? w.flags : TCP_ACK)));
	for (u32 at = w.from, end = w.from + w.length; at < end;) {
		u32 n = w.whole ? end - at : MIN(end - at, 4096 - at % 4096);
		struct pbuf *q = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_ROM);

		q->payload = payload + at;
		pbuf_cat(p, q);
		at += n;
	}
	if (w.size)
		tx_set_size(p, tcp, w.size);
	return p;
}

static struct wire_tx *make(struct what w)
{
	struct pbuf *p = frame(w);
	struct wire_tx *tx = tx_make(p, FEATURES);

	pbuf_free(p);
	return tx;
}

static bool join(struct wire_tx *tx, struct what w)
{
	struct pbuf *p = frame(w);
	bool joined = tx_join(tx, p);

	pbuf_free(p);
	return joined;
}

static void end(struct wire_tx *tx)
{
	for (u32 i = 0; i < tx->nr_pages; i++)
		page_put(tx->pages[i]);
	for (u32 i = 0; i < tx->nr_heads; i++)
		pbuf_free(tx->heads[i]);
	kfree(tx);
	CHECK(holds == 0);
}

static u32 total_of(const struct wire_tx *tx)
{
	u32 n = 0;

	for (u32 i = 0; i < tx->packet.nr_pieces; i++)
		n += tx->packet.pieces[i].length;
	return n;
}

TEST(segments_that_follow_are_joined)
{
	struct wire_tx *tx = make((struct what){.seq = 7, .length = SIZE});
	u32 n = 1;

	while (n < 45 &&
	       join(tx, (struct what){7 + n * SIZE, n * SIZE, SIZE, TCP_ACK, 0, (u16)n, 0, false}))
		n++;
	CHECK(n == 45);
	CHECK(!join(tx, (struct what){7 + n * SIZE, n * SIZE, SIZE, 0, 0, 0, 0, false})); /* over 64 KiB */
	tx_finish(tx);
	CHECK(tx->packet.gso == NETDEV_GSO_TCPV4 && tx->packet.segment_size == SIZE);
	CHECK(tx->packet.header_length == HEADERS && total_of(tx) == HEADERS + 45 * SIZE &&
	      tx->length == total_of(tx));
	CHECK(tx->packet.nr_pieces <= 17 && holds == (int)tx->nr_pages);
	CHECK((tx->frame[16] << 8 | tx->frame[17]) == (int)(HEADERS - 14 + 45 * SIZE));
	CHECK(inet_sum_fold(inet_sum(0, tx->frame + 14, 20)) == 0);
	for (u32 i = 1, at = 0; i < tx->packet.nr_pieces; at += tx->packet.pieces[i++].length)
		CHECK(tx->packet.pieces[i].data == payload + at);
	end(tx);
}

/* Of 10 * SIZE bytes and one short of SIZE; what follows joins as if they had come one by one. */
TEST(long_frames_are_cut_as_they_say)
{
	struct wire_tx *tx = make((struct what){.seq = 7, .length = 10 * SIZE, .size = SIZE});

	CHECK(tx->packet.segment_size == SIZE && tx->segment);
	CHECK(join(tx, (struct what){.seq = 7 + 10 * SIZE, .from = 10 * SIZE, .length = SIZE}));
	CHECK(!join(tx, (struct what){.seq = 7 + 11 * SIZE, .from = 11 * SIZE, .length = 2 * SIZE}));
	CHECK(!join(tx, (struct what){.seq = 7 + 11 * SIZE,
				      .from = 11 * SIZE,
				      .length = 2 * SIZE,
				      .size = SIZE - 1}));
	CHECK(join(tx, (struct what){.seq = 7 + 11 * SIZE,
				     .from = 11 * SIZE,
				     .length = 3 * SIZE + 5,
				     .size = SIZE}));
	CHECK(!join(tx, (struct what){.seq = 12 + 14 * SIZE, .from = 14 * SIZE + 5, .length = SIZE}));
	tx_finish(tx);
	CHECK(tx->packet.gso == NETDEV_GSO_TCPV4 && tx->packet.segment_size == SIZE);
	CHECK(total_of(tx) == HEADERS + 14 * SIZE + 5);
	CHECK((tx->frame[16] << 8 | tx->frame[17]) == (int)(HEADERS - 14 + 14 * SIZE + 5));
	end(tx);
}

TEST(a_long_end_goes_alone_and_is_cut)
{
	struct wire_tx *tx = make((struct what){
		.seq = 1, .length = 2 * SIZE, .flags = TCP_ACK | TCP_FIN, .size = SIZE});

	tx_finish(tx);
	CHECK(!tx->segment && tx->packet.gso == NETDEV_GSO_TCPV4);
	CHECK(tx->packet.segment_size == SIZE);
	end(tx);
}

TEST(a_frame_that_joins_a_first_real_one_may_be_long)
{
	struct wire_tx *tx = make((struct what){.seq = 7, .length = SIZE});

	CHECK(join(tx,
		   (struct what){.seq = 7 + SIZE, .from = SIZE, .length = 44 * SIZE, .size = SIZE}));
	CHECK(tx->packet.segment_size == SIZE && total_of(tx) == HEADERS + 45 * SIZE);
	end(tx);
}

TEST(each_page_is_held)
{
	struct wire_tx *tx = make(
		(struct what){.seq = 7, .from = 100, .length = 10000, .size = SIZE, .whole = true});

	CHECK(holds == 3 && tx->packet.nr_pieces == 4 && total_of(tx) == HEADERS + 10000);
	end(tx);
}

TEST(the_last_may_be_short_and_pushes)
{
	struct wire_tx *tx = make((struct what){.seq = 1, .length = SIZE});

	CHECK(join(tx, (struct what){1 + SIZE, SIZE, 10, TCP_ACK | TCP_PSH, 0, 0, 0, false}));
	CHECK(tx->frame[47] & TCP_PSH);
	CHECK(!join(tx, (struct what){11 + SIZE, SIZE + 10, SIZE, TCP_ACK, 0, 0, 0, false}));
	end(tx);
}

TEST(others_go_alone)
{
	struct wire_tx *tx = make((struct what){.seq = 1, .length = SIZE});

	CHECK(!join(tx, (struct what){2 + SIZE, SIZE, SIZE, 0, 0, 0, 0, false})); /* a gap */
	CHECK(!join(tx, (struct what){1 + SIZE, SIZE, SIZE, 0, 1001, 0, 0, false})); /* another connection */
	CHECK(!join(tx, (struct what){1 + SIZE, SIZE, SIZE, TCP_ACK | TCP_FIN, 0, 0, 0,
				      false})); /* the end */
	CHECK(!join(tx, (struct what){1 + SIZE, SIZE, SIZE + 1, 0, 0, 0, 0,
				      false})); /* larger than the first */
	CHECK(!join(tx, (struct what){1 + SIZE, SIZE, 0, 0, 0, 0, 0, false})); /* no data */
	CHECK(total_of(tx) == HEADERS + SIZE);
	tx_finish(tx);
	CHECK(tx->packet.gso == NETDEV_GSO_NONE && tx->packet.checksum);
	end(tx);
}

TEST(what_may_not_be_joined_is_known)
{
	static const struct what alone[] = {
		{.seq = 1}, {.seq = 1, .length = 5, .flags = TCP_ACK | TCP_FIN}, {.flags = TCP_SYN}};

	for (u32 i = 0; i < ARRAY_SIZE(alone); i++) {
		struct wire_tx *tx = make(alone[i]);

		CHECK(!tx->segment);
		end(tx);
	}
}

TEST(a_card_without_offloads_gets_what_lwip_made)
{
	struct pbuf *p = frame((struct what){.seq = 1, .length = SIZE});
	struct wire_tx *tx = tx_make(p, 0);

	pbuf_free(p);
	tx_finish(tx);
	CHECK(!tx->segment && !tx->packet.checksum && total_of(tx) == HEADERS + SIZE);
	end(tx);
}
