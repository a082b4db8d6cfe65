/*
 * Tables of IPC objects: ids index slots, keys are in a hash set. Both are read without a lock.
 *
 * An id is the index of a slot and a sequence number that grows whenever the indices start over. The
 * slot points to the object, and the object carries its id: one load of the pointer, one comparison.
 * So a stale id never finds a new object, although nothing in the slot tells them apart.
 *
 * Grace periods. A reader finds an object under the epoch and uses it until its next quiescent point
 * (copy to or from the user, park). Whoever removes an object does, in this order:
 *
 *	remover					reader
 *	take slot and key away			load the slot: the object, or NULL
 *	lock the object; removed = 1; unlock	lock the object
 *	free it after a grace period		removed? then EIDRM
 *
 * A reader that loaded the slot before it was cleared is still in its epoch section, so the memory
 * stays; `removed`, tested under the object's lock, tells it that it came too late. Without the test
 * it could attach to a segment whose pages are gone, or queue itself where nobody will wake it.
 * Without the grace period its lock would be in freed memory. A sleeper passes quiescent points: it
 * owns no pointer to the object, or it is found and ended by the remover (sem.c, msg.c).
 *
 * Cost of a look-up: two loads of lines that only creation and removal write. Creation, removal and
 * growth of the key set take the table's mutex.
 */
#include "kernel/ipc/table.h"

#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

#define NO_INDEX     (~0U)
#define INDEX_CYCLE  64U /* indices are reused only after so many, as on Linux */
#define BITS_OF_WORD 64U

LOCK_CLASS(ipc_table, RANK_IPC_TABLE);

void ipc_table_init(struct ipc_table *t, const struct ipc_type *type)
{
	mutex_init(&t->lock, &ipc_table_class);
	t->type = type;
	t->next_id = IPC_ID_ANY;
	t->last_index = NO_INDEX;
	t->keys = keyset_create();
	if (!t->keys)
		panic("no memory for IPC keys");
}

/* ---- finding ---- */

__hot struct ipc_object *ipc_at(struct ipc_table *t, u32 index)
{
	struct ipc_object **chunk;

	if (index >= IPC_MAX)
		return NULL;
	chunk = atomic_load_acquire(&t->chunks[index / IPC_CHUNK]);
	return chunk ? atomic_load_acquire(&chunk[index % IPC_CHUNK]) : NULL;
}

__hot struct ipc_object *ipc_find(struct ipc_table *t, u32 id)
{
	struct ipc_object *o = ipc_at(t, id & (IPC_MAX - 1));

	return o && o->id == id ? o : NULL;
}

struct ipc_object *ipc_next(struct ipc_table *t, u32 *index)
{
	while (*index < IPC_MAX) {
		u64 word = atomic_load_relaxed(&t->used[*index / BITS_OF_WORD]);
		struct ipc_object *o;

		word &= ~0UL << *index % BITS_OF_WORD;
		if (!word) {
			*index = ALIGN_DOWN(*index, BITS_OF_WORD) + BITS_OF_WORD;
			continue;
		}
		*index = ALIGN_DOWN(*index, BITS_OF_WORD) + (u32)__builtin_ctzl(word);
		o = ipc_at(t, (*index)++);
		if (o)
			return o;
	}
	return NULL;
}

u32 ipc_highest_index(struct ipc_table *t)
{
	for (u32 i = ARRAY_SIZE(t->used); i-- > 0;) {
		u64 word = atomic_load_relaxed(&t->used[i]);

		if (word)
			return i * BITS_OF_WORD + BITS_OF_WORD - 1 - (u32)__builtin_clzl(word);
	}
	return 0;
}

__hot struct ipc_object *ipc_find_shown(struct ipc_table *t, u32 id, enum ipc_stat how)
{
	struct ipc_object *o = how == IPC_STAT_ID ? ipc_find(t, id) : ipc_at(t, id);

	if (!o)
		return err_ptr(-EINVAL);
	return how == IPC_STAT_INDEX_ANY || ipc_permitted(o, IPC_READ) ? o : err_ptr(-EACCES);
}

