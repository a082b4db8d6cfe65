/*
 * Where lwIP asks the kernel: included by its own sources.
 */
#ifndef KERNEL_NET_WIRE_LWIP_HOOKS_H
#define KERNEL_NET_WIRE_LWIP_HOOKS_H

#include <stdint.h>

struct netif;
struct pbuf;
struct tcp_hdr;
struct tcp_pcb;

/* First sequence numbers that nobody can guess. */
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port) wire_random()
/* Sees each packet before its header was checked; 1: it was taken (dgram.c). */
#define LWIP_HOOK_IP4_INPUT(p, inp) wire_ip4_input(p, inp)
#define LWIP_HOOK_IP6_INPUT(p, inp) wire_ip6_input(p)

/* Sees each segment that is about to be sent; adds no option. */
#define LWIP_HOOK_TCP_OUT_ADD_TCPOPTS(p, hdr, pcb, opts) wire_tcp_output(hdr, pcb, opts)

int wire_ip4_input(struct pbuf *p, struct netif *inp);
int wire_ip6_input(struct pbuf *p);
uint32_t *wire_tcp_output(const struct tcp_hdr *h, const struct tcp_pcb *pcb, uint32_t *opts);

#endif
