/*
 * The life of a socket, its open file, and waiting; socket.h tells the rules.
 */
#include "kernel/net/socket.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/netdevice.h"
#include "abi/stat.h"
#include "abi/termios.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/iface.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/task/cred.h"
#include "kernel/task/job.h"
#include "kernel/task/sigio.h"
#include "kernel/task/signal.h"
#include "kernel/task/task.h"
#include "kernel/time/time.h"
#include "kernel/trace/trace.h"

#define SOCKFS_DEV 8U /* minor number of the anonymous device that all sockets are on */

LOCK_CLASS(socket, RANK_SOCKET);

static struct socket_family *families;

/* Inode numbers of each hart are its own: n * MAX_CPUS + hart. */
static PERCPU(u64, next_ino);
static PERCPU(s64, live); /* made less freed on this hart */

s64 socket_count(void)
{
	s64 sum = 0;

	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		sum += atomic_load_relaxed(cpu_ptr(live, cpu));
	return sum;
}

void socket_register(struct socket_family *family)
{
	family->next = families;
	families = family;
}

int socket_create(int family, int type, int protocol, struct socket **out)
{
	if ((u32)family >= AF_MAX)
		return -EAFNOSUPPORT;
	if ((u32)type >= ABI_SOCK_MAX)
		return -EINVAL;
	for (struct socket_family *f = families; f; f = f->next)
		if (f->family == family)
			return f->create(type, protocol, out);
	return -EAFNOSUPPORT;
}

void socket_init(struct socket *s, const struct socket_ops *ops, int family, int type, int protocol)
{
	s->ops = ops;
	s->family = (u16)family;
	s->type = (u16)type;
	s->protocol = (u32)protocol;
	s->sndbuf = SOCK_BUF_DEFAULT;
	s->rcvbuf = SOCK_BUF_DEFAULT;
	s->rcvlowat = 1;
	s->rcvtimeo = PARK_FOREVER;
	s->sndtimeo = PARK_FOREVER;
	s->uid = thread_current()->ops ? cred_current()->euid : 0; /* a kernel thread's are root's */
	s->ino = ++this_cpu(next_ino) * MAX_CPUS + cpu_self()->id;
	s->refs = 1;
	this_cpu(live)++;
	if (trace_enabled(sockets))
		trace_sockets((u64)socket_count());
	mutex_init(&s->lock, &socket_class);
	waitq_init(&s->queue);
}

static void socket_free(struct epoch_node *node)
{
	kfree(container_of(node, struct socket, free_node));
}

void socket_put(struct socket *s)
{
	if (!refcount_put(&s->refs))
		return;
	s->ops->free(s);
	this_cpu(live)--;
	if (trace_enabled(sockets))
		trace_sockets((u64)socket_count());
	epoch_defer(&s->free_node, socket_free);
}

/* ---- waiting and errors ---- */

u64 socket_deadline(u64 ticks)
{
	u64 deadline;

	if (ticks == PARK_FOREVER || __builtin_add_overflow(time_now(), ticks, &deadline))
		return PARK_FOREVER;
	return deadline;
}

int socket_wait(struct socket *s, PollEvent events, bool exclusive, bool (*ready)(void *),
		void *arg, u64 deadline)
{
	int err;

	trace_sock_wait(s->ino);
	err = waitq_wait(&s->queue, events | POLL_EVENT_ERR | POLL_EVENT_HUP, exclusive, ready, arg,
			 deadline, PARK_INTERRUPTIBLE);
	trace_sock_wait_done((u64)err);
	if (err == -ETIMEDOUT)
		return -EAGAIN;
	if (err == -EINTR)
		return deadline == PARK_FOREVER ? -ERESTARTSYS : -EINTR;
	return err;
}

void socket_fail(struct socket *s, int error)
{
	atomic_store_relaxed(&s->error, (u32)error);
	socket_wake_all(s);
}