__hot struct ipc_object *ipc_lock_permitted(struct ipc_table *t, u32 id, u32 want)
{
	struct ipc_object *o = ipc_find(t, id);

	if (!o)
		return err_ptr(-EINVAL);
	if (!ipc_permitted(o, want))
		return err_ptr(-EACCES);
	return ipc_lock(o) ? o : err_ptr(-EIDRM);
}

struct ipc_object *ipc_lock_owned(struct ipc_table *t, u32 id)
{
	struct ipc_object *o = ipc_find(t, id);

	if (!o)
		return err_ptr(-EINVAL);
	if (!ipc_owned(o))
		return err_ptr(-EPERM);
	return ipc_lock(o) ? o : err_ptr(-EIDRM);
}

static struct ipc_object *ipc_find_key(struct ipc_table *t, u32 key)
{
	struct keyset_node *node = keyset_find(t->keys, key);
	struct ipc_object *o = node ? container_of(node, struct ipc_object, node) : NULL;

	return o && !atomic_load_acquire(&o->removed) ? o : NULL;
}

/* ---- slots ---- */

/* The first free index in [from, end), or NO_INDEX. */
static u32 index_search(const struct ipc_table *t, u32 from, u32 end)
{
	for (u32 i = from; i < end;) {
		u64 free = ~t->used[i / BITS_OF_WORD] & ~0UL << i % BITS_OF_WORD;

		i = ALIGN_DOWN(i, BITS_OF_WORD);
		if (free) {
			i += (u32)__builtin_ctzl(free);
			return i < end ? i : NO_INDEX;
		}
		i += BITS_OF_WORD;
	}
	return NO_INDEX;
}

static u32 index_after(const struct ipc_table *t)
{
	u32 end = MIN(MAX(t->in_use * 3 / 2, INDEX_CYCLE), IPC_MAX);
	u32 index = index_search(t, t->last_index + 1, end);

	return index == NO_INDEX ? index_search(t, 0, end) : index;
}

/* The id for a new object: as last written to *_next_id if that is free, else the next of the cycle. */
static u32 id_choose(struct ipc_table *t)
{
	u64 wanted = atomic_xchg(&t->next_id, IPC_ID_ANY);
	u32 index = NO_INDEX;

	if (wanted != IPC_ID_ANY)
		index = index_search(t, (u32)wanted % IPC_MAX, IPC_MAX);
	if (index != NO_INDEX)
		return ((u32)wanted & ~(IPC_MAX - 1)) | index;
	index = index_after(t);
	if (index == NO_INDEX)
		return NO_INDEX;
	if (t->last_index != NO_INDEX && index <= t->last_index)
		t->sequence = t->sequence + 1 < IPC_SEQ_MAX ? t->sequence + 1 : 0;
	t->last_index = index;
	return t->sequence << IPC_INDEX_BITS | index;
}

static struct ipc_object **slot_of(struct ipc_table *t, u32 index)
{
	struct ipc_object ***chunk = &t->chunks[index / IPC_CHUNK];

	if (!*chunk) {
		struct ipc_object **fresh = kzalloc(IPC_CHUNK * sizeof(*fresh));

		if (!fresh)
			return NULL;
		atomic_store_release(chunk, fresh); /* pairs with the acquire in ipc_at() */
	}
	return &(*chunk)[index % IPC_CHUNK];
}

static void slot_mark(struct ipc_table *t, u32 index, bool used)
{
	u64 *word = &t->used[index / BITS_OF_WORD];
	u64 bit = BIT(index % BITS_OF_WORD);

	atomic_store_relaxed(word, used ? *word | bit : *word & ~bit);
	atomic_store_relaxed(&t->in_use, used ? t->in_use + 1 : t->in_use - 1);
}

