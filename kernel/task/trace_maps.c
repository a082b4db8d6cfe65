/*
 * Which files a process executes, told to the trace while samples are on: a sample has addresses, and who resolves them, outside,
 * has the files. Told are new programs, executable mappings of files when they are made, and all when recording begins; of what is
 * unmapped nothing is told, the address will be mapped anew before it is executed.
 */
#include "kernel/task/trace_maps.h"

#include <string.h>

#include "kernel/file/file.h"
#include "kernel/fs/fs.h"
#include "kernel/task/task.h"
#include "kernel/trace/trace.h"

#define PATH_SIZE 256 /* longer paths are not resolved */

struct teller {
	u32 pid;
	char path[PATH_SIZE];
};

static void tell_path(u32 pid, const char *path)
{
	size_t len = strlen(path);

	for (size_t at = 0; at < len; at += 16) {
		u64 part[2] = {0};

		memcpy(part, path + at, MIN(len - at, sizeof(part)));
		trace_map_path(pid, part[0], part[1], at + 16 < len);
	}
}

static void tell_map(struct teller *t, u64 start, u64 end, u64 offset, struct file *f)
{
	const char *path;

	if (!f || !f->path.dentry)
		return;
	path = fs_path_text(task_current()->fs, &f->path, t->path, sizeof(t->path));
	if (is_err(path))
		return;
	trace_map(t->pid, start, end, offset);
	tell_path(t->pid, path);
}

static int tell_region(const struct mm_region *r, void *arg)
{
	if (r->prot & PROT_EXEC && r->backing)
		tell_map(arg, r->start, r->end, r->offset, file_of_backing(r->backing));
	return 0;
}

void task_trace_map(u64 start, u64 end, u64 offset, struct file *f)
{
	struct teller t = {.pid = process_current()->pid};

	tell_map(&t, start, end, offset, f);
}

void task_trace_program(u32 pid, struct mm *mm)
{
	struct teller t = {.pid = pid};

	trace_map(pid, 0, 0, 0);
	mm_for_each_region(mm, tell_region, &t);
}

void task_trace_programs(void)
{
	for (u32 pid = task_next_pid(0); pid; pid = task_next_pid(pid)) {
		struct process *p;
		struct mm *mm = NULL;

		epoch_enter();
		p = process_find(pid);
		if (p)
			mm = process_mm_get(p);
		epoch_exit();
		if (!mm)
			continue;
		task_trace_program(pid, mm);
		mm_put(mm);
	}
}
