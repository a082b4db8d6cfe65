/*
 * The options of level SOL_SOCKET. What is not in the switch answers ENOPROTOOPT.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/system.h"
#include "abi/time.h"
#include "kernel/mm/mm.h"
#include "kernel/net/iface.h"
#include "kernel/net/socket.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/cred.h"
#include "kernel/time/time.h"

int sockopt_int(const void *val, u32 len, int *out)
{
	if (len < sizeof(int))
		return -EINVAL;
	memcpy(out, val, sizeof(int));
	return 0;
}

int sockopt_put_int(void *val, u32 *len, int v)
{
	*len = MIN(*len, (u32)sizeof(v));
	memcpy(val, &v, *len);
	return 0;
}

/* The options that are one bit: 0 if `name` is none. */
static u32 option_flag(int name)
{
	switch (name) {
	case SO_REUSEADDR:
		return SOCK_F_REUSEADDR;
	case SO_REUSEPORT:
		return SOCK_F_REUSEPORT;
	case SO_KEEPALIVE:
		return SOCK_F_KEEPALIVE;
	case SO_OOBINLINE:
		return SOCK_F_OOBINLINE;
	case SO_BROADCAST:
		return SOCK_F_BROADCAST;
	case SO_DONTROUTE:
		return SOCK_F_DONTROUTE;
	case SO_PASSCRED:
		return SOCK_F_PASSCRED;
	case SO_NO_CHECK:
		return SOCK_F_NO_CHECK;
	case ABI_SO_TIMESTAMP_OLD:
		return SOCK_F_TIMESTAMP;
	case ABI_SO_TIMESTAMPNS_OLD:
		return SOCK_F_TIMESTAMPNS;
	default:
		return 0;
	}
}

static int set_flag(struct socket *s, int name, int v)
{
	u32 flag = option_flag(name);

	if (flag == SOCK_F_TIMESTAMP || flag == SOCK_F_TIMESTAMPNS)
		socket_set_flag(s, SOCK_F_TIMESTAMP | SOCK_F_TIMESTAMPNS, false);
	socket_set_flag(s, flag, v != 0);
	if (s->ops->options_changed)
		s->ops->options_changed(s);
	return 0;
}

/* Linux keeps twice what was asked for, within its limits. */
static int set_buffer(struct socket *s, int name, int v, bool force)
{
	bool send = name == SO_SNDBUF || name == SO_SNDBUFFORCE;
	u32 want = (u32)v, min = send ? SOCK_SNDBUF_MIN : SOCK_RCVBUF_MIN;

	if (force && !capable(CAP_NET_ADMIN))
		return -EPERM;
	want = MIN(want, force ? (u32)INT32_MAX / 2 : SOCK_BUF_MAX);
	want = MAX(want * 2, min);
	atomic_store_relaxed(send ? &s->sndbuf : &s->rcvbuf, want);
	if (s->ops->options_changed)
		s->ops->options_changed(s);
	return 0;
}

static int set_timeout(u64 *timeo, const void *val, u32 len)
{
	struct abi_timeval tv;
	u64 ns;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, val, sizeof(tv));
	if (tv.tv_usec < 0 || tv.tv_usec >= USEC_PER_SEC)
		return -EDOM;
	if (tv.tv_sec < 0) {
		atomic_store_relaxed(timeo, 0);
		return 0;
	}
	if ((tv.tv_sec == 0 && tv.tv_usec == 0) || tv.tv_sec >= INT64_MAX / NSEC_PER_SEC - 1) {
		atomic_store_relaxed(timeo, PARK_FOREVER);
		return 0;
	}
	ns = (u64)tv.tv_sec * NSEC_PER_SEC + (u64)tv.tv_usec * NSEC_PER_USEC;
	atomic_store_relaxed(timeo, time_ns_to_ticks(ns));
	return 0;
}

static int set_linger(struct socket *s, const void *val, u32 len)
{
	struct abi_linger l;

	if (len < sizeof(l))
		return -EINVAL;
	memcpy(&l, val, sizeof(l));
	mutex_lock(&s->lock);
	if (l.l_onoff)
		s->linger_seconds = l.l_linger < 0 ? ~0U : (u32)l.l_linger;
	socket_set_flag(s, SOCK_F_LINGER, l.l_onoff != 0);
	mutex_unlock(&s->lock);
	return 0;
}

static int set_device(struct socket *s, const void *val, u32 len)
{
	char name[IFNAMSIZ] = {0};
	u32 index = 0;

	memcpy(name, val, MIN(len, IFNAMSIZ - 1U));
	if (name[0]) {
		index = net_iface_index(name);
		if (!index)
			return -ENODEV;
	}
	/* Since Linux 5.7 the first binding needs no capability. */
	if (atomic_load_relaxed(&s->bound_if) && !capable(CAP_NET_RAW))
		return -EPERM;
	atomic_store_relaxed(&s->bound_if, index);
	return 0;
}

