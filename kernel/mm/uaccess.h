/*
 * User copies: the only way to follow a __user pointer. They use the current address space, may
 * fault and sleep (except _nofault), and return 0 or -EFAULT. Long copies pass kernel_relax() every
 * 64 KiB.
 */
#ifndef KERNEL_MM_UACCESS_H
#define KERNEL_MM_UACCESS_H

#include "lib/types.h"

int copy_from_user(void *dst, const void __user *src, size_t n);
int copy_to_user(void __user *dst, const void *src, size_t n);
int clear_user(void __user *dst, size_t n);
/*
 * Copies a NUL-terminated string of at most size - 1 bytes. Returns its length, -EFAULT, or
 * -ENAMETOOLONG.
 */
long strncpy_from_user(char *dst, const char __user *src, size_t size);

int user_load_u32(const u32 __user *p, u32 *value);
int user_load_u64(const u64 __user *p, u64 *value);
int user_store_u32(u32 __user *p, u32 value);
int user_store_u64(u64 __user *p, u64 value);

/* Under a spin lock: no fault is taken; -EFAULT means unlock, user_fault_in(), retry. */
int user_load_u32_nofault(const u32 __user *p, u32 *value);
/* *old gets what was there; the exchange happened if it equals `expect`. */
int user_cas_u32_nofault(u32 __user *p, u32 expect, u32 desired, u32 *old);
int user_fault_in(const void __user *p, bool write); /* 0 or -EFAULT; may sleep */
/* For kernel/trap: may a fault at a user address in the kernel be resolved now? */
bool uaccess_faults_allowed(void);

#endif
