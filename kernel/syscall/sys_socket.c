/*
 * Sockets: creating, naming, connecting, options. Sending and receiving are in sys_message.c.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/socket.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/socket.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/socket_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/trace/trace.h"

#define SOCK_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

static_assert(SOCK_NONBLOCK == O_NONBLOCK && SOCK_CLOEXEC == O_CLOEXEC, "passed on as they are");

int socket_arg_get(u64 fd, struct fd_ref *r, struct socket **s)
{
	*r = fd_arg(fd);
	if (!r->file)
		return -EBADF;
	*s = socket_of(r->file);
	if (*s)
		return 0;
	fd_return(r);
	return -ENOTSOCK;
}

int name_arg_get(struct sock_name *name, u64 addr, u64 len)
{
	if ((u32)len > ABI_SOCKADDR_MAX)
		return -EINVAL;
	name->len = (u32)len;
	name->family = 0;
	if (name->len && copy_from_user(name->bytes, (const void __user *)(uintptr_t)addr, name->len))
		return -EFAULT;
	return 0;
}

int name_arg_put(const struct sock_name *name, u64 addr, u64 len_addr)
{
	u32 __user *user_len = (u32 __user *)(uintptr_t)len_addr;
	u32 room;

	if (user_load_u32(user_len, &room))
		return -EFAULT;
	if ((s32)room < 0)
		return -EINVAL;
	if (copy_to_user((void __user *)(uintptr_t)addr, name->bytes, MIN(room, name->len)))
		return -EFAULT;
	return user_store_u32(user_len, name->len);
}

static bool nonblocking(const struct fd_ref *r)
{
	return atomic_load_relaxed(&r->file->flags) & O_NONBLOCK;
}

long sys_socket(SYSCALL_ARGS)
{
	int type = (int)a1;
	struct socket *s;
	int err;

	if (type & ~(ABI_SOCK_TYPE | SOCK_FLAGS))
		return -EINVAL;
	err = socket_create((int)a0, type & ABI_SOCK_TYPE, (int)a2, &s);
	if (err)
		return err;
	return file_install_new(socket_file(s, type & O_NONBLOCK), type & O_CLOEXEC);
}

/* Two sockets that know each other, as files. */
static int make_pair(int family, int type, int protocol, struct file *ends[2])
{
	struct socket *a, *b;
	int err = socket_create(family, type & ABI_SOCK_TYPE, protocol, &a);

	if (err)
		return err;
	err = socket_create(family, type & ABI_SOCK_TYPE, protocol, &b);
	if (!err) {
		err = a->ops->pair ? a->ops->pair(a, b) : -EOPNOTSUPP;
		if (!err)
			ends[1] = socket_file(b, type & O_NONBLOCK);
		else
			b->ops->close(b), socket_put(b);
	}
	if (err) {
		a->ops->close(a);
		socket_put(a);
		return err;
	}
	ends[0] = socket_file(a, type & O_NONBLOCK);
	if (ends[0] && ends[1])
		return 0;
	for (int i = 0; i < 2; i++)
		if (ends[i])
			file_put(ends[i]);
	return -ENOMEM;
}

long sys_socketpair(SYSCALL_ARGS)
{
	struct file *ends[2];
	int type = (int)a1;
	long ret;

	if (type & ~(ABI_SOCK_TYPE | SOCK_FLAGS))
		return -EINVAL;
	ret = make_pair((int)a0, type, (int)a2, ends);
	if (ret)
		return ret;
	ret = file_install_pair(ends, a3, type & O_CLOEXEC);
	if (ret) {
		file_put(ends[0]);
		file_put(ends[1]);
	}
	return ret;
}

long sys_bind(SYSCALL_ARGS)
{
	struct sock_name name;
	struct socket *s;
	struct fd_ref r;
	int err = socket_arg_get(a0, &r, &s);

	if (err)
		return err;
	err = name_arg_get(&name, a1, a2);
	if (!err)
		err = s->ops->bind ? s->ops->bind(s, &name) : -EOPNOTSUPP;
	fd_return(&r);
	return err;
}

long sys_listen(SYSCALL_ARGS)
{
	struct socket *s;
	struct fd_ref r;
	int err = socket_arg_get(a0, &r, &s);

	if (err)
		return err;
	err = s->ops->listen ? s->ops->listen(s, (int)a1) : -EOPNOTSUPP;
	fd_return(&r);
	return err;
}

