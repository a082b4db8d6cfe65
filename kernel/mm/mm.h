/*
 * Memory: physical pages, slabs, objects, address spaces, faults, user copies. The public face of
 * kernel/mm.
 */
#ifndef KERNEL_MM_MM_H
#define KERNEL_MM_MM_H

#include "arch/riscv64/layout.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/percpu.h"
#include "lib/types.h"

/* ---- physical pages ---- */

#define PAGE_ZERO    BIT(0) /* zeroed */
#define PAGE_RESERVE BIT(1) /* may use the reserve, as the dying do in any case */
#define PAGE_PROGRAM BIT(2) /* for a program's memory: leaves a margin to the kernel */

/*
 * Allocates 2^order contiguous pages; returns their direct-map address or NULL. Context: any, no
 * lock above RANK_ZONE.
 */
void *page_alloc(u32 order, u32 flags);
void page_free(void *va, u32 order);
/*
 * Page reference counts for frames shared by mappings and objects. The last put frees an order-0
 * page.
 */
void page_get(void *va);
void page_put(void *va);
u64 mm_total_pages(void);
/* Physical addresses of the first byte of memory and behind the last. */
void mm_bounds(u64 *start, u64 *end);
u64 mm_free_pages(void); /* summed over harts: approximate while others run */

/* ---- what memory is used for: in pages, but for the events ---- */
enum mm_counter {
	MM_ANONYMOUS, /* private memory of programs */
	MM_OBJECT,    /* files and shared memory */
	MM_PAGE_TABLE,
	MM_KERNEL_STACK,
	MM_HUGE,      /* blocks of 2 MiB mapped as one */
	MM_FAULTS,    /* so far */
	MM_OOM_KILLS, /* so far */
	NR_MM_COUNTERS,
};
void mm_count(enum mm_counter which, u64 delta); /* delta may be negative modulo 2^64 */
u64 mm_counted(enum mm_counter which);
u64 mm_slab_pages(void);

/* ---- slabs ---- */
struct slab_cache;
struct slab_cache *slab_create(const char *name, size_t size, size_t align);
void *slab_alloc(struct slab_cache *c); /* NULL when out of memory; not zeroed */
void slab_free(struct slab_cache *c, void *obj);
/* Any size up to 4 MiB, 16-byte aligned (page aligned from 4 KiB up); NULL when out of memory. */
void *kmalloc(size_t size);
void *kzalloc(size_t size);
void kfree(void *p);

/* ---- kernel stacks (mapped once, recycled, 16 KiB with guard) ---- */
void *kstack_alloc(void); /* lowest address */
void kstack_free(void *stack);

/* ---- objects: what tmpfs files, memfd, shm and shared anonymous memory are made of ---- */
struct vm_object {
	u64 id;	  /* [I] never reused; futex keys carry it */
	u64 size; /* [a] bytes */
	u32 refs; /* [a] */
	struct vm_object_private *priv;
};
/* How many pages a file system's files may have in all, with those that they have. */
struct vm_stock {
	u64 pages; /* [a] taken by this hart, but not in use */
} __cacheline_aligned;
struct vm_budget {
	u64 limit;		 /* [a] pages */
	u64 taken;		 /* [a] */
	struct vm_stock stock[]; /* by dense cpu id */
};
struct vm_budget *vm_budget_create(u64 pages); /* NULL when out of memory; kfree() ends it */
u64 vm_budget_used(struct vm_budget *b);       /* exact when nothing changes meanwhile */
bool vm_budget_resize(struct vm_budget *b, u64 pages); /* false: more are in use */
int vm_budget_charge(struct vm_budget *b);	       /* one page: 0 or -ENOSPC */
void vm_budget_uncharge(struct vm_budget *b);

struct vm_object *vm_object_create(u64 size);
/* Its pages count against `b`, which stays as long as the object. Before the first page. */
void vm_object_set_budget(struct vm_object *o, struct vm_budget *b);
void vm_object_get(struct vm_object *o);
void vm_object_put(struct vm_object *o);
/*
 * The page at `index`, allocated and zeroed if absent (create) or NULL; carries a page reference.
 */
