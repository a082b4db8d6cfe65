/*
 * POSIX message queues. Source: mq_overview(7), mq_getattr(3), linux/mqueue.h.
 */
#ifndef ABI_MQUEUE_H
#define ABI_MQUEUE_H

#include "lib/types.h"

#define MQUEUE_MAGIC 0x19800202 /* statfs f_type */

#define MQ_PRIO_MAX 32768 /* priorities are below it */

struct abi_mq_attr {
	s64 mq_flags; /* O_NONBLOCK or 0 */
	s64 mq_maxmsg;
	s64 mq_msgsize;
	s64 mq_curmsgs;
	s64 reserved[4];
};
static_assert(sizeof(struct abi_mq_attr) == 64, "struct mq_attr");

#endif
