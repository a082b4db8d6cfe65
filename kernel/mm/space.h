/*
 * Address spaces: structures shared by the files of kernel/mm that work on them.
 *
 * Layout changes (mmap, munmap, mprotect, brk) are made by one writer at a time under mm->lock.
 * Faults take no lock but that of one leaf page table: they find the mapping (struct vma) under the
 * epoch. What makes that safe:
 *   1. a vma is immutable once published, but for `detached`; a change publishes replacements
 *   2. a writer sets `detached` before it touches the page-table entries, and takes each leaf lock to do so
 *   3. a fault tests `detached` under the leaf lock before it installs an entry
 * So either the fault sees `detached` and starts over, or the writer, locking later, sees the
 * entry. A fault that finds no vma looks again under mm->lock: it may have come between a removal
 * and the insertion of the replacement.
 */
#ifndef KERNEL_MM_SPACE_H
#define KERNEL_MM_SPACE_H

#include "arch/riscv64/pgtable.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/sync/mutex.h"
#include "lib/list.h"
#include "lib/skiplist.h"
#include "lib/types.h"

#define VMA_SHARED	 BIT(0) /* stores reach the object */
#define VMA_GROWSDOWN	 BIT(1) /* a stack: a fault below extends it */
#define VMA_NO_WRITE	 BIT(2) /* mprotect() may not add PROT_WRITE */
#define VMA_LOCKED	 BIT(3) /* counts for RLIMIT_MEMLOCK; nothing is ever taken away anyway */
#define VMA_DONTFORK	 BIT(4) /* the child of a fork does not get it */
#define VMA_WIPEONFORK	 BIT(5) /* the child gets it empty */
#define VMA_NORESERVE	 BIT(6) /* no promise is made of its memory */
#define VMA_HUGE	 BIT(8) /* blocks of 2 MiB are wanted */
#define VMA_NOHUGE	 BIT(9) /* or not */
#define VMA_POLICY_SHIFT 16	/* ten bits of what mbind() has said */
#define VMA_POLICY	 (0x3ffU << VMA_POLICY_SHIFT)
#define VMA_PROMISED	 BIT(7) /* its memory is promised: it may be written, or once might */

struct vma {
	struct skiplist_node node;  /* key: start */
	struct mm *mm;		    /* [I] */
	u64 start, end;		    /* [I] */
	u64 offset;		    /* [I] bytes into the object of `start` */
	struct vm_object *object;   /* [I] a reference, or NULL: anonymous */
	struct vm_backing *backing; /* [I] opened, or NULL */
	const char *name;	    /* [I] static string or NULL */
	u32 prot;		    /* [I] PROT_* */
	u32 flags;		    /* [I] VMA_* */
	u32 detached;		    /* [a] replaced, unmapped or frozen: faults wait for mm->lock */
	struct list mapping;	    /* [L:object's mappings mutex] */
	struct epoch_node free_node;
};

