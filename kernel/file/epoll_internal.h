/*
 * Sets and their items: what the files of epoll share. The idea is in epoll.c.
 */
#ifndef KERNEL_FILE_EPOLL_INTERNAL_H
#define KERNEL_FILE_EPOLL_INTERNAL_H

#include "kernel/file/epoll.h"
#include "kernel/file/waitq.h"
#include "kernel/sync/mutex.h"

#define EPOLL_HASH_MIN 16U
#define EPOLL_MODES    (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)

struct epoll {
	struct mutex lock;	   /* items; held while events are copied to the user */
	struct wait_queue waiters; /* sleepers in epoll_wait, and who polls this set */
	struct list ready;	   /* [L:waiters.lock] items that may be ready */
	u32 nr_ready;		   /* [a] changes under waiters.lock */
	u32 refs;		   /* [a] the open file and each item */
	struct file *file;	   /* [I] no reference; valid until release */
	struct epoll_item **hash;  /* [L:lock] by file and descriptor */
	u32 hash_size;		   /* [L:lock] a power of two */
	u32 nr_items;		   /* [L:lock] */
	struct list inner;	   /* [L:nesting] items whose file is a set */
};

struct epoll_item {
	struct wait_entry entry;    /* on *source */
	struct wait_queue *source;  /* [I] NULL: the file never changes */
	struct epoll *ep;	    /* [I] a count in ep->refs */
	struct file *file;	    /* [I] no reference, see above */
	int fd;			    /* [I] */
	u32 events;		    /* [a] wanted events and modes; changes under ep->lock */
	u64 data;		    /* [L:ep->lock] the user's */
	struct epoll_item *chain;   /* [L:ep->lock] hash */
	struct epoll_item *sibling; /* [L:watches] the file's next item */
	struct list ready;	    /* [L:ep->waiters.lock] */
	bool is_ready;		    /* [L:ep->waiters.lock] on the ready list */
	struct list inner;	    /* [L:nesting] */
};

/* ---- epoll_nesting.c ---- */
/* Taken before the mutex of a set by whoever puts one set into another or takes it out. */
extern struct mutex epoll_nesting;
void epoll_nesting_init(struct epoll *ep); /* the lock class of a new set */
/* Context of both: epoll_nesting held. */
bool epoll_nests_too_deep(struct epoll *outer, struct epoll *inner);
void epoll_update_ranks(struct epoll *ep);

/* ---- epoll_item.c. Context: ep->lock held, but for epoll_put() and epoll_unwatch() ---- */
void epoll_put(struct epoll *ep);
struct epoll_item *epoll_item_find(struct epoll *ep, const struct file *f, int fd);
/* epoll_nesting is held too if the file is a set; for all three. */
int epoll_item_add(struct epoll *ep, struct file *f, int fd, const struct abi_epoll_event *ev);
void epoll_item_modify(struct epoll_item *item, const struct abi_epoll_event *ev);
void epoll_item_remove(struct epoll_item *item);
/* What the file shows of the events that the item wants. */
PollEvent epoll_item_poll(struct epoll_item *item);
/* Puts the item on the ready list, if it is not there. */
void epoll_ready_add(struct epoll_item *item, bool wake);
/* The first item, off the list; NULL: none. */
struct epoll_item *epoll_ready_take(struct epoll *ep);
/* Takes a file that is being closed out of its sets. May sleep. */
void epoll_unwatch(struct file *f);

#endif
