/*
 * Shared memory: segments, attaching and detaching.
 *
 * A segment is a vm_object in a table. mm counts its mappings: nattch goes up with each mapping that
 * comes to be (shmat, fork, a split) and down with each that goes (shmdt, munmap, exec, exit), under
 * the segment's lock. shmat holds one count of its own while it maps, so a segment that it has found
 * alive cannot go meanwhile.
 *
 * The end: IPC_RMID removes a segment that nobody has attached, and marks one that somebody has
 * (SHM_DEST): its key is free at once, its id works until the last count is dropped. Whoever finds
 * "no counts, and marked" under the lock sets `removed` and thereby owns the destruction:
 *
 *	shmat				last close		without the lock and the test
 *	lock; removed? EIDRM		lock
 *	nattch++			nattch-- == 0, marked	the pages go while shmat maps them, or
 *	unlock				removed = 1		two closers destroy it
 *	map (open: nattch++)		unlock
 *	nattch--			unlink, free
 *
 * Cost: attach and detach take the segment's lock three times and the space's twice; no line is
 * shared by different segments.
 */
#include "kernel/ipc/shm.h"

#include "kernel/sync/atomic.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/task.h"
#include "kernel/trace/trace.h"

#include <stdio.h>

struct ipc_table shm_table;

/* ---- counts ---- */

/* The lock is held: an attach or detach by the running process. */
static void shm_count(struct shm_segment *s, u64 change, u64 *time)
{
	u64 now = time ? ipc_now() : 0;

	seq_write_begin(&s->base.changes);
	atomic_store_relaxed(&s->nattch, s->nattch + change);
	if (time) {
		atomic_store_relaxed(time, now);
		atomic_store_relaxed(&s->lpid, process_current()->pid);
	}
	seq_write_end(&s->base.changes);
}

/* Nobody has it attached, and it was to go then. The lock is held; true for one caller only. */
static bool shm_claim_end(struct shm_segment *s)
{
	if (s->nattch || s->base.removed ||
	    !(s->base.mode & SHM_DEST || atomic_load_relaxed(&ipc_limits.shm_rmid_forced)))
		return false;
	atomic_store_relaxed(&s->base.removed, 1U);
	return true;
}

static void shm_drop(struct shm_segment *s, u64 *time)
{
	bool end;

	spin_lock(&s->base.lock);
	shm_count(s, -1UL, time);
	end = shm_claim_end(s);
	spin_unlock(&s->base.lock);
	if (end)
		shm_destroy(s);
}

static struct shm_segment *shm_of_backing(struct vm_backing *b)
{
	return container_of(b, struct shm_segment, backing);
}

static void shm_open(struct vm_backing *b)
{
	struct shm_segment *s = shm_of_backing(b);

	spin_lock(&s->base.lock);
	shm_count(s, 1, &s->atime);
	spin_unlock(&s->base.lock);
}

static void shm_close(struct vm_backing *b)
{
	struct shm_segment *s = shm_of_backing(b);

	shm_drop(s, &s->dtime);
}

static void shm_identify(struct vm_backing *b, struct vm_identity *id)
{
	const struct shm_segment *s = shm_of_backing(b);

	id->dev = 1;
	id->ino = s->base.id;
	snprintf(id->name, sizeof(id->name), "/SYSV%08x (deleted)", s->base.node.key);
}

static const struct vm_backing_ops shm_backing_ops = {
	.open = shm_open,
	.close = shm_close,
	.identify = shm_identify,
};

/* ---- life ---- */

/* There are no huge pages, so none can be reserved; sizes that no machine has are refused. */
static long shm_huge(u32 flags)
{
	u32 size_log2 = flags >> ABI_SHM_HUGE_SHIFT & ABI_SHM_HUGE_MASK;

	return size_log2 == 0 || size_log2 == PAGE_SHIFT + 9 ? -ENOMEM : -EINVAL;
}

static struct ipc_object *shm_create(const struct ipc_request *r)
{
	u64 pages = ALIGN_UP(r->size, PAGE_SIZE) >> PAGE_SHIFT, limit;
	struct shm_segment *s;

	if (r->size < 1 || r->size > atomic_load_relaxed(&ipc_limits.shmmax))
		return err_ptr(-EINVAL);
	limit = atomic_load_relaxed(&ipc_limits.shmall);
	if (pages << PAGE_SHIFT < r->size || shm_table.total + pages < pages ||
	    shm_table.total + pages > limit)
		return err_ptr(-ENOSPC);
	/* No promise of more than there is, unless asked not to count. */
	if (!(r->flags & SHM_NORESERVE) && pages > mm_total_pages())
		return err_ptr(-ENOMEM);
	if (r->flags & SHM_HUGETLB)
		return err_ptr(shm_huge(r->flags));
	s = ipc_object_alloc(sizeof(*s));
	if (!s)
		return err_ptr(-ENOMEM);
	s->object = vm_object_create(pages << PAGE_SHIFT);
	if (!s->object) {
		kfree(s);
		return err_ptr(-ENOMEM);
	}
	ipc_object_init(&s->base, r);
	s->backing.ops = &shm_backing_ops;
	s->size = r->size;
	s->cpid = process_current()->pid;
	s->creator = thread_current()->tid;
	task_current()->made_shm = true;
	atomic_store_relaxed(&shm_table.total, shm_table.total + pages);
	return &s->base;
}

/* Context: the table's lock. */
static void shm_free(struct ipc_object *o)
{
	struct shm_segment *s = shm_of(o);

	atomic_store_relaxed(&shm_table.total, shm_table.total - shm_pages(s));
	vm_object_put(s->object);
	ipc_object_free(o);
}

