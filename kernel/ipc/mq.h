/*
 * POSIX message queues: files of a file system of their own, made by mq_open. docs/ipc.md lists what is supported.
 */
#ifndef KERNEL_IPC_MQ_H
#define KERNEL_IPC_MQ_H

#include "kernel/fs/fs.h"
#include "kernel/task/signal.h"

struct mq;
struct netlink_letter;

/* Boot hart, after fs_init(): the file system, /proc/sys/fs/mqueue. */
int mq_init(void);

/* How large a queue is to be. NULL where one is asked for: the defaults. */
struct mq_size {
	s64 messages;
	s64 bytes; /* of one message */
};

/*
 * Opens the queue `name`, which has no slash in front, with O_* `flags`; makes it with O_CREAT. 0 or Linux's -errno of
 * mq_open(2). Context: may sleep.
 */
int mq_open(const char *name, u32 flags, u32 mode, const struct mq_size *size, struct file **out);
int mq_unlink(const char *name);

/* The queue that `f` is, or NULL. Lives as long as f. */
struct mq *mq_of_file(const struct file *f);
struct mq_size mq_size(const struct mq *q);
u64 mq_count(struct mq *q); /* messages in it */

/* A message and its text, freed by kfree(). */
struct mq_message;
struct mq_message *mq_message_alloc(u64 size, u32 priority); /* NULL: out of memory */
void *mq_message_text(struct mq_message *m);
u64 mq_message_size(const struct mq_message *m);
u32 mq_message_priority(const struct mq_message *m);

#define MQ_NO_DEADLINE (~0UL)
/*
 * mq_timedsend and mq_timedreceive: `deadline` in nanoseconds of CLOCK_REALTIME. 0, -EAGAIN (`nonblock`), -ETIMEDOUT,
 * -ERESTARTSYS. mq_send takes the message if it succeeds; mq_receive gives one. Context: may sleep.
 */
int mq_send(struct file *f, struct mq_message *m, bool nonblock, u64 deadline);
int mq_receive(struct file *f, struct mq_message **out, bool nonblock, u64 deadline);

/*
 * How somebody hears of a message. SIGEV_THREAD of the C library is a letter that arrives at a socket of its own, its last byte changed
 * to say why.
 */
#define MQ_COOKIE	  32U
#define MQ_NOTICE_WOKEN	  1 /* there is a message */
#define MQ_NOTICE_REMOVED 2 /* the registration has ended */
struct mq_way {
	u32 kind;  /* SIGEV_SIGNAL, SIGEV_NONE or SIGEV_THREAD */
	int signo; /* SIGEV_SIGNAL; 0: nothing is sent */
	u64 value;
	struct netlink_letter *letter;			      /* SIGEV_THREAD */
	void (*send)(struct netlink_letter *letter, u8 last); /* and frees it */
};
/*
 * The running process hears once of a message that comes into the empty queue. A letter is taken over if it succeeds.
 * -EBUSY: somebody is registered already.
 */
int mq_notify_set(struct mq *q, const struct mq_way *way);
void mq_notify_clear(struct mq *q); /* if it is the running process's */

#endif
