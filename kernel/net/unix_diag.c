/*
 * Sock_diag of AF_UNIX sockets.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/tcp.h"
#include "kernel/net/sock_diag.h"
#include "kernel/net/unix.h"
#include "kernel/sync/atomic.h"

#define REPLY_MAX 1024U

enum { ARG_STATES, ARG_SHOW };

static u8 diag_state(const struct unix_sock *u)
{
	switch (atomic_load_relaxed(&u->state)) {
	case UNIX_LISTEN:
		return ABI_TCP_LISTEN;
	case UNIX_CONNECTED:
		return ABI_TCP_ESTABLISHED;
	default:
		return ABI_TCP_CLOSE;
	}
}

static void put_peer(struct nl_buf *b, struct unix_sock *u)
{
	struct unix_sock *p = unix_peer_get(u);

	if (!p)
		return;
	nl_put_u32(b, UNIX_DIAG_PEER, (u32)p->s.ino);
	socket_put(&p->s);
}

static void put_lengths(struct nl_buf *b, struct unix_sock *u, u8 state)
{
	u32 lengths[2] = {unix_unread(u), unix_unsent(u)};

	if (state == ABI_TCP_LISTEN) {
		lengths[0] = atomic_load_relaxed(&u->nr_ready);
		lengths[1] = atomic_load_relaxed(&u->backlog);
	}
	nl_put(b, UNIX_DIAG_RQLEN, lengths, sizeof(lengths));
}

/* Context: a reference on `u`; no lock. */
static int put_socket(struct nl_buf *b, const struct nl_dump *d, struct unix_sock *u)
{
	const struct unix_name *n = atomic_load_acquire(&u->name);
	u32 show = d->args[ARG_SHOW];
	struct abi_unix_diag_msg m = {
		.udiag_family = AF_UNIX,
		.udiag_type = (u8)u->s.type,
		.udiag_state = diag_state(u),
		.udiag_ino = (u32)u->s.ino,
		.udiag_cookie = {(u32)u->s.ino, (u32)(u->s.ino >> 32)},
	};

	nl_begin(b, SOCK_DIAG_BY_FAMILY, d->flags, d->portid, d->seq, &m, sizeof(m));
	if ((show & UDIAG_SHOW_NAME) && n)
		nl_put(b, UNIX_DIAG_NAME, n->name.bytes + sizeof(u16),
		       n->name.len - (u32)sizeof(u16));
	if (show & UDIAG_SHOW_PEER)
		put_peer(b, u);
	if (show & UDIAG_SHOW_RQLEN)
		put_lengths(b, u, m.udiag_state);
	if (show & UDIAG_SHOW_MEMINFO)
		diag_put_memory(b, UNIX_DIAG_MEMINFO, &u->s, unix_unread(u), unix_unsent(u), 0);
	nl_put_u8(b, UNIX_DIAG_SHUTDOWN, (u8)atomic_load_relaxed(&u->s.shutdown));
	if (show & UDIAG_SHOW_UID)
		nl_put_u32(b, UNIX_DIAG_UID, u->s.uid);
	return nl_end(b);
}

/* at[0]: bucket, at[1]: place. */
static int fill_sockets(struct nl_dump *d, struct nl_buf *b)
{
	for (; d->at[0] < UNIX_BUCKETS; d->at[0]++, d->at[1] = 0) {
		struct unix_sock *u;

		for (; (u = unix_nth(d->at[0], d->at[1])); d->at[1]++) {
			int err = 0;

			if (d->args[ARG_STATES] >> diag_state(u) & 1)
				err = put_socket(b, d, u);
			socket_put(&u->s);
			if (err)
				return err;
		}
	}
	return 0;
}

static struct unix_sock *find_socket(u32 ino)
{
	struct unix_sock *u;

	for (u32 n = 0; (u = unix_nth(ino % UNIX_BUCKETS, n)); n++) {
		if ((u32)u->s.ino == ino)
			break;
		socket_put(&u->s);
	}
	return u;
}

static int answer_one(struct nl_request *r, struct nl_dump *d, const struct abi_unix_diag_req *q)
{
	struct unix_sock *u = q->udiag_ino ? find_socket(q->udiag_ino) : NULL;
	struct nl_buf b;
	int err = u ? 0 : q->udiag_ino ? -ENOENT : -EINVAL;

	if (u && !diag_cookie_fits(q->udiag_cookie, &u->s))
		err = -ESTALE;
	d->portid = r->portid;
	d->seq = r->head->nlmsg_seq;
	if (!err)
		err = nl_buf_alloc(&b, REPLY_MAX);
	if (!err)
		err = nl_reply(r, &b, put_socket(&b, d, u));
	if (u)
		socket_put(&u->s);
	return err;
}

int unix_diag_request(struct nl_request *r)
{
	struct nl_dump d = {.fill = fill_sockets};
	struct abi_unix_diag_req q;

	if (r->len < sizeof(q))
		return -EINVAL;
	memcpy(&q, r->body, sizeof(q));
	d.args[ARG_STATES] = q.udiag_states;
	d.args[ARG_SHOW] = q.udiag_show;
	return r->head->nlmsg_flags & NLM_F_DUMP ? nl_dump_start(r, &d) : answer_one(r, &d, &q);
}
