/*
 * Pseudo-terminals (pty(7)): /dev/ptmx makes a pair, /dev/pts/N is its terminal.
 *
 * There is one struct tty for both ends. The terminal's files work on the line discipline as any
 * terminal's; the master is the device behind it: it reads the output ring and writes into
 * ldisc_receive(). So nothing is copied between two rings, and flow control is the ring's room. The
 * pair ends with the master: its close takes the name away and hangs the terminal up; the memory
 * goes with the last file of either end.
 */
#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/sysctl.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"
#include "kernel/tty/tty.h"

#define PTY_MAX	     4096U /* as Linux's kernel.pty.max */
#define PTY_MAJOR    136U  /* and the seven after it, 256 terminals each */
#define PTY_MODE     0620U
#define PTY_GROUP    5U /* tty */
#define DEVPTS_MAGIC 0x1cd1
#define CHUNK	     256U

static struct super_block *devpts;  /* [I] */
static struct mount *devpts_mount;  /* [I] */
static u64 index_map[PTY_MAX / 64]; /* [L:ttys] numbers in use */
static u64 pty_max = PTY_MAX;	    /* [I] */
static u64 pty_count;		    /* [a] pairs; changes under the lock of ttys */

/* ---- numbers and names ---- */

static int index_alloc(u32 *index)
{
	int err = -ENOSPC;

	ttys_lock();
	for (u32 i = 0; i < PTY_MAX; i++) {
		if (index_map[i / 64] & BIT(i % 64))
			continue;
		index_map[i / 64] |= BIT(i % 64);
		atomic_store_relaxed(&pty_count, pty_count + 1);
		*index = i;
		err = 0;
		break;
	}
	ttys_unlock();
	return err;
}

static void index_free(u32 index)
{
	ttys_lock();
	index_map[index / 64] &= ~BIT(index % 64);
	atomic_store_relaxed(&pty_count, pty_count - 1);
	ttys_unlock();
}

static int slave_open(struct inode *inode, struct file *f)
{
	struct tty *tty = tty_find_pty((u32)inode->key);

	if (!tty)
		return -EIO;
	/* A name that outlived its terminal does not open the next one of that number. */
	if (tty->node->inode != inode || atomic_load_relaxed(&tty->locked)) {
		tty_put(tty);
		return -EIO;
	}
	tty_attach_file(tty, f);
	if (!(f->flags & O_NOCTTY))
		tty_acquire(tty);
	return 0;
}

static const struct inode_ops slave_inode_ops = {
	.open = slave_open,
};

/* /dev/pts/N, with a reference for the tty beside the tree's. */
static int node_create(struct tty *tty)
{
	struct inode *root = devpts->root->inode, *inode;
	char name[12];
	int err;

	inode = inode_alloc(devpts, S_IFCHR | PTY_MODE);
	if (!inode)
		return -ENOMEM;
	inode->gid = PTY_GROUP;
	inode->rdev = ABI_MKDEV(PTY_MAJOR + tty->index / 256, tty->index % 256);
	inode->key = tty->index;
	inode->ops = &slave_inode_ops;
	inode->fops = &tty_file_ops;
	snprintf(name, sizeof(name), "%u", (unsigned int)tty->index);
	tty->node = dentry_alloc(devpts->root, name, strlen(name), inode);
	if (!tty->node)
		return -ENOMEM;
	mutex_lock(&root->lock);
	err = dentry_link(tty->node);
	mutex_unlock(&root->lock);
	if (err)
		dentry_put(tty->node);
	return err;
}

static void node_remove(struct tty *tty)
{
	struct inode *root = devpts->root->inode;

	mutex_lock(&root->lock);
	dentry_unlink(tty->node);
	mutex_unlock(&root->lock);
}

/* ---- the terminal's device side ---- */

static void pty_output(struct tty *tty)
{
	waitq_wake(&tty->master_wait, POLL_EVENT_READ | POLL_EVENT_PRI, WAITQ_ALL);
}

static void pty_input_room(struct tty *tty)
{
	waitq_wake(&tty->master_wait, POLL_EVENT_WRITE, WAITQ_ALL);
}

static void pty_opened(struct tty *tty)
{
	spin_lock(&tty->lock);
	tty->nr_slaves++;
	tty->slaves_gone = false;
	spin_unlock(&tty->lock);
}

static void pty_closed(struct tty *tty)
{
	spin_lock(&tty->lock);
	tty->slaves_gone = --tty->nr_slaves == 0;
	spin_unlock(&tty->lock);
	waitq_wake(&tty->master_wait, POLL_EVENT_READ | POLL_EVENT_HUP, WAITQ_ALL);
}

const struct tty_ops pty_ops = {
	.output = pty_output,
	.input_room = pty_input_room,
	.opened = pty_opened,
	.closed = pty_closed,
};