void *vm_object_page(struct vm_object *o, u64 index, bool create);
/* As with create, and tells why there is none: 0, -ENOMEM, or -ENOSPC from the budget. */
int vm_object_make_page(struct vm_object *o, u64 index, void **page);
/* Adopts an existing frame (initramfs pages). The object takes over the caller's page reference. */
int vm_object_adopt(struct vm_object *o, u64 index, void *page);
int vm_object_resize(struct vm_object *o, u64 size); /* truncate frees and unmaps pages beyond */
u64 vm_object_pages(struct vm_object *o);	     /* resident pages */
/* Frees and unmaps `nr` pages from `first` on: they read as zeroes again. May sleep. */
void vm_object_punch(struct vm_object *o, u64 first, u64 nr);
/* The first index from `index` on that has a page (data) or has none; ~0 if there is no such. */
u64 vm_object_next(struct vm_object *o, u64 index, bool data);
/*
 * Shared mappings that may write. hold: as one such mapping, -EPERM once they are denied. deny: for
 * good, -EBUSY while there are any.
 */
int vm_object_hold_writable(struct vm_object *o);
void vm_object_drop_writable(struct vm_object *o);
int vm_object_deny_writable(struct vm_object *o);

/* ---- what a mapping was made from, beyond its pages: an open file, a segment of System V ---- */
struct vm_backing;
struct vm_identity {
	u64 dev, ino;
	char name[64];
};
struct vm_backing_ops {
	/*
	 * A mapping of it came to be: by mmap, and also by fork, by a split, by a move. Some space
	 * is locked: may not sleep.
	 */
	void (*open)(struct vm_backing *b);
	/* A mapping is gone. No lock is held; may sleep. */
	void (*close)(struct vm_backing *b);
	/* What /proc/<pid>/maps tells of it; NULL: an open file, which kernel/fs knows. */
	void (*identify)(struct vm_backing *b, struct vm_identity *id);
};
/* Embedded in its owner, who keeps it alive between open and close. */
struct vm_backing {
	const struct vm_backing_ops *ops; /* [I] */
};

/* ---- address spaces ---- */
#define PROT_READ	    1
#define PROT_WRITE	    2
#define PROT_EXEC	    4
#define MAP_SHARED	    0x01
#define MAP_PRIVATE	    0x02
#define MAP_FIXED	    0x10
#define MAP_ANONYMOUS	    0x20
#define MAP_GROWSDOWN	    0x100
#define MAP_LOCKED	    0x2000
#define MAP_STACK	    0x20000
#define MAP_NORESERVE	    0x4000
#define MAP_FIXED_NOREPLACE 0x100000
/* Ours: mprotect() may not add PROT_WRITE (shared mapping of a file opened read-only). */
#define MAP_NO_WRITE BIT(30)

enum mm_access { MM_READ, MM_WRITE, MM_EXEC };

struct mm; /* opaque outside kernel/mm; reference counted */
struct mm *mm_create(void);
/* Places mappings where they are placed every time. Context: nothing is mapped yet. */
void mm_derandomize(struct mm *mm);
/* A copy, private memory shared until written; NULL when out of memory. May sleep. */
struct mm *mm_fork(struct mm *mm);
void mm_get(struct mm *mm);
void mm_put(struct mm *mm);	/* last put tears the space down; may sleep */
u64 mm_id(const struct mm *mm); /* 64-bit, never reused */
/* Makes it this hart's space; NULL: a kernel thread borrows the current one. */
PERCPU_DECLARE(struct mm *, satp_mm); /* [a] written by its hart; NULL: the kernel's own table */
void mm_load(struct mm *mm);
static inline void mm_switch(struct mm *mm)
{
	if (mm && mm != this_cpu(satp_mm))
		mm_load(mm);
}
/* The space that this hart's satp names, also when borrowed; NULL: the kernel's own. */
struct mm *mm_current(void);
/*
 * `addr` and `len` page-aligned. obj NULL = anonymous. Returns the address or -errno. Takes its own
 * reference on obj. name: for maps ("[stack]"), may be NULL, static string.
 */
long mm_map(struct mm *mm, u64 addr, u64 len, int prot, int flags, struct vm_object *obj,
	    u64 offset, const char *name);
/* The same for what has a backing: its open() is called once for each mapping that exists. */
long mm_map_backed(struct mm *mm, u64 addr, u64 len, int prot, int flags, struct vm_object *obj,
		   u64 offset, struct vm_backing *backing);
int mm_unmap(struct mm *mm, u64 addr, u64 len);
/*
 * shmdt(2): unmaps what is left of the object that was mapped from its start to `addr`, with a
 * backing of these ops. 0, or -EINVAL if nothing is.
 */
