/*
 * Sockets: what every family shares. A socket is an open file (net/file.c is its file_ops) with a
 * table of operations; each family and type fills one table.
 *
 * Life: `refs` counts the open file and whoever else points here (a peer, an accept queue, a
 * receive queue's sender). The file's last put calls ops->close, which ends all business; ops->free
 * runs when the last reference goes, and the memory lives a grace period longer, so that a waker
 * that found the socket under the epoch may finish.
 *
 * Sleepers and pollers share one wait queue. Whoever changes what poll would answer calls
 * socket_wake() with the bits that may hold now, after the change (kernel/file/waitq.h).
 *
 * Locks: `lock` (sleeping, RANK_SOCKET) orders bind, connect, listen, close and the options of one
 * socket; data paths do not take it. User memory may be touched under it.
 */
#ifndef KERNEL_NET_SOCKET_H
#define KERNEL_NET_SOCKET_H

#include "abi/signal.h"
#include "abi/socket.h"
#include "kernel/file/file.h"
#include "kernel/file/waitq.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/refcount.h"
#include "lib/types.h"

struct socket;

/* An address as programs see it, in kernel memory. len counts the family field. */
struct sock_name {
	u32 len;
	union {
		u16 family;
		u8 bytes[ABI_SOCKADDR_MAX];
	};
};

/* Where received control messages go: straight to user memory. */
struct cmsg_sink {
	u64 user;     /* next byte */
	u64 left;     /* room */
	u64 used;     /* bytes written, padding included */
	bool cloexec; /* MSG_CMSG_CLOEXEC */
};
/* Control messages of a send: a kernel copy, walked by cmsg_next(). */
struct cmsg_source {
	const u8 *buf;
	u64 len;
};

/* One send or receive. */
struct sock_msg {
	struct iov_iter *it; /* payload */
	u32 flags;	     /* MSG_* of the caller */
	bool nonblock;	     /* MSG_DONTWAIT or O_NONBLOCK */
	u32 out_flags;	     /* receive: MSG_TRUNC, _CTRUNC, _EOR, _OOB for msg_flags */
	struct sock_name *name; /* send: destination; receive: sender's, len 0 if it has none; NULL: not given */
	struct cmsg_source *control; /* send; NULL: none */
	struct cmsg_sink *sink;	     /* receive; NULL: not wanted */
	void *state;		     /* the socket type's own, for the time of the call */
};

/*
 * One table per family and type. 0 or a count, or -errno as Linux's. All may sleep but poll and
 * free. NULL: -EOPNOTSUPP, unless noted.
 */
struct socket_ops {
	const char *name; /* as in /proc/net/protocols */
	int (*bind)(struct socket *s, const struct sock_name *name);
	int (*connect)(struct socket *s, const struct sock_name *name, bool nonblock);
	int (*listen)(struct socket *s, int backlog);
	/* A connection: *out has no file yet; the caller owns the reference. */
	int (*accept)(struct socket *s, struct socket **out, bool nonblock);
	/* Two fresh sockets of this type become each other's peers. */
	int (*pair)(struct socket *a, struct socket *b);
	int (*shutdown)(struct socket *s, int how); /* SHUT_*, checked */
	int (*getname)(struct socket *s, struct sock_name *out, bool peer);
	/* -EPIPE: the caller's caller raises SIGPIPE unless MSG_NOSIGNAL or raises_sigpipe is not set */
	long (*send)(struct socket *s, struct sock_msg *m);
	long (*recv)(struct socket *s, struct sock_msg *m);
	/* Events that hold now. Called without any lock; may be called under spin locks. */
	PollEvent (*poll)(struct socket *s);
	/*
	 * Options beyond SOL_SOCKET. `val` is a kernel copy of `len` bytes, at most
	 * SOCKOPT_MAX. NULL: -ENOPROTOOPT
	 */
	int (*setsockopt)(struct socket *s, int level, int name, const void *val, u32 len);
	/* Fills at most *len bytes of val and sets *len. NULL: -ENOPROTOOPT */
	int (*getsockopt)(struct socket *s, int level, int name, void *val, u32 *len);
	/* SOL_SOCKET options were changed: buffer sizes. May be NULL. */
	void (*options_changed)(struct socket *s);
	long (*ioctl)(struct socket *s, u32 cmd, u64 arg); /* NULL: -ENOTTY */
	void (*close)(struct socket *s);		   /* the file is gone */
	void (*free)(struct socket *s); /* last reference, after close; frees members */
	bool raises_sigpipe;		/* streams */
};

#define SOCKOPT_MAX 256U

/* socket.flags: options that are one bit. */
#define SOCK_F_REUSEADDR   BIT(0)
#define SOCK_F_REUSEPORT   BIT(1)
#define SOCK_F_KEEPALIVE   BIT(2)
#define SOCK_F_OOBINLINE   BIT(3)
#define SOCK_F_BROADCAST   BIT(4)
#define SOCK_F_DONTROUTE   BIT(5)
#define SOCK_F_LINGER	   BIT(6)
#define SOCK_F_PASSCRED	   BIT(7)
#define SOCK_F_TIMESTAMP   BIT(8)
#define SOCK_F_TIMESTAMPNS BIT(9)
#define SOCK_F_NO_CHECK	   BIT(10)
#define SOCK_F_ACCEPTCONN  BIT(11) /* listening */

/* socket.shutdown */
#define SOCK_SHUT_RD  BIT(0)
#define SOCK_SHUT_WR  BIT(1)
#define SOCK_SHUT_ALL (SOCK_SHUT_RD | SOCK_SHUT_WR)

