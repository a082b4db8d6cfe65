/*
 * Numbers of processes and threads, random numbers, and the system-call table, inside the kernel.
 */
#include "tests/kernel/ktest.h"

#include "abi/errno.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/mm.h"
#include "kernel/random/random.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/epoch.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/pid.h"
#include "kernel/task/task.h"

#include <string.h>

#define NR_PIDS 2000

static struct task fake_task; /* a bearer of numbers; nobody looks into it */

static bool take_pids(u32 *pids, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (pid_alloc(&fake_task, NULL, &pids[i]))
			return false;
	return true;
}

static void give_pids(const u32 *pids, u32 n)
{
	for (u32 i = 0; i < n; i++)
		pid_clear_task(pids[i], &fake_task);
}

KTEST(task, pids_are_found_and_not_reused_early)
{
	u32 *first = kmalloc(NR_PIDS * sizeof(u32)), *second = kmalloc(NR_PIDS * sizeof(u32));
	bool reused = false;

	if (!KCHECK(first && second && take_pids(first, NR_PIDS)))
		return;
	for (u32 i = 0; i < NR_PIDS; i++)
		KCHECK(task_find(first[i]) == &fake_task);
	give_pids(first, NR_PIDS);
	KCHECK(task_find(first[0]) == NULL);
	KCHECK(take_pids(second, NR_PIDS));
	for (u32 i = 0; i < NR_PIDS; i++)
		for (u32 j = 0; j < NR_PIDS; j++)
			reused |= first[i] == second[j];
	KCHECK(!reused);
	give_pids(second, NR_PIDS);
	kfree(first);
	kfree(second);
}

KTEST(task, pid_of_a_group_stays_taken)
{
	u32 pid, other;
	struct pid_slot *slot;

	if (!KCHECK(pid_alloc(&fake_task, NULL, &pid) == 0))
		return;
	pid_group_get(pid, pid);
	pid_clear_task(pid, &fake_task);
	slot = pid_slot(pid);
	KCHECK(slot && slot->groups == 1 && slot->sessions == 1);
	for (u32 i = 0; i < 2 * PID_BLOCK; i++) {
		KCHECK(pid_alloc(&fake_task, NULL, &other) == 0);
		KCHECK(other != pid);
		pid_clear_task(other, &fake_task);
	}
	pid_group_put(pid, pid);
	KCHECK(slot->groups == 0 && slot->sessions == 0);
	KCHECK(pid_slot(PID_MAX) == NULL && pid_slot(~0U) == NULL);
}

static u32 wrong_pids; /* [a] */

static void take_and_give(void *arg)
{
	u32 pids[64];

	(void)arg;
	if (!take_pids(pids, ARRAY_SIZE(pids)))
		atomic_fetch_add(&wrong_pids, 1);
	for (u32 i = 0; i < ARRAY_SIZE(pids); i++)
		for (u32 j = 0; j < i; j++)
			if (pids[i] == pids[j])
				atomic_fetch_add(&wrong_pids, 1);
	give_pids(pids, ARRAY_SIZE(pids));
}

KTEST(task, every_hart_takes_pids)
{
	wrong_pids = 0;
	for (u32 round = 0; round < 20; round++)
		hart_call(nr_cpus == 64 ? ~0UL : BIT(nr_cpus) - 1, take_and_give, NULL);
	KCHECK(wrong_pids == 0);
}

KTEST(task, random_numbers_never_repeat)
{
	u8 a[256], b[256];
	u32 ones = 0;

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	KCHECK(memcmp(a, b, sizeof(a)) != 0);
	for (u32 i = 0; i < sizeof(a); i++)
		ones += (u32)__builtin_popcount(a[i]);
	KCHECK(ones > 800 && ones < 1250);
}

KTEST(task, table_has_no_hole)
{
	for (u32 nr = 0; nr < SYSCALL_TABLE_SIZE; nr++) {
		KCHECK(syscall_table[nr] != NULL);
		KCHECK((syscall_table[nr] == sys_unknown) == (syscall_name(nr) == NULL));
	}
	KCHECK(strcmp(syscall_name(172), "getpid") == 0);
}