int mm_unmap_backed(struct mm *mm, u64 addr, const struct vm_backing_ops *ops);
int mm_protect(struct mm *mm, u64 addr, u64 len, int prot);
u64 mm_brk(struct mm *mm, u64 addr);	   /* returns the new (or unchanged) break */
void mm_set_brk(struct mm *mm, u64 start); /* exec: where the heap begins */
u64 mm_resident_pages(struct mm *mm);
u64 mm_peak_resident_pages(struct mm *mm); /* the most that it ever had */
u64 mm_table_pages(struct mm *mm);	   /* page tables */
u64 mm_virtual_pages(struct mm *mm);
/*
 * mremap(2). Lengths in bytes, flags MREMAP_*. The address, or -EFAULT (not one mapping), -EINVAL,
 * -ENOMEM, -EAGAIN (locked memory). May sleep.
 */
long mm_remap(struct mm *mm, u64 addr, u64 old_len, u64 new_len, u32 flags, u64 new_addr);
/*
 * madvise(2) but for MADV_POPULATE_*; `addr` and `len` page-aligned, inside the program's half. 0,
 * -ENOMEM if part is not mapped, -EINVAL. May sleep.
 */
int mm_advise(struct mm *mm, u64 addr, u64 len, int advice);
/*
 * Faults in what is absent of [addr, addr + len), for this access. As mm_fault(); stops at the first
 * address that fails.
 */
int mm_fault_range(struct mm *mm, u64 addr, u64 len, enum mm_access access, int *sig_code);
/* Faults pages in as their mappings allow: 0, -EFAULT at a hole or a page without rights, -ENOMEM. */
int mm_populate(struct mm *mm, u64 addr, u64 len);
/*
 * mbind(2): keeps the ten bits of `policy` with what is mapped in the range. 0, -ENOMEM, or -EFAULT: nothing is mapped there, or,
 * unless `holes`, not all is. May sleep.
 */
int mm_set_policy(struct mm *mm, u64 addr, u64 len, u32 policy, bool holes);
/* What was kept with the mapping at *at, which moves behind it, or the first behind that; false: none begins below `end`. */
bool mm_next_policy(struct mm *mm, u64 *at, u64 end, u32 *policy);
/* mincore(2): vec[i] = 1 if page i is resident. 0, or -ENOMEM if part is not mapped. */
int mm_mincore(struct mm *mm, u64 addr, u64 pages, u8 *vec);
/* msync(2): all memory is the file's own, so the arguments are all there is to check. */
int mm_sync(struct mm *mm, u64 addr, u64 len, bool invalidate);

/* ---- locked memory: it is counted and limited; nothing is ever swapped out ---- */
void mm_set_lock_limit(struct mm *mm, u64 pages);
u64 mm_locked_pages(struct mm *mm);
bool mm_locks_future(struct mm *mm); /* mlockall(MCL_FUTURE): populate what is mapped */
/* mlock(2) without populating. 0, or -ENOMEM: over the limit, or not mapped throughout. */
int mm_lock(struct mm *mm, u64 addr, u64 len, bool lock);
/* mlockall(2), munlockall(2): what is mapped now, and what will be. */
int mm_lock_all(struct mm *mm, bool current, bool future);

/*
 * Resolves a fault at `addr`. 0, or -EFAULT with *sig_code = SEGV_MAPERR or SEGV_ACCERR, -ENOMEM,
 * or -EIO (SIGBUS) past the end of an object or without space on its file system, -EINTR: the caller is to die. May sleep; no spin lock
 * held.
 */
int mm_fault(struct mm *mm, u64 addr, enum mm_access access, int *sig_code);

/*
 * Where a futex word lives: for a shared mapping or a read-only private object mapping object id +
 * page index, else the space's id + address. No reference is held. 0 or -EFAULT.
 */
struct mm_key {
	u64 space; /* object id (bit 63 clear) or mm id (bit 63 set) */
	u64 page;  /* page index or page address */
	u32 offset;
};
int mm_futex_key(struct mm *mm, u64 addr, bool write, struct mm_key *key);

