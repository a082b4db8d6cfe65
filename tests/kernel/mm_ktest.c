/*
 * kernel/mm in the booted kernel. The test thread takes on a space of its own where it plays the
 * program.
 */
#include "abi/errno.h"
#include "abi/mman.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/space.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/completion.h"
#include "tests/kernel/ktest.h"

#include <string.h>

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define BASE 0x10000000UL

static u64 all_harts(void)
{
	return nr_cpus == 64 ? ~0UL : BIT(nr_cpus) - 1;
}

static struct mm *space_enter(void)
{
	struct mm *mm = mm_create();

	thread_current()->mm = mm;
	mm_switch(mm);
	return mm;
}

static void space_leave(struct mm *mm)
{
	thread_current()->mm = NULL;
	mm_put(mm);
}

static void leave_space(void *unused)
{
	(void)unused;
	tlb_leave(mm_current());
}

/* Free frames with nothing borrowed, cached or deferred. */
static u64 settled_free_pages(void)
{
	hart_call(all_harts(), leave_space, NULL);
	mm_put(mm_create());
	for (int i = 0; i < 3; i++) {
		epoch_barrier();
		mm_drain_all();
	}
	return mm_free_pages();
}

static u32 region_count;
static int count_region(const struct mm_region *r, void *arg)
{
	(void)r;
	(void)arg;
	region_count++;
	return 0;
}

static u32 regions(struct mm *mm)
{
	region_count = 0;
	mm_for_each_region(mm, count_region, NULL);
	return region_count;
}

static bool user_reads(u64 addr, u64 expected)
{
	u64 value;

	return user_load_u64((const u64 __user *)addr, &value) == 0 && value == expected;
}

static int user_write(u64 addr, u64 value)
{
	return user_store_u64((u64 __user *)addr, value);
}

KTEST(mm, page_alloc_zeroes_and_gives_back)
{
	u64 before = settled_free_pages();

	for (u32 order = 0; order <= 10; order++) {
		u64 *p = page_alloc(order, PAGE_ZERO);

		KCHECK(p && IS_ALIGNED((u64)p, PAGE_SIZE << order));
		if (!p)
			continue;
		for (u64 i = 0; i < (PAGE_SIZE << order) / sizeof(u64); i += 64)
			KCHECK(p[i] == 0);
		memset(p, 0xff, PAGE_SIZE << order);
		page_free(p, order);
	}
	KCHECK(page_alloc(11, 0) == NULL);
	KCHECK(settled_free_pages() == before);
}

KTEST(mm, kmalloc_of_every_size)
{
	u64 before = settled_free_pages();

	for (size_t size = 0; size <= 4UL << 20; size = size * 5 / 4 + 1) {
		u8 *p = kmalloc(size), *q = kmalloc(size);

		KCHECK(p && q && p != q && IS_ALIGNED((u64)p, size >= PAGE_SIZE ? PAGE_SIZE : 16));
		if (p && q) {
			memset(p, 1, size);
			memset(q, 2, size);
			KCHECK(size == 0 || (p[0] == 1 && p[size - 1] == 1));
		}
		kfree(p);
		kfree(q);
	}
	KCHECK(settled_free_pages() == before);
}

static void *remote_objects[512];
static struct slab_cache *remote_cache;

static void free_remote_objects(void *unused)
{
	(void)unused;
	for (u32 i = cpu_id(); i < ARRAY_SIZE(remote_objects); i += nr_cpus)
		slab_free(remote_cache, remote_objects[i]);
}

KTEST(mm, slab_takes_frees_from_all_harts)
{
	u64 before;

	if (!remote_cache)
		remote_cache = slab_create("ktest", 200, 0);
	before = settled_free_pages();
	for (u32 round = 0; round < 3; round++) {
		for (u32 i = 0; i < ARRAY_SIZE(remote_objects); i++) {
			remote_objects[i] = slab_alloc(remote_cache);
			KCHECK(remote_objects[i]);
			memset(remote_objects[i], 0xa5, 200);
		}
		hart_call(all_harts(), free_remote_objects, NULL);
	}
	KCHECK(settled_free_pages() == before);
}

