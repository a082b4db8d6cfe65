/*
 * semget(2), semctl(2) and /proc/sysvipc/sem.
 */
#include "kernel/ipc/sem.h"

#include "kernel/fs/pseudo.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/task.h"

/* What *_INFO tells besides limits: numbers of Linux that mean nothing here. */
#define SEM_UNDO_STRUCT_SIZE 20

struct ipc_table sem_table;

/* ---- life ---- */

static struct ipc_object *sem_create(const struct ipc_request *r)
{
	struct sem_set *set;

	if (r->size == 0)
		return err_ptr(-EINVAL);
	if (sem_table.total + r->size > atomic_load_relaxed(&ipc_limits.sem[SEMMNS]))
		return err_ptr(-ENOSPC);
	set = ipc_object_alloc(sizeof(*set) + r->size * sizeof(set->sems[0]));
	if (!set)
		return err_ptr(-ENOMEM);
	ipc_object_init(&set->base, r);
	set->nr = (u32)r->size;
	list_init(&set->waiters);
	list_init(&set->undos);
	atomic_store_relaxed(&sem_table.total, sem_table.total + r->size);
	return &set->base;
}

/* Context: the table's lock. */
static void sem_free(struct ipc_object *o)
{
	atomic_store_relaxed(&sem_table.total, sem_table.total - sem_set_of(o)->nr);
	ipc_object_free(o);
}

static bool sem_fits(const struct ipc_object *o, u64 size)
{
	return size <= container_of(o, const struct sem_set, base)->nr;
}

static int sem_remove(struct ipc_object *o)
{
	struct unpark_batch batch = {0};

	ipc_unlink(&sem_table, o);
	sem_end(sem_set_of(o), &batch);
	unpark_batch_flush(&batch);
	sem_free(o);
	return 0;
}

static const struct ipc_type sem_type = {
	.limit = &ipc_limits.sem[SEMMNI],
	.create = sem_create,
	.discard = sem_free,
	.fits = sem_fits,
	.remove = sem_remove,
};

void sem_init(void)
{
	ipc_table_init(&sem_table, &sem_type);
}

/* semget(key, number, flags) */
long sys_semget(SYSCALL_ARGS)
{
	struct ipc_request r = {.key = (u32)a0, .flags = (u32)a2, .size = (u32)a1};

	if ((s32)a1 < 0 || (u32)a1 > atomic_load_relaxed(&ipc_limits.sem[SEMMSL]))
		return -EINVAL;
	return ipc_get(&sem_table, &r);
}

/* ---- looking at sets ---- */

static void sem_fill(const struct sem_set *set, struct abi_semid_ds *out)
{
	u32 seq;

	do {
		seq = seq_read_begin(&set->base.changes);
		*out = (struct abi_semid_ds){
			.otime = (s64)atomic_load_relaxed(&set->otime),
			.ctime = (s64)atomic_load_relaxed(&set->base.ctime),
			.nsems = set->nr,
		};
		ipc_perm_show(&set->base, &out->perm);
	} while (seq_read_retry(&set->base.changes, seq));
}

static long sem_stat(u32 id, enum ipc_stat how, u64 user)
{
	struct abi_semid_ds ds;
	struct ipc_object *o;
	long ret;

	epoch_enter();
	o = ipc_find_shown(&sem_table, id, how);
	if (!is_err(o))
		sem_fill(sem_set_of(o), &ds);
	ret = is_err(o) ? ptr_err(o) : how == IPC_STAT_ID ? 0 : (long)o->id;
	epoch_exit();
	if (ret >= 0 && copy_to_user((void __user *)user, &ds, sizeof(ds)))
		return -EFAULT;
	return ret;
}

