/*
 * TCP's options, states and struct tcp_info.
 */
#ifndef ABI_TCP_H
#define ABI_TCP_H

#include "lib/types.h"

#define TCP_NODELAY	  1
#define TCP_MAXSEG	  2
#define TCP_CORK	  3
#define TCP_KEEPIDLE	  4
#define TCP_KEEPINTVL	  5
#define TCP_KEEPCNT	  6
#define TCP_SYNCNT	  7
#define TCP_LINGER2	  8
#define TCP_DEFER_ACCEPT  9
#define TCP_WINDOW_CLAMP  10
#define TCP_INFO	  11
#define TCP_QUICKACK	  12
#define TCP_CONGESTION	  13
#define TCP_USER_TIMEOUT  18
#define TCP_FASTOPEN	  23
#define TCP_NOTSENT_LOWAT 25
#define TCP_INQ		  36
#define TCP_CM_INQ	  TCP_INQ /* the control message */

/* States as TCP_INFO and /proc/net/tcp tell them. */
#define ABI_TCP_ESTABLISHED 1
#define ABI_TCP_SYN_SENT    2
#define ABI_TCP_SYN_RECV    3
#define ABI_TCP_FIN_WAIT1   4
#define ABI_TCP_FIN_WAIT2   5
#define ABI_TCP_TIME_WAIT   6
#define ABI_TCP_CLOSE	    7
#define ABI_TCP_CLOSE_WAIT  8
#define ABI_TCP_LAST_ACK    9
#define ABI_TCP_LISTEN	    10
#define ABI_TCP_CLOSING	    11

#define TCPI_OPT_TIMESTAMPS 1
#define TCPI_OPT_SACK	    2
#define TCPI_OPT_WSCALE	    4

struct abi_tcp_info {
	u8 tcpi_state;
	u8 tcpi_ca_state;
	u8 tcpi_retransmits;
	u8 tcpi_probes;
	u8 tcpi_backoff;
	u8 tcpi_options;
	u8 tcpi_wscale; /* send in the low four bits, receive above */
	u8 tcpi_flags;
	u32 tcpi_rto;
	u32 tcpi_ato;
	u32 tcpi_snd_mss;
	u32 tcpi_rcv_mss;
	u32 tcpi_unacked;
	u32 tcpi_sacked;
	u32 tcpi_lost;
	u32 tcpi_retrans;
	u32 tcpi_fackets;
	u32 tcpi_last_data_sent;
	u32 tcpi_last_ack_sent;
	u32 tcpi_last_data_recv;
	u32 tcpi_last_ack_recv;
	u32 tcpi_pmtu;
	u32 tcpi_rcv_ssthresh;
	u32 tcpi_rtt;
	u32 tcpi_rttvar;
	u32 tcpi_snd_ssthresh;
	u32 tcpi_snd_cwnd;
	u32 tcpi_advmss;
	u32 tcpi_reordering;
	u32 tcpi_rcv_rtt;
	u32 tcpi_rcv_space;
	u32 tcpi_total_retrans;
	u64 tcpi_pacing_rate;
	u64 tcpi_max_pacing_rate;
	u64 tcpi_bytes_acked;
	u64 tcpi_bytes_received;
	u32 tcpi_segs_out;
	u32 tcpi_segs_in;
	u32 tcpi_notsent_bytes;
	u32 tcpi_min_rtt;
	u32 tcpi_data_segs_in;
	u32 tcpi_data_segs_out;
	u64 tcpi_delivery_rate;
	u64 tcpi_busy_time;
	u64 tcpi_rwnd_limited;
	u64 tcpi_sndbuf_limited;
	u32 tcpi_delivered;
	u32 tcpi_delivered_ce;
	u64 tcpi_bytes_sent;
	u64 tcpi_bytes_retrans;
	u32 tcpi_dsack_dups;
	u32 tcpi_reord_seen;
	u32 tcpi_rcv_ooopack;
	u32 tcpi_snd_wnd;
	u32 tcpi_rcv_wnd;
	u32 tcpi_rehash;
	u16 tcpi_total_rto;
	u16 tcpi_total_rto_recoveries;
	u32 tcpi_total_rto_time;
};
static_assert(sizeof(struct abi_tcp_info) == 248, "struct tcp_info");

#endif