struct mm {
	u64 id;			    /* [I] bit 63 set */
	u64 *root;		    /* [I] root page table */
	u32 refs;		    /* [a] */
	u32 nr_tables;		    /* [a] leaf and middle page tables */
	struct mutex lock;	    /* RANK_MM */
	struct skiplist vmas;	    /* [L:lock] to change, [e] to read */
	u64 nr_vmas;		    /* [L:lock] */
	struct epoch_node *closing; /* [L:lock] retired mappings whose backing waits for the unlock */
	u64 virtual_pages;	    /* [L:lock] to change, [a] to read */
	u64 peak_virtual;	    /* [L:lock] to change, [a] to read */
	u64 peak_resident;	    /* [a] as it was when pages were last taken away */
	u64 stack_pages;	    /* [L:lock] to change, [a] to read; VMA_GROWSDOWN */
	u64 data_pages;	  /* [L:lock] to change, [a] to read; private, to be written, no stack */
	u64 locked_pages; /* [L:lock] to change, [a] to read; of VMA_LOCKED mappings */
	u64 lock_limit;	  /* [a] pages: RLIMIT_MEMLOCK when last asked */
	u32 future_flags; /* [L:lock] to change, [a] to read: VMA_LOCKED after mlockall(MCL_FUTURE) */
	u64 object_pages;	/* [a] of the resident ones, those of objects */
	u64 resident_pages;	/* [a] */
	u64 mmap_top;		/* [I] placement goes down from here */
	u64 gap_top, gap_known; /* [L:lock] gaps above gap_top are of gap_known bytes at most */
	struct {
		u64 asked;	      /* [a] flushes that somebody wanted */
		u64 served;	      /* [L:turn] how many of these are done */
		struct spinlock turn; /* RANK_TLB */
	} flush;
	struct spinlock leaving_lock; /* RANK_LEAVING */
	struct list leaving; /* [L:leaving_lock] struct leaving_range; grows under lock only */
	u32 nr_leaving;	     /* [L:leaving_lock] to change, [a] to read */
	struct thread *leaving_waiter; /* [L:leaving_lock] it holds lock */
	u64 brk_start, brk;	       /* [L:lock] */
	u64 limit_pages;	       /* [a] RLIMIT_AS */
	u64 data_limit;		       /* [a] pages: RLIMIT_DATA */
	u64 stack_bytes;	       /* [a] RLIMIT_STACK */
	struct mm *zombie_next;	       /* [L:zombies] */
	struct epoch_node free_node;
};

#define STACK_GUARD_BYTES (256 * PAGE_SIZE) /* kept free below a growing stack */
#define MMAP_MIN_ADDR	  0x10000UL
#define MAX_VMAS	  65530 /* Linux: vm.max_map_count */

struct vm_object_private {
	struct spinlock lock;	  /* RANK_OBJECT: index and nr_pages */
	struct page_index *index; /* [e] */
	u64 nr_pages;		  /* [L:lock] */
	struct vm_budget *budget; /* [I] that its pages count against, or NULL */
	u64 promised;		  /* [I] pages that it was promised */
	u64 punches;		  /* [a] how often pages were taken out of its middle */
	s64 writable;		  /* [a] shared mappings that may write; -1: there may be none */
	struct mutex mappings_lock;
	struct list mappings; /* [L:mappings_lock] struct vma */
};

/* ---- vma.c: the list of mappings ---- */
void space_lock(struct mm *mm);
/* Closes the backings of what was retired meanwhile: may sleep. */
void space_unlock(struct mm *mm);
void vma_init(void);
/* Under the epoch or mm->lock. The mapping that holds `addr`, or NULL. */
struct vma *vma_find(struct mm *mm, u64 addr);
/* The first mapping that ends above `addr`, or NULL. */
struct vma *vma_find_above(struct mm *mm, u64 addr);
/* The last mapping that starts below `addr`, or NULL. */
struct vma *vma_find_below(struct mm *mm, u64 addr);
struct vma *vma_next(const struct vma *vma);
/* From here on: mm->lock held; may sleep. */
struct vma *vma_alloc(struct mm *mm, const struct vma *like, u64 start, u64 end);
void vma_publish(struct vma *vma);
void vma_detach(struct vma *vma); /* step 2 above: then clear or change the entries, then retire */
void vma_retire(struct vma *vma); /* drops the object; the rest at space_unlock() and later */
void vma_retire_unlocked(struct vma *vma); /* the same without the lock, all at once */
/* Frees one that was never published. */
void vma_discard(struct vma *vma);
struct vma_change {
	u32 prot, flags;
};
/*
 * Replaces `vma` by what is left of it outside [start, end), and inside by a copy with protection
 * and flags of `inside`, or nothing if that is NULL. Returns 0 with `vma` detached and its
 * replacements published, or -ENOMEM with nothing changed.
 */
int vma_carve(struct vma *vma, u64 start, u64 end, const struct vma_change *inside);
/*
 * Sets and clears VMA_* flags that page tables do not show in [start, end). -ENOMEM if memory ran
 * out or part of the range is not mapped: the rest is changed all the same.
 */
int vma_change_flags(struct mm *mm, u64 start, u64 end, u32 set, u32 clear);
/*
 * Adds a mapping like `like`, from its start to its end, where none is; one with its neighbours if these are equal. 0 or
 * -ENOMEM.
 */
