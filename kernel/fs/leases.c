/*
 * Leases. An inode has a list of them under its mutex, at most one for each open file.
 *
 * Who opens counts itself first and looks for leases then; who takes a lease puts it on the list first and looks at the counts then:
 *
 *	open, truncate			F_SETLEASE
 *	readers or writers + 1		lease on the list
 *	fence (A)			fence (B)
 *	look for leases			look at readers and writers
 *
 * One of the two sees the other, so nobody comes to a file behind the back of a lease that begins at that moment.
 *
 * The holder of a lease in the way is told once, and has lease-break-time seconds from then on. Who waits looks again at each change of any
 * lease, and ends what is overdue itself: no timer is needed, for nobody else would notice. Waiters share one queue; leases are rare.
 *
 * Cost to those without: an open and a close of a regular file count, an open looks at one word.
 */
#include "kernel/fs/leases.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/file/waitq.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/sysctl.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/time/time.h"

struct file_lease {
	struct file_lease *next; /* [L:inode] */
	struct file *file;	 /* [I] the holder, whose release takes the lease along */
	int type;		 /* [L:inode] F_RDLCK, F_WRLCK */
	int fd;			 /* [L:inode] */
	/* [L:inode] ticks, 0: not asked for: when it goes at the latest, or becomes F_RDLCK */
	u64 unlock_by, downgrade_by;
};

struct lease_signals lease_signals;

/* Numbers of /proc/sys/fs, proc_sys_fs(5). */
static u64 lease_break_seconds = 45; /* [a] signed; 0 or less: without end */
static u64 leases_enable = 1;	     /* [a] */
static struct wait_queue lease_queue;
static u32 lease_generation; /* [a] counts changes that may let somebody in */

int lease_init(void)
{
	static const struct sysctl numbers[] = {
		{"fs/lease-break-time", 0644, 1, &lease_break_seconds, true, (u64)INT32_MIN,
		 INT32_MAX, NULL},
		{"fs/leases-enable", 0644, 1, &leases_enable, true, (u64)INT32_MIN, INT32_MAX, NULL},
	};
	int err = 0;

	waitq_init(&lease_queue);
	for (u32 i = 0; i < ARRAY_SIZE(numbers) && !err; i++)
		err = sysctl_register(&numbers[i]);
	return err;
}

static void leases_changed(void)
{
	atomic_fetch_add(&lease_generation, 1);
	waitq_wake(&lease_queue, POLL_EVENT_WRITE, WAITQ_ALL);
}

/* ---- counts ---- */

static u32 *open_count(struct inode *inode, u32 flags)
{
	return (flags & O_ACCMODE) == O_RDONLY ? &inode->nr_readers : &inode->nr_writers;
}

void lease_count_open(struct inode *inode, u32 flags)
{
	atomic_fetch_add(open_count(inode, flags), 1); /* a full barrier: (A) */
}

void lease_uncount_open(struct inode *inode, u32 flags)
{
	atomic_fetch_add(open_count(inode, flags), (u32)-1);
}

/* Is the file open in a way that a lease of `f` excludes? */
static bool open_conflict(const struct inode *inode, const struct file *f, int type)
{
	u32 readers = atomic_load_relaxed(&inode->nr_readers);
	u32 writers = atomic_load_relaxed(&inode->nr_writers);
	bool writes = file_writable(f);

	if (type == F_RDLCK)
		return writers > 0;
	return writers != writes || readers != !writes;
}

/* ---- the list; all with the inode locked ---- */

static void unlink_lease(struct file_lease **link)
{
	struct file_lease *l = *link;

	*link = l->next;
	lease_signals.end(l->file);
	kfree(l);
}

static struct file_lease **find_lease(struct inode *inode, const struct file *f)
{
	struct file_lease **link = &inode->leases;

	while (*link && (*link)->file != f)
		link = &(*link)->next;
	return link;
}

/* Ends and weakens what is overdue. */
static void expire(struct inode *inode)
{
	struct file_lease **link = &inode->leases, *l;
	bool changed = false;
	u64 now = time_now();

	while ((l = *link) != NULL) {
		if (l->downgrade_by && l->downgrade_by <= now) {
			l->type = F_RDLCK;
			l->downgrade_by = 0;
			changed = true;
		}
		if (l->unlock_by && l->unlock_by <= now) {
			unlink_lease(link);
			changed = true;
		} else {
			link = &l->next;
		}
	}
	if (changed)
		leases_changed();
}

/* Puts `l` on the list, or gives the lease that `f` has the type and the number of `l`. */
static int take(struct inode *inode, struct file_lease *l, bool *used)
{
	struct file_lease *other, *mine = NULL;

	if (open_conflict(inode, l->file, l->type))
		return -EAGAIN;
	for (other = inode->leases; other; other = other->next) {
		if (other->file == l->file)
			mine = other;
		else if (l->type == F_WRLCK || other->unlock_by)
			return -EAGAIN;
	}
	if (mine) {
		mine->type = l->type;
		mine->fd = l->fd;
		if (l->type == F_RDLCK)
			mine->downgrade_by = 0;
		return 0;
	}
	if (!atomic_load_relaxed(&leases_enable))
		return -EINVAL;
	l->next = inode->leases;
	atomic_store_relaxed(&inode->leases, l);
	fence_full(); /* (B) */
	if (open_conflict(inode, l->file, l->type)) {
		atomic_store_relaxed(&inode->leases, l->next);
		return -EAGAIN;
	}
	*used = true;
	return 0;
}