void shm_destroy(struct shm_segment *s)
{
	mutex_lock(&shm_table.lock);
	ipc_unlink(&shm_table, &s->base);
	shm_free(&s->base);
	mutex_unlock(&shm_table.lock);
}

static bool shm_fits(const struct ipc_object *o, u64 size)
{
	return size <= container_of(o, const struct shm_segment, base)->size;
}

static int shm_remove(struct ipc_object *o)
{
	bool end;

	if (!ipc_lock(o))
		return -EIDRM;
	seq_write_begin(&o->changes);
	atomic_store_relaxed(&o->mode, o->mode | SHM_DEST);
	seq_write_end(&o->changes);
	end = shm_claim_end(shm_of(o));
	ipc_unlock(o);
	if (!end) {
		ipc_forget_key(&shm_table, o);
		return 0;
	}
	ipc_unlink(&shm_table, o);
	shm_free(o);
	return 0;
}

static const struct ipc_type shm_type = {
	.limit = &ipc_limits.shmmni,
	.create = shm_create,
	.discard = shm_free,
	.fits = shm_fits,
	.remove = shm_remove,
};

void shm_init(void)
{
	ipc_table_init(&shm_table, &shm_type);
}

/* ---- orphans: kernel.shm_rmid_forced ---- */

/* The first segment that `creator` made, claimed if its end has come. NULL: no more. */
static struct shm_segment *shm_orphan(u32 creator, u32 *index, bool *end)
{
	struct ipc_object *o;

	epoch_enter();
	while ((o = ipc_next(&shm_table, index))) {
		struct shm_segment *s = shm_of(o);

		spin_lock(&o->lock);
		if (s->creator == creator) {
			s->creator = 0;
			*end = shm_claim_end(s);
			spin_unlock(&o->lock);
			break;
		}
		spin_unlock(&o->lock);
	}
	epoch_exit();
	return o ? shm_of(o) : NULL;
}

static void shm_remove_made_by(u32 creator)
{
	struct shm_segment *s;
	u32 index = 0;
	bool end;

	while ((s = shm_orphan(creator, &index, &end)))
		if (end)
			shm_destroy(s);
}

void shm_task_exit(struct task *t)
{
	if (t->made_shm)
		shm_remove_made_by(t->thread.tid);
}

void shm_remove_orphans(void)
{
	shm_remove_made_by(0);
}

/* ---- system calls ---- */

/* shmget(key, size, flags) */
long sys_shmget(SYSCALL_ARGS)
{
	struct ipc_request r = {.key = (u32)a0, .flags = (u32)a2, .size = a1};

	return ipc_get(&shm_table, &r);
}

/* Where and how shmat() maps. */
struct shm_attach {
	u64 addr;
	int prot, flags; /* of mmap */
	u32 want;	 /* permissions */
};

static int shm_attach_decode(u64 addr, u32 flags, struct shm_attach *a)
{
	*a = (struct shm_attach){addr, PROT_READ, MAP_SHARED, IPC_READ};
	if (flags & SHM_RND)
		a->addr = ALIGN_DOWN(addr, PAGE_SIZE);
	if (!IS_ALIGNED(a->addr, PAGE_SIZE) || (!a->addr && flags & SHM_REMAP))
		return -EINVAL;
	if (addr)
		a->flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	if (flags & SHM_RDONLY) {
		a->flags |= MAP_NO_WRITE;
	} else {
		a->prot |= PROT_WRITE;
		a->want |= IPC_WRITE;
	}
	if (flags & SHM_EXEC) {
		a->prot |= PROT_EXEC;
		a->want |= IPC_EXECUTE;
	}
	return 0;
}

/* The segment with one count for the caller, or an error pointer. */
static struct shm_segment *shm_take(u32 id, u32 want)
{
	struct ipc_object *o;

	epoch_enter();
	o = ipc_lock_permitted(&shm_table, id, want);
	if (!is_err(o)) {
		shm_count(shm_of(o), 1, NULL);
		ipc_unlock(o);
	}
	epoch_exit();
	return is_err(o) ? err_ptr(ptr_err(o)) : shm_of(o);
}

static long shm_map(u32 id, const struct shm_attach *attach)
{
	struct shm_segment *s = shm_take(id, attach->want);
	long addr = -EINVAL;

	if (is_err(s))
		return ptr_err(s);
	if (!attach->addr || attach->addr + s->object->size >= attach->addr)
		addr = mm_map_backed(thread_current()->mm, attach->addr, s->object->size,
				     attach->prot, attach->flags, s->object, 0, &s->backing);
	shm_drop(s, NULL);
	return addr == -EEXIST ? -EINVAL : addr;
}

/* shmat(id, addr, flags) */
long sys_shmat(SYSCALL_ARGS)
{
	struct shm_attach attach;
	long addr = shm_attach_decode(a1, (u32)a2, &attach);

	if ((s32)a0 < 0)
		return -EINVAL;
	if (addr)
		return addr;
	trace_shm_attach((u32)a0, attach.addr);
	addr = shm_map((u32)a0, &attach);
	trace_ipc_done((u64)addr);
	return addr;
}

/* shmdt(addr) */
long sys_shmdt(SYSCALL_ARGS)
{
	long ret;

	trace_shm_detach(a0);
	ret = mm_unmap_backed(thread_current()->mm, a0, &shm_backing_ops);
	trace_ipc_done((u64)ret);
	return ret;
}
