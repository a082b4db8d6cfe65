/*
 * Sending and receiving on sockets: sendto, recvfrom, sendmsg, recvmsg, sendmmsg, recvmmsg.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/socket.h"
#include "abi/uio.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/socket.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/park.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/socket_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/syscall/user_time.h"
#include "kernel/time/time.h"

#define CONTROL_MAX	 20480U /* net.core.optmem_max of the time when programs learnt it */
#define CONTROL_ON_STACK 128U

static bool msg_nonblock(const struct fd_ref *r, u32 flags)
{
	return (flags & MSG_DONTWAIT) || (atomic_load_relaxed(&r->file->flags) & O_NONBLOCK);
}

/* A send or receive with one buffer and one name. */
struct buffer_arg {
	struct sock_msg m;
	struct sock_name name;
	struct iov_segment seg;
	struct iov_iter it;
	struct socket *s;
	struct fd_ref r;
};

/* fd_return() is due. */
static inline int buffer_arg_get(struct buffer_arg *b, u64 fd, u64 addr, u64 len, u32 flags)
{
	int err;

	if (!user_range(addr, len))
		return -EFAULT;
	err = socket_arg_get(fd, &b->r, &b->s);
	if (err)
		return err;
	iov_iter_user(&b->it, &b->seg, addr, MIN(len, RW_MAX));
	b->m = (struct sock_msg){.it = &b->it, .flags = flags, .nonblock = msg_nonblock(&b->r, flags)};
	return 0;
}

__hot long sys_sendto(SYSCALL_ARGS)
{
	struct buffer_arg b;
	long ret = buffer_arg_get(&b, a0, a1, a2, (u32)a3);

	if (ret)
		return ret;
	if (a4) {
		ret = name_arg_get(&b.name, a4, a5);
		b.m.name = &b.name;
	}
	if (!ret)
		ret = socket_send(b.s, &b.m);
	fd_return(&b.r);
	return ret;
}

__hot long sys_recvfrom(SYSCALL_ARGS)
{
	struct buffer_arg b;
	long ret = buffer_arg_get(&b, a0, a1, a2, (u32)a3);

	if (ret)
		return ret;
	if (a4) {
		b.name.len = 0;
		b.m.name = &b.name;
	}
	ret = socket_recv(b.s, &b.m);
	fd_return(&b.r);
	if (ret >= 0 && a4) {
		int err = name_arg_put(&b.name, a4, a5);

		if (err)
			return err;
	}
	return ret;
}

/* ---- struct msghdr ---- */

/* A message being sent or received: what the user's msghdr names, in kernel form. */
struct msg_arg {
	struct abi_msghdr head;
	struct vec_arg vec;
	struct sock_name name;
	struct cmsg_source source;
	struct cmsg_sink sink;
	struct sock_msg m;
	u8 *control;
	u8 small[CONTROL_ON_STACK] __attribute__((aligned(8)));
};

static int msg_head_get(struct msg_arg *a, u64 addr)
{
	if (copy_from_user(&a->head, (const void __user *)(uintptr_t)addr, sizeof(a->head)))
		return -EFAULT;
	if (a->head.msg_namelen < 0)
		return -EINVAL;
	a->head.msg_namelen = MIN(a->head.msg_namelen, (s32)ABI_SOCKADDR_MAX);
	if (a->head.msg_iovlen > UIO_MAXIOV)
		return -EMSGSIZE;
	return vec_arg_get(&a->vec, a->head.msg_iov, a->head.msg_iovlen);
}

static int send_control_get(struct msg_arg *a)
{
	u64 len = a->head.msg_controllen;

	a->control = a->small;
	if (!a->head.msg_control || !len)
		return 0;
	if (len > CONTROL_MAX)
		return -ENOBUFS;
	if (len > sizeof(a->small)) {
		a->control = kmalloc(len);
		if (!a->control)
			return -ENOBUFS;
	}
	if (copy_from_user(a->control, (const void __user *)(uintptr_t)a->head.msg_control, len))
		return -EFAULT;
	a->source = (struct cmsg_source){a->control, len};
	a->m.control = &a->source;
	return 0;
}

static long send_msg(struct socket *s, const struct fd_ref *r, u64 addr, u32 flags)
{
	struct msg_arg a;
	long ret = msg_head_get(&a, addr);

	if (ret)
		return ret;
	a.m = (struct sock_msg){.it = &a.vec.it, .flags = flags, .nonblock = msg_nonblock(r, flags)};
	if (a.head.msg_name && a.head.msg_namelen) {
		ret = name_arg_get(&a.name, a.head.msg_name, (u64)a.head.msg_namelen);
		a.m.name = &a.name;
	}
	if (!ret) {
		ret = send_control_get(&a);
		if (!ret)
			ret = socket_send(s, &a.m);
		if (a.control != a.small)
			kfree(a.control);
	}
	vec_arg_put(&a.vec);
	return ret;
}