/* ---- looking at a space ---- */
struct mm_region {
	u64 start, end;
	u64 offset;		    /* bytes into the object */
	struct vm_object *object;   /* NULL: anonymous */
	struct vm_backing *backing; /* or NULL */
	const char *name;	    /* or NULL */
	int prot;		    /* PROT_* */
	bool shared, grows_down, locked;
};
/* In pages. */
struct mm_stats {
	u64 virtual, resident, peak_virtual, peak_resident;
	u64 object; /* of the resident ones: of files and shared memory */
	u64 locked, data, stack, tables;
};
void mm_stats(struct mm *mm, struct mm_stats *out);
struct mm_usage {
	u64 resident; /* pages; of them: */
	u64 object;   /* of files and shared memory */
	u64 shared_clean, shared_dirty, private_clean, private_dirty;
	u64 huge;	 /* blocks of 2 MiB */
	u64 share_bytes; /* each page divided by the mappings that it has; of them: */
	u64 dirty_share_bytes, object_share_bytes;
};
/* Adds up what is present in [start, end). May relax: no spin lock. */
void mm_region_usage(struct mm *mm, u64 start, u64 end, struct mm_usage *u);
struct mm_page {
	u64 frame;	/* its number, 0: there is none */
	bool present;	/* zeroes that are shared are present, and neither of the two */
	bool object;	/* of a file or shared memory */
	bool zero;	/* of the shared zeroes */
	bool exclusive; /* no other mapping has it */
};
/* What is at the `nr` pages from `addr` on now. Context: any but under a leaf lock. */
void mm_look(struct mm *mm, u64 addr, u64 nr, struct mm_page *out);
/*
 * Calls fn for each mapping in order of address until it returns nonzero, and returns that. fn may
 * not touch user memory.
 */
int mm_for_each_region(struct mm *mm, int (*fn)(const struct mm_region *r, void *arg), void *arg);
/*
 * Copies between kernel memory and any space, also one that no hart runs. Bytes copied, or -EFAULT
 * if none. May sleep.
 */
long mm_access(struct mm *mm, u64 addr, void *buf, size_t len, bool write);
/*
 * The same for who debugs the program: whatever the mapping's rights, but a store does not reach a shared object through a mapping that
 * may not write. Code that was stored to is seen by all harts.
 */
long mm_access_forced(struct mm *mm, u64 addr, void *buf, size_t len, bool write);
/* RLIMIT_AS, RLIMIT_DATA and RLIMIT_STACK in bytes; ~0UL: none. */
void mm_set_limits(struct mm *mm, u64 as_bytes, u64 data_bytes, u64 stack_bytes);

/* ---- promises of memory: vm.overcommit_memory and its like ---- */
#define OVERCOMMIT_HEURISTIC 0UL
#define OVERCOMMIT_ALWAYS    1UL
#define OVERCOMMIT_NEVER     2UL
extern u64 mm_overcommit_policy; /* [a] */
extern u64 mm_overcommit_ratio;	 /* [a] percent */
extern u64 mm_max_map_count;	 /* [I] mappings of one space */
u64 mm_committed_pages(void);
u64 mm_commit_limit(void); /* pages */

/* ---- out of memory: filled by kernel/task ---- */
struct mm_oom_ops {
	/* The running thread is on its way out: it may use the reserve. Context: any. */
	bool (*dying)(void);
	/*
	 * Sends the process with the most memory to its death. False: there is none. patient: not
	 * if one is dying already.
	 */
	bool (*kill)(bool patient);
};
extern struct mm_oom_ops mm_oom_ops;

/* ---- huge pages: when private memory gets blocks of 2 MiB ---- */
#define MM_HUGE_ALWAYS	0UL
#define MM_HUGE_MADVISE 1UL /* where MADV_HUGEPAGE was said */
#define MM_HUGE_NEVER	2UL
extern u64 mm_huge_policy; /* [a] */

/* ---- reclaim ---- */
/*
 * Makes every hart give back cached pages and slabs; deferred frees are left to epoch_barrier().
 * May sleep.
 */
void mm_drain_all(void);

/* ---- translation caches: for kernel/sched ---- */
void mm_flush_stale(void); /* answers HART_WORK_TLB */
void mm_flush_asked(void); /* as mm_flush_stale(), and takes HART_WORK_TLB back: out of the order of the other work */
void mm_flush_stale_if_asked(
	void); /* on the way out of idle, halted or polling, in state KERNEL, before any other thread runs */

/* ---- boot ---- */
/*
 * Boot hart: frames, direct map, caches. The initrd's addresses are physical (0, 0: none); its
 * frames start with one reference each, for vm_object_adopt() or page_put().
 */
void mm_early_init(const void *fdt, u64 initrd_start, u64 initrd_end);
/* Boot hart, before the first program: harts set the accessed bit of an entry themselves (Svadu). */
void mm_harts_set_accessed(void);
void mm_hart_init(void); /* every hart: the kernel's page table */

#endif