/* ---- the master ---- */

static bool master_has_output(struct tty *tty)
{
	return tty->ldisc.packet_news || (!tty->ldisc.stopped && ldisc_output_count(&tty->ldisc));
}

static bool master_read_ready(void *arg)
{
	struct tty *tty = arg;
	bool ready;

	spin_lock(&tty->lock);
	ready = master_has_output(tty) || tty->slaves_gone;
	spin_unlock(&tty->lock);
	return ready;
}

/*
 * The first byte of a read in packet mode: news, which come alone, or a zero before output. Bytes (0: not in packet mode, or nothing
 * is there), or -EFAULT, and then the news are lost, as on Linux.
 */
static long master_read_head(struct tty *tty, struct iov_iter *it, bool *alone)
{
	char head = TIOCPKT_DATA;
	bool ready;

	spin_lock(&tty->lock);
	ready = tty->ldisc.packet && master_has_output(tty);
	if (ready) {
		head = (char)tty->ldisc.packet_news;
		tty->ldisc.packet_news = 0;
	}
	spin_unlock(&tty->lock);
	*alone = head != TIOCPKT_DATA;
	return ready ? iov_copy_out(it, &head, 1) : 0;
}

/* What is there. Bytes; -EAGAIN nothing yet, -EIO nothing and nobody who could write, -EFAULT. */
static long master_read_now(struct tty *tty, struct iov_iter *it)
{
	char buf[CHUNK];
	bool alone;
	long done = master_read_head(tty, it, &alone), n = done;

	if (done < 0 || alone)
		return done;
	while (it->count) {
		spin_lock(&tty->lock);
		n = (long)ldisc_take_output(&tty->ldisc, buf, MIN(it->count, (u64)CHUNK));
		if (n == 0)
			n = tty->slaves_gone ? -EIO : -EAGAIN;
		spin_unlock(&tty->lock);
		if (n > 0)
			n = iov_copy_out(it, buf, (size_t)n);
		if (n < 0)
			break;
		done += n;
	}
	if (done)
		waitq_wake(&tty->wait, POLL_EVENT_WRITE, WAITQ_ALL);
	return done ? done : n;
}

static long master_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct tty *tty = f->data;

	(void)pos;
	for (;;) {
		long n = master_read_now(tty, it);
		int err;

		if (n != -EAGAIN || nonblock)
			return n;
		err = waitq_wait(&tty->master_wait, POLL_EVENT_READ | POLL_EVENT_HUP, false,
				 master_read_ready, tty, PARK_FOREVER, PARK_INTERRUPTIBLE);
		if (err)
			return err == -EINTR ? -ERESTARTSYS : err;
	}
}

static bool master_write_ready(void *arg)
{
	struct tty *tty = arg;
	bool ready;

	spin_lock(&tty->lock);
	ready = ldisc_has_room(&tty->ldisc);
	spin_unlock(&tty->lock);
	return ready;
}

struct text {
	const char *next, *end;
};

static bool text_next(void *arg, char *byte)
{
	struct text *text = arg;

	if (text->next == text->end)
		return false;
	*byte = *text->next++;
	return true;
}

/* All of `text` to the terminal's input, waiting for room. 0 or -errno: look at text->next. */
static int master_feed(struct tty *tty, struct text *text, bool nonblock)
{
	int err;

	for (;;) {
		tty_receive(tty, text_next, text);
		if (text->next == text->end)
			return 0;
		if (nonblock)
			return -EAGAIN;
		err = waitq_wait(&tty->master_wait, POLL_EVENT_WRITE, false, master_write_ready,
				 tty, PARK_FOREVER, PARK_INTERRUPTIBLE);
		if (err)
			return err == -EINTR ? -ERESTARTSYS : err;
	}
}

static long master_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct tty *tty = f->data;
	char buf[CHUNK];
	long done = 0, n;
	int err = 0;

	(void)pos;
	while (it->count && !err) {
		struct text text;

		n = iov_copy_in(buf, it, CHUNK);
		if (n <= 0)
			return done ? done : n;
		text = (struct text){buf, buf + n};
		err = master_feed(tty, &text, nonblock);
		done += text.next - buf;
	}
	return done ? done : err;
}

static PollEvent master_poll(struct file *f, struct wait_queue **source)
{
	struct tty *tty = f->data;
	PollEvent events = 0;

	if (source)
		*source = &tty->master_wait;
	spin_lock(&tty->lock);
	if (master_has_output(tty))
		events |= POLL_EVENT_READ;
	if (tty->ldisc.packet_news)
		events |= POLL_EVENT_PRI;
	if (ldisc_has_room(&tty->ldisc))
		events |= POLL_EVENT_WRITE;
	if (tty->slaves_gone)
		events |= POLL_EVENT_HUP;
	spin_unlock(&tty->lock);
	return events;
}

