/*
 * Start, hooks of clone and exit, and what /proc shows and sets.
 */
#include "kernel/ipc/ipc.h"

#include "kernel/fs/pseudo.h"
#include "kernel/fs/sysctl.h"
#include "kernel/ipc/ipc_internal.h"
#include "kernel/ipc/mq.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"

#define SHM_LIMIT_DEFAULT (~0UL - (1UL << 24)) /* as good as none, with room for sums */
#define NUMBER_MAX	  0x7fffffffUL

struct ipc_limits ipc_limits = {
	.shmmax = SHM_LIMIT_DEFAULT,
	.shmall = SHM_LIMIT_DEFAULT,
	.shmmni = 4096,
	.sem = {32000, 1024000000, 500, 32000},
	.msgmax = 8192,
	.msgmnb = 16384,
	.msgmni = 32000,
};

static void ipc_task_exit(struct task *t)
{
	sem_task_exit(t);
	shm_task_exit(t);
}

/* ---- /proc/sys/kernel ---- */

static int set_rmid_forced(u64 *value, const u64 *wanted, u32 nr)
{
	(void)nr;
	atomic_store_relaxed(value, *wanted);
	if (*wanted)
		shm_remove_orphans();
	return 0;
}

static int set_sem(u64 *values, const u64 *wanted, u32 nr)
{
	if (nr > SEMMNI && wanted[SEMMNI] > IPC_MAX)
		return -ERANGE;
	for (u32 i = 0; i < nr; i++)
		atomic_store_relaxed(&values[i], wanted[i]);
	return 0;
}

static u64 auto_msgmni; /* [a] has no effect any more, on Linux neither */

static const struct sysctl ipc_sysctls[] = {
	{"kernel/shmmax", 0644, 1, &ipc_limits.shmmax, .max = ~0UL},
	{"kernel/shmall", 0644, 1, &ipc_limits.shmall, .max = ~0UL},
	{"kernel/shmmni", 0644, 1, &ipc_limits.shmmni, .max = IPC_MAX},
	{"kernel/shm_rmid_forced", 0644, 1, &ipc_limits.shm_rmid_forced, .max = 1,
	 .set = set_rmid_forced},
	{"kernel/sem", 0644, ARRAY_SIZE(ipc_limits.sem), ipc_limits.sem, .max = NUMBER_MAX,
	 .set = set_sem},
	{"kernel/msgmax", 0644, 1, &ipc_limits.msgmax, .max = NUMBER_MAX},
	{"kernel/msgmnb", 0644, 1, &ipc_limits.msgmnb, .max = NUMBER_MAX},
	{"kernel/msgmni", 0644, 1, &ipc_limits.msgmni, .max = IPC_MAX},
	{"kernel/auto_msgmni", 0644, 1, &auto_msgmni, .max = 1},
	{"kernel/shm_next_id", 0644, 1, &shm_table.next_id, .is_signed = true, .max = NUMBER_MAX},
	{"kernel/sem_next_id", 0644, 1, &sem_table.next_id, .is_signed = true, .max = NUMBER_MAX},
	{"kernel/msg_next_id", 0644, 1, &msg_table.next_id, .is_signed = true, .max = NUMBER_MAX},
};

static int ipc_nodes_init(void)
{
	int err = procfs_register("sysvipc/shm", shm_show, 0);

	if (!err)
		err = procfs_register("sysvipc/sem", sem_show, 0);
	if (!err)
		err = procfs_register("sysvipc/msg", msg_show, 0);
	for (u32 i = 0; i < ARRAY_SIZE(ipc_sysctls) && !err; i++)
		err = sysctl_register(&ipc_sysctls[i]);
	return err;
}

void ipc_init(void)
{
	keyset_ops.alloc = kmalloc;
	keyset_ops.free = kfree;
	shm_init();
	sem_init();
	msg_init();
	if (ipc_nodes_init() || mq_init())
		panic("no memory for the nodes of IPC");
	task_ipc_ops.clone = sem_task_clone;
	task_ipc_ops.unshare = sem_task_exit;
	task_ipc_ops.exit = ipc_task_exit;
}
