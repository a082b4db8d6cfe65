/*
 * Asynchronous I/O (io_setup and its like). All files are memory, pipes or sockets: as on Linux a request on them is made when it is
 * submitted, also if that waits, and its event is there when io_submit() returns. There is never one to cancel.
 */
#include "abi/aio.h"
#include "abi/errno.h"
#include "abi/time.h"
#include "abi/uio.h"
#include "kernel/file/aio.h"
#include "kernel/file/eventfd.h"
#include "kernel/mm/uaccess.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/sched_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/syscall/user_time.h"
#include "kernel/task/signal.h"
#include "kernel/time/time.h"

#define SIGSET_SIZE 8

long sys_io_setup(SYSCALL_ARGS)
{
	u64 number;
	long err;

	if (user_load_u64((const u64 __user *)a1, &number))
		return -EFAULT;
	if (number)
		return -EINVAL;
	err = aio_create((u32)a0, &number);
	if (err)
		return err;
	if (copy_to_user((void __user *)a1, &number, sizeof(number))) {
		aio_destroy(number);
		return -EFAULT;
	}
	return 0;
}

long sys_io_destroy(SYSCALL_ARGS)
{
	return aio_destroy(a0);
}

/* ---- submission ---- */

/* What a call interrupted by a signal answers when it cannot be made again. */
static long aio_result(long ret)
{
	bool restart = ret == -ERESTARTSYS || ret == -ERESTARTNOINTR || ret == -ERESTARTNOHAND ||
		       ret == -ERESTART_RESTARTBLOCK;

	return restart ? -EINTR : ret;
}

/* The bytes that a request is about. On success vec_arg_put() is due. */
static long aio_memory(const struct abi_iocb *cb, bool vector, struct vec_arg *v)
{
	if (vector)
		return vec_arg_get(v, cb->aio_buf, cb->aio_nbytes);
	if (!user_range(cb->aio_buf, cb->aio_nbytes))
		return -EFAULT;
	v->segs = v->few;
	iov_iter_user(&v->it, v->few, cb->aio_buf, MIN(cb->aio_nbytes, RW_MAX));
	return 0;
}

/* *done: the request was made, and this is its result; else it is refused. */
static long aio_transfer(struct file *f, const struct abi_iocb *cb, bool write, bool vector,
			 bool *done)
{
	u64 pos = (u64)cb->aio_offset;
	struct vec_arg v;
	long ret = rw_flags_check(f, cb->aio_rw_flags);

	if (ret)
		return ret;
	if (!(write ? file_writable(f) : file_readable(f)))
		return -EBADF;
	if (f->ops->no_rw_flags || !(write ? f->ops->write : f->ops->read))
		return -EINVAL;
	ret = aio_memory(cb, vector, &v);
	if (ret)
		return ret;
	if (f->ops->seek && cb->aio_offset < 0) {
		ret = -EINVAL;
	} else {
		v.it.append = rw_flags_append(cb->aio_rw_flags);
		ret = aio_result(file_transfer(f, &v.it, &pos, write, cb->aio_rw_flags & RWF_NOWAIT));
		*done = true;
	}
	vec_arg_put(&v);
	return ret;
}

static long aio_sync(struct file *f, const struct abi_iocb *cb, bool *done)
{
	if (cb->aio_buf || cb->aio_offset || cb->aio_nbytes || cb->aio_rw_flags || !f->path.dentry)
		return -EINVAL;
	*done = true;
	return 0;
}

static long aio_run(struct file *f, const struct abi_iocb *cb, bool *done)
{
	long err = cb->aio_flags & IOCB_FLAG_IOPRIO ? ioprio_check((u16)cb->aio_reqprio) : 0;

	switch (cb->aio_lio_opcode) {
	case IOCB_CMD_PREAD:
	case IOCB_CMD_PREADV:
		return err ? err
			   : aio_transfer(f, cb, false, cb->aio_lio_opcode == IOCB_CMD_PREADV, done);
	case IOCB_CMD_PWRITE:
	case IOCB_CMD_PWRITEV:
		return err ? err
			   : aio_transfer(f, cb, true, cb->aio_lio_opcode == IOCB_CMD_PWRITEV, done);
	case IOCB_CMD_FSYNC:
	case IOCB_CMD_FDSYNC:
		return aio_sync(f, cb, done);
	default:
		return -EINVAL;
	}
}

/* The eventfd that is to be told, a reference, or an error pointer. */
static struct file *aio_eventfd(const struct abi_iocb *cb)
{
	struct file *f;