/* What the receiver's msghdr is told. */
static long recv_msg_put(struct msg_arg *a, u64 addr, u32 flags)
{
	u32 out = a->m.out_flags | (flags & MSG_CMSG_CLOEXEC);

	if (a->head.msg_name) {
		u32 room = (u32)a->head.msg_namelen;

		if (copy_to_user((void __user *)(uintptr_t)a->head.msg_name, a->name.bytes,
				 MIN(room, a->name.len)) ||
		    user_store_u32((u32 __user *)(uintptr_t)(addr + offsetof(struct abi_msghdr,
									     msg_namelen)),
				   a->name.len))
			return -EFAULT;
	}
	if (user_store_u32((u32 __user *)(uintptr_t)(addr + offsetof(struct abi_msghdr, msg_flags)),
			   out) ||
	    user_store_u64(
		    (u64 __user *)(uintptr_t)(addr + offsetof(struct abi_msghdr, msg_controllen)),
		    a->sink.used))
		return -EFAULT;
	return 0;
}

static long recv_msg(struct socket *s, bool nonblock, u64 addr, u32 flags)
{
	struct msg_arg a;
	long ret = msg_head_get(&a, addr), err;

	if (ret)
		return ret;
	a.sink = (struct cmsg_sink){.user = a.head.msg_control,
				    .left = a.head.msg_control ? a.head.msg_controllen : 0,
				    .cloexec = flags & MSG_CMSG_CLOEXEC};
	a.name.len = 0;
	a.m = (struct sock_msg){.it = &a.vec.it,
				.flags = flags,
				.nonblock = nonblock,
				.name = a.head.msg_name ? &a.name : NULL,
				.sink = &a.sink};
	ret = socket_recv(s, &a.m);
	vec_arg_put(&a.vec);
	if (ret < 0)
		return ret;
	err = recv_msg_put(&a, addr, flags);
	return err ? err : ret;
}

long sys_sendmsg(SYSCALL_ARGS)
{
	struct socket *s;
	struct fd_ref r;
	long ret = socket_arg_get(a0, &r, &s);

	if (ret)
		return ret;
	ret = send_msg(s, &r, a1, (u32)a2);
	fd_return(&r);
	return ret;
}

long sys_recvmsg(SYSCALL_ARGS)
{
	struct socket *s;
	struct fd_ref r;
	long ret = socket_arg_get(a0, &r, &s);

	if (ret)
		return ret;
	ret = recv_msg(s, msg_nonblock(&r, (u32)a2), a1, (u32)a2);
	fd_return(&r);
	return ret;
}

/* ---- several at once ---- */

static u32 __user *mmsg_len(u64 addr)
{
	return (u32 __user *)(uintptr_t)(addr + offsetof(struct abi_mmsghdr, msg_len));
}

long sys_sendmmsg(SYSCALL_ARGS)
{
	u32 count = MIN((u32)a2, (u32)UIO_MAXIOV), done = 0;
	struct socket *s;
	struct fd_ref r;
	long ret = socket_arg_get(a0, &r, &s);

	if (ret)
		return ret;
	for (; done < count; done++) {
		u64 addr = a1 + done * sizeof(struct abi_mmsghdr);

		ret = send_msg(s, &r, addr, (u32)a3);
		if (ret >= 0)
			ret = user_store_u32(mmsg_len(addr), (u32)ret);
		if (ret < 0)
			break;
	}
	fd_return(&r);
	return done ? done : ret;
}

/* Receives until `count` are there, one fails, or the time is over; then the rest of the time. */
static long recv_several(struct socket *s, const struct fd_ref *r, u64 addr, u32 count, u32 flags,
			 u64 deadline)
{
	bool nonblock = msg_nonblock(r, flags);
	u32 done = 0;
	long ret = socket_take_error(s);

	if (ret)
		return ret;
	while (done < count) {
		ret = recv_msg(s, nonblock, addr, flags & ~MSG_WAITFORONE);
		if (ret >= 0)
			ret = user_store_u32(mmsg_len(addr), (u32)ret);
		if (ret < 0)
			break;
		done++;
		addr += sizeof(struct abi_mmsghdr);
		if (flags & MSG_WAITFORONE)
			nonblock = true;
		if (deadline != PARK_FOREVER && time_now() >= deadline)
			break;
	}
	if (!done)
		return ret;
	/* The error is for the next call. */
	if (ret < 0 && ret != -EAGAIN && ret != -ERESTARTSYS)
		atomic_store_relaxed(&s->error, (u32)-ret);
	return done;
}

long sys_recvmmsg(SYSCALL_ARGS)
{
	u64 deadline = PARK_FOREVER, ns = 0;
	struct socket *s;
	struct fd_ref r;
	long ret = a4 ? user_load_timespec(a4, &ns) : 0;

	if (!ret)
		ret = socket_arg_get(a0, &r, &s);
	if (ret)
		return ret;
	if (a4)
		deadline = deadline_after(ns);
	ret = recv_several(s, &r, a1, MIN((u32)a2, (u32)UIO_MAXIOV), (u32)a3, deadline);
	fd_return(&r);
	if (ret > 0 && a4) {
		u64 now = time_now();

		ns = deadline > now && deadline != PARK_FOREVER ? time_ticks_to_ns(deadline - now)
								: 0;
		if (user_store_timespec(a4, ns))
			return -EFAULT;
	}
	return ret;
}
