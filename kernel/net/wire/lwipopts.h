/*
 * How lwIP is built. It runs without an operating system (NO_SYS) under one mutex (enter.c), takes all memory from the kernel, and has no timers of
 * its own: ticks.c calls them.
 */
#ifndef KERNEL_NET_WIRE_LWIPOPTS_H
#define KERNEL_NET_WIRE_LWIPOPTS_H

#define NO_SYS		     1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TIMERS	     0
#define LWIP_SOCKET	     0
#define LWIP_NETCONN	     0
#define LWIP_NETIF_API	     0
#define LWIP_STATS	     0
#define LWIP_HOOK_FILENAME   "lwip_hooks.h"

/* Memory. A reference count of 32 bits is a word that the machine has. */
#define MEM_ALIGNMENT		 8
#define MEM_CUSTOM_ALLOCATOR	 1
#define MEM_CUSTOM_MALLOC	 wire_malloc
#define MEM_CUSTOM_CALLOC	 wire_calloc
#define MEM_CUSTOM_FREE		 wire_free
#define MEMP_MEM_MALLOC		 1
#define LWIP_PBUF_REF_T		 unsigned int
#define LWIP_SUPPORT_CUSTOM_PBUF 1

/* Interfaces. */
#define LWIP_HAVE_LOOPIF	     0
#define LWIP_NETIF_LOOPBACK	     0
#define LWIP_NETIF_TX_SINGLE_PBUF    0
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_NETIF_LINK_CALLBACK     0
#define LWIP_NETIF_STATUS_CALLBACK   0

/* ARP and reassembly hold little for whoever does not answer. */
#define LWIP_ARP		      1
#define ARP_TABLE_SIZE		      127
#define ARP_QUEUEING		      1
#define ARP_QUEUE_LEN		      8
#define ETHARP_SUPPORT_STATIC_ENTRIES 0
#define ETH_PAD_SIZE		      0
#define IP_REASSEMBLY		      1
#define IP_REASS_MAX_PBUFS	      256
#define IP_REASS_MAXAGE		      15
#define IP_FRAG			      1
#define IP_DEFAULT_TTL		      64

#define LWIP_IPV4		      1
#define LWIP_IPV6		      1
#define LWIP_IPV6_SCOPES	      0
#define LWIP_IPV6_NUM_ADDRESSES	      4
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 1
#define LWIP_IPV6_SEND_ROUTER_SOLICIT 1
#define LWIP_IPV6_AUTOCONFIG	      1
#define LWIP_IPV6_REASS		      1
#define LWIP_IPV6_FRAG		      1
#define IPV6_FRAG_COPYHEADER	      1
#define LWIP_IPV6_MLD		      1
#define LWIP_ND6_NUM_NEIGHBORS	      64
#define LWIP_ND6_NUM_DESTINATIONS     64
#define LWIP_ND6_QUEUEING	      1
#define MEMP_NUM_ND6_QUEUE	      64
#define LWIP_ICMP		      1
#define LWIP_ICMP6		      1
#define LWIP_BROADCAST_PING	      0
#define LWIP_MULTICAST_PING	      0
#define LWIP_IGMP		      1

#define LWIP_DHCP		  1
#define LWIP_DHCP_DOES_ACD_CHECK  0
#define LWIP_ACD		  0
#define LWIP_DNS		  1 /* only the servers that DHCP tells: dns_getserver() */
#define LWIP_DHCP_GET_NTP_SRV	  0
#define LWIP_DHCP_MAX_DNS_SERVERS 2

#define LWIP_RAW 1
#define LWIP_UDP 1 /* DHCP's; programs' datagrams are taken before it */

/*
 * TCP. Slow tick 80 ms, so a retransmission comes after 160 to 240 ms at least; delayed acknowledgement 40 ms. The window is wide here and narrowed
 * for each connection by what is given back with tcp_recved().
 */
#define LWIP_TCP		  1
#define TCP_TMR_INTERVAL	  40
#define LWIP_TCP_RTO_TIME	  1000
#define TCP_MSL			  30000UL
#define TCP_MAXRTX		  12
#define TCP_SYNMAXRTX		  12 /* but see open.c: TCP_SYNCNT decides */
#define TCP_MSS			  1460
#define TCP_WND			  (4U << 20)
#define LWIP_WND_SCALE		  1
#define TCP_RCV_SCALE		  7
#define TCP_SND_BUF		  (256U << 10)
#define TCP_SND_QUEUELEN	  4096
#define TCP_SNDLOWAT		  (TCP_SND_BUF / 2)
#define TCP_SNDQUEUELOWAT	  (TCP_SND_QUEUELEN / 2)
#define TCP_QUEUE_OOSEQ		  1
#define TCP_OOSEQ_MAX_BYTES	  (256U << 10)
#define TCP_OOSEQ_MAX_PBUFS	  256
#define LWIP_TCP_TIMESTAMPS	  1
#define LWIP_TCP_SACK_OUT	  1
#define LWIP_TCP_MAX_SACK_NUM	  3
#define LWIP_TCP_KEEPALIVE	  1
#define TCP_LISTEN_BACKLOG	  0
#define TCP_OVERSIZE		  0
#define TCP_CHECKSUM_ON_COPY	  0
#define LWIP_TCP_PCB_NUM_EXT_ARGS 1
#define SO_REUSE		  0

#define LWIP_DISABLE_TCP_SANITY_CHECKS	1
#define LWIP_DISABLE_MEMP_SANITY_CHECKS 1

#endif
