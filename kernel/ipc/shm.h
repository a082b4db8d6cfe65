/*
 * Private to kernel/ipc: a segment of shared memory.
 */
#ifndef KERNEL_IPC_SHM_H
#define KERNEL_IPC_SHM_H

#include "kernel/ipc/ipc_internal.h"
#include "kernel/mm/mm.h"

struct shm_segment {
	struct ipc_object base;
	struct vm_backing backing; /* mappings open and close it */
	struct vm_object *object;  /* [I] a reference */
	u64 size;		   /* [I] bytes as asked for */
	u64 nattch;		   /* [S] mappings, and attaches under way */
	u64 atime, dtime;	   /* [S] */
	u32 cpid, lpid;		   /* [I], [S] */
	u32 creator;		   /* [L] thread that made it and still lives, or 0 */
	u32 locker; /* [L] user whose RLIMIT_MEMLOCK it counts for, while mode has SHM_LOCKED */
};

static inline struct shm_segment *shm_of(struct ipc_object *o)
{
	return container_of(o, struct shm_segment, base);
}

static inline u64 shm_pages(const struct shm_segment *s)
{
	return ALIGN_UP(s->size, PAGE_SIZE) >> PAGE_SHIFT;
}

/* Takes it off the table and frees it. Context: `removed` was set by the caller; may sleep. */
void shm_destroy(struct shm_segment *s);

#endif
