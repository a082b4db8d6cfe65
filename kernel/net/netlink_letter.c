#include "kernel/net/netlink_letter.h"

#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/netlink.h"

struct netlink_letter {
	struct file *to;     /* [I] a reference */
	struct dgram *dgram; /* [I] a reference, or NULL: delivered */
};

static bool has_room(void *arg)
{
	struct netlink_sock *n = arg;

	return atomic_load_relaxed(&n->queue.bytes) < atomic_load_relaxed(&n->s.rcvbuf);
}

struct netlink_letter *netlink_letter_write(struct file *to, const u8 *text, u32 len)
{
	struct socket *s = socket_of(to);
	struct netlink_letter *letter;
	struct dgram *d;
	int err;

	if (!s)
		return err_ptr(-ENOTSOCK);
	if (s->family != AF_NETLINK)
		return err_ptr(-EINVAL);
	err = socket_wait(s, POLL_EVENT_WRITE, false, has_room, netlink_of(s), PARK_FOREVER);
	if (err)
		return err_ptr(err);
	letter = kmalloc(sizeof(*letter));
	d = letter ? dgram_alloc(len) : NULL;
	if (!d) {
		kfree(letter);
		return err_ptr(-ENOMEM);
	}
	memcpy(d->data, text, len);
	/* As whatever comes from the kernel. */
	d->portid = 0;
	d->group = 0;
	d->cred = (struct abi_ucred){0};
	file_get(to);
	*letter = (struct netlink_letter){to, d};
	return letter;
}

void netlink_letter_send(struct netlink_letter *letter, u8 last)
{
	struct netlink_sock *n = netlink_of(socket_of(letter->to));

	letter->dgram->data[letter->dgram->len - 1] = last;
	if (!dgram_queue_add(&n->queue, letter->dgram, ~0UL)) {
		letter->dgram = NULL;
		socket_wake(&n->s, POLL_EVENT_READ);
	}
	netlink_letter_drop(letter);
}

void netlink_letter_drop(struct netlink_letter *letter)
{
	if (letter->dgram)
		dgram_put(letter->dgram);
	file_put(letter->to);
	kfree(letter);
}
