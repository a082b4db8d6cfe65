/*
 * What uname, /proc/version and /proc/sys/kernel say. Programs compare the release with Linux's: it names the system-call ABI
 * that this kernel speaks.
 */
#ifndef LIB_VERSION_H
#define LIB_VERSION_H

#define KERNEL_OSTYPE  "Linux"
#define KERNEL_RELEASE "6.12.0-stellar"
#define KERNEL_VERSION "#1 SMP StellarOS"

#endif
