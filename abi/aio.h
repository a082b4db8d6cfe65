/*
 * Asynchronous I/O: io_setup(2), io_submit(2), io_getevents(2).
 */
#ifndef ABI_AIO_H
#define ABI_AIO_H

#include "lib/types.h"

#define IOCB_CMD_PREAD	 0
#define IOCB_CMD_PWRITE	 1
#define IOCB_CMD_FSYNC	 2
#define IOCB_CMD_FDSYNC	 3
#define IOCB_CMD_PREADV	 7
#define IOCB_CMD_PWRITEV 8

#define IOCB_FLAG_RESFD	 1
#define IOCB_FLAG_IOPRIO 2

struct abi_iocb {
	u64 aio_data;
	u32 aio_key;
	u32 aio_rw_flags;
	u16 aio_lio_opcode;
	s16 aio_reqprio;
	u32 aio_fildes;
	u64 aio_buf;
	u64 aio_nbytes;
	s64 aio_offset;
	u64 aio_reserved2;
	u32 aio_flags;
	u32 aio_resfd;
};
static_assert(sizeof(struct abi_iocb) == 64, "struct iocb");

struct abi_io_event {
	u64 data;
	u64 obj;
	s64 res;
	s64 res2;
};
static_assert(sizeof(struct abi_io_event) == 32, "struct io_event");

struct abi_aio_sigset {
	u64 sigmask;
	u64 sigsetsize;
};

#endif
