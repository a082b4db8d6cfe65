/*
 * The wire: IPv4, IPv6, ARP, neighbour discovery, DHCP, ICMP and TCP over network cards, by lwIP. lwIP is written for one thread, so all of it runs
 * under one sleeping mutex; everything in this folder that is marked [w] belongs to who holds it.
 *
 * The way in is wire_call(): the caller runs its function at once if nobody holds the mutex; else it leaves it on a queue, and the holder runs it
 * before it goes (flat combining). Nobody spins, and a burst of callers costs one hand-over instead of one each:
 *	caller			holder
 *	push operation		unlock
 *	fence (A)		fence (B)
 *	trylock: failed, wait	queue empty? gone
 * Store buffering; A (the CAS of the push) pairs with B: one of the two sees the other.
 */
#ifndef KERNEL_NET_WIRE_WIRE_H
#define KERNEL_NET_WIRE_WIRE_H

#include "kernel/net/eth.h"

/* For eth_init(). */
extern const struct eth_wire wire_lwip;

#endif
