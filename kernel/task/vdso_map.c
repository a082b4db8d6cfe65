#include "kernel/task/vdso.h"

#include "abi/elf.h"
#include "abi/errno.h"
#include "abi/mman.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"
#include "kernel/task/vdso/vdso_data.h"
#include "kernel/time/time.h"

#include <string.h>

static_assert(VDSO_DATA_SIZE == PAGE_SIZE, "the image addresses the data page behind itself");

/* Made by kernel/task/vdso/embed.py. */
extern const unsigned char vdso_image[];
extern const unsigned long vdso_image_size;

static struct vm_object *data_object;
static struct vm_object *image_object;
static struct vdso_data *data; /* the kernel's own view of the data page */

static int copy_image(void)
{
	u64 offset;

	for (offset = 0; offset < vdso_image_size; offset += PAGE_SIZE) {
		void *page = vm_object_page(image_object, offset / PAGE_SIZE, true);

		if (!page)
			return -ENOMEM;
		memcpy(page, vdso_image + offset, MIN(PAGE_SIZE, vdso_image_size - offset));
		page_put(page);
	}
	return 0;
}

/* One tick in nanoseconds as a reduced fraction, as kernel/time computes it. */
static void set_tick(struct vdso_data *d)
{
	u64 a = NSEC_PER_SEC, b = time_freq;

	while (b) {
		u64 rest = a % b;

		a = b;
		b = rest;
	}
	d->ns_numerator = NSEC_PER_SEC / a;
	d->ns_denominator = time_freq / a;
}

int vdso_init(void)
{
	data_object = vm_object_create(PAGE_SIZE);
	image_object = vm_object_create(ALIGN_UP(vdso_image_size, PAGE_SIZE));
	if (!data_object || !image_object || copy_image())
		return -ENOMEM;
	/* This page reference is never given back: the kernel writes here as long as it runs. */
	data = vm_object_page(data_object, 0, true);
	if (!data)
		return -ENOMEM;
	set_tick(data);
	vdso_update_time();
	return 0;
}

void vdso_update_time(void)
{
	atomic_store_relaxed(&data->realtime_base, atomic_load_relaxed(&time_realtime_base));
}

void vdso_update_zone(s32 minutes_west, s32 dst_time)
{
	atomic_store_relaxed(&data->minutes_west, minutes_west);
	atomic_store_relaxed(&data->dst_time, dst_time);
}

int vdso_map(struct mm *mm, u64 *base)
{
	u64 size = ALIGN_UP(vdso_image_size, PAGE_SIZE);
	long addr = mm_map(mm, 0, PAGE_SIZE + size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0,
			   NULL);

	if (addr < 0)
		return (int)addr;
	*base = (u64)addr + PAGE_SIZE;
	addr = mm_map(mm, (u64)addr, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, data_object, 0,
		      "[vvar]");
	if (addr < 0)
		return (int)addr;
	addr = mm_map(mm, *base, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, image_object,
		      0, "[vdso]");
	return addr < 0 ? (int)addr : 0;
}

u64 vdso_sigreturn(const struct process *p)
{
	/* vdso.lds makes the trampoline the image's entry point. */
	return p->layout.vdso + ((const struct elf64_ehdr *)vdso_image)->e_entry;
}
