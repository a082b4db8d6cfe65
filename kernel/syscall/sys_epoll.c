/*
 * epoll_create1, epoll_ctl, epoll_pwait, epoll_pwait2, eventfd2.
 */
#include "abi/epoll.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/time.h"
#include "kernel/file/epoll.h"
#include "kernel/file/eventfd.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/park.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/syscall/user_time.h"
#include "kernel/task/signal.h"

#define SIGSET_SIZE	 8
#define EPOLL_EVENTS_MAX (INT32_MAX / sizeof(struct abi_epoll_event))

long sys_epoll_create1(SYSCALL_ARGS)
{
	if ((int)a0 & ~EPOLL_CLOEXEC)
		return -EINVAL;
	return file_install_new(epoll_create(), a0 & EPOLL_CLOEXEC);
}

static long ctl_files(struct file *set, struct file *f, int op, int fd,
		      const struct abi_epoll_event *ev)
{
	struct epoll *ep = epoll_of(set);

	if (!f->ops->poll)
		return -EPERM;
	return ep ? epoll_ctl(ep, op, f, fd, ev) : -EINVAL;
}

long sys_epoll_ctl(SYSCALL_ARGS)
{
	struct abi_epoll_event ev = {0};
	struct fd_ref set, r;
	int op = (int)a1;
	long ret = -EBADF;

	if (op != EPOLL_CTL_DEL && copy_from_user(&ev, (const void __user *)(uintptr_t)a3, sizeof(ev)))
		return -EFAULT;
	set = fd_arg_open(a0);
	if (!set.file)
		return -EBADF;
	r = fd_arg_open(a2);
	if (r.file) {
		ret = ctl_files(set.file, r.file, op, (int)a2, &ev);
		fd_return(&r);
	}
	fd_return(&set);
	return ret;
}

static long epoll_wait_args(u64 epfd, u64 addr, int max, u64 deadline)
{
	struct fd_ref r;
	struct iov_segment seg;
	struct iov_iter it;
	struct epoll *ep;
	long ret = -EINVAL;

	if (max <= 0 || (u32)max > EPOLL_EVENTS_MAX)
		return -EINVAL;
	if (!user_range(addr, (u64)max * sizeof(struct abi_epoll_event)))
		return -EFAULT;
	r = fd_arg_open(epfd);
	if (!r.file)
		return -EBADF;
	ep = epoll_of(r.file);
	if (ep) {
		iov_iter_user(&it, &seg, addr, (u64)max * sizeof(struct abi_epoll_event));
		ret = epoll_wait(ep, &it, (u32)max, deadline);
	}
	fd_return(&r);
	return ret;
}

/* Waits, under the mask at `mask` if it is not 0. */
static long epoll_wait_masked(u64 epfd, u64 addr, int max, u64 deadline, u64 mask, u64 size)
{
	u64 set;

	if (!mask)
		return epoll_wait_args(epfd, addr, max, deadline);
	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (user_load_u64((const u64 __user *)(uintptr_t)mask, &set))
		return -EFAULT;
	signal_push_mask(set);
	return signal_pop_mask(epoll_wait_args(epfd, addr, max, deadline));
}

long sys_epoll_pwait(SYSCALL_ARGS)
{
	int ms = (int)a3;
	u64 deadline = ms < 0 ? PARK_FOREVER : 0;

	if (ms > 0)
		deadline = deadline_after((u64)ms * (NSEC_PER_SEC / 1000));
	return epoll_wait_masked(a0, a1, (int)a2, deadline, a4, a5);
}

long sys_epoll_pwait2(SYSCALL_ARGS)
{
	u64 deadline = PARK_FOREVER, ns;
	int err;

	if (a3) {
		err = user_load_timespec(a3, &ns);
		if (err)
			return err;
		deadline = ns ? deadline_after(ns) : 0;
	}
	return epoll_wait_masked(a0, a1, (int)a2, deadline, a4, a5);
}

long sys_eventfd2(SYSCALL_ARGS)
{
	u32 flags = (u32)a1;

	if (flags & ~(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK))
		return -EINVAL;
	return file_install_new(eventfd_create((u32)a0, flags & EFD_SEMAPHORE, flags & EFD_NONBLOCK),
				flags & EFD_CLOEXEC);
}
