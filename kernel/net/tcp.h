/*
 * TCP sockets. What is common (names, ports, listening, options, poll) is in tcp*.c; who carries an
 * established connection is behind `struct tcp_path`: the fused local path (tcp_local.c) when both
 * ends are sockets of this host, a wire path else.
 *
 * States are Linux's. A connection over lo passes from CLOSE to ESTABLISHED inside connect(): the
 * accepted end is made there and put on the listener's queue. If that queue is full the connecting
 * end stays in SYN_SENT on the listener's list of those who wait, and goes on when accept() makes
 * room; it gives up after 127 seconds, or TCP_SYNCNT's worth of them.
 */
#ifndef KERNEL_NET_TCP_H
#define KERNEL_NET_TCP_H

#include "abi/tcp.h"
#include "kernel/net/inet_opt.h"
#include "kernel/net/port.h"
#include "kernel/net/socket.h"
#include "kernel/net/stream.h"
#include "kernel/net/tuple.h"
#include "kernel/time/time.h"
#include "kernel/trace/trace.h"

struct tcp_past;
struct tcp_sock;

/* Who carries an established connection. All are called without locks and may sleep but poll. */
struct tcp_path {
	long (*send)(struct tcp_sock *t, struct sock_msg *m);
	long (*recv)(struct tcp_sock *t, struct sock_msg *m);
	bool (*readable)(struct tcp_sock *t); /* at least SO_RCVLOWAT bytes wait; for poll */
	bool (*writable)(struct tcp_sock *t); /* a third of the send buffer is free; for poll */
	void (*shutdown)(struct tcp_sock *t); /* no more is sent: FIN */
	/*
	 * The file is gone: FIN, or RST if data are unread or SO_LINGER says so. Ends the tuple
	 * (time_wait_start(), tuple_remove()). True: the connection lives on without its file, with a
	 * reference of its own, and will do so when it ends.
	 */
	bool (*close)(struct tcp_sock *t);
	/* After close: drops what the path holds; the memory may be looked at by others still. */
	void (*detach)(struct tcp_sock *t);
	/*
	 * connect(AF_UNSPEC): a reset, if the peer may still hear of it, and what was received is dropped. The path is left behind by the
	 * caller; calls of other threads may still be in it. -ENOBUFS: nothing was done.
	 */
	int (*disconnect)(struct tcp_sock *t);
	void (*options)(struct tcp_sock *t); /* some option was changed; NULL: nothing to do */
	void (*info)(struct tcp_sock *t, struct abi_tcp_info *out);
	u32 (*unread)(struct tcp_sock *t); /* SIOCINQ */
	u32 (*unsent)(struct tcp_sock *t); /* SIOCOUTQ: not yet acknowledged */
};

/* What listen() adds. */
struct tcp_listener {
	struct spinlock lock; /* RANK_ACCEPT */
	struct list ready;    /* [L] established, not accepted: tcp_sock.accept_link */
	struct list waiting; /* [L] local ones in SYN_SENT: tcp_sock.accept_link, a reference each */
	struct list deferred; /* [L] local ones that nobody has written to yet: tcp_sock.accept_link, a reference and a place each */
	u32 nr_ready;	      /* [a] changes under lock */
	u32 nr_places;	      /* [L] ready ones and places reserved for more */
	u32 backlog;	      /* [a] */
	bool closed;	      /* [L] */
	u32 nr_half;	      /* [w] the wire's: connections whose handshake is under way */
	struct epoch_node free_node;
};

#define TCP_F_NODELAY	 BIT(0)
#define TCP_F_CORK	 BIT(1)
#define TCP_F_DELAYACK	 BIT(2) /* TCP_QUICKACK was switched off */
#define TCP_F_INQ	 BIT(3)
#define TCP_F_CONNECTING BIT(4) /* connect() has begun and its end was not yet told */
#define TCP_F_CONNECTED	 BIT(5) /* and it was told */
#define TCP_F_V6ONLY	 BIT(6)
#define TCP_F_FIN_SEEN	 BIT(7) /* the peer sent its FIN: reads end with 0, whatever comes after */
#define TCP_F_FIN_SENT	 BIT(8)
#define TCP_F_BOUND	 BIT(9)	 /* bind() chose the port: it stays until close */
#define TCP_F_DEAD	 BIT(10) /* the file is gone */
#define TCP_F_BOUND_ADDR BIT(11) /* bind() chose an address and left the port open */
#define TCP_F_DEFERRED                                                                             \
	BIT(12) /* the accepted end of a local connection waits for data, see tcp_defer.c; changes under *pair */

