/*
 * System V IPC: what other folders may call. The system calls are in shm*.c, sem*.c and msg*.c, the
 * tables in table.c; docs/ipc.md lists what is supported.
 */
#ifndef KERNEL_IPC_IPC_H
#define KERNEL_IPC_IPC_H

/* Boot hart, after fs_init(): tables, /proc nodes, hooks of clone and exit. */
void ipc_init(void);

#endif
