/*
 * First sequence numbers by RFC 6528: a clock of 4 microseconds plus a hash of the 4-tuple under a secret. Who does not see the connection cannot
 * guess them; and those of one tuple grow, so that a new connection on it is told from what is left of the old one (TIME_WAIT).
 */
#include "kernel/net/wire/internal.h"
#include "kernel/random/random.h"
#include "kernel/time/time.h"
#include "lib/siphash.h"

#define NS_SHIFT 12 /* 4.096 us */

static u64 secret[2]; /* [I] once the wire starts */

void wire_isn_start(void)
{
	random_bytes(secret, sizeof(secret));
}

/* Called by lwIP; the addresses are ip_addr_t. */
u32 wire_isn(const void *local, u16 local_port, const void *remote, u16 remote_port)
{
	struct {
		struct inet_addr local, remote;
		u32 local_port, remote_port;
	} tuple = {wire_from_ip(local), wire_from_ip(remote), local_port, remote_port};

	u32 cookie;

	if (wire_cookie_isn(&cookie))
		return cookie;
	static_assert(sizeof(tuple) == 40, "no padding is hashed");
	return (u32)(time_ticks_to_ns(time_now()) >> NS_SHIFT) +
	       (u32)siphash24(secret, &tuple, sizeof(tuple));
}
