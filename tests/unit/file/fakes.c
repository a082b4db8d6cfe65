/*
 * What kernel/file and kernel/fs need from the layers below, for the host: memory from malloc,
 * user memory that is the test's own below a limit, a clock that counts, no leases, and objects with a plain
 * array of pages.
 */
#include <stdlib.h>
#include <string.h>

#include "abi/errno.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/leases.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/time/time.h"
#include "tests/unit/file/fakes.h"

#define OBJECT_PAGES 64

u64 fake_user_limit = ~0UL;

void *kmalloc(size_t size)
{
	return malloc(size);
}

void *kzalloc(size_t size)
{
	return calloc(1, size);
}

void kfree(void *p)
{
	free(p);
}

/* A test that counts pages has its own. */
__attribute__((weak)) void page_put(void *page)
{
	(void)page;
}

/*
 * An address at or above the limit faults; a copy that reaches it fails whole, as copy_from_user
 * does.
 */
static int user_check(u64 addr, size_t n)
{
	return addr + n > fake_user_limit ? -EFAULT : 0;
}

int copy_from_user(void *dst, const void __user *src, size_t n)
{
	if (user_check((u64)(uintptr_t)src, n))
		return -EFAULT;
	memcpy(dst, src, n);
	return 0;
}

int copy_to_user(void __user *dst, const void *src, size_t n)
{
	if (user_check((u64)(uintptr_t)dst, n))
		return -EFAULT;
	memcpy(dst, src, n);
	return 0;
}

int clear_user(void __user *dst, size_t n)
{
	if (user_check((u64)(uintptr_t)dst, n))
		return -EFAULT;
	memset(dst, 0, n);
	return 0;
}

u64 time_realtime_ns(void)
{
	static u64 now;

	return __atomic_add_fetch(&now, 1, __ATOMIC_RELAXED);
}

/* Nobody has a lease. */
int lease_break(struct inode *inode, u32 flags)
{
	(void)inode;
	(void)flags;
	return 0;
}

void lease_count_open(struct inode *inode, u32 flags)
{
	(void)inode;
	(void)flags;
}

void lease_uncount_open(struct inode *inode, u32 flags)
{
	(void)inode;
	(void)flags;
}

void lease_file_closed(struct file *f)
{
	(void)f;
}

struct vm_object_private {
	void *pages[OBJECT_PAGES];
};

struct vm_object *vm_object_create(u64 size)
{
	struct vm_object *o = calloc(1, sizeof(*o));

	o->size = size;
	o->refs = 1;
	o->priv = calloc(1, sizeof(*o->priv));
	return o;
}

void vm_object_get(struct vm_object *o)
{
	__atomic_add_fetch(&o->refs, 1, __ATOMIC_RELAXED);
}

void vm_object_put(struct vm_object *o)
{
	if (__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (int i = 0; i < OBJECT_PAGES; i++)
		free(o->priv->pages[i]);
	free(o->priv);
	free(o);
}

void *vm_object_page(struct vm_object *o, u64 index, bool create)
{
	if (index >= OBJECT_PAGES)
		return NULL;
	if (!o->priv->pages[index] && create)
		o->priv->pages[index] = calloc(1, PAGE_SIZE);
	return o->priv->pages[index];
}

int vm_object_make_page(struct vm_object *o, u64 index, void **page)
{
	*page = vm_object_page(o, index, true);
	return *page ? 0 : -ENOMEM;
}

void vm_object_set_budget(struct vm_object *o, struct vm_budget *b)
{
	(void)o;
	(void)b;
}

struct vm_budget *vm_budget_create(u64 pages)
{
	struct vm_budget *b = calloc(1, sizeof(*b));

	b->limit = pages;
	return b;
}

int vm_object_resize(struct vm_object *o, u64 size)
{
	for (u64 i = 0; i < OBJECT_PAGES; i++) {
		u64 start = i * PAGE_SIZE, keep = size > start ? size - start : 0;

		if (o->priv->pages[i] && keep < PAGE_SIZE)
			memset((char *)o->priv->pages[i] + keep, 0, PAGE_SIZE - keep);
	}
	o->size = size;
	return 0;
}

u64 vm_object_pages(struct vm_object *o)
{
	u64 n = 0;

	for (int i = 0; i < OBJECT_PAGES; i++)
		n += o->priv->pages[i] != NULL;
	return n;
}

void special_bind(struct inode *inode)
{
	inode->fops = &dir_file_ops;
}

void vm_object_punch(struct vm_object *o, u64 first, u64 nr)
{
	for (u64 i = first; i < first + nr && i < OBJECT_PAGES; i++)
		o->priv->pages[i] = NULL;
}

u64 vm_object_next(struct vm_object *o, u64 index, bool data)
{
	while (index < OBJECT_PAGES && (o->priv->pages[index] != NULL) != data)
		index++;
	return index < OBJECT_PAGES ? index : ~0UL;
}

u32 fs_nr_watches;

void fs_notify_slow(struct dentry *d, u32 mask)
{
	(void)d;
	(void)mask;
}

void fs_notify_self_slow(struct inode *inode, u32 mask)
{
	(void)inode;
	(void)mask;
}

void fs_notify_name_slow(struct inode *dir, u32 mask, const struct inode *inode, const char *name,
			 u32 cookie)
{
	(void)dir;
	(void)mask;
	(void)inode;
	(void)name;
	(void)cookie;
}

u32 fs_notify_cookie(void)
{
	return 0;
}
