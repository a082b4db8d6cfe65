/*
 * AF_UNIX sockets: creation, poll, close, and the options that all three types share.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/netdevice.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/net/unix.h"
#include "kernel/sync/atomic.h"

LOCK_CLASS(unix_link, RANK_UNIX);
LOCK_CLASS(unix_all, RANK_UNIX_NAMES);

/* All of them, for /proc/net/unix: by inode number, so that harts do not meet. */
static struct {
	struct spinlock lock;
	struct list list;
} __cacheline_aligned all[UNIX_BUCKETS];

static const struct socket_ops *ops_of(int type)
{
	switch (type) {
	case SOCK_STREAM:
		return &unix_stream_ops;
	case SOCK_DGRAM:
		return &unix_dgram_ops;
	default:
		return &unix_seqpacket_ops;
	}
}

struct unix_sock *unix_alloc(int type)
{
	struct unix_sock *u = kzalloc(sizeof(*u));

	if (!u)
		return NULL;
	socket_init(&u->s, ops_of(type), AF_UNIX, type, 0);
	u->state = UNIX_CLOSE;
	spin_init(&u->link, &unix_link_class);
	list_init(&u->names);
	list_init(&u->marks);
	list_init(&u->waiters);
	list_init(&u->wait);
	list_init(&u->ready);
	list_init(&u->accept);
	list_init(&u->edges);
	list_init(&u->flight);
	list_init(&u->visit);
	stream_init(&u->rx, SOCK_BUF_DEFAULT);
	dgram_queue_init(&u->queue);
	u->cred = unix_current_cred();
	spin_lock(&all[u->s.ino % UNIX_BUCKETS].lock);
	list_add(&all[u->s.ino % UNIX_BUCKETS].list, &u->all);
	spin_unlock(&all[u->s.ino % UNIX_BUCKETS].lock);
	return u;
}

void unix_for_each(u32 bucket, void (*fn)(struct unix_sock *u, void *arg), void *arg)
{
	struct unix_sock *u;

	spin_lock(&all[bucket].lock);
	list_for_each(u, &all[bucket].list, all)
		fn(u, arg);
	spin_unlock(&all[bucket].lock);
}

struct unix_sock *unix_nth(u32 bucket, u32 n)
{
	struct unix_sock *u, *found = NULL;
	u32 at = 0;

	spin_lock(&all[bucket].lock);
	list_for_each(u, &all[bucket].list, all) {
		/* One that is being freed waits for our lock: it is passed over. */
		if (at++ >= n && refcount_get_unless_zero(&u->s.refs)) {
			found = u;
			break;
		}
	}
	spin_unlock(&all[bucket].lock);
	return found;
}

