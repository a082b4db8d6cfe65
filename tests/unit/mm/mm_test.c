/*
 * kernel/mm on the host: frames, slabs, page index, and the list of mappings. Page tables are the
 * booted kernel's to test (tests/kernel/mm_ktest.c); here zapping only counts.
 */
#include "abi/errno.h"
#include "kernel/mm/buddy.h"
#include "kernel/mm/page_index.h"
#include "tests/unit/mm/arena.h"
#include "tests/unit/unit.h"

#include <sched.h>

static u64 zapped;

void zap_object_range(struct mm *mm, u64 start, u64 end, bool keep_copies)
{
	(void)mm;
	(void)keep_copies;
	zapped += end - start;
}

static void drain(void *unused)
{
	(void)unused;
	slab_drain_hart();
	page_drain_hart();
}

TEST(buddy_splits_and_merges)
{
	static struct page pages[3000];
	static struct page *taken[3000];
	struct buddy b;
	u32 count = 0;

	arena_init();
	buddy_init(&b, pages, 3000);
	buddy_add(&b, 5, 2999);
	CHECK(b.nr_free == 2994);
	CHECK(buddy_alloc(&b, BUDDY_MAX_ORDER, 0) == &pages[1024]);
	CHECK(buddy_alloc(&b, BUDDY_MAX_ORDER, 0) == NULL);
	buddy_free(&b, &pages[1024], BUDDY_MAX_ORDER);
	while ((taken[count] = buddy_alloc(&b, 0, 100)))
		count++;
	CHECK(count == 2894 && b.nr_free == 100);
	CHECK(buddy_alloc_batch(&b, &taken[count], 200, 0) == 100);
	CHECK(b.nr_free == 0);
	buddy_free_batch(&b, taken, 2994);
	CHECK(b.nr_free == 2994);
	CHECK(buddy_alloc(&b, BUDDY_MAX_ORDER, 0) == &pages[1024]);
}

TEST(buddy_blocks_never_overlap)
{
	static u8 owner[ARENA_PAGES];
	u64 before;
	struct {
		void *va;
		u32 order;
	} held[300] = {0};

	arena_init();
	drain(NULL);
	before = mm_free_pages();
	srandom(2);
	for (int round = 0; round < 50000; round++) {
		long i = random() % 300;
		u64 first;

		if (held[i].va) {
			first = (u64)(page_of(held[i].va) - page_array);
			memset(&owner[first], 0, 1UL << held[i].order);
			page_free(held[i].va, held[i].order);
			held[i].va = NULL;
			continue;
		}
		held[i].order = (u32)random() % 8;
		held[i].va = page_alloc(held[i].order, 0);
		if (!held[i].va)
			continue;
		first = (u64)(page_of(held[i].va) - page_array);
		CHECK(first % (1UL << held[i].order) == 0);
		for (u64 k = 0; k < 1UL << held[i].order; k++) {
			CHECK(!owner[first + k]);
			owner[first + k] = 1;
		}
	}
	for (int i = 0; i < 300; i++) {
		if (held[i].va)
			page_free(held[i].va, held[i].order);
	}
	drain(NULL);
	CHECK(mm_free_pages() == before);
}

TEST(a_reserve_stays_behind)
{
	static void *pages[ARENA_PAGES];
	u32 plain, all;
	u64 before;

	arena_init();
	drain(NULL);
	before = mm_free_pages();
	plain = page_alloc_batch(pages, ARENA_PAGES, 0);
	all = plain + page_alloc_batch(&pages[plain], ARENA_PAGES - plain, PAGE_RESERVE);
	CHECK(all == before && all - plain == ARENA_PAGES / 128);
	CHECK(!page_plentiful());
	for (u32 i = 0; i < all; i++)
		page_put(pages[i]);
}

#define REMOTE_OBJECTS 3000

static struct slab_cache *cache;
static void *volatile mailbox[ARENA_HARTS][REMOTE_OBJECTS];

/* Each hart allocates, marks and hands its objects to the next one, which checks and frees them. */
static void exchange(void *unused)
{
	u32 self = cpu_id(), from = (self + 1) % ARENA_HARTS;

	(void)unused;
	for (u32 i = 0; i < REMOTE_OBJECTS; i++) {
		u64 *object = slab_alloc(cache);
		u64 *other;

		CHECK(object);
		object[0] = object[5] = self * 100000 + i;
		__atomic_store_n(&mailbox[self][i], object, __ATOMIC_RELEASE);
		while (!(other = __atomic_load_n(&mailbox[from][i], __ATOMIC_ACQUIRE)))
			sched_yield();
		CHECK(other[0] == from * 100000 + i && other[5] == other[0]);
		slab_free(cache, other);
	}
}

static void count_slabs(const struct slab_cache *c, u64 nr_slabs, void *arg)
{
	if (c == cache)
		*(u64 *)arg += nr_slabs;
}