static long sem_info(u32 cmd, u64 user)
{
	u64 semmns = atomic_load_relaxed(&ipc_limits.sem[SEMMNS]);
	u64 semopm = atomic_load_relaxed(&ipc_limits.sem[SEMOPM]);
	struct abi_seminfo info = {
		.semmap = (s32)semmns,
		.semmni = (s32)atomic_load_relaxed(&ipc_limits.sem[SEMMNI]),
		.semmns = (s32)semmns,
		.semmnu = (s32)semmns,
		.semmsl = (s32)atomic_load_relaxed(&ipc_limits.sem[SEMMSL]),
		.semopm = (s32)semopm,
		.semume = (s32)semopm,
		.semusz = SEM_UNDO_STRUCT_SIZE,
		.semvmx = SEM_VALUE_MAX,
		.semaem = SEM_VALUE_MAX,
	};

	if (cmd == SEM_INFO) {
		info.semusz = (s32)atomic_load_relaxed(&sem_table.in_use);
		info.semaem = (s32)atomic_load_relaxed(&sem_table.total);
	}
	if (copy_to_user((void __user *)user, &info, sizeof(info)))
		return -EFAULT;
	return (long)ipc_highest_index(&sem_table);
}

/* ---- values ---- */

/* Requests that wait for semaphore `num`: to become zero, or to grow. */
static long sem_count_waiters(const struct sem_set *set, u32 num, bool zero)
{
	struct sem_request *r;
	long count = 0;

	list_for_each(r, &set->waiters, link) {
		const struct abi_sembuf *op = &r->ops[r->blocked];

		count += op->num == num && (op->op == 0) == zero;
	}
	return count;
}

static long sem_get(u32 id, u32 num, u32 cmd)
{
	struct ipc_object *o;
	struct sem_set *set;
	long ret = -EINVAL;

	epoch_enter();
	o = ipc_lock_permitted(&sem_table, id, IPC_READ);
	if (is_err(o)) {
		epoch_exit();
		return ptr_err(o);
	}
	set = sem_set_of(o);
	if (num < set->nr && cmd == GETVAL)
		ret = set->sems[num].value;
	else if (num < set->nr && cmd == GETPID)
		ret = set->sems[num].pid;
	else if (num < set->nr)
		ret = sem_count_waiters(set, num, cmd == GETZCNT);
	ipc_unlock(&set->base);
	epoch_exit();
	return ret;
}

/* The lock is held: somebody has set values. */
static void sem_values_set(struct sem_set *set, struct unpark_batch *batch)
{
	u64 now = ipc_now();

	seq_write_begin(&set->base.changes);
	atomic_store_relaxed(&set->base.ctime, now);
	seq_write_end(&set->base.changes);
	sem_wake(set, batch);
}

static long sem_set_value(u32 id, u32 num, s32 value)
{
	struct unpark_batch batch = {0};
	struct ipc_object *o;
	struct sem_set *set;

	if (value < 0 || value > SEM_VALUE_MAX)
		return -ERANGE;
	epoch_enter();
	o = ipc_find(&sem_table, id);
	o = o && num < sem_set_of(o)->nr ? ipc_lock_permitted(&sem_table, id, IPC_WRITE)
					 : err_ptr(-EINVAL);
	if (is_err(o)) {
		epoch_exit();
		return ptr_err(o);
	}
	set = sem_set_of(o);
	set->sems[num] = (struct sem){value, process_current()->pid};
	sem_undo_clear(set, num);
	sem_values_set(set, &batch);
	ipc_unlock(&set->base);
	epoch_exit();
	unpark_batch_flush(&batch);
	return 0;
}

/* ---- all values: copied outside the epoch, so the set is looked up twice ---- */

/* How many semaphores the set has, or -errno. */
static long sem_size(u32 id, u32 want)
{
	struct ipc_object *o;
	long ret;

	epoch_enter();
	o = ipc_find(&sem_table, id);
	if (!o)
		ret = -EINVAL;
	else
		ret = ipc_permitted(o, want) ? (long)sem_set_of(o)->nr : -EACCES;
	epoch_exit();
	return ret;
}

/* The set is the one of before: an id names one set only. -EIDRM if it is gone. */
static struct sem_set *sem_lock_again(u32 id)
{
	struct ipc_object *o = ipc_find(&sem_table, id);

	return o && ipc_lock(o) ? sem_set_of(o) : err_ptr(-EIDRM);
}

static long sem_read_all(u32 id, u16 *values)
{
	struct sem_set *set;

	epoch_enter();
	set = sem_lock_again(id);
	if (!is_err(set)) {
		for (u32 i = 0; i < set->nr; i++)
			values[i] = (u16)set->sems[i].value;
		ipc_unlock(&set->base);
	}
	epoch_exit();
	return is_err(set) ? ptr_err(set) : 0;
}