/* Buffer sizes as on Linux, in bytes. */
#define SOCK_BUF_DEFAULT 212992U
#define SOCK_BUF_MAX	 212992U /* net.core.rmem_max, wmem_max */
#define SOCK_SNDBUF_MIN	 4608U
#define SOCK_RCVBUF_MIN	 2304U

struct socket {
	/* Read by every call, written seldom. */
	const struct socket_ops *ops; /* [I] */
	u16 family, type;	      /* [I] AF_*, SOCK_* */
	u32 protocol;		      /* [I] */
	u32 flags;		      /* [a] SOCK_F_* */
	u32 shutdown;		      /* [a] SOCK_SHUT_* */
	u32 error;		      /* [a] pending errno, taken once: SO_ERROR */
	u32 sndbuf, rcvbuf;	      /* [a] as SO_SNDBUF and SO_RCVBUF show them */
	u32 rcvlowat;		      /* [a] */
	u64 rcvtimeo, sndtimeo;	      /* [a] ticks, PARK_FOREVER */
	u32 linger_seconds;	      /* [L:lock] with SOCK_F_LINGER */
	u32 priority, mark;	      /* [a] kept for getsockopt */
	u32 bound_if;		      /* [a] SO_BINDTODEVICE: interface index, 0: any */
	u32 uid;		      /* [I] creator, for /proc */
	u64 ino;		      /* [I] */
	struct file *file; /* [a] the open file, no reference; NULL: none yet, or closed */
	struct mutex lock;

	struct wait_queue queue __cacheline_aligned; /* sleepers and pollers */
	u32 refs;				     /* [a] */
	struct epoch_node free_node;
};

/* ---- life (socket.c) ---- */

/* How to make sockets of a family; registered at boot. */
struct socket_family {
	u16 family;
	/* A new socket with one reference in *out, or -EPROTONOSUPPORT, -ESOCKTNOSUPPORT, -EPERM… */
	int (*create)(int type, int protocol, struct socket **out);
	struct socket_family *next;
};
void socket_register(struct socket_family *family);
/* socket(2) without its descriptor. `type` without flags. */
int socket_create(int family, int type, int protocol, struct socket **out);

/*
 * Fills the common part of `s`, zeroed, the first member of memory from kmalloc(): defaults, one
 * reference. `uid` is the running task's.
 */
void socket_init(struct socket *s, const struct socket_ops *ops, int family, int type, int protocol);
static inline void socket_get(struct socket *s)
{
	refcount_get(&s->refs);
}
void socket_put(struct socket *s); /* context: may sleep (free may) */

s64 socket_count(void); /* all that exist */

/* An open file for `s`; takes over the caller's reference also when it fails (NULL). */
struct file *socket_file(struct socket *s, u32 flags);
struct socket *socket_of(struct file *f); /* borrowed from the file; NULL: not a socket */

/* ---- waiting and waking ---- */

/* Absolute deadline of a call with timeout `ticks`; reads the clock only if it is finite. */
u64 socket_deadline(u64 ticks);
/*
 * Sleeps until ready(arg): 0; -EAGAIN at the deadline; -ERESTARTSYS, or -EINTR if a timeout is set.
 * `exclusive`: one wake-up is for one sleeper (datagrams, connections). No lock held.
 */
int socket_wait(struct socket *s, PollEvent events, bool exclusive, bool (*ready)(void *),
		void *arg, u64 deadline);
/* Sends `sig` to whom F_SETOWN on the socket's file names, if anybody. Context: no lock held. */
void socket_signal_owner(struct socket *s, int sig);
static inline void socket_wake(struct socket *s, PollEvent events)
{
	waitq_wake(&s->queue, events, 1);
}
/* All sleepers: a state that ends their wait for good. */
static inline void socket_wake_all(struct socket *s)
{
	waitq_wake(&s->queue, ~0U, WAITQ_ALL);
}

/* ---- errors ---- */

/* Posts `error` (positive) and wakes. */
void socket_fail(struct socket *s, int error);
/* Takes the pending error: 0 or -errno. */
static inline int socket_take_error(struct socket *s)
{
	if (likely(!atomic_load_relaxed(&s->error)))
		return 0;
	return -(int)atomic_xchg(&s->error, 0);
}

/* ---- data (for the system calls and file_ops) ---- */
long socket_send(struct socket *s, struct sock_msg *m); /* raises SIGPIPE */
long socket_recv(struct socket *s, struct sock_msg *m);

/* ---- options: kernel/net/sockopt.c ---- */
int socket_setsockopt(struct socket *s, int level, int name, const void *val, u32 len);
int socket_getsockopt(struct socket *s, int level, int name, void *val, u32 *len);
/* An int from an option's bytes; -EINVAL if there are too few. */
int sockopt_int(const void *val, u32 len, int *out);
/* The int `v` as option value, cut to *len as Linux does. */
int sockopt_put_int(void *val, u32 *len, int v);
static inline bool socket_flag(const struct socket *s, u32 flag)
{
	return atomic_load_relaxed(&s->flags) & flag;
}
static inline void socket_set_flag(struct socket *s, u32 flag, bool on)
{
	if (on)
		atomic_fetch_or(&s->flags, flag);
	else
		atomic_fetch_and(&s->flags, ~flag);
}

/* ---- control messages: kernel/net/cmsg.c ---- */
/*
 * Appends one message to the receiver's buffer; sets MSG_CTRUNC in m->out_flags if it does not fit
 * whole. Touches user memory. 0 or -EFAULT.
 */
int cmsg_put(struct sock_msg *m, int level, int type, const void *data, u64 len);
/* The next message of a send at *pos: its header and data, or false. -EINVAL in *err if malformed. */
bool cmsg_next(const struct cmsg_source *c, u64 *pos, struct abi_cmsghdr *head, const void **data,
	       int *err);

#endif
