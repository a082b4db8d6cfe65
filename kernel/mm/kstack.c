/*
 * Kernel stacks: 32 KiB slots, the lower half never mapped, so that an overflow traps and bit 14 of
 * a valid stack pointer is set (arch/riscv64/entry.S tests it). A stack stays mapped when it is
 * freed: the hart that freed it keeps some, the rest go to a shared pool. Slots are mapped in
 * groups, and when the pool is full given back in groups, for one flush of all harts each.
 *
 * A slot that has no stack is in a list that runs through the page table itself: through the entry
 * of its first page, which is never present.
 */
#include "arch/riscv64/pgtable.h"
#include "arch/riscv64/sbi.h"
#include "kernel/mm/space.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/percpu.h"

#define KSTACK_ORDER 2	  /* 16 KiB */
#define KSTACK_GROUP 8U	  /* stacks mapped at a time */
#define KSTACK_CACHE 32U  /* stacks that a hart keeps */
#define KSTACK_POOL  256U /* stacks that the pool keeps */
#define KSTACK_BATCH 64U  /* given back at a time */

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
static u32 pool_count;	    /* [L:pool_lock] */
static u64 free_slot;	    /* [L:pool_lock] 1 + first slot without a stack, of those used before */
static u64 next_slot;	    /* [L:pool_lock] none from here on was ever used */
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

static u64 slot_base(u64 slot)
{
	return KSTACK_REGION + slot * KSTACK_SLOT;
}

/* 1 + the next slot in the list of those without a stack: not present to the hardware. */
static u64 *slot_link(u64 slot)
{
	u64 *table = kstack_table(slot_base(slot));

	return &table[pgtable_index(slot_base(slot), 0)];
}

/* Maps a stack into an unused slot; NULL when out of memory or slots. pool_lock held. */
static struct kstack *kstack_map(void)
{
	u64 slot = free_slot ? free_slot - 1 : next_slot;
	u64 va = slot_base(slot) + KSTACK_SLOT - KSTACK_SIZE;
	u64 *table = slot < nr_slots ? kstack_table(va) : NULL;
	void *memory = table ? page_alloc(KSTACK_ORDER, 0) : NULL;

	if (!memory)
		return NULL;
	if (free_slot) {
		free_slot = *slot_link(slot) >> 1;
		*slot_link(slot) = 0;
	} else {
		next_slot++;
	}
	mm_count(MM_KERNEL_STACK, KSTACK_SIZE / PAGE_SIZE);
	for (u64 i = 0; i < KSTACK_SIZE; i += PAGE_SIZE)
		table[pgtable_index(va + i, 0)] = pte_make(va_to_pa(memory) + i, PTE_KERNEL_RW);
	return (struct kstack *)va;
}

static void kstack_flush(void)
{
	u64 online = 0;

	fence_full();
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		if (hart_state_of(cpu_of(cpu)) != HART_OFFLINE)
			online |= BIT(cpu);
	}
	sbi_remote_sfence(online);
}

/*
 * A hart may have cached that nothing was there: the new stacks are chained (written to) after the
 * flush.
 */
static u32 kstack_map_group(struct kstack **stacks)
{
	u32 count = 0;

	spin_lock(&pool_lock);
	while (count < KSTACK_GROUP && (stacks[count] = kstack_map()))
		count++;
	spin_unlock(&pool_lock);
	if (count)
		kstack_flush();
	return count;
}

static struct kstack *kstack_from_pool(void)
{
	struct kstack *stack;

	spin_lock(&pool_lock);
	stack = pool;
	if (stack) {
		pool = stack->next;
		pool_count--;
	}
	spin_unlock(&pool_lock);
	return stack;
}

/* Takes the mapping of a stack away and returns its memory. */
static void *kstack_unmap(struct kstack *stack)
{
	u64 va = (u64)stack;
	u64 *table = kstack_table(va);
	u64 first = table[pgtable_index(va, 0)];

	for (u64 i = 0; i < KSTACK_SIZE; i += PAGE_SIZE)
		atomic_store_relaxed(&table[pgtable_index(va + i, 0)], 0UL);
	return pa_to_va(pte_pa(first));
}

/* Gives back a batch of stacks that the pool has too many of. */
static void kstack_shrink(struct kstack *stack)
{
	void *memory[KSTACK_BATCH];
	u64 slot[KSTACK_BATCH];
	u32 count = 0;

	for (struct kstack *next; stack; stack = next) {
		next = stack->next;
		slot[count] = ((u64)stack - KSTACK_REGION) / KSTACK_SLOT;
		memory[count++] = kstack_unmap(stack);
	}
	kstack_flush();
	mm_count(MM_KERNEL_STACK, -(u64)count * (KSTACK_SIZE / PAGE_SIZE));
	for (u32 i = 0; i < count; i++)
		page_free(memory[i], KSTACK_ORDER);
	spin_lock(&pool_lock);
	for (u32 i = 0; i < count; i++) {
		*slot_link(slot[i]) = free_slot << 1;
		free_slot = slot[i] + 1;
	}
	spin_unlock(&pool_lock);
}

/* The first KSTACK_BATCH stacks of a pool that is full, else NULL. pool_lock held. */
static struct kstack *kstack_surplus(void)
{
	struct kstack *first = pool, *last = pool;

	if (pool_count < KSTACK_POOL + KSTACK_BATCH)
		return NULL;
	for (u32 i = 1; i < KSTACK_BATCH; i++)
		last = last->next;
	pool = last->next;
	last->next = NULL;
	pool_count -= KSTACK_BATCH;
	return first;
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
	struct kstack *stack = memory, *surplus;

	if (likely(cache->count < KSTACK_CACHE)) {
		stack->next = cache->first;
		cache->first = stack;
		cache->count++;
		return;
	}
	spin_lock(&pool_lock);
	stack->next = pool;
	pool = stack;
	pool_count++;
	surplus = kstack_surplus();
	spin_unlock(&pool_lock);
	if (surplus)
		kstack_shrink(surplus);
}
