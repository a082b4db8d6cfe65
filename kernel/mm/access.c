/*
 * Looking into a space from outside: copies by way of the direct map, those of a debugger included, and the key of a futex word.
 */
#include "abi/errno.h"
#include "arch/riscv64/csr.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/fault.h"
#include "kernel/sync/hart.h"

#include <string.h>

/* The frame behind `addr`, with a reference, if its entry allows the access now. */
static void *access_present(struct mm *mm, u64 addr, bool write)
{
	struct pgtable_at at;
	void *page = NULL;

	epoch_enter();
	if (pgtable_find(mm, addr, &at)) {
		u64 pte;

		pgtable_lock(at.table);
		pte = *at.entry;
		/* A block may have become a table just now: then the caller's fault finds that. */
		if (pte & PTE_V && pte & (write ? PTE_W : PTE_R | PTE_X)) {
			page = pgtable_frame(&at, pte, addr);
			page_get(page);
		}
		pgtable_unlock(at.table);
	}
	epoch_exit();
	return page;
}

/* As access_present(), after a fault if need be. */
static void *access_page(struct mm *mm, u64 addr, bool write)
{
	void *page;
	int sig_code;

	while (!(page = access_present(mm, addr, write))) {
		if (mm_fault(mm, addr, write ? MM_WRITE : MM_READ, &sig_code))
			return NULL;
	}
	return page;
}

long mm_access(struct mm *mm, u64 addr, void *buf, size_t len, bool write)
{
	size_t done = 0;

	while (done < len) {
		u64 in_page = (addr + done) & (PAGE_SIZE - 1);
		size_t chunk = MIN(len - done, PAGE_SIZE - in_page);
		char *page = addr + done < USER_TOP ? access_page(mm, addr + done, write) : NULL;

		if (!page)
			break;
		if (write)
			memcpy(page + in_page, (char *)buf + done, chunk);
		else
			memcpy((char *)buf + done, page + in_page, chunk);
		page_put(page);
		done += chunk;
		hart_relax();
	}
	return done || !len ? (long)done : -EFAULT;
}

/* ---- a debugger's ---- */

/* May it look behind this entry, or store there without anybody else's seeing it? Context: the entry's lock, the epoch. */
static bool forced_allowed(struct mm *mm, const struct pgtable_at *at, u64 addr, bool write)
{
	u64 pte = *at->entry;
	bool table = (pte & PTE_V) && !(pte & (PTE_R | PTE_W | PTE_X));
	const struct vma *vma = vma_find(mm, addr);

	if (!vma || atomic_load_acquire(&vma->detached) || !pte || table || (pte & PTE_BUSY))
		return false;
	if (!write || ((pte & PTE_V) && (pte & PTE_W)))
		return true;
	return !(vma->flags & VMA_SHARED) && !pte_is_zero(pte) &&
	       atomic_load_acquire(&page_of(pgtable_frame(at, pte, addr))->refs) == 1;
}

/*
 * Within one page. The copy is made under the lock: no reference of ours makes the program's next store to the page one to a copy. False:
 * a fault comes first.
 */
static bool forced_copy(struct mm *mm, u64 addr, char *buf, size_t n, bool write)
{
	struct pgtable_at at;
	bool done = false;

	epoch_enter();
	if (pgtable_find(mm, addr, &at)) {
		pgtable_lock(at.table);
		done = forced_allowed(mm, &at, addr, write);
		if (done) {
			char *to = (char *)pgtable_frame(&at, *at.entry, addr) +
				   (addr & (PAGE_SIZE - 1));

			memcpy(write ? to : buf, write ? buf : to, n);
		}
		pgtable_unlock(at.table);
	}
	epoch_exit();
	return done;
}

static void forced_fence_i(void *arg)
{
	(void)arg;
	fence_i();
}

long mm_access_forced(struct mm *mm, u64 addr, void *buf, size_t len, bool write)
{
	size_t done = 0;

	while (done < len && addr + done < USER_TOP) {
		u64 at = addr + done;
		size_t chunk = MIN(len - done, PAGE_SIZE - (at & (PAGE_SIZE - 1)));
		int err = 0;

		while (!forced_copy(mm, at, (char *)buf + done, chunk, write) && !err)
			err = fault_forced(mm, at, write ? MM_WRITE : MM_READ);
		if (err)
			break;
		done += chunk;
		hart_relax();
	}
	if (write && done)
		hart_call(hart_all(), forced_fence_i, NULL);
	return done || !len ? (long)done : -EFAULT;
}

/* ---- futex words ---- */

static int key_of(const struct vma *vma, u64 addr, bool write, struct mm_key *key)
{
	u64 needed = write ? PROT_WRITE : PROT_READ | PROT_WRITE, index;

	if (!(vma->prot & needed))
		return -EFAULT;
	/* Linux: no key for anonymous memory that cannot be written. */
	if (!vma->object && !(vma->prot & PROT_WRITE))
		return -EFAULT;
	index = (vma->offset + (addr - vma->start)) >> PAGE_SHIFT;
	/* Beyond the end of the file there is no word. */
	if (vma->object && index << PAGE_SHIFT >= atomic_load_relaxed(&vma->object->size))
		return -EFAULT;
	key->offset = addr & (PAGE_SIZE - 1);
	if (vma->object && (vma->flags & VMA_SHARED || !(vma->prot & PROT_WRITE))) {
		key->space = vma->object->id;
		key->page = index;
	} else {
		key->space = vma->mm->id;
		key->page = ALIGN_DOWN(addr, PAGE_SIZE);
	}
	return 0;
}

int mm_futex_key(struct mm *mm, u64 addr, bool write, struct mm_key *key)
{
	struct vma *vma;
	int ret = -EFAULT;

	if (addr >= USER_TOP)
		return -EFAULT;
	epoch_enter();
	vma = vma_find(mm, addr);
	if (vma && !atomic_load_acquire(&vma->detached))
		ret = key_of(vma, addr, write, key);
	epoch_exit();
	if (ret == 0)
		return 0;
	/* Perhaps the mapping was just being replaced: nothing changes under the lock. */
	space_lock(mm);
	vma = vma_find(mm, addr);
	ret = vma ? key_of(vma, addr, write, key) : -EFAULT;
	space_unlock(mm);
	return ret;
}