/* ---- F_SETLEASE, F_GETLEASE ---- */

static int lease_allowed(struct file *f)
{
	struct fs_cred cred;

	if (!f->path.dentry)
		return -EINVAL;
	fs_cred_current(&cred);
	if (cred.uid != atomic_load_relaxed(&file_inode(f)->uid) && !cred.lease)
		return -EACCES;
	return S_ISREG(atomic_load_relaxed(&file_inode(f)->mode)) ? 0 : -EINVAL;
}

static int lease_give_back(struct file *f)
{
	struct inode *inode = file_inode(f);
	struct file_lease **link;
	bool found;

	mutex_lock(&inode->lock);
	link = find_lease(inode, f);
	found = *link != NULL;
	if (found)
		unlink_lease(link);
	mutex_unlock(&inode->lock);
	if (!found)
		return -EAGAIN;
	leases_changed();
	return 0;
}

static int lease_take(struct file *f, int fd, int type)
{
	struct inode *inode = file_inode(f);
	struct file_lease *l = kzalloc(sizeof(*l));
	bool used = false;
	int err;

	if (!l)
		return -ENOMEM;
	*l = (struct file_lease){.file = f, .type = type, .fd = fd};
	mutex_lock(&inode->lock);
	expire(inode);
	err = take(inode, l, &used);
	if (!err)
		lease_signals.begin(f);
	mutex_unlock(&inode->lock);
	if (!used)
		kfree(l);
	/* One that became weaker lets others in. */
	if (!err)
		leases_changed();
	return err;
}

int lease_set(struct file *f, int fd, int type)
{
	int err;

	if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK)
		return -EINVAL;
	err = lease_allowed(f);
	if (err)
		return err;
	return type == F_UNLCK ? lease_give_back(f) : lease_take(f, fd, type);
}

int lease_get(struct file *f)
{
	struct inode *inode;
	struct file_lease *l;
	int type = F_UNLCK;

	if (!f->path.dentry)
		return F_UNLCK;
	inode = file_inode(f);
	if (!atomic_load_relaxed(&inode->leases))
		return F_UNLCK;
	mutex_lock(&inode->lock);
	expire(inode);
	l = *find_lease(inode, f);
	if (l && !l->unlock_by)
		type = l->downgrade_by ? F_RDLCK : l->type;
	mutex_unlock(&inode->lock);
	return type;
}

void lease_file_closed(struct file *f)
{
	if (unlikely(atomic_load_relaxed(&file_inode(f)->leases) != NULL))
		(void)lease_give_back(f);
	lease_uncount_open(file_inode(f), f->flags);
}

/* ---- breaking ---- */

static u64 break_deadline(void)
{
	s64 seconds = (s64)atomic_load_relaxed(&lease_break_seconds);

	return seconds > 0 ? time_now() + (u64)seconds * time_freq : TIME_NEVER;
}

/* Asks the holders in the way, each once: the first time at which one is overdue; 0: none is in the way. The inode is locked. */
static u64 ask_holders(struct inode *inode, bool write)
{
	u64 deadline = break_deadline(), first = 0;

	for (struct file_lease *l = inode->leases; l; l = l->next) {
		u64 *by = write ? &l->unlock_by : &l->downgrade_by, at;

		if (!write && l->type != F_WRLCK)
			continue;
		/* Who is asked to end it need not be asked to weaken it. */
		if (!*by && !l->unlock_by) {
			*by = deadline;
			lease_signals.tell(l->file, l->fd);
		}
		at = *by ? *by : l->unlock_by;
		first = first ? MIN(first, at) : at;
	}
	return first;
}

static bool generation_passed(void *seen)
{
	return atomic_load_relaxed(&lease_generation) != *(u32 *)seen;
}

int lease_break(struct inode *inode, u32 flags)
{
	bool write = (flags & O_ACCMODE) != O_RDONLY;
	u64 deadline;
	u32 seen;

	while (atomic_load_relaxed(&inode->leases)) {
		mutex_lock(&inode->lock);
		expire(inode);
		seen = atomic_load_acquire(&lease_generation);
		deadline = ask_holders(inode, write);
		mutex_unlock(&inode->lock);
		if (!deadline)
			return 0;
		if (flags & O_NONBLOCK)
			return -EWOULDBLOCK;
		if (waitq_wait(&lease_queue, POLL_EVENT_WRITE, false, generation_passed, &seen,
			       deadline, PARK_INTERRUPTIBLE) == -EINTR)
			return -ERESTARTSYS;
	}
	return 0;
}
