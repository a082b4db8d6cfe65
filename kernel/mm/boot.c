/*
 * Start of memory management: which memory there is and which of it is taken, from the device tree;
 * frame structures; the kernel's final page table; the caches. Runs once on the boot hart, on the
 * early page table of arch/riscv64/boot.S.
 */
#include "kernel/log/log.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/space.h"

#include <libfdt.h>
#include <string.h>

#define MAX_RANGES 64U

/* Physical addresses, page-aligned. */
struct range {
	u64 start, end;
};

struct range_list {
	struct range ranges[MAX_RANGES];
	u32 count;
};

/* Linker script. */
extern char __kernel_start[], __kernel_end[];

static void ranges_add(struct range_list *list, u64 start, u64 end)
{
	if (start >= end)
		return;
	if (list->count == MAX_RANGES)
		panic("more than %u memory ranges", MAX_RANGES);
	list->ranges[list->count++] = (struct range){start, end};
}

/* Cuts [start, end) out of every range. */
static void ranges_cut(struct range_list *list, u64 start, u64 end)
{
	u32 count = list->count;

	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = ALIGN_UP(end, PAGE_SIZE);
	for (u32 i = 0; i < count; i++) {
		struct range *r = &list->ranges[i];
		u64 r_end = r->end;

		if (start >= r_end || end <= r->start)
			continue;
		r->end = MAX(r->start, start);
		ranges_add(list, end, r_end);
	}
}

/* Calls fn for each (address, size) of a node's reg; the cell counts are those of its parent. */
static void fdt_for_each_reg(const void *fdt, int parent, int node, struct range_list *list,
			     void (*fn)(struct range_list *list, u64 start, u64 end))
{
	int address_cells = fdt_address_cells(fdt, parent);
	int size_cells = fdt_size_cells(fdt, parent), cells = address_cells + size_cells;
	int length;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &length);

	if (!reg || address_cells < 1 || size_cells < 1)
		return;
	for (length /= 4; length >= cells; length -= cells) {
		u64 address = 0, size = 0;

		for (int i = 0; i < address_cells; i++)
			address = address << 32 | fdt32_to_cpu(*reg++);
		for (int i = 0; i < size_cells; i++)
			size = size << 32 | fdt32_to_cpu(*reg++);
		fn(list, address, address + size);
	}
}

/* What the direct map can reach. */
static void memory_add(struct range_list *list, u64 start, u64 end)
{
	u64 limit = KSTACK_REGION - DIRECT_MAP_BASE;

	ranges_add(list, ALIGN_UP(start, PAGE_SIZE), ALIGN_DOWN(MIN(end, limit), PAGE_SIZE));
}

static void memory_find(const void *fdt, struct range_list *memory)
{
	int node = -1;

	while ((node = fdt_node_offset_by_prop_value(fdt, node, "device_type", "memory", 7)) >= 0)
		fdt_for_each_reg(fdt, fdt_parent_offset(fdt, node), node, memory, memory_add);
	if (!memory->count)
		panic("no memory in the device tree");
}

/* The firmware's memory, and what the device tree keeps for others. */
static void memory_cut_reserved(const void *fdt, struct range_list *memory)
{
	int parent = fdt_path_offset(fdt, "/reserved-memory"), node;
	u64 address, size;

	for (int i = 0; i < fdt_num_mem_rsv(fdt); i++) {
		if (!fdt_get_mem_rsv(fdt, i, &address, &size))
			ranges_cut(memory, address, address + size);
	}
	if (parent < 0)
		return;
	fdt_for_each_subnode(node, fdt, parent)
		fdt_for_each_reg(fdt, parent, node, memory, ranges_cut);
}

/*
 * Frame structures for everything between the lowest and the highest byte of memory, in the largest
 * free range.
 */
static void frames_init(struct range_list *memory, u64 base, u64 end)
{
	u64 count = (end - base) >> PAGE_SHIFT;
	u64 size = ALIGN_UP(count * sizeof(struct page), PAGE_SIZE);
	struct range *largest = &memory->ranges[0];
	char *array;

	for (u32 i = 1; i < memory->count; i++) {
		struct range *r = &memory->ranges[i];

		if (r->end - r->start > largest->end - largest->start)
			largest = r;
	}
	if (largest->end - largest->start < 2 * size)
		panic("not enough memory");
	array = pa_to_va(largest->start);
	for (u64 i = 0; i < size; i += PAGE_SIZE)
		page_zero(array + i);
	largest->start += size;
	page_init(base, count, (struct page *)array);
}

void mm_early_init(const void *fdt, u64 initrd_start, u64 initrd_end)
{
	static struct range_list memory;
	u64 base = ~0UL, end = 0;

	memory_find(fdt, &memory);
	for (u32 i = 0; i < memory.count; i++) {
		base = MIN(base, memory.ranges[i].start);
		end = MAX(end, memory.ranges[i].end);
	}
	memory_cut_reserved(fdt, &memory);
	ranges_cut(&memory, va_to_pa(__kernel_start), va_to_pa(__kernel_end));
	ranges_cut(&memory, va_to_pa(fdt), va_to_pa(fdt) + fdt_totalsize(fdt));
	ranges_cut(&memory, initrd_start, initrd_end);
	frames_init(&memory, base, end);
	for (u32 i = 0; i < memory.count; i++)
		page_add_range(memory.ranges[i].start, memory.ranges[i].end);
	page_adopt_range(ALIGN_DOWN(initrd_start, PAGE_SIZE), ALIGN_UP(initrd_end, PAGE_SIZE));
	pgtable_kernel_init();
	zero_init();
	tlb_init();
	kstack_init();
	static_keys_init();
	slab_init();
	vm_object_init();
	vma_init();
	space_init();
}
