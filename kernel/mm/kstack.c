/*
 * Kernel stacks: 32 KiB slots, the lower half never mapped, so that an overflow traps and bit 14 of
 * a valid stack pointer is set (arch/riscv64/entry.S tests it). A stack is mapped once and recycled
 * for ever: first by the hart that freed it, then through a shared list. Slots are mapped in
 * groups, for one flush of all harts each.
 */
#include "arch/riscv64/pgtable.h"
#include "arch/riscv64/sbi.h"
#include "kernel/mm/space.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/percpu.h"

#define KSTACK_ORDER 2	 /* 16 KiB */
#define KSTACK_GROUP 8U	 /* stacks mapped at a time */
#define KSTACK_CACHE 32U /* stacks that a hart keeps */

static_assert(KSTACK_SIZE == PAGE_SIZE << KSTACK_ORDER, "a stack is one block");

struct kstack {
	struct kstack *next; /* in the first word of a free stack */
};

struct kstack_cache {
	struct kstack *first; /* [c] */
	u32 count;	      /* [c] */
};

LOCK_CLASS(kstack_pool, RANK_SLAB);

static PERCPU(struct kstack_cache, kstack_cache);
static struct spinlock pool_lock = SPINLOCK_INIT(kstack_pool_class);
static struct kstack *pool; /* [L:pool_lock] */
static u64 next_slot;	    /* [L:pool_lock] */
static u64 nr_slots;	    /* [I] */

void kstack_init(void)
{
	u64 index = pgtable_index(KSTACK_REGION, PGTABLE_ROOT_LEVEL);

	while (kernel_root[index + nr_slots])
		nr_slots++;
	nr_slots *= PGTABLE_SPAN(PGTABLE_ROOT_LEVEL) / KSTACK_SLOT;
}

static u64 *kstack_table(u64 va)
{
	u64 *middle = pa_to_va(pte_pa(kernel_root[pgtable_index(va, 2)]));
	u64 *entry = &middle[pgtable_index(va, 1)];

	if (!*entry) {
		void *table = page_alloc(0, PAGE_ZERO | PAGE_RESERVE);

		if (!table)
			return NULL;
		atomic_store_release(entry, pte_make(va_to_pa(table), PTE_V));
	}
	return pa_to_va(pte_pa(*entry));
}

/* Maps the next slot; NULL when out of memory or slots. pool_lock held. */
static struct kstack *kstack_map(void)
{
	u64 va = KSTACK_REGION + next_slot * KSTACK_SLOT + KSTACK_SLOT - KSTACK_SIZE;
	u64 *table = next_slot < nr_slots ? kstack_table(va) : NULL;
	void *memory = table ? page_alloc(KSTACK_ORDER, 0) : NULL;

	if (!memory)
		return NULL;
	for (u64 i = 0; i < KSTACK_SIZE; i += PAGE_SIZE)
		table[pgtable_index(va + i, 0)] = pte_make(va_to_pa(memory) + i, PTE_KERNEL_RW);
	next_slot++;
	return (struct kstack *)va;
}

/*
 * A hart may have cached that nothing was there: the new stacks are chained (written to) after the
 * flush.
 */
static u32 kstack_map_group(struct kstack **stacks)
{
	u64 online = 0;
	u32 count = 0;

	spin_lock(&pool_lock);
	while (count < KSTACK_GROUP && (stacks[count] = kstack_map()))
		count++;
	spin_unlock(&pool_lock);
	fence_full();
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		if (hart_state_of(cpu_of(cpu)) != HART_OFFLINE)
			online |= BIT(cpu);
	}
	if (count)
		sbi_remote_sfence(online);
	return count;
}

static struct kstack *kstack_from_pool(void)
{
	struct kstack *stack;

	spin_lock(&pool_lock);
	stack = pool;
	if (stack)
		pool = stack->next;
	spin_unlock(&pool_lock);
	return stack;
}

void *kstack_alloc(void)
{
	struct kstack_cache *cache = this_cpu_ptr(kstack_cache);
	struct kstack *group[KSTACK_GROUP], *stack = cache->first;
	u32 count;

	if (likely(stack)) {
		cache->first = stack->next;
		cache->count--;
		return stack;
	}
	stack = kstack_from_pool();
	if (stack)
		return stack;
	count = kstack_map_group(group);
	for (u32 i = 1; i < count; i++)
		kstack_free(group[i]);
	return count ? group[0] : NULL;
}

void kstack_free(void *memory)
{
	struct kstack_cache *cache = this_cpu_ptr(kstack_cache);
	struct kstack *stack = memory;

	if (likely(cache->count < KSTACK_CACHE)) {
		stack->next = cache->first;
		cache->first = stack;
		cache->count++;
		return;
	}
	spin_lock(&pool_lock);
	stack->next = pool;
	pool = stack;
	spin_unlock(&pool_lock);
}
