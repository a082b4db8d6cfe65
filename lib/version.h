/*
 * What uname, /proc/version and /proc/sys/kernel say. Programs compare the release with Linux's: it names the system-call ABI
 * that this kernel speaks.
 */
#ifndef LIB_VERSION_H
#define LIB_VERSION_H

#define KERNEL_OSTYPE  "Linux"
#define KERNEL_RELEASE "6.12.0-stellar"
/* To programs that know no other numbers (personality UNAME26) Linux 6.x is 2.6.60+x. */
#define KERNEL_RELEASE_26 "2.6.72-stellar"
#define KERNEL_VERSION	  "#1 SMP StellarOS"

#endif
