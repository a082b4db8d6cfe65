/*
 * TCP's options and ioctls. Over lo several have nothing to act on (a peer never vanishes, nothing
 * is ever lost or delayed), so they are kept for getsockopt and for the wire path.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/netdevice.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/multicast.h"
#include "kernel/net/tcp.h"
#include "kernel/sync/atomic.h"

static int set_bit(struct tcp_sock *t, u32 bit, int v)
{
	if (v)
		atomic_fetch_or(&t->tcp_flags, bit);
	else
		atomic_fetch_and(&t->tcp_flags, ~bit);
	return 0;
}

static int set_bounded(u32 *field, int v, int min, int max)
{
	if (v < min || v > max)
		return -EINVAL;
	atomic_store_relaxed(field, (u32)v);
	return 0;
}

static int set_value(struct tcp_sock *t, int name, int v)
{
	switch (name) {
	case TCP_NODELAY:
		return set_bit(t, TCP_F_NODELAY, v);
	case TCP_CORK:
		return set_bit(t, TCP_F_CORK, v);
	case TCP_QUICKACK:
		return set_bit(t, TCP_F_DELAYACK, !v);
	case TCP_INQ:
		return v < 0 || v > 1 ? -EINVAL : set_bit(t, TCP_F_INQ, v);
	case TCP_MAXSEG:
		return v && (v < 88 || v > 32767) ? -EINVAL : set_bounded(&t->maxseg, v, 0, 32767);
	case TCP_KEEPIDLE:
		return set_bounded(&t->keepidle, v, 1, 32767);
	case TCP_KEEPINTVL:
		return set_bounded(&t->keepintvl, v, 1, 32767);
	case TCP_KEEPCNT:
		return set_bounded(&t->keepcnt, v, 1, 127);
	case TCP_SYNCNT:
		return set_bounded(&t->syncnt, v, 1, 127);
	case TCP_USER_TIMEOUT:
		return set_bounded(&t->user_timeout, v, 0, INT32_MAX);
	case TCP_NOTSENT_LOWAT:
		atomic_store_relaxed(&t->notsent_lowat, (u32)v);
		return 0;
	case TCP_WINDOW_CLAMP:
		if (v == 0 && tcp_state(t) != ABI_TCP_CLOSE)
			return -EINVAL;
		atomic_store_relaxed(&t->window_clamp, v ? MAX((u32)v, SOCK_RCVBUF_MIN / 2) : 0U);
		return 0;
	case TCP_DEFER_ACCEPT:
		atomic_store_relaxed(&t->defer_accept, tcp_defer_seconds(v));
		return 0;
	case TCP_LINGER2:
		t->linger2 = v < 0 ? -1 : v > 120 ? 120 : v ? v : 60;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int set_congestion(const void *val, u32 len)
{
	char name[16] = {0};

	if (len < 1)
		return -EINVAL;
	memcpy(name, val, MIN(len, sizeof(name) - 1U));
	return strcmp(name, "reno") ? -ENOENT : 0;
}

static int set_v6only(struct tcp_sock *t, const void *val, u32 len)
{
	int v, err = sockopt_int(val, len, &v);

	if (err)
		return err;
	return t->local.port ? -EINVAL : set_bit(t, TCP_F_V6ONLY, v);
}

int tcp_setsockopt(struct socket *s, int level, int name, const void *val, u32 len)
{
	struct tcp_sock *t = tcp_of(s);
	int v, err;

	if (level == SOL_IPV6 && s->family == AF_INET6 && name == IPV6_V6ONLY)
		return set_v6only(t, val, len);
	if (multicast_is_membership(level, name))
		return -EPROTO;
	if (level != SOL_TCP)
		return inet_set_option(&t->inet, s->family, level, name, val, len);
	if (name == TCP_CONGESTION)
		return set_congestion(val, len);
	err = sockopt_int(val, len, &v);
	if (!err)
		err = set_value(t, name, v);
	if (!err)
		tcp_options_tell(t);
	return err;
}

static int get_maxseg(struct tcp_sock *t)
{
	const struct tcp_path *path = atomic_load_acquire(&t->path);
	struct abi_tcp_info info = {0};

	if (!path)
		return t->maxseg ? (int)t->maxseg : 536;
	path->info(t, &info);
	return (int)info.tcpi_snd_mss;
}

static int get_value(struct tcp_sock *t, int name, int *v)
{
	switch (name) {
	case TCP_NODELAY:
		*v = tcp_flag(t, TCP_F_NODELAY) != 0;
		return 0;
	case TCP_CORK:
		*v = tcp_flag(t, TCP_F_CORK) != 0;
		return 0;
	case TCP_QUICKACK:
		*v = !tcp_flag(t, TCP_F_DELAYACK);
		return 0;
	case TCP_INQ:
		*v = tcp_flag(t, TCP_F_INQ) != 0;
		return 0;
	case TCP_MAXSEG:
		*v = get_maxseg(t);
		return 0;
	case TCP_KEEPIDLE:
		*v = (int)t->keepidle;
		return 0;
	case TCP_KEEPINTVL:
		*v = (int)t->keepintvl;
		return 0;
	case TCP_KEEPCNT:
		*v = (int)t->keepcnt;
		return 0;
	case TCP_SYNCNT:
		*v = (int)t->syncnt;
		return 0;
	case TCP_USER_TIMEOUT:
		*v = (int)t->user_timeout;
		return 0;
	case TCP_NOTSENT_LOWAT:
		*v = (int)t->notsent_lowat;
		return 0;
	case TCP_WINDOW_CLAMP:
		*v = (int)t->window_clamp;
		return 0;
	case TCP_DEFER_ACCEPT:
		*v = (int)t->defer_accept;
		return 0;
	case TCP_LINGER2:
		*v = t->linger2;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_info(struct tcp_sock *t, void *val, u32 *len)
{
	const struct tcp_path *path = atomic_load_acquire(&t->path);
	struct abi_tcp_info info = {0};

	if (path)
		path->info(t, &info);
	info.tcpi_state = (u8)tcp_state(t);
	*len = MIN(*len, (u32)sizeof(info));
	memcpy(val, &info, *len);
	return 0;
}

int tcp_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	struct tcp_sock *t = tcp_of(s);
	int v, err;

	if (level == SOL_IPV6 && s->family == AF_INET6 && name == IPV6_V6ONLY)
		return sockopt_put_int(val, len, tcp_flag(t, TCP_F_V6ONLY) != 0);
	if (level != SOL_TCP)
		return inet_get_option(&t->inet, s->family, level, name, val, len);
	if (name == TCP_INFO)
		return get_info(t, val, len);
	if (name == TCP_CONGESTION) {
		static const char reno[16] = "reno";

		*len = MIN(*len, (u32)sizeof(reno));
		memcpy(val, reno, *len);
		return 0;
	}
	err = get_value(t, name, &v);
	return err ? err : sockopt_put_int(val, len, v);
}

/* At the urgent mark: what was received up to it has been read. */
static bool at_mark(const struct tcp_sock *t)
{
	return atomic_load_acquire(&t->urgent_state) != TCP_URGENT_NONE &&
	       atomic_load_relaxed(&t->urgent_at) == atomic_load_relaxed(&t->rx.ring.tail);
}

long tcp_ioctl(struct socket *s, u32 cmd, u64 arg)
{
	struct tcp_sock *t = tcp_of(s);
	const struct tcp_path *path = atomic_load_acquire(&t->path);
	bool listens = tcp_state(t) == ABI_TCP_LISTEN;
	u32 v;

	switch (cmd) {
	case SIOCINQ:
		v = path ? path->unread(t) : 0;
		break;
	case SIOCOUTQ:
		v = path ? path->unsent(t) : 0;
		break;
	case SIOCATMARK:
		v = at_mark(t);
		break;
	default:
		return -ENOTTY;
	}
	if (listens && cmd != SIOCATMARK)
		return -EINVAL;
	return user_store_u32((u32 __user *)(uintptr_t)arg, v);
}
