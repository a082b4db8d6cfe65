/*
 * The texts of /proc/<pid> that need the process's address space: a reference is taken under the epoch,
 * and then the space is read like any other's.
 */
#include "abi/auxv.h"
#include "abi/errno.h"
#include "kernel/fs/proc_task.h"
#include "kernel/mm/mm.h"

#define TEXT_CHUNK 4096UL

int proc_space_get(u64 key, bool inspect, struct proc_space *out)
{
	struct proc_who who;
	int err = -ESRCH;

	epoch_enter();
	if (proc_find(key, &who)) {
		if (inspect && !(who.task && task_may_inspect(who.task))) {
			err = -EACCES;
		} else {
			out->mm = process_mm_get(who.process);
			out->layout = who.process->layout;
			err = out->mm ? 0 : -ESRCH;
		}
	}
	epoch_exit();
	return err;
}

/* Text of the program between two of its addresses. */
static int show_memory(struct seq *s, struct mm *mm, u64 start, u64 end)
{
	char *buf = kmalloc(TEXT_CHUNK);
	long n = 1;

	if (!buf)
		return -ENOMEM;
	while (start < end && n > 0) {
		n = mm_access(mm, start, buf, MIN(end - start, TEXT_CHUNK), false);
		if (n > 0) {
			seq_write(s, buf, (size_t)n);
			start += (u64)n;
		}
	}
	kfree(buf);
	return 0;
}

/* A zombie, or a kernel thread, has an empty one. */
int proc_show_cmdline(struct seq *s, u64 key)
{
	struct proc_space space;
	int err = proc_space_get(key, false, &space);

	if (err)
		return 0;
	err = show_memory(s, space.mm, space.layout.arg_start, space.layout.arg_end);
	mm_put(space.mm);
	return err;
}

int proc_show_environ(struct seq *s, u64 key)
{
	struct proc_space space;
	int err = proc_space_get(key, true, &space);

	if (err)
		return err == -ESRCH ? 0 : err;
	err = show_memory(s, space.mm, space.layout.env_start, space.layout.env_end);
	mm_put(space.mm);
	return err;
}

int proc_show_auxv(struct seq *s, u64 key)
{
	struct proc_space space;
	const u64 *auxv = space.layout.auxv;
	int err = proc_space_get(key, true, &space);

	if (err)
		return err == -ESRCH ? 0 : err;
	for (u32 i = 0; i + 1 < ARRAY_SIZE(space.layout.auxv); i += 2) {
		seq_write(s, &auxv[i], 2 * sizeof(u64));
		if (auxv[i] == AT_NULL)
			break;
	}
	mm_put(space.mm);
	return 0;
}