static long sem_write_all(u32 id, const u16 *values)
{
	u32 pid = process_current()->pid;
	struct unpark_batch batch = {0};
	struct sem_set *set;

	epoch_enter();
	set = sem_lock_again(id);
	if (!is_err(set)) {
		for (u32 i = 0; i < set->nr; i++)
			set->sems[i] = (struct sem){values[i], pid};
		sem_undo_clear(set, SEM_ALL);
		sem_values_set(set, &batch);
		ipc_unlock(&set->base);
	}
	epoch_exit();
	unpark_batch_flush(&batch);
	return is_err(set) ? ptr_err(set) : 0;
}

static long sem_get_all(u32 id, u64 user)
{
	long nr = sem_size(id, IPC_READ), ret;
	u16 *values;

	if (nr < 0)
		return nr;
	values = kmalloc((size_t)nr * sizeof(*values));
	if (!values)
		return -ENOMEM;
	ret = sem_read_all(id, values);
	if (!ret && copy_to_user((void __user *)user, values, (size_t)nr * sizeof(*values)))
		ret = -EFAULT;
	kfree(values);
	return ret;
}

static long sem_set_all(u32 id, u64 user)
{
	long nr = sem_size(id, IPC_WRITE), ret = 0;
	u16 *values;

	if (nr < 0)
		return nr;
	values = kmalloc((size_t)nr * sizeof(*values));
	if (!values)
		return -ENOMEM;
	if (copy_from_user(values, (const void __user *)user, (size_t)nr * sizeof(*values)))
		ret = -EFAULT;
	for (long i = 0; i < nr && !ret; i++)
		ret = values[i] > SEM_VALUE_MAX ? -ERANGE : 0;
	if (!ret)
		ret = sem_write_all(id, values);
	kfree(values);
	return ret;
}

static long sem_set_perm(u32 id, u64 user)
{
	struct abi_semid_ds ds;
	struct ipc_object *o;
	long ret;

	if (copy_from_user(&ds, (const void __user *)user, sizeof(ds)))
		return -EFAULT;
	epoch_enter();
	o = ipc_lock_owned(&sem_table, id);
	ret = is_err(o) ? ptr_err(o) : ipc_perm_set(o, &ds.perm);
	if (!is_err(o))
		ipc_unlock(o);
	epoch_exit();
	return ret;
}

/* semctl(id, number, cmd, value or pointer) */
long sys_semctl(SYSCALL_ARGS)
{
	u32 id = (u32)a0, num = (u32)a1, cmd = (u32)a2;

	if ((s32)a0 < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case SEM_INFO:
		return sem_info(cmd, a3);
	case IPC_STAT:
		return sem_stat(id, IPC_STAT_ID, a3);
	case SEM_STAT:
		return sem_stat(id, IPC_STAT_INDEX, a3);
	case SEM_STAT_ANY:
		return sem_stat(id, IPC_STAT_INDEX_ANY, a3);
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
		return sem_get(id, num, cmd);
	case GETALL:
		return sem_get_all(id, a3);
	case SETVAL:
		return sem_set_value(id, num, (s32)a3);
	case SETALL:
		return sem_set_all(id, a3);
	case IPC_SET:
		return sem_set_perm(id, a3);
	case IPC_RMID:
		return ipc_remove(&sem_table, id);
	default:
		return -EINVAL;
	}
}

static void sem_line(struct seq *s, const struct sem_set *set)
{
	struct abi_semid_ds ds;

	sem_fill(set, &ds);
	seq_printf(s, "%10d %10u  %4o %10u %5u %5u %5u %5u %10lu %10lu\n", ds.perm.key,
		   set->base.id, ds.perm.mode, set->nr, ds.perm.uid, ds.perm.gid, ds.perm.cuid,
		   ds.perm.cgid, (u64)ds.otime, (u64)ds.ctime);
}

int sem_show(struct seq *s, u64 key)
{
	struct ipc_object *o;
	u32 index = 0;

	(void)key;
	seq_puts(s, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime"
		    "      ctime\n");
	epoch_enter();
	while ((o = ipc_next(&sem_table, &index)))
		sem_line(s, sem_set_of(o));
	epoch_exit();
	return 0;
}
