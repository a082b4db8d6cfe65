/*
 * Addresses: from and to programs' form, and the internet checksum.
 */
#include "kernel/net/inet.h"

#include <string.h>

#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/net/iface.h"
#include "kernel/net/port.h"
#include "kernel/net/socket.h"
#include "kernel/task/cred.h"

int inet_end_from_name(int family, const struct sock_name *name, bool mixed, struct inet_end *out)
{
	struct abi_sockaddr_in in;
	struct abi_sockaddr_in6 in6;

	*out = (struct inet_end){0};
	if (family == AF_INET) {
		if (name->len < sizeof(in))
			return -EINVAL;
		if (name->family != AF_INET)
			return -EAFNOSUPPORT;
		memcpy(&in, name->bytes, sizeof(in));
		out->addr = inet_addr_v4(in.sin_addr.s_addr);
		out->port = net16(in.sin_port);
		return 0;
	}
	if (mixed && name->len >= sizeof(in) && name->family == AF_INET)
		return inet_end_from_name(AF_INET, name, false, out);
	if (name->len < ABI_SOCKADDR_IN6_MIN)
		return -EINVAL;
	if (name->family != AF_INET6)
		return -EAFNOSUPPORT;
	memset(&in6, 0, sizeof(in6));
	memcpy(&in6, name->bytes, MIN(name->len, (u32)sizeof(in6)));
	memcpy(out->addr.b, in6.sin6_addr, sizeof(out->addr.b));
	out->port = net16(in6.sin6_port);
	out->scope = in6.sin6_scope_id;
	return 0;
}

void inet_end_to_name(int family, const struct inet_end *e, struct sock_name *out)
{
	struct abi_sockaddr_in in = {.sin_family = AF_INET, .sin_port = net16(e->port)};
	struct abi_sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = net16(e->port)};

	if (family == AF_INET) {
		in.sin_addr.s_addr = e->addr.w[3];
		out->len = sizeof(in);
		memcpy(out->bytes, &in, sizeof(in));
		return;
	}
	memcpy(in6.sin6_addr, e->addr.b, sizeof(in6.sin6_addr));
	in6.sin6_scope_id = e->scope;
	out->len = sizeof(in6);
	memcpy(out->bytes, &in6, sizeof(in6));
}

int inet_bind_check(int family, const struct sock_name *name, bool v6only, bool freebind,
		    bool group, struct inet_end *out)
{
	struct sock_name any = *name;
	int err;

	/* As Linux has it for old programs: AF_UNSPEC stands for AF_INET if the address is any. */
	if (family == AF_INET && name->len >= sizeof(struct abi_sockaddr_in) &&
	    name->family == AF_UNSPEC) {
		any.family = AF_INET;
		err = inet_end_from_name(family, &any, false, out);
		if (!err && !inet_is_any(&out->addr))
			return -EAFNOSUPPORT;
	} else {
		err = inet_end_from_name(family, name, false, out);
	}
	if (err)
		return err;
	if (v6only && family == AF_INET6 && inet_is_v4(&out->addr))
		return -EINVAL;
	if (!inet_is_any(&out->addr) && !freebind && !net_is_local(&out->addr) &&
	    !(group && (inet_is_multicast(&out->addr) || net_is_broadcast(&out->addr))))
		return -EADDRNOTAVAIL;
	if (out->port && out->port < PORT_PRIVILEGED && !capable(CAP_NET_BIND_SERVICE))
		return -EACCES;
	return 0;
}
