/*
 * System calls on POSIX message queues. Sources: the mq_*(2) pages; the order of the checks, as Linux does.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/mqueue.h"
#include "abi/signal.h"
#include "kernel/ipc/mq.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/netlink_letter.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/syscall/user_time.h"

long sys_mq_open(SYSCALL_ARGS)
{
	struct abi_mq_attr attr;
	struct mq_size size;
	struct path_arg name;
	struct file *f;
	int err;

	if (a3 && copy_from_user(&attr, (const void __user *)a3, sizeof(attr)))
		return -EFAULT;
	if (a3)
		size = (struct mq_size){attr.mq_maxmsg, attr.mq_msgsize};
	err = path_arg_get(&name, a0);
	if (err)
		return err;
	err = mq_open(name.text, (u32)a1, (u32)a2, a3 ? &size : NULL, &f);
	path_arg_put(&name);
	return err ? err : file_install_new(f, true);
}

long sys_mq_unlink(SYSCALL_ARGS)
{
	struct path_arg name;
	int err = path_arg_get(&name, a0);

	if (err)
		return err;
	err = mq_unlink(name.text);
	path_arg_put(&name);
	return err;
}

/* The queue behind descriptor `fd`, open for what is wanted; NULL: -EBADF. On success fd_return() is due. */
static struct mq *mq_arg(u64 fd, bool (*may)(const struct file *f), struct fd_ref *r)
{
	struct mq *q;

	*r = fd_arg(fd);
	if (!r->file)
		return NULL;
	q = mq_of_file(r->file);
	if (q && (!may || may(r->file)))
		return q;
	fd_return(r);
	return NULL;
}

/* The absolute time at `user`, if there is one. */
static int deadline_arg(u64 user, u64 *ns)
{
	*ns = MQ_NO_DEADLINE;
	return user ? user_load_timespec(user, ns) : 0;
}

static bool is_nonblock(const struct file *f)
{
	return atomic_load_relaxed(&f->flags) & O_NONBLOCK;
}

static long send_text(struct file *f, u64 text, u64 size, u32 priority, u64 deadline)
{
	struct mq_message *m;
	long err;

	if (size > (u64)mq_size(mq_of_file(f)).bytes)
		return -EMSGSIZE;
	m = mq_message_alloc(size, priority);
	if (!m)
		return -ENOMEM;
	err = copy_from_user(mq_message_text(m), (const void __user *)text, size);
	if (!err)
		err = mq_send(f, m, is_nonblock(f), deadline);
	if (err)
		kfree(m);
	return err;
}

/* mq_timedsend(queue, text, size, priority, timeout) */
long sys_mq_timedsend(SYSCALL_ARGS)
{
	struct fd_ref r;
	u64 deadline;
	long err = deadline_arg(a4, &deadline);

	if (err)
		return err;
	if ((u32)a3 >= MQ_PRIO_MAX)
		return -EINVAL;
	if (!mq_arg(a0, file_writable, &r))
		return -EBADF;
	err = send_text(r.file, a1, a2, (u32)a3, deadline);
	fd_return(&r);
	return err;
}

static long receive_text(struct file *f, u64 text, u64 size, u64 priority, u64 deadline)
{
	struct mq_message *m;
	long ret;

	if (size < (u64)mq_size(mq_of_file(f)).bytes)
		return -EMSGSIZE;
	ret = mq_receive(f, &m, is_nonblock(f), deadline);
	if (ret)
		return ret;
	/* From here on the message is lost if it cannot be delivered, on Linux too. */
	ret = (long)mq_message_size(m);
	if ((priority && user_store_u32((u32 __user *)priority, mq_message_priority(m))) ||
	    copy_to_user((void __user *)text, mq_message_text(m), mq_message_size(m)))
		ret = -EFAULT;
	kfree(m);
	return ret;
}

/* mq_timedreceive(queue, text, size, priority, timeout) */
long sys_mq_timedreceive(SYSCALL_ARGS)
{
	struct fd_ref r;
	u64 deadline;
	long ret = deadline_arg(a4, &deadline);

	if (ret)
		return ret;
	if (!mq_arg(a0, file_readable, &r))
		return -EBADF;
	ret = receive_text(r.file, a1, a2, a3, deadline);
	fd_return(&r);
	return ret;
}

/* SIGEV_THREAD: a text, at sigev_value, for the netlink socket sigev_signo. */
static int way_by_letter(const struct abi_sigevent *event, struct mq_way *way)
{
	u8 cookie[MQ_COOKIE];
	struct fd_ref r;

	if (copy_from_user(cookie, (const void __user *)event->sigev_value, sizeof(cookie)))
		return -EFAULT;
	r = fd_arg((u64)event->sigev_signo);
	if (!r.file)
		return -EBADF;
	way->letter = netlink_letter_write(r.file, cookie, sizeof(cookie));
	way->send = netlink_letter_send;
	fd_return(&r);
	return is_err(way->letter) ? (int)ptr_err(way->letter) : 0;
}

static int way_of_event(u64 addr, struct mq_way *way)
{
	struct abi_sigevent event;

	if (copy_from_user(&event, (const void __user *)addr, sizeof(event)))
		return -EFAULT;
	*way = (struct mq_way){.kind = (u32)event.sigev_notify};
	switch (event.sigev_notify) {
	case SIGEV_NONE:
		return 0;
	case SIGEV_SIGNAL:
		way->signo = event.sigev_signo;
		way->value = event.sigev_value;
		return (u32)event.sigev_signo > NSIG ? -EINVAL : 0;
	case SIGEV_THREAD:
		return way_by_letter(&event, way);
	default:
		return -EINVAL;
	}
}

long sys_mq_notify(SYSCALL_ARGS)
{
	struct mq_way way = {0};
	struct fd_ref r;
	struct mq *q;
	long err = a1 ? way_of_event(a1, &way) : 0;

	if (err)
		return err;
	q = mq_arg(a0, NULL, &r);
	if (!q)
		err = -EBADF;
	else if (a1)
		err = mq_notify_set(q, &way);
	else
		mq_notify_clear(q);
	if (q)
		fd_return(&r);
	if (err && way.letter)
		netlink_letter_drop(way.letter);
	return err;
}

static void set_nonblock(struct file *f, bool on)
{
	if (on)
		atomic_fetch_or(&f->flags, O_NONBLOCK);
	else
		atomic_fetch_and(&f->flags, ~(u32)O_NONBLOCK);
}

/* mq_getsetattr(queue, new or NULL, old or NULL) */
long sys_mq_getsetattr(SYSCALL_ARGS)
{
	struct abi_mq_attr new, old = {0};
	struct mq_size size;
	struct fd_ref r;
	struct mq *q;

	if (a1 && copy_from_user(&new, (const void __user *)a1, sizeof(new)))
		return -EFAULT;
	if (a1 && (new.mq_flags & ~(s64)O_NONBLOCK))
		return -EINVAL;
	q = mq_arg(a0, NULL, &r);
	if (!q)
		return -EBADF;
	size = mq_size(q);
	old.mq_flags = is_nonblock(r.file) ? O_NONBLOCK : 0;
	old.mq_maxmsg = size.messages;
	old.mq_msgsize = size.bytes;
	old.mq_curmsgs = (s64)mq_count(q);
	if (a1)
		set_nonblock(r.file, new.mq_flags &O_NONBLOCK);
	fd_return(&r);
	return a2 ? copy_to_user((void __user *)a2, &old, sizeof(old)) : 0;
}
