/*
 * Contexts of asynchronous I/O: queues of what has been done, which their process takes.
 *
 * A context's number is the address of a page that is mapped for it, as on Linux, where the queue itself lies there; here the page stays
 * empty, so that the C library, which looks for a magic number in it, asks the kernel. The mapping holds the context: it ends with
 * the address space, at the latest. A child of fork has neither the page nor the context.
 */
#ifndef KERNEL_FILE_AIO_H
#define KERNEL_FILE_AIO_H

#include "abi/aio.h"
#include "lib/types.h"

struct aio_context;

/* A context for `nr` requests in the running space; *number names it. 0, -EINVAL, -EAGAIN (too many in all), -ENOMEM. May sleep. */
long aio_create(u32 nr, u64 *number);
/* Ends it, and whoever waits for it. 0 or -EINVAL: there is none of that number. May sleep. */
long aio_destroy(u64 number);
/* The context of the running space, a reference, or NULL. */
struct aio_context *aio_get(u64 number);
void aio_put(struct aio_context *c);

/* How many requests it has room for. */
u32 aio_capacity(const struct aio_context *c);
/* A place for a request that begins; false: there is none until some event is taken. */
bool aio_begin(struct aio_context *c);
/* The request was not made after all. */
void aio_cancel(struct aio_context *c);
/* The request is done. Context: may sleep. */
void aio_complete(struct aio_context *c, const struct abi_io_event *event);
/*
 * Moves up to `nr` events to `user`, once there are `least` or the deadline (ticks) is over. How many, -EFAULT, -EINVAL (it was
 * ended), -EINTR: a signal came and there were none. May sleep.
 */
long aio_take(struct aio_context *c, u64 user, long least, long nr, u64 deadline);

/* Boot: /proc/sys/fs/aio-nr and aio-max-nr show and set these. */
extern u64 aio_nr;     /* [a] requests that all contexts were asked for */
extern u64 aio_max_nr; /* [a] as many as they may be */

#endif
