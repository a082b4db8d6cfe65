/*
 * Owners and permissions of IPC objects. They are read as one moment: IPC_SET changes owner and mode
 * together, and a check of the new owner against the old mode could grant what neither grants.
 */
#include "kernel/ipc/table.h"

#include "abi/system.h"
#include "abi/time.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/cred.h"
#include "kernel/time/time.h"

#include <string.h>

#define ID_NONE (~0U)

LOCK_CLASS(ipc_object, RANK_IPC);

__hot u64 ipc_now(void)
{
	return time_realtime_ns() / NSEC_PER_SEC;
}

void ipc_object_init(struct ipc_object *o, const struct ipc_request *r)
{
	const struct cred *c = cred_current();

	spin_init(&o->lock, &ipc_object_class);
	o->key = o->node.key = r->key;
	o->uid = o->cuid = c->euid;
	o->gid = o->cgid = c->egid;
	o->mode = r->flags & IPC_RWX;
	o->ctime = ipc_now();
}

void *ipc_object_alloc(size_t size)
{
	void *o;

	/* Sizes that are whole lines come from slabs that begin on one. */
	size = ALIGN_UP(size, (size_t)CACHE_LINE);
	o = kmalloc(size);
	if (o)
		memset(o, 0, size);
	return o;
}

static void object_expired(struct epoch_node *node)
{
	kfree(container_of(node, struct ipc_object, free_node));
}

void ipc_object_free(struct ipc_object *o)
{
	epoch_defer(&o->free_node, object_expired);
}

/* Owner, group and mode of one moment. */
struct ipc_owner {
	u32 uid, gid, mode;
};

static __hot struct ipc_owner owner_of(const struct ipc_object *o)
{
	struct ipc_owner owner;
	u32 seq;

	do {
		seq = seq_read_begin(&o->changes);
		owner.uid = atomic_load_relaxed(&o->uid);
		owner.gid = atomic_load_relaxed(&o->gid);
		owner.mode = atomic_load_relaxed(&o->mode);
	} while (seq_read_retry(&o->changes, seq));
	return owner;
}

__hot bool ipc_permitted(const struct ipc_object *o, u32 want)
{
	const struct cred *c = cred_current();
	struct ipc_owner owner = owner_of(o);
	u32 granted = owner.mode;

	if (c->euid == owner.uid || c->euid == o->cuid)
		granted >>= 6;
	else if (cred_in_group(c, owner.gid) || cred_in_group(c, o->cgid))
		granted >>= 3;
	want |= want >> 6 | want >> 3;
	return !(want & ~granted & 7) || cred_capable(c, CAP_IPC_OWNER);
}

bool ipc_owned(const struct ipc_object *o)
{
	const struct cred *c = cred_current();

	return c->euid == atomic_load_relaxed(&o->uid) || c->euid == o->cuid ||
	       cred_capable(c, CAP_SYS_ADMIN);
}

void ipc_perm_show(const struct ipc_object *o, struct abi_ipc_perm *out)
{
	*out = (struct abi_ipc_perm){
		.key = (s32)atomic_load_relaxed(&o->key),
		.uid = atomic_load_relaxed(&o->uid),
		.gid = atomic_load_relaxed(&o->gid),
		.cuid = o->cuid,
		.cgid = o->cgid,
		.mode = atomic_load_relaxed(&o->mode),
		.seq = (u16)(o->id >> IPC_INDEX_BITS),
	};
}

int ipc_perm_set(struct ipc_object *o, const struct abi_ipc_perm *perm)
{
	u64 now = ipc_now();

	if (perm->uid == ID_NONE || perm->gid == ID_NONE)
		return -EINVAL;
	seq_write_begin(&o->changes);
	atomic_store_relaxed(&o->uid, perm->uid);
	atomic_store_relaxed(&o->gid, perm->gid);
	atomic_store_relaxed(&o->mode, (o->mode & ~IPC_RWX) | (perm->mode & IPC_RWX));
	atomic_store_relaxed(&o->ctime, now);
	seq_write_end(&o->changes);
	return 0;
}
