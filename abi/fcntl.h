/*
 * Open flags, fcntl commands and *at() flags of Linux/riscv64 (the generic values).
 */
#ifndef ABI_FCNTL_H
#define ABI_FCNTL_H

#include "lib/types.h"

#define O_ACCMODE	    00000003
#define O_RDONLY	    00000000
#define O_WRONLY	    00000001
#define O_RDWR		    00000002
#define O_CREAT		    00000100
#define O_EXCL		    00000200
#define O_NOCTTY	    00000400
#define O_TRUNC		    00001000
#define O_APPEND	    00002000
#define O_NONBLOCK	    00004000
#define O_DSYNC		    00010000
#define O_ASYNC		    00020000
#define O_DIRECT	    00040000
#define O_NOTIFICATION_PIPE O_EXCL /* of pipe2 */
#define O_LARGEFILE	    00100000
#define O_DIRECTORY	    00200000
#define O_NOFOLLOW	    00400000
#define O_NOATIME	    01000000
#define O_CLOEXEC	    02000000
#define O_SYNC		    04010000
#define O_PATH		    010000000
#define __O_TMPFILE	    020000000
#define O_TMPFILE	    020200000

/* What openat2(2) knows: others are refused. */
#define O_KNOWN                                                                                    \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC |      \
	 O_ASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC |     \
	 O_PATH | __O_TMPFILE)

struct abi_open_how {
	u64 flags, mode, resolve;
};
#define OPEN_HOW_SIZE_VER0 24

#define RESOLVE_NO_XDEV	      0x01
#define RESOLVE_NO_MAGICLINKS 0x02
#define RESOLVE_NO_SYMLINKS   0x04
#define RESOLVE_BENEATH	      0x08
#define RESOLVE_IN_ROOT	      0x10
#define RESOLVE_CACHED	      0x20
#define RESOLVE_KNOWN	      0x3f

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_GETLK		5
#define F_SETLK		6
#define F_SETLKW	7
#define F_SETOWN	8
#define F_GETOWN	9
#define F_SETSIG	10
#define F_GETSIG	11
#define F_SETOWN_EX	15
#define F_GETOWN_EX	16
#define F_OWNER_TID	0
#define F_OWNER_PID	1
#define F_OWNER_PGRP	2
#define F_OFD_GETLK	36
#define F_OFD_SETLK	37
#define F_OFD_SETLKW	38
#define F_SETLEASE	1024
#define F_GETLEASE	1025
#define F_NOTIFY	1026
#define F_DUPFD_CLOEXEC 1030
#define F_SETPIPE_SZ	1031
#define F_GETPIPE_SZ	1032
#define F_ADD_SEALS	1033
#define F_GET_SEALS	1034

#define FD_CLOEXEC 1

#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

#define LOCK_SH	  1
#define LOCK_EX	  2
#define LOCK_NB	  4
#define LOCK_MAND 32 /* long gone */
#define LOCK_UN	  8

#define F_SEAL_SEAL	    0x01
#define F_SEAL_SHRINK	    0x02
#define F_SEAL_GROW	    0x04
#define F_SEAL_WRITE	    0x08
#define F_SEAL_FUTURE_WRITE 0x10
#define F_SEAL_EXEC	    0x20

#define MFD_CLOEXEC	  0x01
#define MFD_ALLOW_SEALING 0x02
#define MFD_NOEXEC_SEAL	  0x08
#define MFD_EXEC	  0x10

#define AT_FDCWD	    -100
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EACCESS	    0x200
#define AT_REMOVEDIR	    0x200
#define AT_SYMLINK_FOLLOW   0x400
#define AT_NO_AUTOMOUNT	    0x800
#define AT_EMPTY_PATH	    0x1000
#define AT_STATX_SYNC_TYPE  0x6000
#define AT_STATX_FORCE_SYNC 0x2000
#define AT_STATX_DONT_SYNC  0x4000

#define XATTR_CREATE  1
#define XATTR_REPLACE 2

#define FALLOC_FL_KEEP_SIZE  1
#define FALLOC_FL_PUNCH_HOLE 2

#define SYNC_FILE_RANGE_VALID 7 /* WAIT_BEFORE, WRITE, WAIT_AFTER */

#define POSIX_FADV_NOREUSE 5 /* the last; they begin with POSIX_FADV_NORMAL, 0 */

#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4

#define F_OK 0
#define X_OK 1
#define W_OK 2
#define R_OK 4

#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE	 2
#define RENAME_WHITEOUT	 4

#define CLOSE_RANGE_UNSHARE 2
#define CLOSE_RANGE_CLOEXEC 4

struct abi_f_owner_ex {
	s32 type;
	s32 pid;
};

struct abi_flock {
	s16 l_type;
	s16 l_whence;
	s32 pad0;
	s64 l_start;
	s64 l_len;
	s32 l_pid;
	s32 pad1;
};
static_assert(sizeof(struct abi_flock) == 32, "struct flock");

/* Requests of ioctl(2) about what a file occupies. */
#define FIGETBSZ      0x2
#define FICLONE	      0x40049409
#define FICLONERANGE  0x4020940d
#define FS_IOC_FIEMAP 0xc020660b

#endif
