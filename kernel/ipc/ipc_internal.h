/*
 * Private to kernel/ipc: what its files know of each other beyond the tables.
 */
#ifndef KERNEL_IPC_IPC_INTERNAL_H
#define KERNEL_IPC_IPC_INTERNAL_H

#include "kernel/ipc/table.h"

struct seq;
struct task;

/* Sysctls of /proc/sys/kernel, all [a]. */
struct ipc_limits {
	u64 shmmax, shmall; /* bytes of one segment, pages of all */
	u64 shmmni, shm_rmid_forced;
	u64 sem[4]; /* by the names below */
	u64 msgmax, msgmnb, msgmni;
};
enum { SEMMSL, SEMMNS, SEMOPM, SEMMNI }; /* of one set, of all, operations of a call, sets */
extern struct ipc_limits ipc_limits;

extern struct ipc_table shm_table, sem_table, msg_table;

void shm_init(void);
void sem_init(void);
void msg_init(void);

/* ---- lines of /proc/sysvipc, headline first ---- */
int shm_show(struct seq *s, u64 key);
int sem_show(struct seq *s, u64 key);
int msg_show(struct seq *s, u64 key);

/* ---- exit and clone ---- */
/* The task's segments have no creator any more; without attaches and with shm_rmid_forced they go. */
void shm_task_exit(struct task *t);
/* kernel.shm_rmid_forced was switched on: segments that nobody has attached or created go. */
void shm_remove_orphans(void);
/* CLONE_SYSVSEM: the child shares the undo list. 0 or -ENOMEM. */
int sem_task_clone(struct task *child, u64 flags);
/* The last task with the list: its adjustments are made. */
void sem_task_exit(struct task *t);

#endif