KTEST(mm, kernel_stacks_have_guards)
{
	void *stacks[24];

	for (u32 i = 0; i < ARRAY_SIZE(stacks); i++) {
		stacks[i] = kstack_alloc();
		KCHECK(stacks[i] && ((u64)stacks[i] & (KSTACK_SLOT - 1)) == KSTACK_SLOT - KSTACK_SIZE);
		memset(stacks[i], 0x11, KSTACK_SIZE);
	}
	for (u32 i = 0; i < ARRAY_SIZE(stacks); i++)
		kstack_free(stacks[i]);
}

KTEST(mm, anonymous_memory_is_zero_and_goes_away)
{
	u64 before = settled_free_pages();
	struct mm *mm = space_enter();
	u64 len = 300 * PAGE_SIZE;
	long addr = mm_map(mm, 0, len, RW, ANON, NULL, 0, NULL);

	KCHECK(addr > 0);
	for (u64 i = 0; i < len; i += PAGE_SIZE) {
		KCHECK(user_reads((u64)addr + i, 0));
		KCHECK(user_write((u64)addr + i, i) == 0);
	}
	for (u64 i = 0; i < len; i += PAGE_SIZE)
		KCHECK(user_reads((u64)addr + i, i));
	KCHECK(mm_resident_pages(mm) == 300 && mm_virtual_pages(mm) == 300);
	KCHECK(mm_advise(mm, (u64)addr, 100 * PAGE_SIZE, MADV_DONTNEED) == 0);
	KCHECK(mm_resident_pages(mm) == 200);
	KCHECK(user_reads((u64)addr + PAGE_SIZE, 0));
	KCHECK(mm_unmap(mm, (u64)addr, len) == 0);
	KCHECK(mm_resident_pages(mm) == 0 && mm_virtual_pages(mm) == 0);
	KCHECK(user_write((u64)addr, 1) == -EFAULT);
	space_leave(mm);
	KCHECK(settled_free_pages() == before);
}

KTEST(mm, mappings_split_and_join)
{
	struct mm *mm = space_enter();

	KCHECK(mm_map(mm, BASE, 9 * PAGE_SIZE, RW, ANON | MAP_FIXED, NULL, 0, NULL) == (long)BASE);
	KCHECK(user_write(BASE + 4 * PAGE_SIZE, 77) == 0);
	KCHECK(mm_protect(mm, BASE + 3 * PAGE_SIZE, 3 * PAGE_SIZE, PROT_READ) == 0);
	KCHECK(regions(mm) == 3);
	KCHECK(user_reads(BASE + 4 * PAGE_SIZE, 77));
	KCHECK(user_write(BASE + 4 * PAGE_SIZE, 1) == -EFAULT);
	KCHECK(user_write(BASE + 6 * PAGE_SIZE, 1) == 0);
	KCHECK(mm_protect(mm, BASE + 3 * PAGE_SIZE, 3 * PAGE_SIZE, 0) == 0);
	KCHECK(!user_reads(BASE + 4 * PAGE_SIZE, 77));
	KCHECK(mm_protect(mm, BASE + 3 * PAGE_SIZE, 3 * PAGE_SIZE, RW) == 0);
	KCHECK(regions(mm) == 1);
	KCHECK(user_reads(BASE + 4 * PAGE_SIZE, 77) && user_write(BASE + 4 * PAGE_SIZE, 78) == 0);
	KCHECK(mm_unmap(mm, BASE + PAGE_SIZE, PAGE_SIZE) == 0);
	KCHECK(regions(mm) == 2);
	KCHECK(mm_protect(mm, BASE, 9 * PAGE_SIZE, PROT_READ) == -ENOMEM);
	KCHECK(mm_map(mm, BASE, 2 * PAGE_SIZE, RW, ANON | MAP_FIXED_NOREPLACE, NULL, 0, NULL) ==
	       -EEXIST);
	KCHECK(mm_map(mm, BASE + 1, PAGE_SIZE, RW, ANON | MAP_FIXED, NULL, 0, NULL) == -EINVAL);
	KCHECK(mm_map(mm, 0, 0, RW, ANON, NULL, 0, NULL) == -EINVAL);
	KCHECK(mm_unmap(mm, BASE, ~0UL & ~(PAGE_SIZE - 1)) == -EINVAL);
	space_leave(mm);
}