#define TCP_SNDBUF_DEFAULT 16384U /* grows when connected, unless it was set */
#define TCP_SNDBUF_GROWN   2626560U
#define TCP_RCVBUF_DEFAULT 131072U

struct tcp_sock {
	struct socket s;
	const struct tcp_path *path; /* [e] set before the state leaves CLOSE or SYN_SENT; changes under s.lock */
	u32 state;		     /* [a] ABI_TCP_*; changes under *pair */
	u32 tcp_flags;		     /* [a] TCP_F_* */
	struct tcp_sock *peer; /* [e] local path: the other end, a reference until close unless it is itself */
	struct tcp_past *past; /* [L:s.lock] local path: peers of connections that were given up, see tcp_local.c */
	struct stream rx;      /* local path: what was received */
	struct spinlock *pair; /* [e] RANK_TCP; one for both ends of a local connection; tcp_lock() */
	struct spinlock own_pair;      /* what `pair` is until then */
	struct inet_end local, remote; /* [I] once connected, [L:s.lock] before */
	struct port_owner port;	       /* [L:pair] bound, or accepted from a listener */
	bool port_held;		       /* [L:pair] connect-only */
	struct tuple_node tuple;
	struct tcp_listener *listener; /* [e] from the first listen() to free */
	struct list accept_link;       /* [L:listener] */
	struct tcp_sock *waits_for; /* [e] whose `waiting` or `deferred` this was put on; a reference */
	struct timer syn_timer; /* gives a waiting connect up, ends the time of a deferred end */
	/* Urgent data: stream position of the urgent byte. */
	u64 urgent_at;	  /* [a] */
	u32 urgent_state; /* [a] TCP_URGENT_* */
	u32 urgent_byte;  /* [a] */
	/* Options. [a] */
	u32 keepidle, keepintvl, keepcnt, syncnt, window_clamp, user_timeout, notsent_lowat, maxseg;
	u32 defer_accept; /* seconds */
	s32 linger2;
	struct inet_options inet;
	void *wire; /* [w] the wire path's own, freed with the socket */
};

#define TCP_LOCAL_MSS	   65483 /* of a 64 KiB loopback with timestamps */
#define TCP_LOCAL_MSS_V6   65464
#define TCP_LOCAL_MSS_HALF 32768 /* while the peer's window is the first one, of 64 KiB */
#define TCP_MSS_DEFAULT	   536UL
#define TCP_TIMESTAMP_ROOM 12U /* which a segment's header takes from TCP_MAXSEG */

#define TCP_URGENT_NONE	 0U
#define TCP_URGENT_VALID 1U /* a byte waits for MSG_OOB */
#define TCP_URGENT_READ	 2U /* it was read, the mark is still ahead */

static inline struct tcp_sock *tcp_of(struct socket *s)
{
	return container_of(s, struct tcp_sock, s);
}

extern const struct socket_ops tcp_ops;
extern const struct tcp_path tcp_local_path;

/* A socket in state CLOSE with one reference; NULL: no memory. */
struct tcp_sock *tcp_alloc(int family);

/* ---- for paths ---- */

/*
 * The listener for a connection from `remote` to `local`, with a reference; NULL: none (answer RST,
 * ECONNREFUSED).
 */
struct tcp_sock *tcp_find_listener(const struct inet_end *local, const struct inet_end *remote);
/*
 * The accepted end of a new connection, in SYN_RECV: options inherited, port joined, tuple
 * inserted. One reference. NULL: no memory, or the tuple is in use.
 */
struct tcp_sock *tcp_child(struct tcp_sock *listener, const struct inet_end *local,
			   const struct inet_end *remote);
/*
 * Reserves a place on the accept queue: 0; -EAGAIN: it is full, and `waiter`, if not NULL, was put
 * on the list of those who wait (with a reference); -ECONNREFUSED: the listener is closed.
 */
int tcp_accept_reserve(struct tcp_sock *listener, struct tcp_sock *waiter);
void tcp_accept_unreserve(struct tcp_sock *listener);
/*
 * Puts `child` on its place, which takes over the reference, and wakes. If the listener was closed
 * meanwhile the child is reset and gone.
 */
void tcp_accept_push(struct tcp_sock *listener, struct tcp_sock *child);
/* The connecting end is ESTABLISHED: wakes it. */
void tcp_established(struct tcp_sock *t);
/* An answer to a connection attempt, or a reset: state CLOSE, `error` posted (ECONNREFUSED…). */
void tcp_reset(struct tcp_sock *t, int error);
/* Leaves tuple and port at once. */
void tcp_forget(struct tcp_sock *t);

