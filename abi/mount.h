/*
 * Flags of mount(2) and umount2(2). Source: their man pages, Linux's include/uapi/linux/mount.h (values).
 */
#ifndef ABI_MOUNT_H
#define ABI_MOUNT_H

#include "lib/types.h"

#define MS_RDONLY      1
#define MS_NOSUID      2
#define MS_NODEV       4
#define MS_NOEXEC      8
#define MS_SYNCHRONOUS 16
#define MS_REMOUNT     32
#define MS_NOATIME     1024
#define MS_NODIRATIME  2048
#define MS_BIND	       4096
#define MS_MOVE	       8192
#define MS_REC	       16384
#define MS_SILENT      32768
#define MS_PRIVATE     262144
#define MS_RELATIME    2097152
#define MS_STRICTATIME 16777216

#define MS_MGC_VAL 0xc0ed0000 /* old programs' mark in the upper half */
#define MS_MGC_MSK 0xffff0000

#define MNT_FORCE	1
#define MNT_DETACH	2
#define MNT_EXPIRE	4
#define UMOUNT_NOFOLLOW 8

/* f_flags of statfs. */
#define ST_VALID    0x0020
#define ST_RELATIME 0x1000

#endif