static int unix_create(int type, int protocol, struct socket **out)
{
	struct unix_sock *u;

	if (protocol != 0 && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	/* As BSD had it, a raw one is a datagram socket. */
	if (type == SOCK_RAW)
		type = SOCK_DGRAM;
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	u = unix_alloc(type);
	if (!u)
		return -ENOMEM;
	*out = &u->s;
	return 0;
}

struct unix_sock *unix_peer_get(struct unix_sock *u)
{
	struct unix_sock *p;

	spin_lock(&u->link);
	p = u->peer;
	if (p)
		socket_get(&p->s);
	spin_unlock(&u->link);
	return p;
}

/* ---- poll ---- */

static bool readable(struct unix_sock *u)
{
	if (atomic_load_relaxed(&u->state) == UNIX_LISTEN)
		return atomic_load_relaxed(&u->nr_ready) != 0;
	return u->s.type == SOCK_STREAM ? ring_used(&u->rx.ring) != 0 : !dgram_queue_empty(&u->queue);
}

static bool writable(struct unix_sock *u)
{
	struct unix_sock *p;
	bool room = true;

	if (atomic_load_relaxed(&u->state) == UNIX_LISTEN)
		return false;
	if (u->s.type == SOCK_STREAM) {
		p = atomic_load_acquire(&u->peer);
		return !p || ring_writable(&p->rx.ring);
	}
	p = unix_peer_get(u);
	if (p) {
		room = !unix_dgram_full(u, p);
		socket_put(&p->s);
	}
	return room;
}

PollEvent unix_poll(struct socket *s)
{
	struct unix_sock *u = unix_of(s);
	u32 shut = atomic_load_relaxed(&s->shutdown);
	PollEvent events = 0;

	if (atomic_load_relaxed(&s->error))
		events |= POLL_EVENT_ERR;
	if (shut & SOCK_SHUT_RD)
		events |= POLL_EVENT_READ | POLL_EVENT_RDHUP;
	if (shut == SOCK_SHUT_ALL ||
	    (s->type != SOCK_DGRAM && atomic_load_relaxed(&u->state) == UNIX_CLOSE))
		events |= POLL_EVENT_HUP;
	if (readable(u))
		events |= POLL_EVENT_READ;
	if (writable(u))
		events |= POLL_EVENT_WRITE;
	return events;
}

/* ---- the end ---- */

/* A sender may be about to add one: the last look is that of unix_free(). */
static void marks_free(struct unix_sock *u)
{
	for (;;) {
		struct unix_mark *m = NULL;

		spin_lock(&u->link);
		if (!list_empty(&u->marks)) {
			m = list_first(&u->marks, struct unix_mark, link);
			list_del(&m->link);
			atomic_store_relaxed(&u->nr_marks, u->nr_marks - 1);
		}
		spin_unlock(&u->link);
		if (!m)
			return;
		unix_scm_free(m->scm);
		kfree(m);
	}
}

void unix_purge(struct unix_sock *u)
{
	struct dgram *d;

	if (atomic_load_relaxed(&u->state) == UNIX_LISTEN)
		unix_listen_close(u);
	marks_free(u);
	while ((d = dgram_queue_get(&u->queue, true)))
		dgram_put(d);
}

/* A connection's other end: it sees the end of the stream, or a reset if data were not read. */
static void tell_peer(struct unix_sock *u, struct unix_sock *p)
{
	bool unread = readable(u);

	mutex_lock(&p->rx.writer);
	if (unread)
		atomic_store_relaxed(&p->s.error, ECONNRESET);
	atomic_fetch_or(&p->s.shutdown, SOCK_SHUT_ALL);
	mutex_unlock(&p->rx.writer);
	socket_wake_all(&p->s);
}

void unix_close(struct socket *s)
{
	struct unix_sock *u = unix_of(s), *p;

	unix_name_drop(u);
	if (atomic_load_relaxed(&u->state) == UNIX_LISTEN)
		unix_listen_close(u);
	unix_dgram_unwait(u);
	atomic_fetch_or(&s->shutdown, SOCK_SHUT_ALL);
	atomic_store_release(&u->dead, 1);
	spin_lock(&u->link);
	p = u->peer;
	/* A stream's peer may still look here: the pointer stays, only the reference goes. */
	if (s->type == SOCK_DGRAM)
		u->peer = NULL;
	spin_unlock(&u->link);
	if (p && s->type != SOCK_DGRAM && atomic_load_relaxed(&u->state) == UNIX_CONNECTED)
		tell_peer(u, p);
	dgram_queue_close(&u->queue);
	unix_dgram_took(u);
	marks_free(u);
	if (p)
		socket_put(&p->s);
	unix_collect();
}

void unix_free(struct socket *s)
{
	struct unix_sock *u = unix_of(s);

	spin_lock(&all[s->ino % UNIX_BUCKETS].lock);
	list_del(&u->all);
	spin_unlock(&all[s->ino % UNIX_BUCKETS].lock);
	marks_free(u);
	dgram_queue_close(&u->queue);
	stream_destroy(&u->rx);
	kfree(u->name);
}

/* ---- what programs ask ---- */

u32 unix_unread(struct unix_sock *u)
{
	struct dgram *d;
	u32 len = 0;

	if (u->s.type == SOCK_STREAM)
		return (u32)ring_used(&u->rx.ring);
	d = dgram_queue_get(&u->queue, false);
	if (d) {
		len = d->len;
		dgram_put(d);
	}
	return len;
}

u32 unix_unsent(struct unix_sock *u)
{
	struct unix_sock *p = unix_peer_get(u);
	u32 len = 0;

	if (p) {
		len = u->s.type == SOCK_STREAM ? (u32)ring_used(&p->rx.ring)
					       : (u32)atomic_load_relaxed(&p->queue.bytes);
		socket_put(&p->s);
	}
	return len;
}

long unix_ioctl(struct socket *s, u32 cmd, u64 arg)
{
	struct unix_sock *u = unix_of(s);
	u32 __user *out = (u32 __user *)(uintptr_t)arg;

	if (cmd == SIOCINQ) {
		if (atomic_load_relaxed(&u->state) == UNIX_LISTEN)
			return -EINVAL;
		return user_store_u32(out, unix_unread(u));
	}
	return cmd == SIOCOUTQ ? user_store_u32(out, unix_unsent(u)) : -ENOTTY;
}

int unix_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	struct unix_sock *u = unix_of(s);
	struct abi_ucred cred = u->peer_cred;

	if (level != SOL_SOCKET || name != SO_PEERCRED)
		return level == SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;
	if (!cred.pid)
		cred = (struct abi_ucred){0, ~0U, ~0U};
	*len = MIN(*len, (u32)sizeof(cred));
	memcpy(val, &cred, *len);
	return 0;
}

void unix_init(void)
{
	static struct socket_family family = {.family = AF_UNIX, .create = unix_create};

	for (u32 i = 0; i < UNIX_BUCKETS; i++) {
		spin_init(&all[i].lock, &unix_all_class);
		list_init(&all[i].list);
	}
	dgram_scm_free = unix_scm_free;
	socket_register(&family);
}
