/*
 * msgget(2), msgctl(2) and /proc/sysvipc/msg.
 */
#include "kernel/ipc/msg.h"

#include "abi/system.h"
#include "kernel/fs/pseudo.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/cred.h"

/* What IPC_INFO tells besides limits: numbers of Linux that mean nothing here. */
#define MSG_POOL_KIB	 512000
#define MSG_MAP_ENTRIES	 16384
#define MSG_SEGMENT_SIZE 16
#define MSG_SEGMENTS	 0xffff

struct ipc_table msg_table;

/* ---- life ---- */

static struct ipc_object *msg_create(const struct ipc_request *r)
{
	struct msg_queue *q = ipc_object_alloc(sizeof(*q));

	if (!q)
		return err_ptr(-ENOMEM);
	ipc_object_init(&q->base, r);
	q->max_bytes = atomic_load_relaxed(&ipc_limits.msgmnb);
	list_init(&q->messages);
	list_init(&q->receivers);
	list_init(&q->senders);
	return &q->base;
}

static bool msg_fits(const struct ipc_object *o, u64 size)
{
	(void)o;
	(void)size;
	return true;
}

static int msg_remove(struct ipc_object *o)
{
	struct msg_queue *q = msg_queue_of(o);
	struct unpark_batch batch = {0};
	struct list left;
	struct msg *m, *next;

	list_init(&left);
	ipc_unlink(&msg_table, o);
	spin_lock(&o->lock);
	atomic_store_relaxed(&o->removed, 1U);
	msg_finish_all(q, -EIDRM, &batch);
	list_splice_tail(&left, &q->messages);
	spin_unlock(&o->lock);
	unpark_batch_flush(&batch);
	list_for_each_safe(m, next, &left, link)
		kfree(m);
	ipc_object_free(o);
	return 0;
}

static const struct ipc_type msg_type = {
	.limit = &ipc_limits.msgmni,
	.create = msg_create,
	.discard = ipc_object_free,
	.fits = msg_fits,
	.remove = msg_remove,
};

void msg_init(void)
{
	ipc_table_init(&msg_table, &msg_type);
}

/* msgget(key, flags) */
long sys_msgget(SYSCALL_ARGS)
{
	struct ipc_request r = {.key = (u32)a0, .flags = (u32)a1};

	return ipc_get(&msg_table, &r);
}

/* ---- msgctl ---- */

static void msg_fill(struct msg_queue *q, struct abi_msqid_ds *out)
{
	spin_lock(&q->base.lock);
	*out = (struct abi_msqid_ds){
		.stime = (s64)q->stime,
		.rtime = (s64)q->rtime,
		.ctime = (s64)q->base.ctime,
		.cbytes = q->bytes,
		.qnum = q->count,
		.qbytes = q->max_bytes,
		.lspid = (s32)q->lspid,
		.lrpid = (s32)q->lrpid,
	};
	ipc_perm_show(&q->base, &out->perm);
	spin_unlock(&q->base.lock);
}

static long msg_stat(u32 id, enum ipc_stat how, u64 user)
{
	struct abi_msqid_ds ds;
	struct ipc_object *o;
	long ret;

	epoch_enter();
	o = ipc_find_shown(&msg_table, id, how);
	if (!is_err(o))
		msg_fill(msg_queue_of(o), &ds);
	ret = is_err(o) ? ptr_err(o) : how == IPC_STAT_ID ? 0 : (long)o->id;
	epoch_exit();
	if (ret >= 0 && copy_to_user((void __user *)user, &ds, sizeof(ds)))
		return -EFAULT;
	return ret;
}

/* What is in all queues now: nobody keeps the sums. */
static void msg_sums(struct abi_msginfo *info)
{
	struct ipc_object *o;
	u32 index = 0;

	info->msgpool = (s32)atomic_load_relaxed(&msg_table.in_use);
	info->msgmap = 0;
	info->msgtql = 0;
	epoch_enter();
	while ((o = ipc_next(&msg_table, &index))) {
		spin_lock(&o->lock);
		info->msgmap += (s32)msg_queue_of(o)->count;
		info->msgtql += (s32)msg_queue_of(o)->bytes;
		spin_unlock(&o->lock);
	}
	epoch_exit();
}