TEST(slab_objects_freed_on_other_harts)
{
	u64 slabs_left = 0;

	arena_init();
	cache = slab_create("test", 48, 0);
	host_cpus_run(exchange, NULL);
	host_cpus_run(drain, NULL);
	slab_for_each(count_slabs, &slabs_left);
	CHECK(slabs_left == 0);
}

TEST(page_index_is_sparse)
{
	struct page_index index = {0};
	static const u64 at[] = {0, 1, 63, 64, 4095, 4096, 1UL << 20, 1UL << 40, (1UL << 52) - 1};
	char frames[ARRAY_SIZE(at)];

	arena_init();
	for (u32 i = 0; i < ARRAY_SIZE(at); i++)
		CHECK(page_index_insert(&index, at[i], &frames[i]) == 0);
	for (u32 i = 0; i < ARRAY_SIZE(at); i++)
		CHECK(page_index_find(&index, at[i]) == &frames[i]);
	CHECK(!page_index_find(&index, 2) && !page_index_find(&index, 1UL << 39));
	CHECK(!page_index_find(&index, ~0UL));
}

static u32 cut_count;
static void count_cut(void *page, void *arg)
{
	(void)page;
	(void)arg;
	cut_count++;
}

TEST(page_index_cut_in_steps)
{
	struct page_index index = {0};

	arena_init();
	for (u64 i = 0; i < 1000; i++)
		CHECK(page_index_insert(&index, i * 3, &cut_count) == 0);
	cut_count = 0;
	CHECK(!page_index_cut(&index, 1500, ~0UL, 10, count_cut, NULL) && cut_count == 10);
	CHECK(page_index_cut(&index, 1500, ~0UL, 10000, count_cut, NULL) && cut_count == 500);
	CHECK(page_index_find(&index, 1497) && !page_index_find(&index, 1500));
	CHECK(page_index_insert(&index, 1500, &cut_count) == 0 && page_index_find(&index, 1500));
	CHECK(page_index_cut(&index, 0, ~0UL, ~0U, count_cut, NULL) && cut_count == 1001 &&
	      !index.root);
}

TEST(page_index_cuts_holes)
{
	struct page_index index = {0};

	arena_init();
	CHECK(page_index_next(&index, 0) == ~0UL);
	for (u64 i = 0; i < 10000; i++)
		CHECK(page_index_insert(&index, i, &cut_count) == 0);
	cut_count = 0;
	CHECK(page_index_cut(&index, 50, 8999, ~0U, count_cut, NULL) && cut_count == 8950);
	CHECK(page_index_find(&index, 49) && !page_index_find(&index, 50));
	CHECK(page_index_find(&index, 9000) && !page_index_find(&index, 8999));
	CHECK(page_index_next(&index, 49) == 49 && page_index_next(&index, 50) == 9000);
	CHECK(page_index_next(&index, 9999) == 9999 && page_index_next(&index, 10000) == ~0UL);
	CHECK(page_index_cut(&index, 60, 70, ~0U, count_cut, NULL) && cut_count == 8950);
	CHECK(page_index_cut(&index, 0, ~0UL, ~0U, count_cut, NULL) && !index.root);
}

TEST(budget_is_refused_not_a_page_too_early)
{
	struct vm_budget *b;

	arena_init();
	b = vm_budget_create(100);
	for (u32 i = 0; i < 100; i++)
		CHECK(vm_budget_charge(b) == 0 && vm_budget_used(b) == i + 1);
	CHECK(vm_budget_charge(b) == -ENOSPC && vm_budget_used(b) == 100);
	CHECK(!vm_budget_resize(b, 99) && vm_budget_resize(b, 101));
	CHECK(vm_budget_charge(b) == 0 && vm_budget_charge(b) == -ENOSPC);
	for (u32 i = 0; i < 101; i++)
		vm_budget_uncharge(b);
	CHECK(vm_budget_used(b) == 0);
	kfree(b);
}

static struct mm mm;
LOCK_CLASS(test_mm, RANK_MM);

static void mm_reset(void)
{
	arena_init();
	memset(&mm, 0, sizeof(mm));
	mutex_init(&mm.lock, &test_mm_class);
	skiplist_init(&mm.vmas);
	mm.mmap_top = mm.gap_top = 0x40000000;
}

static struct vma *add(u64 start, u64 end, u32 prot, struct vm_object *object, u64 offset)
{
	struct vma like = {.start = start, .prot = prot, .object = object, .offset = offset};
	struct vma *vma = vma_alloc(&mm, &like, start, end);

	vma_publish(vma);
	return vma;
}

static bool is(u64 addr, u64 start, u64 end, u32 prot)
{
	struct vma *vma = vma_find(&mm, addr);

	return vma && vma->start == start && vma->end == end && vma->prot == prot && !vma->detached;
}

