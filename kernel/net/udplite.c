/*
 * Coverage of UDP-Lite; udplite.h tells what it is.
 */
#include "kernel/net/udplite.h"

#include "abi/errno.h"
#include "abi/inet.h"
#include "kernel/net/socket.h"
#include "kernel/sync/atomic.h"

#define HEADER 8 /* bytes, which are always covered */

int udplite_set_option(struct udplite_options *o, int name, const void *val, u32 len)
{
	int v, err;

	if (name != UDPLITE_SEND_CSCOV && name != UDPLITE_RECV_CSCOV)
		return -ENOPROTOOPT;
	err = sockopt_int(val, len, &v);
	if (err)
		return err;
	if (v)
		v = v < HEADER ? HEADER : MIN(v, (int)UINT16_MAX);
	if (name == UDPLITE_SEND_CSCOV) {
		atomic_store_relaxed(&o->send, (u32)v);
		return 0;
	}
	atomic_store_relaxed(&o->recv, (u32)v);
	atomic_store_relaxed(&o->recv_set, 1);
	return 0;
}

int udplite_get_option(struct udplite_options *o, int name, void *val, u32 *len)
{
	switch (name) {
	case UDPLITE_SEND_CSCOV:
		return sockopt_put_int(val, len, (int)atomic_load_relaxed(&o->send));
	case UDPLITE_RECV_CSCOV:
		return sockopt_put_int(val, len, (int)atomic_load_relaxed(&o->recv));
	default:
		return -ENOPROTOOPT;
	}
}

u16 udplite_coverage(const struct udplite_options *o, u32 len)
{
	u32 send = atomic_load_relaxed(&o->send);

	return (u16)(send < HEADER + len ? send : 0);
}

bool udplite_accepts(const struct udplite_options *o, u16 coverage)
{
	u32 least = atomic_load_relaxed(&o->recv);

	if (!coverage || !atomic_load_relaxed(&o->recv_set))
		return true;
	/* 0 asks for all of it. */
	return least && coverage >= least;
}