int vma_add(struct mm *mm, const struct vma *like);
/* Joins equal neighbours around and inside [start, end). */
void vma_merge(struct mm *mm, u64 start, u64 end);
/* Where `len` bytes are free below mmap_top, highest first; 0 if nowhere. */
u64 vma_find_gap(struct mm *mm, u64 len);
void vma_gap_freed(struct mm *mm, u64 end);
bool vma_range_free(struct mm *mm, u64 start, u64 end);

/* ---- space.c: mm->lock held ---- */
/* The address for a new mapping, with the range made free if MAP_FIXED; or -errno. */
long space_place(struct mm *mm, u64 addr, u64 len, int flags);
bool space_range_valid(u64 addr, u64 len); /* page-aligned and the program's */
/*
 * May the space get `pages` more like `vma` (protection and flags)? Limits of address space, data,
 * locked memory, promises, and the number of mappings.
 */
int space_may_grow(const struct mm *mm, u64 pages, const struct vma *vma);
bool vma_is_data(u32 prot, u32 flags);	       /* counts for RLIMIT_DATA */
bool vma_writes_object(const struct vma *vma); /* one that vm_object_hold_writable() is about */

/* ---- leaving.c: what munmap() is clearing; mm->lock held except for init and end ---- */
struct leaving_range {
	struct list link; /* mm->leaving */
	u64 start, end;	  /* [I] */
};
void leaving_init_mm(struct mm *mm); /* a new one */
/* Where such a range starts that has part of [start, end), or 0. */
u64 leaving_overlap(struct mm *mm, u64 start, u64 end);
/* Until none has. May sleep. */
void leaving_wait(struct mm *mm, u64 start, u64 end);
void leaving_begin(struct mm *mm, struct leaving_range *range);
void leaving_end(struct mm *mm, struct leaving_range *range);

/* ---- unmap.c: mm->lock held ---- */
/*
 * Takes all mappings out of [start, end); waits for others that do. 0, or -ENOMEM: a mapping could not be split, and some may be
 * gone.
 */
int space_unmap(struct mm *mm, u64 start, u64 end);

/* ---- commit.c ---- */
void commit_add(u64 pages); /* more are promised, also modulo 2^64 fewer */
int commit_may(u64 pages);  /* 0 or -ENOMEM */

/* ---- oom.c ---- */
/*
 * No page could be had for a program: waits until there is memory again. 0: try again; -EINTR: the
 * caller is to die; -ENOMEM: nobody is left to kill.
 */
int oom_wait(void);

/* ---- pgtable.c ---- */
u64 *pgtable_alloc(u32 flags); /* zeroed; NULL when out of memory */
void pgtable_free(u64 *table);
/*
 * The middle table of `addr`, made if absent and `create`; NULL if absent or out of memory. Epoch or
 * mm->lock, as for what follows.
 */
u64 *pgtable_middle(struct mm *mm, u64 addr, bool create);
/* The leaf table of `addr`, likewise. A block of 2 MiB is split, one of shared zeroes taken away. */
u64 *pgtable_leaf(struct mm *mm, u64 addr, bool create);
/* The entry that decides about `addr`: in a leaf table, or a block's in a middle one. */
struct pgtable_at {
	u64 *table; /* whose lock guards it */
	u64 *entry;
	u64 span; /* bytes that it maps */
};
/* False: neither is there. */
bool pgtable_find(struct mm *mm, u64 addr, struct pgtable_at *at);
/* The frame of `addr` by a present entry. */
void *pgtable_frame(const struct pgtable_at *at, u64 pte, u64 addr);
/*
 * The middle entry of the first leaf table or block from *addr on, below end, or NULL; *addr moves to
 * the first address that it maps of the range. Takes the lock of each middle table on its way.
 */
u64 *pgtable_next_entry(struct mm *mm, u64 *addr, u64 end, u64 **middle);
/* The same for leaf tables: blocks are split. */
u64 *pgtable_next_leaf(struct mm *mm, u64 *addr, u64 end);
u64 pgtable_bits(const struct vma *vma); /* entry bits that the mapping allows */
/* The same for a page that nobody has touched: A is left to the harts, if they set it. */
u64 pgtable_bits_untouched(const struct vma *vma);
/*
 * Clears the entry, whose lock is held, and returns it as it was then: a hart may have set A just before.
 */