KTEST(mm, placement_goes_down_and_fills_gaps)
{
	struct mm *mm = space_enter();
	u64 a = (u64)mm_map(mm, 0, 16 * PAGE_SIZE, RW, ANON, NULL, 0, "a");
	u64 b = (u64)mm_map(mm, 0, 16 * PAGE_SIZE, RW, ANON, NULL, 0, "b");
	u64 c = (u64)mm_map(mm, 0, 16 * PAGE_SIZE, RW, ANON, NULL, 0, "c");

	KCHECK(b == a - 16 * PAGE_SIZE && c == b - 16 * PAGE_SIZE);
	KCHECK(mm_unmap(mm, b, 16 * PAGE_SIZE) == 0);
	KCHECK((u64)mm_map(mm, 0, 20 * PAGE_SIZE, RW, ANON, NULL, 0, "d") == c - 20 * PAGE_SIZE);
	KCHECK((u64)mm_map(mm, 0, 16 * PAGE_SIZE, RW, ANON, NULL, 0, "e") == b);
	KCHECK(mm_map(mm, 0, USER_TOP - PAGE_SIZE, 0, ANON, NULL, 0, NULL) == -ENOMEM);
	KCHECK(mm_map(mm, 0, (mm_total_pages() + 1) * PAGE_SIZE, RW, ANON, NULL, 0, NULL) == -ENOMEM);
	mm_set_limits(mm, 100 * PAGE_SIZE, ~0UL, 1 << 20);
	KCHECK(mm_map(mm, 0, 64 * PAGE_SIZE, RW, ANON, NULL, 0, NULL) == -ENOMEM);
	space_leave(mm);
}

KTEST(mm, break_moves)
{
	struct mm *mm = space_enter();

	mm_set_brk(mm, BASE + 100);
	KCHECK(mm_brk(mm, 0) == BASE + 100);
	KCHECK(mm_brk(mm, BASE + 5 * PAGE_SIZE) == BASE + 5 * PAGE_SIZE);
	KCHECK(user_write(BASE + 5 * PAGE_SIZE - 8, 5) == 0);
	KCHECK(user_write(BASE + 5 * PAGE_SIZE, 5) == -EFAULT);
	KCHECK(mm_brk(mm, BASE + 9 * PAGE_SIZE) == BASE + 9 * PAGE_SIZE && regions(mm) == 1);
	KCHECK(mm_brk(mm, BASE + 2 * PAGE_SIZE) == BASE + 2 * PAGE_SIZE);
	KCHECK(user_write(BASE + 2 * PAGE_SIZE, 5) == -EFAULT);
	space_leave(mm);
}

KTEST(mm, objects_shared_private_and_cut)
{
	u64 before = settled_free_pages();
	struct mm *mm = space_enter();
	struct vm_object *o = vm_object_create(8 * PAGE_SIZE);
	u64 shared = (u64)mm_map(mm, 0, 8 * PAGE_SIZE, RW, MAP_SHARED, o, 0, NULL);
	u64 private = (u64)mm_map(mm, 0, 8 * PAGE_SIZE, RW, MAP_PRIVATE, o, 0, NULL);

	KCHECK(user_write(shared + PAGE_SIZE, 1) == 0);
	KCHECK(user_reads(private + PAGE_SIZE, 1));
	KCHECK(user_write(private + PAGE_SIZE, 2) == 0);
	KCHECK(user_reads(shared + PAGE_SIZE, 1) && user_reads(private + PAGE_SIZE, 2));
	KCHECK(user_write(private + 2 * PAGE_SIZE, 3) == 0 && user_reads(shared + 2 * PAGE_SIZE, 0));
	KCHECK(user_write(shared + 5 * PAGE_SIZE + 64, 4) == 0);
	KCHECK(vm_object_resize(o, 5 * PAGE_SIZE + 8) == 0);
	KCHECK(user_reads(shared + 5 * PAGE_SIZE + 64, 0));
	KCHECK(user_write(shared + 6 * PAGE_SIZE, 1) == -EFAULT);
	KCHECK(vm_object_resize(o, PAGE_SIZE) == 0 && vm_object_pages(o) <= 1);
	KCHECK(user_write(private + PAGE_SIZE, 1) == -EFAULT);
	KCHECK(vm_object_resize(o, 8 * PAGE_SIZE) == 0);
	KCHECK(user_reads(shared + PAGE_SIZE, 0) && user_reads(private + PAGE_SIZE, 0));
	vm_object_put(o);
	space_leave(mm);
	KCHECK(settled_free_pages() == before);
}

