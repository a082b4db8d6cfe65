/*
 * The boot argument ip=, as Linux has it: ip=CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:AUTOCONF[:...], or ip=AUTOCONF alone. Fields
 * may be empty and left out at the end; SERVER, HOST and what follows AUTOCONF are for others and not looked at.
 * Source: Linux, Documentation/admin-guide/nfs/nfsroot.rst.
 */
#ifndef KERNEL_NET_IPCONFIG_H
#define KERNEL_NET_IPCONFIG_H

#include "lib/types.h"

#define IPCONFIG_DEVICE_MAX 16U

struct ipconfig {
	bool dhcp;			  /* AUTOCONF asks for it, and there is no CLIENT */
	u32 address;			  /* network byte order; 0: none */
	u32 prefix;			  /* of NETMASK; without one, of the address's class */
	u32 gateway;			  /* network byte order; 0: none */
	char device[IPCONFIG_DEVICE_MAX]; /* "": the first */
};

/* False: `text` is not of that form; *out is undefined. */
bool ipconfig_parse(const char *text, struct ipconfig *out);

#endif