/* The accepted connection's descriptor; its peer's name goes to the user. */
static long accept_install(struct socket *child, u64 addr, u64 len_addr, int flags)
{
	struct fd_table *files = task_current()->files;
	struct sock_name name;
	struct file *f;
	int fd = fd_reserve(files, 0, flags & O_CLOEXEC, fd_limit());
	int err = fd < 0 ? fd : 0;

	if (!err && addr) {
		err = child->ops->getname(child, &name, true) ? -ECONNABORTED : 0;
		if (!err)
			err = name_arg_put(&name, addr, len_addr);
	}
	f = socket_file(child, flags & O_NONBLOCK);
	if (!err && !f)
		err = -ENOMEM;
	if (!err) {
		fd_publish(files, fd, f);
		return fd;
	}
	if (fd >= 0)
		fd_unreserve(files, fd);
	if (f)
		file_put(f);
	return err;
}

static int accept_traced(struct socket *s, struct socket **child, bool nonblock)
{
	int err;

	trace_sock_accept(s->ino);
	err = s->ops->accept ? s->ops->accept(s, child, nonblock) : -EOPNOTSUPP;
	trace_sock_done((u64)err);
	return err;
}

static long accept_common(u64 fd, u64 addr, u64 len_addr, int flags)
{
	struct socket *s, *child;
	struct fd_ref r = fd_arg(fd);
	int err;

	if (!r.file)
		return -EBADF;
	s = socket_of(r.file);
	if (flags & ~SOCK_FLAGS)
		err = -EINVAL;
	else if (!s)
		err = -ENOTSOCK;
	else
		err = accept_traced(s, &child, nonblocking(&r));
	fd_return(&r);
	return err ? err : accept_install(child, addr, len_addr, flags);
}

long sys_accept(SYSCALL_ARGS)
{
	return accept_common(a0, a1, a2, 0);
}

long sys_accept4(SYSCALL_ARGS)
{
	return accept_common(a0, a1, a2, (int)a3);
}

long sys_connect(SYSCALL_ARGS)
{
	struct sock_name name;
	struct socket *s;
	struct fd_ref r;
	int err = socket_arg_get(a0, &r, &s);

	if (err)
		return err;
	trace_sock_connect(s->ino);
	err = name_arg_get(&name, a1, a2);
	if (!err)
		err = s->ops->connect ? s->ops->connect(s, &name, nonblocking(&r)) : -EOPNOTSUPP;
	trace_sock_done((u64)err);
	fd_return(&r);
	return err;
}

static long name_common(u64 fd, u64 addr, u64 len_addr, bool peer)
{
	struct sock_name name;
	struct socket *s;
	struct fd_ref r;
	int err = socket_arg_get(fd, &r, &s);

	if (err)
		return err;
	err = s->ops->getname(s, &name, peer);
	fd_return(&r);
	return err ? err : name_arg_put(&name, addr, len_addr);
}

long sys_getsockname(SYSCALL_ARGS)
{
	return name_common(a0, a1, a2, false);
}

long sys_getpeername(SYSCALL_ARGS)
{
	return name_common(a0, a1, a2, true);
}

long sys_shutdown(SYSCALL_ARGS)
{
	struct socket *s;
	struct fd_ref r;
	int err = socket_arg_get(a0, &r, &s);

	if (err)
		return err;
	if ((u32)a1 > SHUT_RDWR)
		err = -EINVAL;
	else
		err = s->ops->shutdown ? s->ops->shutdown(s, (int)a1) : -EOPNOTSUPP;
	fd_return(&r);
	return err;
}

long sys_setsockopt(SYSCALL_ARGS)
{
	u8 val[SOCKOPT_MAX] __attribute__((aligned(8)));
	u32 len = (u32)a4;
	struct socket *s;
	struct fd_ref r;
	int err;

	if ((s32)len < 0)
		return -EINVAL;
	err = socket_arg_get(a0, &r, &s);
	if (err)
		return err;
	len = MIN(len, SOCKOPT_MAX);
	if (copy_from_user(val, (const void __user *)(uintptr_t)a3, len))
		err = -EFAULT;
	else
		err = socket_setsockopt(s, (int)a1, (int)a2, val, len);
	fd_return(&r);
	return err;
}

long sys_getsockopt(SYSCALL_ARGS)
{
	u8 val[SOCKOPT_MAX] __attribute__((aligned(8)));
	u32 __user *user_len = (u32 __user *)(uintptr_t)a4;
	u32 len, room = 0;
	struct socket *s;
	struct fd_ref r;
	int err = socket_arg_get(a0, &r, &s);

	if (err)
		return err;
	if (user_load_u32(user_len, &len)) {
		err = -EFAULT;
	} else if ((s32)len < 0) {
		err = -EINVAL;
	} else {
		len = MIN(len, SOCKOPT_MAX);
		room = len;
		err = socket_getsockopt(s, (int)a1, (int)a2, val, &len);
	}
	fd_return(&r);
	if (err)
		return err;
	/* A netlink socket's groups may tell a length that was not there. */
	if (copy_to_user((void __user *)(uintptr_t)a3, val, MIN(len, room)))
		return -EFAULT;
	return user_store_u32(user_len, len);
}