	if (!(cb->aio_flags & IOCB_FLAG_RESFD))
		return NULL;
	f = fd_get(task_current()->files, (int)cb->aio_resfd);
	if (!f)
		return err_ptr(-EBADF);
	if (eventfd_is(f))
		return f;
	file_put(f);
	return err_ptr(-EINVAL);
}

static long aio_run_one(struct aio_context *c, const struct abi_iocb *cb, u64 user)
{
	struct abi_io_event event = {.data = cb->aio_data, .obj = user};
	struct fd_ref r = fd_arg_open(cb->aio_fildes);
	struct file *told = NULL;
	bool done = false;
	long ret = -EBADF;

	if (!r.file)
		return ret;
	told = aio_eventfd(cb);
	if (is_err(told)) {
		ret = ptr_err(told);
		told = NULL;
	} else if (user_store_u32((u32 __user *)(user + offsetof(struct abi_iocb, aio_key)), 0)) {
		ret = -EFAULT;
	} else {
		ret = aio_run(r.file, cb, &done);
	}
	if (done) {
		event.res = ret;
		aio_complete(c, &event);
		if (told)
			eventfd_signal(told);
	}
	if (told)
		file_put(told);
	fd_return(&r);
	return done ? 0 : ret;
}

static long aio_submit(struct aio_context *c, u64 user)
{
	struct abi_iocb cb;
	long err;

	if (copy_from_user(&cb, (const void __user *)user, sizeof(cb)))
		return -EFAULT;
	if (cb.aio_reserved2 || (s64)cb.aio_nbytes < 0)
		return -EINVAL;
	if (!aio_begin(c))
		return -EAGAIN;
	err = aio_run_one(c, &cb, user);
	if (err)
		aio_cancel(c);
	return err;
}

long sys_io_submit(SYSCALL_ARGS)
{
	long nr = (long)a1, done = 0, err = 0;
	struct aio_context *c;
	u64 user;

	if (nr < 0)
		return -EINVAL;
	c = aio_get(a0);
	if (!c)
		return -EINVAL;
	nr = MIN(nr, (long)aio_capacity(c));
	while (done < nr && !err) {
		err = user_load_u64((const u64 __user *)a2 + done, &user) ? -EFAULT
									  : aio_submit(c, user);
		done += !err;
		kernel_relax();
	}
	aio_put(c);
	return done ? done : err;
}

long sys_io_cancel(SYSCALL_ARGS)
{
	u32 key;

	if (copy_from_user(&key, (const void __user *)(a1 + offsetof(struct abi_iocb, aio_key)),
			   sizeof(key)))
		return -EFAULT;
	return -EINVAL;
}

/* ---- events ---- */

/* 0, or -EFAULT: what is no time at all is none, as on Linux. */
static long load_deadline(u64 user, u64 *deadline)
{
	u64 ns = 0;

	*deadline = PARK_FOREVER;
	if (!user)
		return 0;
	if (user_load_timespec(user, &ns) == -EFAULT)
		return -EFAULT;
	*deadline = deadline_after(ns);
	return 0;
}

static long get_events(u64 number, long least, long nr, u64 user, u64 deadline)
{
	struct aio_context *c = aio_get(number);
	long ret = -EINVAL;

	if (!c)
		return ret;
	if (least >= 0 && least <= nr)
		ret = aio_take(c, user, least, nr, deadline);
	aio_put(c);
	return ret;
}

long sys_io_getevents(SYSCALL_ARGS)
{
	u64 deadline;
	long err = load_deadline(a4, &deadline);

	return err ? err : get_events(a0, (long)a1, (long)a2, a3, deadline);
}

long sys_io_pgetevents(SYSCALL_ARGS)
{
	struct abi_aio_sigset set = {0};
	u64 deadline, mask;
	long ret = load_deadline(a4, &deadline);

	if (ret)
		return ret;
	if (a5 && copy_from_user(&set, (const void __user *)a5, sizeof(set)))
		return -EFAULT;
	if (!set.sigmask)
		return get_events(a0, (long)a1, (long)a2, a3, deadline);
	if (set.sigsetsize != SIGSET_SIZE)
		return -EINVAL;
	if (user_load_u64((const u64 __user *)set.sigmask, &mask))
		return -EFAULT;
	signal_push_mask(mask);
	ret = get_events(a0, (long)a1, (long)a2, a3, deadline);
	return signal_pop_mask(ret == -EINTR ? -ERESTARTNOHAND : ret);
}