KTEST(mm, sparse_object)
{
	u64 before = settled_free_pages();
	struct vm_object *o = vm_object_create(1UL << 40);

	for (u64 i = 1; i < 1UL << 28; i *= 7) {
		char *page = vm_object_page(o, i, true);

		KCHECK(page && vm_object_page(o, i, false) == page);
		KCHECK(vm_object_page(o, i + 1, false) == NULL);
		page_put(page);
		page_put(page);
	}
	KCHECK(vm_object_pages(o) == 10);
	vm_object_resize(o, 0);
	KCHECK(vm_object_pages(o) == 0);
	vm_object_put(o);
	KCHECK(settled_free_pages() == before);
}

KTEST(mm, fork_copies_on_write)
{
	u64 before = settled_free_pages(), value;
	struct mm *parent = space_enter(), *child;
	u64 shared = (u64)mm_map(parent, 0, PAGE_SIZE, RW, MAP_SHARED, NULL, 0, NULL);

	KCHECK(mm_map(parent, BASE, 600 * PAGE_SIZE, RW, ANON | MAP_FIXED, NULL, 0, NULL) > 0);
	for (u64 i = 0; i < 600; i++)
		KCHECK(user_write(BASE + i * PAGE_SIZE, i) == 0);
	child = mm_fork(parent);
	KCHECK(child && mm_resident_pages(child) == 600 && regions(child) == 2);
	for (u64 i = 0; i < 600; i += 2)
		KCHECK(user_write(BASE + i * PAGE_SIZE, 1000) == 0);
	value = 2000;
	KCHECK(mm_access(child, BASE + PAGE_SIZE, &value, sizeof(value), true) == sizeof(value));
	KCHECK(user_reads(BASE, 1000) && user_reads(BASE + PAGE_SIZE, 1));
	KCHECK(mm_access(child, BASE + 2 * PAGE_SIZE, &value, sizeof(value), false) > 0 && value == 2);
	KCHECK(mm_access(child, BASE + PAGE_SIZE, &value, sizeof(value), false) > 0 && value == 2000);
	KCHECK(user_write(shared, 5) == 0);
	KCHECK(mm_access(child, shared, &value, sizeof(value), false) > 0 && value == 5);
	mm_put(child);
	KCHECK(user_write(BASE + 3 * PAGE_SIZE, 7) == 0 && user_reads(BASE + 3 * PAGE_SIZE, 7));
	space_leave(parent);
	KCHECK(settled_free_pages() == before);
}

KTEST(mm, remap_moves_pages_and_leaks_none)
{
	u64 before = settled_free_pages();
	struct mm *mm = space_enter();
	u64 len = 700 * PAGE_SIZE, to = BASE + (64UL << 20) + 5 * PAGE_SIZE;

	KCHECK(mm_map(mm, BASE, len, RW, ANON | MAP_FIXED, NULL, 0, NULL) == (long)BASE);
	for (u64 at = 0; at < len; at += PAGE_SIZE)
		KCHECK(user_write(BASE + at, at + 1) == 0);
	/* Over what is mapped there, growing, with rights of two kinds behind. */
	KCHECK(mm_map(mm, to, PAGE_SIZE, RW, ANON | MAP_FIXED, NULL, 0, NULL) == (long)to);
	KCHECK(user_write(to, 5) == 0);
	KCHECK(mm_remap(mm, BASE, len, 2 * len, MREMAP_MAYMOVE | MREMAP_FIXED, to) == (long)to);
	for (u64 at = 0; at < len; at += PAGE_SIZE)
		KCHECK(user_reads(to + at, at + 1));
	KCHECK(user_reads(to + len, 0));
	KCHECK(user_write(BASE, 1) == -EFAULT);
	KCHECK(mm_virtual_pages(mm) == 2 * len / PAGE_SIZE);
	/* By one page, inside one table and across. */
	KCHECK(mm_remap(mm, to, 3 * PAGE_SIZE, 3 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
			to - 3 * PAGE_SIZE) == (long)(to - 3 * PAGE_SIZE));
	KCHECK(user_reads(to - PAGE_SIZE, 2 * PAGE_SIZE + 1));
	KCHECK(user_reads(to + 3 * PAGE_SIZE, 3 * PAGE_SIZE + 1));
	space_leave(mm);
	KCHECK(settled_free_pages() == before);
}

