/* The cards that there are. */
#include "drivers/netdev.h"

#include <stdio.h>

#include "arch/riscv64/layout.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

#define NETDEVS_MAX 4U

static struct netdev *netdevs[NETDEVS_MAX]; /* [I] filled at boot */
static u32 nr_netdevs;

static_assert(sizeof(struct netdev_buffer) < PAGE_SIZE / 8, "a buffer's page is for its data");

void netdev_buffer_free(struct netdev_buffer *b)
{
	page_free(b, 0);
}

void netdev_buffers_free(struct netdev_buffer *first)
{
	struct netdev_buffer *next;

	for (; first; first = next) {
		next = first->next;
		netdev_buffer_free(first);
	}
}

void netdev_register(struct netdev *d)
{
	if (nr_netdevs == NETDEVS_MAX) {
		klog(KLOG_WARN, "net: more than %u cards: one is not used\n", NETDEVS_MAX);
		return;
	}
	snprintf(d->name, sizeof(d->name), "eth%u", nr_netdevs);
	netdevs[nr_netdevs++] = d;
}

struct netdev *netdev_get(u32 number)
{
	return number < nr_netdevs ? netdevs[number] : NULL;
}

void netdev_attach(struct netdev *d, const struct netdev_user *user, void *owner)
{
	d->owner = owner;
	/* Pairs with the acquire loads of the driver's interrupt. */
	atomic_store_release(&d->user, user);
}
