/*
 * epoll and eventfd: flags, operations, the event structure.
 */
#ifndef ABI_EPOLL_H
#define ABI_EPOLL_H

#include "lib/types.h"

#define EPOLL_CLOEXEC 02000000

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3

#define EPOLLEXCLUSIVE BIT(28)
#define EPOLLWAKEUP    BIT(29)
#define EPOLLONESHOT   BIT(30)
#define EPOLLET	       BIT(31)

struct abi_epoll_event {
	u32 events;
	u32 pad;
	u64 data;
};
static_assert(sizeof(struct abi_epoll_event) == 16, "struct epoll_event");

#define EFD_SEMAPHORE 00000001
#define EFD_CLOEXEC   02000000
#define EFD_NONBLOCK  00004000

#endif
