/*
 * AF_UNIX, between its files.
 *
 * Streams use the rings of stream.h, with marks beside them where descriptors or credentials came
 * along; datagrams and seqpackets use the queues of dgram.h. The two ends of a connection hold a
 * reference each on the other, which an end drops when its file goes.
 *
 * Lock order: socket.lock < stream sides < graph; names and a socket's `link` are never nested.
 */
#ifndef KERNEL_NET_UNIX_H
#define KERNEL_NET_UNIX_H

#include "kernel/fs/fs.h"
#include "kernel/net/dgram.h"
#include "kernel/net/socket.h"
#include "kernel/net/stream.h"
#include "kernel/sync/inbox.h"

/* What comes with a message: descriptors, credentials. */
struct unix_edge;
struct unix_scm {
	u32 nr_files;
	bool has_cred;
	struct abi_ucred cred;
	struct user *user;	 /* whom the files are counted for, a reference; NULL: nobody */
	struct unix_edge *edges; /* of the files that are AF_UNIX sockets; NULL: none */
	u32 nr_edges;
	struct inbox_node dead;
	struct file *files[]; /* references */
};

/* A send into a stream that carried something: bytes begin..end of the ring. */
struct unix_mark {
	struct list link;
	u64 begin, end;
	struct unix_scm *scm; /* NULL: taken */
	bool has_cred, had_files;
	struct abi_ucred cred;
};

struct unix_name {
	u32 hash;
	struct sock_name name;
};

enum unix_state { UNIX_CLOSE, UNIX_CONNECTED, UNIX_LISTEN };

struct unix_sock {
	struct socket s;
	u32 state;		/* [a] enum unix_state; changes under s.lock or at accept */
	u32 dead;		/* [a] the file is gone */
	struct unix_sock *peer; /* [a] a reference; changes under link */
	struct unix_name *name; /* [a] set once; freed with the socket */
	struct spinlock link;	/* RANK_UNIX: peer, waiting senders, marks, accept queue */
	struct list names;	/* [L:names] in the table of abstract names */
	struct path path;	/* [L:s.lock] of a name in the file system; dentry NULL: none */
	struct abi_ucred cred;	/* [L:s.lock] of the time of socketpair(), connect() or listen() */
	struct abi_ucred peer_cred; /* [I] once connected */
	/* streams */
	struct stream rx;
	struct list marks; /* [L:link] by position */
	u32 nr_marks;	   /* [a] */
	/* datagrams, seqpackets */
	struct dgram_queue queue;
	struct list waiters;	    /* [L:link] senders that found the queue full, by `wait` */
	struct list wait;	    /* [L:link of waits_on] */
	struct unix_sock *waits_on; /* [L:own link] whose list `wait` is on, a reference */
	/* listeners */
	struct list ready;	     /* [L:link] connections not yet accepted, by `accept` */
	struct list accept;	     /* [L:link of the listener] */
	u32 nr_ready;		     /* [a] changes under link */
	u32 backlog;		     /* [a] */
	struct unix_sock *embryo_of; /* [L:graph] the listener that has not yet accepted it, for the graph */
	struct list all;	     /* [L:bucket of unix.c] */
	/* descriptors in flight: unix_gc.c */
	struct list edges;  /* [L:graph] sockets that wait in our queue */
	struct list flight; /* [L:graph] in the list of those that wait in some queue */
	u32 nr_flights;	    /* [L:graph] how often it waits */
	u32 nr_inner;	    /* [L:graph] of these, in queues of such as wait themselves */
	bool alive;	    /* [L:graph] */
	struct list visit;  /* [L:graph, then the collector's] */
};

static inline struct unix_sock *unix_of(struct socket *s)
{
	return container_of(s, struct unix_sock, s);
}

extern const struct socket_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops;

/* A fresh socket, or NULL. */
struct unix_sock *unix_alloc(int type);
struct abi_ucred unix_current_cred(void);

/* unix_name.c */
int unix_bind(struct socket *s, const struct sock_name *name);
int unix_autobind(struct unix_sock *u);
/* The socket of that name and type, with a reference; an error pointer. */
struct unix_sock *unix_find(const struct sock_name *name, int type);
int unix_name_check(const struct sock_name *name);
void unix_name_drop(struct unix_sock *u);
int unix_getname(struct socket *s, struct sock_name *out, bool peer);

/* unix_connect.c: streams and seqpackets */
int unix_listen(struct socket *s, int backlog);
int unix_connect(struct socket *s, const struct sock_name *name, bool nonblock);
int unix_accept(struct socket *s, struct socket **out, bool nonblock);
int unix_pair(struct socket *a, struct socket *b);
int unix_shutdown(struct socket *s, int how);
void unix_listen_close(struct unix_sock *u);
/* The peer with a reference, or NULL. */
struct unix_sock *unix_peer_get(struct unix_sock *u);

/* unix_scm.c */
/*
 * What the control messages of a send bring, for the queue of `to`; *out NULL: nothing. 0, -EINVAL,
 * -EBADF, -EPERM, -ETOOMANYREFS, -ENOMEM.
 */
int unix_scm_from(struct unix_sock *from, struct unix_sock *to, struct sock_msg *m,
		  struct unix_scm **out);
/* Gives the receiver what came, and who wrote it (NULL: not noted); takes scm over. 0 or -EFAULT. */
int unix_scm_deliver(struct socket *s, struct sock_msg *m, struct unix_scm *scm,
		     const struct abi_ucred *cred);
/* A copy for a receiver that peeks; NULL: no memory, or nothing. */
struct unix_scm *unix_scm_copy(const struct unix_scm *scm);

void unix_scm_free_files(struct unix_scm *scm); /* without edges */

/* unix_gc.c */
/* Frees what came, or came not, with a message; NULL does nothing. Context: may sleep, no lock held. */
void unix_scm_free(struct unix_scm *scm);
/* Notes the sockets among the files of `scm` as waiting in the queue of `to`. 0 or -ENOMEM. */
int unix_graph_add(struct unix_scm *scm, struct unix_sock *to);
/* `child` is accepted, or discarded: what waits in its queue hangs on its own file now. */
void unix_scm_adopt(struct unix_sock *listener, struct unix_sock *child);
/* Frees sockets in flight that only reach each other, if there may be any. Context: may sleep, no lock held. */
void unix_collect(void);
/* Drops what waits in the queue of `u`, which nobody reaches any more. */
void unix_purge(struct unix_sock *u);

/* A full receive queue: `from` will hear of room. False: there is room. */
bool unix_dgram_full(struct unix_sock *from, struct unix_sock *to);
void unix_dgram_unwait(struct unix_sock *from);
void unix_dgram_took(struct unix_sock *u);
/* All sockets are in one of these. */
#define UNIX_BUCKETS 64U
/* Calls fn for every socket of a bucket, under its spin lock. */
void unix_for_each(u32 bucket, void (*fn)(struct unix_sock *u, void *arg), void *arg);
/* The n-th socket of a bucket, with a reference; NULL: there are fewer. */
struct unix_sock *unix_nth(u32 bucket, u32 n);
/* What SIOCINQ and SIOCOUTQ answer. */
u32 unix_unread(struct unix_sock *u);
u32 unix_unsent(struct unix_sock *u);
PollEvent unix_poll(struct socket *s);
void unix_close(struct socket *s);
void unix_free(struct socket *s);
long unix_ioctl(struct socket *s, u32 cmd, u64 arg);
int unix_getsockopt(struct socket *s, int level, int name, void *val, u32 *len);

#endif