KTEST(mm, locked_pages_are_counted_and_limited)
{
	struct mm *mm = space_enter();

	KCHECK(mm_map(mm, BASE, 16 * PAGE_SIZE, RW, ANON | MAP_FIXED, NULL, 0, NULL) == (long)BASE);
	mm_set_lock_limit(mm, 8);
	KCHECK(mm_lock(mm, BASE, 8 * PAGE_SIZE, true) == 0 && mm_locked_pages(mm) == 8);
	KCHECK(mm_lock(mm, BASE, 4 * PAGE_SIZE, true) == 0 && mm_locked_pages(mm) == 8);
	KCHECK(mm_lock(mm, BASE, 9 * PAGE_SIZE, true) == -ENOMEM);
	KCHECK(mm_map(mm, 0, PAGE_SIZE, RW, ANON | MAP_LOCKED, NULL, 0, NULL) == -EAGAIN);
	KCHECK(mm_remap(mm, BASE, 8 * PAGE_SIZE, 9 * PAGE_SIZE, MREMAP_MAYMOVE, 0) == -EAGAIN);
	KCHECK(mm_unmap(mm, BASE + 2 * PAGE_SIZE, 4 * PAGE_SIZE) == 0 && mm_locked_pages(mm) == 4);
	KCHECK(mm_lock_all(mm, true, false) == -ENOMEM);
	KCHECK(mm_lock(mm, BASE + 6 * PAGE_SIZE, 2 * PAGE_SIZE, false) == 0);
	KCHECK(mm_locked_pages(mm) == 2);
	KCHECK(mm_lock_all(mm, false, true) == 0);
	KCHECK(mm_map(mm, 0, 6 * PAGE_SIZE, RW, ANON, NULL, 0, NULL) > 0);
	KCHECK(mm_locked_pages(mm) == 8);
	KCHECK(mm_lock_all(mm, false, false) == 0 && mm_locked_pages(mm) == 0);
	space_leave(mm);
}

KTEST(mm, running_out_of_memory_fails_the_access)
{
	u64 before = settled_free_pages(), filled = 0;
	struct mm *mm = space_enter();
	u64 len = mm_total_pages() * PAGE_SIZE;
	u64 addr = (u64)mm_map(mm, 0, len, RW, ANON | MAP_NORESERVE, NULL, 0, NULL);

	while (filled < len && user_write(addr + filled, filled) == 0)
		filled += PAGE_SIZE;
	KCHECK(filled < len && filled / PAGE_SIZE > before / 2);
	KCHECK(user_reads(addr + filled - PAGE_SIZE, filled - PAGE_SIZE));
	KCHECK(mm_unmap(mm, addr, len) == 0);
	KCHECK(user_write(addr, 1) == -EFAULT);
	space_leave(mm);
	KCHECK(settled_free_pages() == before);
}

KTEST(mm, stack_grows_down_to_its_limit)
{
	struct mm *mm = space_enter();
	u64 top = BASE + (64UL << 20);

	KCHECK(mm_map(mm, top - PAGE_SIZE, PAGE_SIZE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, NULL, 0,
		      "[stack]") > 0);
	KCHECK(user_write(top - 40 * PAGE_SIZE, 9) == 0);
	KCHECK(user_write(top - (9UL << 20), 9) == -EFAULT);
	KCHECK(regions(mm) == 1);
	space_leave(mm);
}

KTEST(mm, futex_keys)
{
	struct mm *mm = space_enter();
	u64 a = (u64)mm_map(mm, 0, PAGE_SIZE, RW, MAP_SHARED, NULL, 0, NULL);
	u64 p = (u64)mm_map(mm, 0, PAGE_SIZE, RW, ANON, NULL, 0, NULL);
	struct mm_key shared, private;

	KCHECK(mm_futex_key(mm, a + 4, true, &shared) == 0 && !(shared.space & BIT(63)));
	KCHECK(shared.page == 0 && shared.offset == 4);
	KCHECK(mm_futex_key(mm, p + 8, false, &private) == 0 && private.space == mm_id(mm));
	KCHECK(private.page == p && private.offset == 8);
	KCHECK(mm_futex_key(mm, BASE, false, &private) == -EFAULT);
	KCHECK(mm_protect(mm, p, PAGE_SIZE, PROT_READ) == 0);
	KCHECK(mm_futex_key(mm, p, false, &private) == -EFAULT);
	space_leave(mm);
}

