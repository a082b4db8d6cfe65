/*
 * shmctl(2) and /proc/sysvipc/shm. IPC_STAT reads the segment's fields without its lock.
 */
#include "kernel/ipc/shm.h"

#include "abi/resource.h"
#include "abi/system.h"
#include "kernel/fs/pseudo.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/task.h"

static void shm_fill(const struct shm_segment *s, struct abi_shmid_ds *out)
{
	u32 seq;

	do {
		seq = seq_read_begin(&s->base.changes);
		*out = (struct abi_shmid_ds){
			.segsz = s->size,
			.atime = (s64)atomic_load_relaxed(&s->atime),
			.dtime = (s64)atomic_load_relaxed(&s->dtime),
			.ctime = (s64)atomic_load_relaxed(&s->base.ctime),
			.cpid = (s32)s->cpid,
			.lpid = (s32)atomic_load_relaxed(&s->lpid),
			.nattch = atomic_load_relaxed(&s->nattch),
		};
		ipc_perm_show(&s->base, &out->perm);
	} while (seq_read_retry(&s->base.changes, seq));
}

static long shm_stat(u32 id, enum ipc_stat how, u64 user)
{
	struct abi_shmid_ds ds;
	struct ipc_object *o;
	long ret;

	epoch_enter();
	o = ipc_find_shown(&shm_table, id, how);
	if (!is_err(o))
		shm_fill(shm_of(o), &ds);
	ret = is_err(o) ? ptr_err(o) : how == IPC_STAT_ID ? 0 : (long)o->id;
	epoch_exit();
	if (ret >= 0 && copy_to_user((void __user *)user, &ds, sizeof(ds)))
		return -EFAULT;
	return ret;
}

static long shm_ipc_info(u64 user)
{
	struct abi_shminfo info = {
		.shmmax = atomic_load_relaxed(&ipc_limits.shmmax),
		.shmmin = 1,
		.shmmni = atomic_load_relaxed(&ipc_limits.shmmni),
		.shmseg = atomic_load_relaxed(&ipc_limits.shmmni),
		.shmall = atomic_load_relaxed(&ipc_limits.shmall),
	};

	if (copy_to_user((void __user *)user, &info, sizeof(info)))
		return -EFAULT;
	return (long)ipc_highest_index(&shm_table);
}

static long shm_info(u64 user)
{
	struct abi_shm_info info = {
		.used_ids = (s32)atomic_load_relaxed(&shm_table.in_use),
		.tot = atomic_load_relaxed(&shm_table.total),
	};
	struct ipc_object *o;
	u32 index = 0;

	epoch_enter();
	while ((o = ipc_next(&shm_table, &index)))
		info.rss += vm_object_pages(shm_of(o)->object);
	epoch_exit();
	if (copy_to_user((void __user *)user, &info, sizeof(info)))
		return -EFAULT;
	return (long)ipc_highest_index(&shm_table);
}

static long shm_set(u32 id, u64 user)
{
	struct abi_shmid_ds ds;
	struct ipc_object *o;
	long ret;

	if (copy_from_user(&ds, (const void __user *)user, sizeof(ds)))
		return -EFAULT;
	epoch_enter();
	o = ipc_lock_owned(&shm_table, id);
	ret = is_err(o) ? ptr_err(o) : ipc_perm_set(o, &ds.perm);
	if (!is_err(o))
		ipc_unlock(o);
	epoch_exit();
	return ret;
}

/* ---- SHM_LOCK: nothing is ever swapped out, so it is counted and no more ---- */

/* Pages that `user` has locked. Under the epoch. */
static u64 shm_locked_pages(u32 user)
{
	struct ipc_object *o;
	u64 pages = 0;
	u32 index = 0;

	while ((o = ipc_next(&shm_table, &index)))
		if (atomic_load_relaxed(&o->mode) & SHM_LOCKED &&
		    atomic_load_relaxed(&shm_of(o)->locker) == user)
			pages += shm_pages(shm_of(o));
	return pages;
}

static int shm_lock_check(struct shm_segment *s, bool lock)
{
	u64 limit = process_rlimit(process_current(), RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	u32 user = cred_current()->uid;

	if (capable(CAP_IPC_LOCK))
		return 0;
	if (!(cred_current()->euid == atomic_load_relaxed(&s->base.uid) ||
	      cred_current()->euid == s->base.cuid))
		return -EPERM;
	if (!lock)
		return 0;
	if (!process_rlimit(process_current(), RLIMIT_MEMLOCK))
		return -EPERM;
	return shm_locked_pages(user) + shm_pages(s) > limit ? -ENOMEM : 0;
}

static long shm_lock(u32 id, bool lock)
{
	struct ipc_object *o;
	long ret;

	epoch_enter();
	o = ipc_find(&shm_table, id);
	ret = o ? shm_lock_check(shm_of(o), lock) : -EINVAL;
	if (!ret && !ipc_lock(o))
		ret = -EIDRM;
	if (!ret) {
		seq_write_begin(&o->changes);
		atomic_store_relaxed(&shm_of(o)->locker, cred_current()->uid);
		atomic_store_relaxed(&o->mode,
				     (o->mode & ~(u32)SHM_LOCKED) | (lock ? SHM_LOCKED : 0));
		seq_write_end(&o->changes);
		ipc_unlock(o);
	}
	epoch_exit();
	return ret;
}

/* shmctl(id, cmd, buf) */
long sys_shmctl(SYSCALL_ARGS)
{
	int cmd = (int)a1;

	if ((s32)a0 < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
		return shm_ipc_info(a2);
	case SHM_INFO:
		return shm_info(a2);
	case IPC_STAT:
		return shm_stat((u32)a0, IPC_STAT_ID, a2);
	case SHM_STAT:
		return shm_stat((u32)a0, IPC_STAT_INDEX, a2);
	case SHM_STAT_ANY:
		return shm_stat((u32)a0, IPC_STAT_INDEX_ANY, a2);
	case IPC_SET:
		return shm_set((u32)a0, a2);
	case IPC_RMID:
		return ipc_remove(&shm_table, (u32)a0);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return shm_lock((u32)a0, cmd == SHM_LOCK);
	default:
		return -EINVAL;
	}
}

static void shm_line(struct seq *seq, struct shm_segment *s)
{
	struct abi_shmid_ds ds;

	shm_fill(s, &ds);
	seq_printf(seq,
		   "%10d %10u  %4o %21lu %5d %5d  %5lu %5u %5u %5u %5u %10lu %10lu %10lu %21lu %21u\n",
		   ds.perm.key, s->base.id, ds.perm.mode, ds.segsz, ds.cpid, ds.lpid, ds.nattch,
		   ds.perm.uid, ds.perm.gid, ds.perm.cuid, ds.perm.cgid, (u64)ds.atime,
		   (u64)ds.dtime, (u64)ds.ctime, vm_object_pages(s->object) * PAGE_SIZE, 0U);
}

int shm_show(struct seq *s, u64 key)
{
	struct ipc_object *o;
	u32 index = 0;

	(void)key;
	seq_puts(s, "       key      shmid perms                  size  cpid  lpid nattch   uid   gid"
		    "  cuid  cgid      atime      dtime      ctime                   rss"
		    "                  swap\n");
	epoch_enter();
	while ((o = ipc_next(&shm_table, &index)))
		shm_line(s, shm_of(o));
	epoch_exit();
	return 0;
}
