/*
 * Anonymous files in memory, and seals.
 */
#ifndef KERNEL_FS_MEMFD_H
#define KERNEL_FS_MEMFD_H

#include "kernel/file/file.h"

#define MEMFD_NAME_MAX 249U

/* `name` is only shown. `seals`: F_SEAL_SEAL if none may be added. 0, -ENOMEM. */
int memfd_create(const char *name, u32 mode, u32 seals, struct file **out);
long file_get_seals(struct file *f);	       /* F_SEAL_*, or -EINVAL */
int file_add_seals(struct file *f, u32 seals); /* 0, -EPERM, -EINVAL, -EBUSY. May sleep */
/* True if a new shared mapping may never be written. */
bool file_write_sealed(struct file *f);

#endif