static long msg_info(u32 cmd, u64 user)
{
	struct abi_msginfo info = {
		.msgpool = MSG_POOL_KIB,
		.msgmap = MSG_MAP_ENTRIES,
		.msgmax = (s32)atomic_load_relaxed(&ipc_limits.msgmax),
		.msgmnb = (s32)atomic_load_relaxed(&ipc_limits.msgmnb),
		.msgmni = (s32)atomic_load_relaxed(&ipc_limits.msgmni),
		.msgssz = MSG_SEGMENT_SIZE,
		.msgtql = MSG_MAP_ENTRIES,
		.msgseg = MSG_SEGMENTS,
	};

	if (cmd == MSG_INFO)
		msg_sums(&info);
	if (copy_to_user((void __user *)user, &info, sizeof(info)))
		return -EFAULT;
	return (long)ipc_highest_index(&msg_table);
}

/* The lock is held. */
static long msg_set_locked(struct msg_queue *q, const struct abi_msqid_ds *ds,
			   struct unpark_batch *batch)
{
	long ret;

	if (ds->qbytes > atomic_load_relaxed(&ipc_limits.msgmnb) && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	ret = ipc_perm_set(&q->base, &ds->perm);
	if (ret)
		return ret;
	q->max_bytes = ds->qbytes;
	/* Who waits may now lack the permission, or have the room. */
	msg_finish_all(q, -EAGAIN, batch);
	return 0;
}

static long msg_set(u32 id, u64 user)
{
	struct unpark_batch batch = {0};
	struct abi_msqid_ds ds;
	struct ipc_object *o;
	long ret;

	if (copy_from_user(&ds, (const void __user *)user, sizeof(ds)))
		return -EFAULT;
	epoch_enter();
	o = ipc_lock_owned(&msg_table, id);
	ret = is_err(o) ? ptr_err(o) : msg_set_locked(msg_queue_of(o), &ds, &batch);
	if (!is_err(o))
		ipc_unlock(o);
	epoch_exit();
	unpark_batch_flush(&batch);
	return ret;
}

/* msgctl(id, cmd, buf) */
long sys_msgctl(SYSCALL_ARGS)
{
	u32 id = (u32)a0, cmd = (u32)a1;

	if ((s32)a0 < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case MSG_INFO:
		return msg_info(cmd, a2);
	case IPC_STAT:
		return msg_stat(id, IPC_STAT_ID, a2);
	case MSG_STAT:
		return msg_stat(id, IPC_STAT_INDEX, a2);
	case MSG_STAT_ANY:
		return msg_stat(id, IPC_STAT_INDEX_ANY, a2);
	case IPC_SET:
		return msg_set(id, a2);
	case IPC_RMID:
		return ipc_remove(&msg_table, id);
	default:
		return -EINVAL;
	}
}

static void msg_line(struct seq *s, struct msg_queue *q)
{
	struct abi_msqid_ds ds;

	msg_fill(q, &ds);
	seq_printf(s, "%10d %10u  %4o  %10lu %10lu %5d %5d %5u %5u %5u %5u %10lu %10lu %10lu\n",
		   ds.perm.key, q->base.id, ds.perm.mode, ds.cbytes, ds.qnum, ds.lspid, ds.lrpid,
		   ds.perm.uid, ds.perm.gid, ds.perm.cuid, ds.perm.cgid, (u64)ds.stime,
		   (u64)ds.rtime, (u64)ds.ctime);
}

int msg_show(struct seq *s, u64 key)
{
	struct ipc_object *o;
	u32 index = 0;

	(void)key;
	seq_puts(s, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid"
		    "  cgid      stime      rtime      ctime\n");
	epoch_enter();
	while ((o = ipc_next(&msg_table, &index)))
		msg_line(s, msg_queue_of(o));
	epoch_exit();
	return 0;
}