u64 pgtable_take(u64 *entry);
void pgtable_lock(u64 *table);
void pgtable_unlock(u64 *table);
/*
 * Frees leaf tables in [start, end), 2 MiB aligned, that no mapping reaches: flushes, then waits
 * for a grace period. mm->lock.
 */
void pgtable_free_range(struct mm *mm, u64 start, u64 end);
bool pgtable_many(const struct mm *mm); /* more tables than are worth keeping */
int pgtable_create_root(struct mm *mm);
void pgtable_free_all(struct mm *mm);
/* Builds the kernel's own table and switches to it. Boot hart. */
void pgtable_kernel_init(void);
extern u64 *kernel_root; /* [I] */

/* ---- zero.c: what is only read so far ---- */
extern u64 zero_page_pa;  /* [I] */
extern u64 zero_block_pa; /* [a] 0: none yet */
void zero_init(void);
/* The physical address of 2 MiB of zeroes, or 0: no memory for them. */
u64 zero_block(void);
/* Does the entry, busy or without rights perhaps, lead to shared zeroes? */
static inline bool pte_is_zero(u64 pte)
{
	return pte &&
	       (pte_pa(pte) == zero_page_pa || pte_pa(pte) == atomic_load_relaxed(&zero_block_pa));
}

/* ---- huge.c: blocks of 2 MiB ---- */
enum huge_result { HUGE_NO, HUGE_DONE, HUGE_RETRY }; /* NO: the ordinary way is to be gone */
/*
 * A fault on anonymous memory that wants the entry bit `need`; touched: by an access, not ahead of one. Epoch or
 * mm->lock.
 */
enum huge_result huge_fault(const struct vma *vma, u64 addr, u64 need, bool touched);
/*
 * The leaf table in place of the block. NULL: there was none, or it was one of shared zeroes, and is gone. No spin lock
 * held.
 */
u64 *huge_split(struct mm *mm, u64 *middle, u64 *entry);
/* Takes the entry away and returns it: huge_put() is owed after a flush. 0: there was no block. */
u64 huge_take(u64 *middle, u64 *entry);
void huge_put(void *block);

/* ---- zap.c: take entries away ---- */
/*
 * Clears all entries in [start, end), flushes, drops the frames. May relax; needs no lock, but `mm`
 * must stay alive.
 */
void zap_range(struct mm *mm, u64 start, u64 end);
/* The same, for an object: leaves a program's own copies of its pages alone if keep_copies. */
void zap_object_range(struct mm *mm, u64 start, u64 end, bool keep_copies);
/* Changes the rights of present entries in [start, end) of `vma`; flushes if any shrank. */
void zap_protect(struct mm *mm, const struct vma *vma, u64 start, u64 end);

/* ---- tlb.c ---- */
/*
 * Flushes `mm` on all harts that use it. tables: page tables are about to be freed. No spin lock
 * held.
 */
void tlb_flush_mm(struct mm *mm, bool tables);
void tlb_init(void);
void tlb_init_mm(struct mm *mm);	 /* a new one */
bool tlb_mm_in_use(const struct mm *mm); /* some hart's satp still names it */
void tlb_leave(const struct mm *mm);	 /* this hart stops borrowing it */

/* ---- object.c ---- */
void vm_object_init(void);
void vm_object_link(struct vma *vma);
/* Shared anonymous memory; promised unless VMA_NORESERVE. NULL: no memory, or no such promise. */
struct vm_object *vm_object_create_promised(u64 size, u32 flags);
void vm_object_unlink(struct vma *vma);

/* ---- random.c ---- */
u64 mm_random(void);

/* ---- ids: 64-bit numbers from per-hart blocks, never reused ---- */
u64 mm_new_id(void);

void space_init(void);
void kstack_init(void);

/* ---- static_key.c ---- */
void static_keys_init(void); /* checks that every place can jump as far as it must */

#endif
