/*
 * Where lwIP asks the kernel: included by its own sources.
 */
#ifndef KERNEL_NET_WIRE_LWIP_HOOKS_H
#define KERNEL_NET_WIRE_LWIP_HOOKS_H

#include <stdint.h>

struct ip4_addr;
struct ip6_addr;
struct netif;
struct pbuf;
struct tcp_hdr;
struct tcp_pcb;

/* First sequence numbers that nobody can guess (isn.c). */
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port)                            \
	wire_isn(local_ip, local_port, remote_ip, remote_port)
/* The routes are the kernel's (hops.c). */
#define LWIP_HOOK_IP4_ROUTE(dest)	     wire_ip4_route(dest)
#define LWIP_HOOK_ETHARP_GET_GW(netif, dest) wire_ip4_hop(netif, dest)
#define LWIP_HOOK_IP6_ROUTE(src, dest)	     wire_ip6_route(dest)
#define LWIP_HOOK_ND6_GET_GW(netif, dest)    wire_ip6_hop(netif, dest)
/* Sees each packet before its header was checked; 1: it was taken (dgram.c). */
#define LWIP_HOOK_IP4_INPUT(p, inp) wire_ip4_input(p, inp)
#define LWIP_HOOK_IP6_INPUT(p, inp) wire_ip6_input(p)

/* Sees each segment that is about to be sent; adds no option (segment.c). */
#define LWIP_HOOK_TCP_OUT_ADD_TCPOPTS(p, hdr, pcb, opts) wire_tcp_output(p, hdr, pcb, opts)

uint32_t wire_isn(const void *local, uint16_t local_port, const void *remote, uint16_t remote_port);
struct netif *wire_ip4_route(const struct ip4_addr *to);
const struct ip4_addr *wire_ip4_hop(const struct netif *n, const struct ip4_addr *to);
struct netif *wire_ip6_route(const struct ip6_addr *to);
const struct ip6_addr *wire_ip6_hop(const struct netif *n, const struct ip6_addr *to);
int wire_ip4_input(struct pbuf *p, struct netif *inp);
int wire_ip6_input(struct pbuf *p);
uint32_t *wire_tcp_output(struct pbuf *p, struct tcp_hdr *h, const struct tcp_pcb *pcb,
			  uint32_t *opts);

#endif