/* TIOCGPTPEER: the terminal's descriptor without its name. */
static long peer_open(struct tty *tty, u32 flags)
{
	struct path path = {devpts_mount, tty->node};
	struct file *f;
	int err = fs_open_path(&path, flags & ~O_CLOEXEC, &f);

	if (err)
		return err;
	err = fd_install(
		task_current()->files, f, 0, flags & O_CLOEXEC,
		(u32)MIN(process_rlimit(process_current(), RLIMIT_NOFILE), (u64)FD_TABLE_MAX));
	if (err < 0)
		file_put(f);
	return err;
}

static long packet_set(struct tty *tty, const u32 __user *user)
{
	u32 on = 0;

	if (user_load_u32(user, &on))
		return -EFAULT;
	spin_lock(&tty->lock);
	if (!on || !tty->ldisc.packet)
		tty->ldisc.packet_news = 0;
	tty->ldisc.packet = on;
	spin_unlock(&tty->lock);
	return 0;
}

static long master_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct tty *tty = f->data;
	u32 __user *user = (u32 __user *)(uintptr_t)arg;
	u32 value = 0;

	switch (cmd) {
	case TIOCGPTN:
		return user_store_u32(user, tty->index);
	case TIOCSPTLCK:
		if (user_load_u32(user, &value))
			return -EFAULT;
		atomic_store_relaxed(&tty->locked, value != 0);
		return 0;
	case TIOCGPTLCK:
		return user_store_u32(user, atomic_load_relaxed(&tty->locked));
	case TIOCPKT:
		return packet_set(tty, user);
	case TIOCGPKT:
		return user_store_u32(user, tty->ldisc.packet);
	case TIOCGPTPEER:
		return peer_open(tty, (u32)arg);
	default:
		return tty_ioctl(tty, cmd, arg, true);
	}
}

static void master_release(struct file *f)
{
	struct tty *tty = f->data;

	tty_remove(tty);
	node_remove(tty);
	index_free(tty->index);
	tty_hangup(tty);
	tty_put(tty);
}

static const struct file_ops master_ops = {
	.name = "ptmx",
	.read = master_read,
	.write = master_write,
	.ioctl = master_ioctl,
	.poll = master_poll,
	.stat = fs_file_stat,
	.release = master_release,
	.async_owner = tty_async_owner,
};

void pty_free(struct tty *tty)
{
	dentry_put(tty->node);
	kfree(tty);
}

static int ptmx_open(struct file *f)
{
	struct tty *tty = kzalloc(sizeof(*tty));
	int err = -ENOMEM;

	if (!tty)
		return err;
	err = index_alloc(&tty->index);
	if (err)
		goto out_free;
	tty_setup(tty, &pty_ops);
	tty->locked = true;
	err = node_create(tty);
	if (err)
		goto out_index;
	tty_add(tty);
	f->ops = &master_ops;
	f->data = tty;
	return 0;
out_index:
	index_free(tty->index);
out_free:
	kfree(tty);
	return err;
}

static const struct file_ops ptmx_ops = {
	.name = "ptmx",
	.open = ptmx_open,
	.stat = fs_file_stat,
};

/* ---- boot ---- */

/* No function to create: programs get EPERM. */
static const struct super_ops devpts_super_ops = {0};

static int devpts_mount_it(void)
{
	struct fs_context *ctx = fs_context_create();
	struct path at;
	int err;

	if (!ctx)
		return -ENOMEM;
	err = fs_mkdir(ctx, NULL, "/dev/pts", 0755);
	if (!err)
		err = fs_lookup(ctx, NULL, "/dev/pts", WALK_DIRECTORY, &at);
	fs_context_put(ctx);
	if (err)
		return err;
	err = mount_at(&at, devpts);
	path_put(&at);
	devpts_mount = mount_first();
	return err;
}

int pty_init(void)
{
	static const struct sysctl numbers[] = {
		{.path = "kernel/pty/max", .mode = 0444, .nr = 1, .values = &pty_max},
		{.path = "kernel/pty/nr", .mode = 0444, .nr = 1, .values = &pty_count},
	};
	int err;

	devpts = tmpfs_create("devpts", 0);
	if (!devpts)
		return -ENOMEM;
	devpts->ops = &devpts_super_ops;
	devpts->magic = DEVPTS_MAGIC;
	err = devpts_mount_it();
	if (!err)
		err = fs_type_register("devpts", devpts);
	for (u32 i = 0; i < ARRAY_SIZE(numbers) && !err; i++)
		err = sysctl_register(&numbers[i]);
	return err ? err : devfs_register("ptmx", 5, 2, 0666, &ptmx_ops, NULL);
}