TEST(mappings_are_carved_and_joined)
{
	struct vma *vma;

	mm_reset();
	vma = add(0x10000, 0x20000, PROT_READ, NULL, 0);
	CHECK(vma_carve(vma, 0x14000, 0x18000, &(struct vma_change){PROT_READ | PROT_WRITE, 0}) == 0);
	CHECK(vma->detached);
	vma_retire(vma);
	CHECK(is(0x10000, 0x10000, 0x14000, 1) && is(0x14000, 0x14000, 0x18000, 3) &&
	      is(0x1ffff, 0x18000, 0x20000, 1));
	vma = vma_find(&mm, 0x15000);
	CHECK(vma_carve(vma, 0, ~0UL, &(struct vma_change){PROT_READ, 0}) == 0);
	vma_retire(vma);
	vma_merge(&mm, 0x14000, 0x18000);
	CHECK(is(0x15000, 0x10000, 0x20000, 1) && mm.nr_vmas == 1 && mm.virtual_pages == 16);
	vma = vma_find(&mm, 0x15000);
	CHECK(vma_carve(vma, 0x12000, 0x13000, NULL) == 0);
	vma_retire(vma);
	CHECK(!vma_find(&mm, 0x12000) && is(0x11fff, 0x10000, 0x12000, 1) &&
	      is(0x13000, 0x13000, 0x20000, 1));
	CHECK(vma_find_above(&mm, 0x12000)->start == 0x13000 && !vma_find_above(&mm, 0x20000));
	CHECK(vma_range_free(&mm, 0x12000, 0x13000) && !vma_range_free(&mm, 0x12000, 0x13001));
	CHECK(vma_find_below(&mm, 0x13000)->start == 0x10000 && !vma_find_below(&mm, 0x10000));
}

TEST(mappings_of_an_object_join_where_offsets_meet)
{
	struct vm_object *o;

	mm_reset();
	o = vm_object_create(1 << 20);
	add(0x10000, 0x12000, 1, o, 0x5000);
	add(0x12000, 0x14000, 1, o, 0x7000);
	add(0x14000, 0x16000, 1, o, 0x7000);
	vma_merge(&mm, 0x12000, 0x14000);
	CHECK(is(0x10000, 0x10000, 0x14000, 1) && is(0x15000, 0x14000, 0x16000, 1));
	CHECK(vma_find(&mm, 0x10000)->offset == 0x5000);
	CHECK(vm_object_resize(o, 0x7000) == 0);
	CHECK(zapped == 0x2000 + 0x2000);
}

TEST(gaps_are_found_from_the_top)
{
	struct vma *vma;
	u64 a, b;

	mm_reset();
	a = vma_find_gap(&mm, 0x10000);
	CHECK(a == 0x40000000 - 0x10000);
	add(a, a + 0x10000, 1, NULL, 0);
	b = vma_find_gap(&mm, 0x4000);
	CHECK(b == a - 0x4000);
	add(b, a, 3, NULL, 0);
	CHECK(vma_find_gap(&mm, 0x10000) == b - 0x10000);
	vma = vma_find(&mm, a);
	CHECK(vma_carve(vma, a, a + 0x10000, NULL) == 0);
	vma_retire(vma);
	vma_gap_freed(&mm, a + 0x10000);
	CHECK(vma_find_gap(&mm, 0x14000) == b - 0x14000);
	CHECK(vma_find_gap(&mm, 0x10000) == a);
	CHECK(vma_find_gap(&mm, 0x40000000) == 0);
}

TEST(gaps_spare_what_leaves)
{
	struct leaving_range high = {.start = 0x3fff8000, .end = 0x3fffc000};
	struct leaving_range low = {.start = 0x3fff0000, .end = 0x3fff4000};

	mm_reset();
	leaving_init_mm(&mm);
	add(0x3ffe0000, 0x3fff0000, 1, NULL, 0);
	leaving_begin(&mm, &high);
	leaving_begin(&mm, &low);
	CHECK(leaving_overlap(&mm, 0x3fff0000, 0x40000000) != 0);
	CHECK(leaving_overlap(&mm, 0x3fffc000, 0x40000000) == 0);
	CHECK(leaving_overlap(&mm, 0x3fff4000, 0x3fff8000) == 0);
	CHECK(!vma_range_free(&mm, 0x3fffb000, 0x3fffd000) &&
	      vma_range_free(&mm, 0x3fffc000, 0x3fffd000));
	CHECK(vma_find_gap(&mm, 0x4000) == 0x3fffc000);
	/* Nothing between them is large enough. */
	CHECK(vma_find_gap(&mm, 0x5000) == 0x3ffe0000 - 0x5000);
	add(0x3fffc000, 0x40000000, 1, NULL, 0);
	CHECK(vma_find_gap(&mm, 0x4000) == 0x3fff4000);
	leaving_end(&mm, &low);
	CHECK(vma_find_gap(&mm, 0x8000) == 0x3fff0000);
	leaving_end(&mm, &high);
	CHECK(vma_find_gap(&mm, 0xc000) == 0x3fff0000);
	CHECK(vma_find_gap(&mm, 0xd000) == 0x3ffe0000 - 0xd000);
}
