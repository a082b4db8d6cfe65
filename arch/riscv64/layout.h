/*
 * The kernel's part of the address space (Sv39, the upper 256 GiB).
 *
 *   0xffffffc000000000  128 GiB  direct map: physical address + DIRECT_MAP_BASE; the kernel image lies in it
 *   0xffffffe000000000           kernel stacks: 32 KiB slots, lower half an unmapped guard
 *   0xffffffffc0000000           the kernel's text, writable, while kernel/mm/static_key.c changes it
 */
#ifndef ARCH_RISCV64_LAYOUT_H
#define ARCH_RISCV64_LAYOUT_H

#include "lib/types.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)

#define DIRECT_MAP_BASE 0xffffffc000000000UL
#define KSTACK_REGION	0xffffffe000000000UL
#define TEXT_ALIAS	0xffffffffc0000000UL
#define USER_TOP	0x0000004000000000UL /* first address above user space */

#define pa_to_va(pa) ((void *)((u64)(pa) + DIRECT_MAP_BASE))
#define va_to_pa(va) ((u64)(va)-DIRECT_MAP_BASE)

#define KSTACK_SLOT (32UL << 10)
#define KSTACK_SIZE (16UL << 10)

#endif