static int set_value(struct socket *s, int name, int v)
{
	switch (name) {
	case SO_SNDBUF:
	case SO_RCVBUF:
		return set_buffer(s, name, v, false);
	case SO_SNDBUFFORCE:
	case SO_RCVBUFFORCE:
		return set_buffer(s, name, v, true);
	case SO_RCVLOWAT:
		atomic_store_relaxed(&s->rcvlowat, v < 0 ? (u32)INT32_MAX : v ? (u32)v : 1U);
		socket_wake_all(s);
		return 0;
	case SO_PRIORITY:
		if ((v < 0 || v > 6) && !capable(CAP_NET_ADMIN))
			return -EPERM;
		s->priority = (u32)v;
		return 0;
	case SO_MARK:
		if (!capable(CAP_NET_ADMIN))
			return -EPERM;
		s->mark = (u32)v;
		return 0;
	case SO_TYPE:
	case SO_PROTOCOL:
	case SO_DOMAIN:
	case SO_ERROR:
		return -ENOPROTOOPT;
	default:
		return option_flag(name) ? set_flag(s, name, v) : -ENOPROTOOPT;
	}
}

int socket_setsockopt(struct socket *s, int level, int name, const void *val, u32 len)
{
	int v, err;

	if (level != SOL_SOCKET)
		return s->ops->setsockopt ? s->ops->setsockopt(s, level, name, val, len)
					  : -ENOPROTOOPT;
	if (name == SO_BINDTODEVICE)
		return set_device(s, val, len);
	err = sockopt_int(val, len, &v);
	if (err)
		return err;
	switch (name) {
	case SO_LINGER:
		return set_linger(s, val, len);
	case ABI_SO_RCVTIMEO_OLD:
	case ABI_SO_RCVTIMEO_NEW:
		return set_timeout(&s->rcvtimeo, val, len);
	case ABI_SO_SNDTIMEO_OLD:
	case ABI_SO_SNDTIMEO_NEW:
		return set_timeout(&s->sndtimeo, val, len);
	default:
		return set_value(s, name, v);
	}
}

static int put_bytes(void *val, u32 *len, const void *data, u32 n)
{
	*len = MIN(*len, n);
	memcpy(val, data, *len);
	return 0;
}

static int get_timeout(u64 timeo, void *val, u32 *len)
{
	u64 us = timeo == PARK_FOREVER ? 0 : time_ticks_to_ns(timeo) / NSEC_PER_USEC;
	struct abi_timeval tv = {(s64)(us / USEC_PER_SEC), (s64)(us % USEC_PER_SEC)};

	return put_bytes(val, len, &tv, sizeof(tv));
}

static int get_linger(struct socket *s, void *val, u32 *len)
{
	struct abi_linger l = {socket_flag(s, SOCK_F_LINGER) != 0, (s32)s->linger_seconds};

	return put_bytes(val, len, &l, sizeof(l));
}

static int get_device(struct socket *s, void *val, u32 *len)
{
	u32 index = atomic_load_relaxed(&s->bound_if);
	struct net_iface *i = index ? net_iface_by_index(index) : NULL;

	if (!i) {
		*len = 0;
		return 0;
	}
	if (*len < IFNAMSIZ)
		return -EINVAL;
	return put_bytes(val, len, i->name, (u32)strlen(i->name) + 1);
}

static int get_value(struct socket *s, int name, int *v)
{
	switch (name) {
	case SO_TYPE:
		*v = s->type;
		return 0;
	case SO_DOMAIN:
		*v = s->family;
		return 0;
	case SO_PROTOCOL:
		*v = (int)s->protocol;
		return 0;
	case SO_ERROR:
		*v = -socket_take_error(s);
		return 0;
	case SO_ACCEPTCONN:
		*v = socket_flag(s, SOCK_F_ACCEPTCONN) != 0;
		return 0;
	case SO_SNDBUF:
		*v = (int)atomic_load_relaxed(&s->sndbuf);
		return 0;
	case SO_RCVBUF:
		*v = (int)atomic_load_relaxed(&s->rcvbuf);
		return 0;
	case SO_RCVLOWAT:
		*v = (int)atomic_load_relaxed(&s->rcvlowat);
		return 0;
	case SO_SNDLOWAT:
		*v = 1;
		return 0;
	case SO_PRIORITY:
		*v = (int)s->priority;
		return 0;
	case SO_MARK:
		*v = (int)s->mark;
		return 0;
	case SO_INCOMING_CPU:
		*v = -1;
		return 0;
	default:
		if (!option_flag(name))
			return -ENOPROTOOPT;
		*v = socket_flag(s, option_flag(name)) != 0;
		return 0;
	}
}

/* SO_PEERNAME: as getpeername, but the buffer must hold all of it. */
static int get_peername(struct socket *s, void *val, u32 *len)
{
	struct sock_name name;
	int err = s->ops->getname(s, &name, true);

	if (err)
		return -ENOTCONN;
	if (name.len < *len)
		return -EINVAL;
	return put_bytes(val, len, name.bytes, name.len);
}

int socket_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	int v, err;

	if (level == SOL_SOCKET) {
		switch (name) {
		case SO_LINGER:
			return get_linger(s, val, len);
		case ABI_SO_RCVTIMEO_OLD:
		case ABI_SO_RCVTIMEO_NEW:
			return get_timeout(s->rcvtimeo, val, len);
		case ABI_SO_SNDTIMEO_OLD:
		case ABI_SO_SNDTIMEO_NEW:
			return get_timeout(s->sndtimeo, val, len);
		case SO_BINDTODEVICE:
			return get_device(s, val, len);
		case SO_PEERNAME:
			return get_peername(s, val, len);
		case SO_PEERCRED:
			break;
		default:
			err = get_value(s, name, &v);
			return err ? err : sockopt_put_int(val, len, v);
		}
	}
	return s->ops->getsockopt ? s->ops->getsockopt(s, level, name, val, len) : -ENOPROTOOPT;
}