KTEST(mm, access_from_outside)
{
	struct mm *mm = mm_create();
	char text[] = "across a page boundary", copy[sizeof(text)];
	u64 at = BASE + PAGE_SIZE - 5;

	KCHECK(mm_map(mm, BASE, 2 * PAGE_SIZE, RW, ANON | MAP_FIXED, NULL, 0, NULL) > 0);
	KCHECK(mm_access(mm, at, text, sizeof(text), true) == sizeof(text));
	KCHECK(mm_access(mm, at, copy, sizeof(copy), false) == sizeof(copy));
	KCHECK(memcmp(text, copy, sizeof(text)) == 0);
	KCHECK(mm_access(mm, BASE - 8, copy, 8, false) == -EFAULT);
	mm_put(mm);
}

KTEST(mm, strings_and_words_of_users)
{
	struct mm *mm = space_enter();
	char text[32];
	u32 word, old;
	u64 at = BASE + PAGE_SIZE - 6;

	KCHECK(mm_map(mm, BASE, PAGE_SIZE, RW, ANON | MAP_FIXED, NULL, 0, NULL) > 0);
	KCHECK(user_load_u32_nofault((u32 *)BASE, &word) == -EFAULT);
	KCHECK(user_fault_in((void *)BASE, true) == 0);
	KCHECK(user_load_u32_nofault((u32 *)BASE, &word) == 0 && word == 0);
	KCHECK(user_cas_u32_nofault((u32 *)BASE, 0, 5, &old) == 0 && old == 0);
	KCHECK(user_cas_u32_nofault((u32 *)BASE, 0, 6, &old) == 0 && old == 5);
	KCHECK(copy_to_user((char *)at, "hello", 6) == 0);
	KCHECK(strncpy_from_user(text, (char *)at, sizeof(text)) == 5 && !strcmp(text, "hello"));
	KCHECK(strncpy_from_user(text, (char *)at, 5) == -ENAMETOOLONG);
	KCHECK(copy_to_user((char *)at, "hello!", 6) == 0);
	KCHECK(strncpy_from_user(text, (char *)at, sizeof(text)) == -EFAULT);
	KCHECK(user_store_u64((u64 *)(BASE + 3), 0x1122334455667788) == 0);
	KCHECK(user_load_u32((u32 *)(BASE + 3), &word) == 0 && word == 0x55667788);
	KCHECK(copy_from_user(text, (void *)(USER_TOP - 4), 8) == -EFAULT);
	KCHECK(copy_from_user(text, (void *)~0UL, 8) == -EFAULT);
	space_leave(mm);
}

static struct mm *shot_mm;
static u32 shot_readable;

static void shot_read(void *unused)
{
	u32 value;

	(void)unused;
	mm_switch(shot_mm);
	mm_flush_stale_if_asked();
	if (user_load_u32_nofault((u32 *)BASE, &value) == 0 && value == 7)
		atomic_fetch_add(&shot_readable, 1U);
}

KTEST(mm, shootdown_reaches_every_hart)
{
	u32 seven = 7;

	shot_mm = space_enter();
	for (u32 round = 0; round < 20; round++) {
		KCHECK(mm_map(shot_mm, BASE, PAGE_SIZE, RW, ANON | MAP_FIXED, NULL, 0, NULL) > 0);
		KCHECK(copy_to_user((void *)BASE, &seven, sizeof(seven)) == 0);
		shot_readable = 0;
		hart_call(all_harts(), shot_read, NULL);
		KCHECK(shot_readable == nr_cpus);
		KCHECK(mm_unmap(shot_mm, BASE, PAGE_SIZE) == 0);
		shot_readable = 0;
		hart_call(all_harts(), shot_read, NULL);
		KCHECK(shot_readable == 0);
	}
	space_leave(shot_mm);
}

struct looker {
	struct mm *mm;
	u32 gone; /* [a] */
	int before, after;
	struct completion knows, done;
};