/* The slot before the key: whoever finds the key may use the id. */
static long ipc_link(struct ipc_table *t, struct ipc_object *o)
{
	struct ipc_object **slot;
	u32 id;

	if (t->in_use >= MIN(atomic_load_relaxed(t->type->limit), (u64)IPC_MAX))
		return -ENOSPC;
	id = id_choose(t);
	if (id == NO_INDEX)
		return -ENOSPC;
	slot = slot_of(t, id % IPC_MAX);
	if (!slot)
		return -ENOMEM;
	o->id = id;
	o->linked = true;
	slot_mark(t, id % IPC_MAX, true);
	atomic_store_release(slot, o); /* pairs with the acquire in ipc_at() */
	if (o->key == IPC_PRIVATE)
		return (long)id;
	o->keyed = keyset_insert(t->keys, &o->node);
	if (o->keyed)
		return (long)id;
	/* As if it had been removed at once. */
	spin_lock(&o->lock);
	atomic_store_relaxed(&o->removed, 1U);
	spin_unlock(&o->lock);
	ipc_unlink(t, o);
	return -ENOMEM;
}

void ipc_forget_key(struct ipc_table *t, struct ipc_object *o)
{
	if (o->keyed)
		keyset_remove(t->keys, &o->node);
	o->keyed = false;
	atomic_store_relaxed(&o->key, (u32)IPC_PRIVATE);
}

void ipc_unlink(struct ipc_table *t, struct ipc_object *o)
{
	if (!o->linked)
		return;
	o->linked = false;
	if (o->keyed)
		keyset_remove(t->keys, &o->node);
	o->keyed = false;
	atomic_store_relaxed(slot_of(t, o->id % IPC_MAX), (struct ipc_object *)NULL);
	slot_mark(t, o->id % IPC_MAX, false);
}

/* ---- the calls ---- */

/* The key exists. */
static long ipc_use(struct ipc_table *t, struct ipc_object *o, const struct ipc_request *r)
{
	if ((r->flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return -EEXIST;
	if (!t->type->fits(o, r->size))
		return -EINVAL;
	return ipc_permitted(o, r->flags & IPC_RWX) ? (long)o->id : -EACCES;
}

static long ipc_create(struct ipc_table *t, const struct ipc_request *r)
{
	struct ipc_object *o = t->type->create(r);
	long id;

	if (is_err(o))
		return ptr_err(o);
	id = ipc_link(t, o);
	if (id < 0)
		t->type->discard(o);
	return id;
}

static long ipc_find_or_create(struct ipc_table *t, const struct ipc_request *r)
{
	struct keyset_node *node = r->key == IPC_PRIVATE ? NULL : keyset_find(t->keys, r->key);
	struct ipc_object *o = node ? container_of(node, struct ipc_object, node) : NULL;

	if (o && !atomic_load_relaxed(&o->removed))
		return ipc_use(t, o, r);
	/* Whoever is removing it waits for the table. */
	if (o)
		ipc_unlink(t, o);
	return ipc_create(t, r);
}

long ipc_get(struct ipc_table *t, const struct ipc_request *r)
{
	struct ipc_object *o;
	long ret = -ENOENT;

	if (r->key != IPC_PRIVATE) {
		epoch_enter();
		o = ipc_find_key(t, r->key);
		if (o)
			ret = ipc_use(t, o, r);
		epoch_exit();
		if (o || !(r->flags & IPC_CREAT))
			return ret;
	}
	mutex_lock(&t->lock);
	ret = ipc_find_or_create(t, r);
	mutex_unlock(&t->lock);
	return ret;
}

long ipc_remove(struct ipc_table *t, u32 id)
{
	struct ipc_object *o;
	int ret;

	/* The lock keeps it: nobody else frees it before it has been unlinked. */
	mutex_lock(&t->lock);
	o = ipc_find(t, id);
	if (!o)
		ret = -EINVAL;
	else
		ret = ipc_owned(o) ? t->type->remove(o) : -EPERM;
	mutex_unlock(&t->lock);
	return ret;
}
