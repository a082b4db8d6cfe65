/*
 * The vDSO as the kernel sees it: an image and a data page, mapped side by side into every program.
 */
#ifndef KERNEL_TASK_VDSO_H
#define KERNEL_TASK_VDSO_H

#include "lib/types.h"

struct mm;
struct process;

int vdso_init(void); /* once, when pages can be had; 0 or -ENOMEM */
/* Maps data page and image into `mm`; *base is the image's address. 0 or -errno. */
int vdso_map(struct mm *mm, u64 *base);
/* Address of the signal trampoline in `p`. */
u64 vdso_sigreturn(const struct process *p);
/* Publishes a changed time_realtime_base. */
void vdso_update_time(void);
/* The same for the time zone. */
void vdso_update_zone(s32 minutes_west, s32 dst_time);

#endif
