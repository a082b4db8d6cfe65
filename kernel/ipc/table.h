/*
 * Private to kernel/ipc: objects with ids, keys and permissions, and the tables that find them.
 */
#ifndef KERNEL_IPC_TABLE_H
#define KERNEL_IPC_TABLE_H

#include "abi/errno.h"
#include "abi/ipc.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/keyset.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/seqlock.h"
#include "kernel/sync/spinlock.h"
#include "lib/types.h"

#define IPC_INDEX_BITS 15
#define IPC_MAX	       (1U << IPC_INDEX_BITS) /* objects of one table */
#define IPC_SEQ_MAX    (0x7fffffffU >> IPC_INDEX_BITS)
#define IPC_ID_ANY     (~0UL)
#define IPC_CHUNK      256U /* slots that are allocated together */

#define IPC_READ    0444U
#define IPC_WRITE   0222U
#define IPC_EXECUTE 0111U
#define IPC_RWX	    0777U

/* First in each segment, set and queue. Objects begin on a cache line and share none. */
struct ipc_object {
	struct spinlock lock;	 /* RANK_IPC: the object's own state */
	struct seqcount changes; /* writers hold the lock: the fields marked [S], read without it */
	u32 id;			 /* [I] index | sequence number << IPC_INDEX_BITS */
	u32 removed;		 /* [a] changes under lock: nothing may be begun with it any more */
	u32 key;	    /* [a] as it is shown: IPC_PRIVATE once it cannot be found by key */
	u32 uid, gid, mode; /* [S] */
	u32 cuid, cgid;	    /* [I] of the creator */
	u64 ctime;	    /* [S] seconds */
	struct keyset_node node; /* [I] the key that it was made with */
	bool linked;		 /* [L:table] it has a slot */
	bool keyed;		 /* [L:table] it is in the set of keys */
	struct epoch_node free_node;
};

/* One shmget, semget or msgget. */
struct ipc_request {
	u32 key;
	u32 flags; /* IPC_CREAT, IPC_EXCL, mode, and the type's own */
	u64 size;  /* bytes or semaphores */
};

struct ipc_type {
	u64 *limit; /* [a] most objects, a sysctl */
	/* A new object, or an error pointer. Context: the table's lock. */
	struct ipc_object *(*create)(const struct ipc_request *r);
	/* Gives back one that could not be linked. */
	void (*discard)(struct ipc_object *o);
	/* Is an object that was found as large as asked for? */
	bool (*fits)(const struct ipc_object *o, u64 size);
	/* IPC_RMID. 0 or -EIDRM. Context: the table's lock. */
	int (*remove)(struct ipc_object *o);
};

struct ipc_table {
	struct mutex lock; /* RANK_IPC_TABLE: writers */
	const struct ipc_type *type;
	struct keyset *keys;				 /* [e] */
	struct ipc_object **chunks[IPC_MAX / IPC_CHUNK]; /* [e] made when first needed, never freed */
	u64 used[IPC_MAX / 64];				 /* [L:lock] to change, [a] to read */
	u32 in_use;					 /* [L:lock] to change, [a] to read */
	u32 last_index, sequence;			 /* [L:lock] of the newest id */
	u64 next_id; /* [a] wanted for the next object, or IPC_ID_ANY */
	u64 total;   /* [L:lock] to change, [a] to read: pages or semaphores of all objects */
};

void ipc_table_init(struct ipc_table *t, const struct ipc_type *type);

/* ---- finding: under the epoch; nobody writes anything ---- */
struct ipc_object *ipc_find(struct ipc_table *t, u32 id);
struct ipc_object *ipc_at(struct ipc_table *t, u32 index); /* for *_STAT */
/* The first object from *index on, which moves past it; NULL: no more. */
struct ipc_object *ipc_next(struct ipc_table *t, u32 *index);
u32 ipc_highest_index(struct ipc_table *t); /* 0 if there is none */
/* For a command that shows an object: by id, or by index; -EINVAL, -EACCES as pointers. */
enum ipc_stat { IPC_STAT_ID, IPC_STAT_INDEX, IPC_STAT_INDEX_ANY };
struct ipc_object *ipc_find_shown(struct ipc_table *t, u32 id, enum ipc_stat how);
/* Locked, for who may do what `want` says: -EINVAL, -EACCES, -EIDRM as pointers. */
struct ipc_object *ipc_lock_permitted(struct ipc_table *t, u32 id, u32 want);
/* Locked, for IPC_SET: -EINVAL, -EPERM, -EIDRM as pointers. */
struct ipc_object *ipc_lock_owned(struct ipc_table *t, u32 id);

/* ---- the calls that all types have ---- */
/* The id, or -errno. May sleep. */
long ipc_get(struct ipc_table *t, const struct ipc_request *r);
/* IPC_RMID. May sleep. */
long ipc_remove(struct ipc_table *t, u32 id);
/* Takes it out of slot and keys, if it is still there. Context: t->lock. */
void ipc_unlink(struct ipc_table *t, struct ipc_object *o);
/* Only out of the keys. Context: t->lock. */
void ipc_forget_key(struct ipc_table *t, struct ipc_object *o);

/* ---- perm.c ---- */
void ipc_object_init(struct ipc_object *o, const struct ipc_request *r);
/* May the caller do what the bits of `want` (IPC_READ...) say? */
bool ipc_permitted(const struct ipc_object *o, u32 want);
/* Owner, creator or administrator: may set and remove. */
bool ipc_owned(const struct ipc_object *o);
/* Context: inside a read of `changes`, or the lock. */
void ipc_perm_show(const struct ipc_object *o, struct abi_ipc_perm *out);
/* IPC_SET. 0 or -EINVAL (an id that is none). Context: the lock. */
int ipc_perm_set(struct ipc_object *o, const struct abi_ipc_perm *perm);
/* Seconds since the epoch of 1970. */
u64 ipc_now(void);

/* Memory for an object that begins on a cache line, zeroed; kfree() after a grace period. */
void *ipc_object_alloc(size_t size);
void ipc_object_free(struct ipc_object *o); /* its memory, after a grace period */

/* True with the lock held, false if it has been removed. */
static inline bool ipc_lock(struct ipc_object *o)
{
	spin_lock(&o->lock);
	if (likely(!o->removed))
		return true;
	spin_unlock(&o->lock);
	return false;
}

static inline void ipc_unlock(struct ipc_object *o)
{
	spin_unlock(&o->lock);
}

#endif