/* Never leaves the kernel, nor relaxes, between the two accesses: nothing but the second one itself can flush. */
static void looker_thread(void *arg)
{
	struct looker *look = arg;
	u32 value;

	sched_set_affinity(thread_current(), BIT(1));
	schedule();
	mm_get(look->mm);
	thread_current()->mm = look->mm;
	mm_switch(look->mm);
	look->before = user_load_u32_nofault((u32 *)BASE, &value);
	completion_signal(&look->knows);
	while (!atomic_load_acquire(&look->gone))
		cpu_relax();
	look->after = user_load_u32_nofault((u32 *)BASE, &value);
	thread_current()->mm = NULL;
	mm_put(look->mm);
	completion_signal(&look->done);
}

/* A shootdown leaves it alone, which must not show. */
KTEST(mm, hart_in_the_kernel_flushes_before_an_access)
{
	static struct looker look;
	u32 seven = 7;

	KCHECK(sched_set_affinity(thread_current(), BIT(0)) == 0);
	for (u32 round = 0; nr_cpus > 1 && round < 20; round++) {
		look = (struct looker){.mm = space_enter()};
		completion_init(&look.knows);
		completion_init(&look.done);
		KCHECK(mm_map(look.mm, BASE, PAGE_SIZE, RW, ANON | MAP_FIXED, NULL, 0, NULL) > 0);
		KCHECK(copy_to_user((void *)BASE, &seven, sizeof(seven)) == 0);
		KCHECK(kthread_create("looker", looker_thread, &look));
		completion_wait(&look.knows);
		KCHECK(mm_unmap(look.mm, BASE, PAGE_SIZE) == 0);
		atomic_store_release(&look.gone, 1U);
		completion_wait(&look.done);
		KCHECK(look.before == 0 && look.after == -EFAULT);
		space_leave(look.mm);
	}
	KCHECK(sched_set_affinity(thread_current(), hart_all()) == 0);
}

#define CROWD	    4
#define CROWD_PAGES 512

struct crowd {
	struct mm *mm;
	struct completion done[CROWD];
	u32 next;
	u32 errors;
};

/* All touch all pages, in different orders; each adds one to every page's word of its own. */
static void crowd_member(void *arg)
{
	struct crowd *crowd = arg;
	u32 self = atomic_fetch_add(&crowd->next, 1U);

	mm_get(crowd->mm);
	thread_current()->mm = crowd->mm;
	mm_switch(crowd->mm);
	for (u32 i = 0; i < CROWD_PAGES; i++) {
		u64 page = (self & 1 ? CROWD_PAGES - 1 - i : (i + self * 128) % CROWD_PAGES);
		u64 value, at = BASE + page * PAGE_SIZE + self * sizeof(u64);

		if (user_load_u64((u64 *)at, &value) || value != page * (page % 2) ||
		    user_store_u64((u64 *)at, value + 1))
			atomic_fetch_add(&crowd->errors, 1U);
	}
	thread_current()->mm = NULL;
	mm_put(crowd->mm);
	completion_signal(&crowd->done[self]);
}

/* Half of the pages come from a private mapping with contents: reads share them, writes copy. */
KTEST(mm, harts_fault_and_copy_together)
{
	struct vm_object *o = vm_object_create(CROWD_PAGES * PAGE_SIZE);
	static struct crowd crowd;

	crowd = (struct crowd){.mm = mm_create()};
	for (u64 i = 1; i < CROWD_PAGES; i += 2) {
		u64 *page = vm_object_page(o, i, true);

		for (u32 k = 0; k < CROWD; k++)
			page[k] = i;
		page_put(page);
	}
	KCHECK(mm_map(crowd.mm, BASE, CROWD_PAGES * PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED, o, 0,
		      NULL) > 0);
	for (u32 i = 0; i < CROWD; i++)
		completion_init(&crowd.done[i]);
	for (u32 i = 0; i < CROWD; i++)
		KCHECK(kthread_create("crowd", crowd_member, &crowd));
	for (u32 i = 0; i < CROWD; i++)
		completion_wait(&crowd.done[i]);
	KCHECK(crowd.errors == 0);
	KCHECK(mm_resident_pages(crowd.mm) == CROWD_PAGES);
	for (u64 i = 0; i < CROWD_PAGES; i++) {
		u64 words[CROWD];

		KCHECK(mm_access(crowd.mm, BASE + i * PAGE_SIZE, words, sizeof(words), false) ==
		       sizeof(words));
		for (u32 k = 0; k < CROWD; k++)
			KCHECK(words[k] == i * (i % 2) + 1);
	}
	mm_put(crowd.mm);
	vm_object_put(o);
}
