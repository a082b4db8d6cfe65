/*
 * System V IPC: shared memory, semaphores, message queues.
 */
#ifndef ABI_IPC_H
#define ABI_IPC_H

#include "lib/types.h"

#define IPC_PRIVATE 0

#define IPC_CREAT  01000
#define IPC_EXCL   02000
#define IPC_NOWAIT 04000

#define IPC_RMID 0
#define IPC_SET	 1
#define IPC_STAT 2
#define IPC_INFO 3

struct abi_ipc_perm {
	s32 key;
	u32 uid, gid, cuid, cgid;
	u32 mode;
	u16 seq;
	u16 pad;
	u64 reserved[2];
};
static_assert(sizeof(struct abi_ipc_perm) == 48, "struct ipc64_perm");

/* ---- shared memory ---- */

#define SHM_RDONLY 010000 /* shmat */
#define SHM_RND	   020000
#define SHM_REMAP  040000
#define SHM_EXEC   0100000

#define SHM_HUGETLB	   04000 /* shmget */
#define SHM_NORESERVE	   010000
#define ABI_SHM_HUGE_SHIFT 26 /* from here on: log2 of the size of a huge page */
#define ABI_SHM_HUGE_MASK  0x3f

#define SHM_DEST   01000 /* shm_perm.mode */
#define SHM_LOCKED 02000

#define SHM_LOCK     11
#define SHM_UNLOCK   12
#define SHM_STAT     13
#define SHM_INFO     14
#define SHM_STAT_ANY 15

struct abi_shmid_ds {
	struct abi_ipc_perm perm;
	u64 segsz;
	s64 atime, dtime, ctime;
	s32 cpid, lpid;
	u64 nattch;
	u64 reserved[2];
};
static_assert(sizeof(struct abi_shmid_ds) == 112, "struct shmid64_ds");

struct abi_shminfo {
	u64 shmmax, shmmin, shmmni, shmseg, shmall;
	u64 reserved[4];
};
static_assert(sizeof(struct abi_shminfo) == 72, "struct shminfo64");

struct abi_shm_info {
	s32 used_ids;
	s32 pad;
	u64 tot, rss, swp;
	u64 swap_attempts, swap_successes;
};
static_assert(sizeof(struct abi_shm_info) == 48, "struct shm_info");

/* ---- semaphores ---- */

#define SEM_UNDO 0x1000

#define GETPID	     11
#define GETVAL	     12
#define GETALL	     13
#define GETNCNT	     14
#define GETZCNT	     15
#define SETVAL	     16
#define SETALL	     17
#define SEM_STAT     18
#define SEM_INFO     19
#define SEM_STAT_ANY 20

struct abi_sembuf {
	u16 num;
	s16 op;
	s16 flags;
};
static_assert(sizeof(struct abi_sembuf) == 6, "struct sembuf");

struct abi_semid_ds {
	struct abi_ipc_perm perm;
	s64 otime, ctime;
	u64 nsems;
	u64 reserved[2];
};
static_assert(sizeof(struct abi_semid_ds) == 88, "struct semid64_ds");

struct abi_seminfo {
	s32 semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx, semaem;
};
static_assert(sizeof(struct abi_seminfo) == 40, "struct seminfo");

/* ---- message queues ---- */

#define MSG_NOERROR 010000
#define MSG_EXCEPT  020000
#define MSG_COPY    040000

#define MSG_STAT     11
#define MSG_INFO     12
#define MSG_STAT_ANY 13

struct abi_msqid_ds {
	struct abi_ipc_perm perm;
	s64 stime, rtime, ctime;
	u64 cbytes, qnum, qbytes;
	s32 lspid, lrpid;
	u64 reserved[2];
};
static_assert(sizeof(struct abi_msqid_ds) == 120, "struct msqid64_ds");

struct abi_msginfo {
	s32 msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql;
	u16 msgseg;
};
static_assert(sizeof(struct abi_msginfo) == 32, "struct msginfo");

#endif
