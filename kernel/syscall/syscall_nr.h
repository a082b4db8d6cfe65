/*
 * For C and assembly. Size of the system-call table: one above the highest number that Linux 6.12
 * has on riscv64.
 */
#ifndef KERNEL_SYSCALL_SYSCALL_NR_H
#define KERNEL_SYSCALL_SYSCALL_NR_H

#define SYSCALL_TABLE_SIZE 463

#endif
