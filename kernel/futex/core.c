/*
 * Keys and the bucket table.
 *
 * A key names a word for as long as somebody waits on it: (object id, page index, offset) where two address spaces may
 * share the word, (address space, address) elsewhere. Object ids are never reused, and an address space outlives the
 * threads that wait in it, so keys hold no reference. The table has 256 buckets a hart, rounded up to a power of two.
 */
#include "kernel/futex/futex.h"
#include "kernel/futex/futex_internal.h"

#include "arch/riscv64/cpu.h"
#include "kernel/log/log.h"
#include "kernel/sync/lock_class.h"
#include "kernel/task/task.h"

#define BUCKETS_PER_HART 256

/* In the offset of a shared key of unshared memory: on Linux such a key does not meet a private one of the same word. */
#define KEY_SHARED_CALL 1U
#define KEY_SPACE_MM	BIT(63)

LOCK_CLASS(futex, RANK_FUTEX);

struct futex_bucket *futex_table;
u32 futex_mask;

static u32 table_order(u32 buckets)
{
	u32 order = 0;

	while ((PAGE_SIZE << order) < buckets * sizeof(struct futex_bucket))
		order++;
	return order;
}

void futex_init(void)
{
	u32 buckets = BUCKETS_PER_HART;

	while (buckets < BUCKETS_PER_HART * nr_cpus)
		buckets *= 2;
	futex_table = page_alloc(table_order(buckets), PAGE_ZERO);
	if (!futex_table)
		panic("no memory for %u futex buckets", buckets);
	for (u32 i = 0; i < buckets; i++) {
		bucket_lock_init(&futex_table[i].lock, &futex_class);
		list_init(&futex_table[i].queue);
	}
	futex_mask = buckets - 1;
	task_exit_ops.exit = futex_task_exit;
}

int futex_shared_key(u64 uaddr, bool write, struct mm_key *key)
{
	int ret = mm_futex_key(thread_current()->mm, uaddr, write, key);

	if (ret == 0 && (key->space & KEY_SPACE_MM))
		key->offset |= KEY_SHARED_CALL;
	return ret;
}