void socket_signal_owner(struct socket *s, int sig)
{
	struct abi_siginfo info;
	struct file *f;

	epoch_enter();
	f = atomic_load_relaxed(&s->file);
	if (f) {
		signal_info_user(&info, sig, SI_USER);
		sigio_send(f, &info);
	}
	epoch_exit();
}

/* ---- data ---- */

long socket_send(struct socket *s, struct sock_msg *m)
{
	struct abi_siginfo info;
	long ret;

	trace_sock_send(s->ino, m->it->count);
	ret = s->ops->send ? s->ops->send(s, m) : -EOPNOTSUPP;
	trace_sock_done((u64)ret);
	if (ret == -EPIPE && s->ops->raises_sigpipe && !(m->flags & MSG_NOSIGNAL)) {
		signal_info_user(&info, SIGPIPE, SI_USER);
		signal_send_task(task_current(), &info);
	}
	return ret;
}

static __noinline long recv_traced(struct socket *s, struct sock_msg *m)
{
	long ret;

	trace_sock_receive(s->ino, m->it->count);
	ret = s->ops->recv ? s->ops->recv(s, m) : -EOPNOTSUPP;
	trace_sock_done((u64)ret);
	return ret;
}

long socket_recv(struct socket *s, struct sock_msg *m)
{
	if (trace_enabled(sock_receive))
		return recv_traced(s, m);
	return s->ops->recv ? s->ops->recv(s, m) : -EOPNOTSUPP;
}

/* ---- the open file ---- */

static long socket_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct socket *s = f->data;
	struct sock_msg m = {.it = it, .nonblock = nonblock};

	(void)pos;
	if (it->count == 0)
		return 0;
	return socket_recv(s, &m);
}

static long socket_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct sock_msg m = {.it = it, .nonblock = nonblock};

	(void)pos;
	return socket_send(f->data, &m);
}

static PollEvent socket_poll(struct file *f, struct wait_queue **source)
{
	struct socket *s = f->data;

	if (source)
		*source = &s->queue;
	return s->ops->poll(s);
}

static long socket_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct socket *s = f->data;
	u32 __user *word = (u32 __user *)(uintptr_t)arg;
	u32 value;
	long ret;

	switch (cmd) {
	case FIOSETOWN:
	case SIOCSPGRP:
		ret = user_load_u32(word, &value);
		return ret ? ret : sigio_set_owner(f, (s32)value, false);
	case FIOGETOWN:
	case SIOCGPGRP:
		return user_store_u32(word, (u32)atomic_load_relaxed(&f->owner));
	default:
		ret = s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOTTY;
		return ret == -ENOTTY ? net_iface_ioctl(s->family, cmd, arg) : ret;
	}
}

static int socket_stat(struct file *f, struct stat_info *st)
{
	struct socket *s = f->data;

	*st = (struct stat_info){
		.dev = SOCKFS_DEV,
		.ino = s->ino,
		.mode = S_IFSOCK | 0777,
		.nlink = 1,
		.uid = s->uid,
		.blksize = PAGE_SIZE,
	};
	return 0;
}

static void socket_release(struct file *f)
{
	struct socket *s = f->data;

	atomic_store_relaxed(&s->file, NULL);
	s->ops->close(s);
	socket_put(s);
}

static const struct file_ops socket_file_ops = {
	.name = "socket",
	.nowait = true,
	.read = socket_read,
	.write = socket_write,
	.ioctl = socket_ioctl,
	.poll = socket_poll,
	.stat = socket_stat,
	.release = socket_release,
	.async_owner = sigio_no_owner,
	.raises_sigpipe_itself = true,
};

struct file *socket_file(struct socket *s, u32 flags)
{
	struct file *f = file_alloc(&socket_file_ops, s, O_RDWR | flags);

	if (!f) {
		s->ops->close(s);
		socket_put(s);
		return NULL;
	}
	atomic_store_relaxed(&s->file, f);
	return f;
}

struct socket *socket_of(struct file *f)
{
	return f->ops == &socket_file_ops ? f->data : NULL;
}
