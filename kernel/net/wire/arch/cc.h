/*
 * What lwIP wants to know of compiler and kernel.
 */
#ifndef KERNEL_NET_WIRE_ARCH_CC_H
#define KERNEL_NET_WIRE_ARCH_CC_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#ifndef BYTE_ORDER
#define BYTE_ORDER 1234
#endif
#ifndef LITTLE_ENDIAN
#define LITTLE_ENDIAN 1234
#endif
#ifndef BIG_ENDIAN
#define BIG_ENDIAN 4321
#endif

#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_CTYPE_H	 1
#define SSIZE_MAX	 INT32_MAX

/* Only netif_find() wants it, which nobody calls; libc's needs errno, which is thread-local. */
#define atoi(text) ((void)(text), 0)

/* Names that the kernel has, too. internal.h takes the macros away again, so the kernel's files say lwip_tcp_connect(). */
#define raw_input   lwip_raw_input
#define tcp_accept  lwip_tcp_accept
#define tcp_alloc   lwip_tcp_alloc
#define tcp_bind    lwip_tcp_bind
#define tcp_connect lwip_tcp_connect
#define udp_input   lwip_udp_input

#define LWIP_PLATFORM_DIAG(x)                                                                      \
	do {                                                                                       \
	} while (0)
#define LWIP_PLATFORM_ASSERT(x) wire_assert(x)
#define LWIP_RAND()		wire_random()
#define LWIP_CHKSUM		wire_chksum

_Noreturn void wire_assert(const char *what);
uint32_t wire_random(void);
void *wire_malloc(size_t n);
void *wire_calloc(size_t n, size_t size);
void wire_free(void *p);
uint16_t wire_chksum(const void *data, int len);

#endif