/* ---- between the files of TCP ---- */

int tcp_setsockopt(struct socket *s, int level, int name, const void *val, u32 len);
int tcp_getsockopt(struct socket *s, int level, int name, void *val, u32 *len);
long tcp_ioctl(struct socket *s, u32 cmd, u64 arg);
void tcp_options_changed(struct socket *s);

/* Tells the path that some option was changed. */
static inline void tcp_options_tell(struct tcp_sock *t)
{
	const struct tcp_path *path = atomic_load_acquire(&t->path);

	if (path && path->options)
		path->options(t);
}

/* tcp_listen.c */
/* A connection that nobody will accept: reset and gone. Takes over the reference. */
void tcp_child_discard(struct tcp_sock *child);
int tcp_listen(struct socket *s, int backlog);
int tcp_accept(struct socket *s, struct socket **out, bool nonblock);
void tcp_listen_close(struct tcp_sock *t);
struct tcp_sock *tcp_accept_waiter(struct tcp_sock *listener);
PollEvent tcp_listen_poll(struct tcp_sock *t);

/* tcp_defer.c: TCP_DEFER_ACCEPT */
/* The seconds that Linux makes of an option's value. */
u32 tcp_defer_seconds(int v);
/* Until when a connection that is made now waits for data; 0: it does not. */
u64 tcp_defer_deadline(const struct tcp_sock *listener);
/* `child` waits in SYN_RECV; false: there is nothing to wait for. Context: child->pair locked, nobody can write to `child` yet. */
bool tcp_defer_locked(struct tcp_sock *listener, struct tcp_sock *child);
/* Data or FIN have come, or the time is over: `child` goes on to be accepted. Context: no lock held. */
void tcp_undefer(struct tcp_sock *child);
/* The other end is gone without a word: true if `child` was still waiting and is gone, too. Context: may sleep. */
bool tcp_defer_drop(struct tcp_sock *child);

/* tcp_connect.c */
int tcp_bind(struct socket *s, const struct sock_name *name);
/* Binds a socket without a port; 0: of the kernel's choice. Context: s.lock held. 0 or -errno. */
int tcp_bind_port(struct tcp_sock *t, const struct inet_end *e);
int tcp_connect(struct socket *s, const struct sock_name *name, bool nonblock);
void tcp_connect_abandon(struct tcp_sock *t); /* leaves the list of those who wait */
int tcp_disconnect(struct tcp_sock *t);

/* tcp_local.c: 0: ESTABLISHED, or waiting in SYN_SENT; -ECONNREFUSED, -ENOMEM. */
int tcp_local_connect(struct tcp_sock *t);
/* Lets go of the peers of connections that were given up: no call of another thread is in `t`. Context: may sleep. */
void tcp_local_forget_past(struct tcp_sock *t);
/* A place is free: goes on with the first who waits. */
void tcp_local_admit(struct tcp_sock *listener);
/* What a receive answers if nothing is there: 0, -EAGAIN (wait), -errno, which it consumes if `take`. */
int tcp_at_end(struct socket *s, bool take);
int tcp_may_send(struct socket *s); /* 0, -EPIPE: shut down, not connected any more, or an error is there */

/* ESTABLISHED: the send buffer grows, unless it was set. */
static inline void tcp_grow_sndbuf(struct tcp_sock *t)
{
	if (t->s.sndbuf == TCP_SNDBUF_DEFAULT)
		t->s.sndbuf = TCP_SNDBUF_GROWN;
}

/* Locks *pair: which one it is changes under it (ends_join(), local_disconnect()). */
static inline void tcp_lock(struct tcp_sock *t)
{
	for (;;) {
		struct spinlock *pair = atomic_load_acquire(&t->pair);

		spin_lock(pair);
		if (likely(pair == atomic_load_relaxed(&t->pair)))
			return;
		spin_unlock(pair);
	}
}
static inline void tcp_unlock(struct tcp_sock *t)
{
	spin_unlock(t->pair);
}

static inline u32 tcp_state(const struct tcp_sock *t)
{
	return atomic_load_relaxed(&t->state);
}
/* What was written before is seen by who reads the new state with acquire. Context: *pair locked, or nobody else knows `t`. */
static inline void tcp_set_state(struct tcp_sock *t, u32 state)
{
	trace_tcp_state(t->s.ino, (u16)state, t->local.port, t->remote.port);
	atomic_store_release(&t->state, state);
}
static inline bool tcp_flag(const struct tcp_sock *t, u32 flag)
{
	return atomic_load_relaxed(&t->tcp_flags) & flag;
}

#endif
