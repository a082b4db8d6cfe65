/*
 * exec: from a path to a program that is ready to run.
 *
 * Everything that can fail for the user's reasons (no such file, bad format, no memory) happens
 * while the old program is whole: a new address space is made and mapped beside it. exec_commit()
 * is the point of no return; a failure after it kills the process, as on Linux.
 */
#include "kernel/task/exec.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/system.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/sysctl.h"
#include "kernel/mm/mm.h"
#include "kernel/random/random.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/clone.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/rseq.h"
#include "kernel/task/task_internal.h"
#include "kernel/task/timers.h"
#include "kernel/task/trace_maps.h"
#include "kernel/task/vdso.h"
#include "kernel/task/vector.h"
#include "kernel/trace/trace.h"

#include <string.h>

#define SCRIPT_LINE_MAX	 256
#define SCRIPT_DEPTH_MAX 5

/*
 * The stack ends up to 8 MiB below the top of user space. It grows on demand from what most
 * programs need.
 */
#define STACK_TOP	  (USER_TOP - PAGE_SIZE)
#define STACK_RANDOM_BITS 11
#define STACK_SIZE_FIRST  (128UL << 10)
#define BRK_RANDOM_BITS	  13

struct exec_state {
	struct file *file;
	struct mm *mm;
	struct cred *cred; /* of the new program */
	u64 stack_top;
	u32 old_tid; /* the number of the task that execs, before it leads the process */
	struct exec_image image;
	struct process_layout layout;
	char line[SCRIPT_LINE_MAX + 1];	  /* of a script */
	char interp[SCRIPT_LINE_MAX + 1]; /* the name that a script gave for st->file */
};

/* /proc/sys/kernel/randomize_va_space: 0 nothing, 1 all but the heap, 2 all; any other as 1 or 2, whichever is next to it. */
#define RANDOMIZE_ALL 2UL
static u64 randomize_level = RANDOMIZE_ALL; /* [a] signed */

static const struct sysctl randomize_sysctl = {
	.path = "kernel/randomize_va_space",
	.mode = 0644,
	.nr = 1,
	.values = &randomize_level,
	.is_signed = true,
	.min = (u64)INT32_MIN,
	.max = INT32_MAX,
};

int exec_init(void)
{
	return sysctl_register(&randomize_sysctl);
}

/* Is what is random from `level` on random now? */
static bool exec_randomizes(u64 level)
{
	s64 now = (s64)atomic_load_relaxed(&randomize_level);

	if (task_current()->personality & ADDR_NO_RANDOMIZE)
		return false;
	return level == RANDOMIZE_ALL ? now >= (s64)RANDOMIZE_ALL : now != 0;
}

static u64 random_pages(u32 bits, u64 level)
{
	u64 r;

	if (!exec_randomizes(level))
		return 0;
	random_bytes(&r, sizeof(r));
	return (r & (BIT(bits) - 1)) * PAGE_SIZE;
}

/* ---- which file ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Splits "#! interp option" in place. False: no interpreter named. */
static bool script_parse(char *line, char **interp, char **option)
{
	char *p = line + 2, *end;

	p[strcspn(p, "\n")] = '\0';
	for (end = p + strlen(p); end > p && is_blank(end[-1]);)
		*--end = '\0';
	while (is_blank(*p))
		p++;
	*interp = p;
	while (*p && !is_blank(*p))
		p++;
	if (*p)
		*p++ = '\0';
	while (is_blank(*p))
		p++;
	*option = *p ? p : NULL;
	return **interp != '\0';
}

/* Opens `path`; follows "#!" lines until a file is none. st->file is open on success. */
static int exec_resolve(struct exec_state *st, const struct exec_source *source,
			struct exec_args *args)
{
	struct exec_source from = *source;
	char *interp, *option;
	int depth, err;
	long n;

	for (depth = 0; depth <= SCRIPT_DEPTH_MAX; depth++) {
		st->file = from.file;
		err = from.file ? 0
				: fs_open_exec(task_current()->fs, from.at, from.walk_name,
					       from.walk, &st->file);
		if (err)
			return err;
		n = file_read_kernel(st->file, st->line, SCRIPT_LINE_MAX, 0);
		if (n >= 0 && (n < 2 || st->line[0] != '#' || st->line[1] != '!'))
			return 0;
		file_put(st->file);
		if (n < 0)
			return (int)n;
		st->line[n] = '\0';
		if (!script_parse(st->line, &interp, &option))
			return -ENOEXEC;
		err = exec_args_script(args, interp, option, from.name);
		if (err)
			return err;
		strcpy(st->interp, interp);
		from = (struct exec_source){st->interp, NULL, st->interp, WALK_FOLLOW, NULL};
	}
	return -ELOOP;
}

/* ---- the new address space ---- */

static int exec_map_stack(struct exec_state *st, const struct exec_args *args)
{
	/*
	 * Strings, their pointers and the auxiliary vector come on top of what the program uses
	 * itself.
	 */
	u64 words = (args->argc + args->envc) * sizeof(u64);
	u64 size = ALIGN_UP(STACK_SIZE_FIRST + args->len + words, PAGE_SIZE);
	struct process *p = process_current();
	long ret;

	mm_set_limits(st->mm, process_rlimit(p, RLIMIT_AS), process_rlimit(p, RLIMIT_DATA),
		      process_rlimit(p, RLIMIT_STACK));
	st->stack_top = STACK_TOP - random_pages(STACK_RANDOM_BITS, 1);
	ret = mm_map(st->mm, st->stack_top - size, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, NULL, 0, "[stack]");
	return ret < 0 ? (int)ret : 0;
}

static void exec_note_layout(struct exec_state *st)
{
	const struct elf_image *elf = &st->image.elf;

	for (u32 i = 0; i < elf->nr_segments; i++) {
		const struct elf_segment *s = &elf->segments[i];
		u64 start = st->image.base + s->vaddr, end = start + s->filesz;

		if (s->flags & PF_X) {
			st->layout.start_code = start;
			st->layout.end_code = end;
		} else if (s->flags & PF_W) {
			st->layout.start_data = start;
			st->layout.end_data = end;
		}
	}
	st->layout.start_brk =
		st->image.base + elf->high + random_pages(BRK_RANDOM_BITS, RANDOMIZE_ALL);
}

/* From here to the change of rights nobody may begin to trace the task, if it will have more of them then. */
static bool exec_begin_raise(struct task *t)
{
	bool unsafe;

	spin_lock(&t->process->lock);
	unsafe = ptrace_unsafe_locked(t);
	t->process->exec_raises = !unsafe;
	spin_unlock(&t->process->lock);
	return !unsafe;
}

static void exec_end_raise(struct process *p)
{
	spin_lock(&p->lock);
	p->exec_raises = false;
	spin_unlock(&p->lock);
}

/* What the program may do: it depends on its file's owner, a script's on its interpreter's. */
static int exec_prepare_cred(struct exec_state *st)
{
	const struct cred *old = cred_current();
	struct task *t = task_current();
	struct cred_exec_file file = {0};
	struct stat_info stat;
	bool may_raise;
	int err = st->file->ops->stat(st->file, &stat);

	if (err)
		return err;
	st->cred = cred_prepare();
	if (!st->cred)
		return -ENOMEM;
	if (!t->no_new_privs && fs_obeys_set_id(st->file))
		file = (struct cred_exec_file){stat.uid, stat.gid, stat.mode};
	may_raise = exec_begin_raise(t) && !t->no_new_privs;
	cred_exec(st->cred, old, &file, may_raise, &st->image.secure);
	if (!st->image.secure && !(st->cred->cap_permitted & ~old->cap_permitted))
		exec_end_raise(t->process);
	return 0;
}

static int exec_prepare(struct exec_state *st, const struct exec_args *args)
{
	int err;

	st->mm = mm_create();
	if (!st->mm)
		return -ENOMEM;
	if (!exec_randomizes(1))
		mm_derandomize(st->mm);
	err = exec_map_stack(st, args);
	if (!err)
		err = exec_load(st->mm, st->file, &st->image);
	if (!err)
		err = exec_prepare_cred(st);
	if (!err)
		err = vdso_map(st->mm, &st->layout.vdso);
	if (err)
		return err;
	exec_note_layout(st);
	mm_set_brk(st->mm, st->layout.start_brk);
	return 0;
}

/* ---- the switch-over ---- */

static void exec_replace_mm(struct task *t, struct mm *mm)
{
	struct process *p = t->process;
	struct mm *old;

	/* The old space must stay until this hart has left it. */
	t->thread.mm = mm;
	mm_switch(mm);
	old = process_replace_mm(p, mm);
	p->nr_mm_tasks = 1;
	if (old)
		mm_put(old);
}

static void exec_replace_exe(struct process *p, struct file *f)
{
	struct file *old;

	file_get(f);
	spin_lock(&p->lock);
	old = p->exe;
	p->exe = f;
	spin_unlock(&p->lock);
	if (old)
		file_put(old);
}

/* Executed by descriptor, it is called as its file. */
static void exec_set_name(struct task *t, const struct exec_source *source, struct file *f)
{
	const char *path =
		*source->walk_name ? source->name : atomic_load_acquire(&f->path.dentry->key)->text;
	const char *slash = strrchr(path, '/');

	task_set_name(t, slash ? slash + 1 : path);
}

/*
 * What belonged to the old program: robust futexes, TLS, handlers, floating point, vectors,
 * descriptors to close.
 */
static void exec_forget(struct task *t)
{
	if (t->thread.mm && task_exit_ops.exit)
		task_exit_ops.exit(t);
	t->clear_child_tid = NULL;
	t->robust_list = 0;
	if ((t->personality & PER_MASK) != PER_LINUX32)
		t->personality &= ~PER_MASK;
	rseq_forget(t);
	task_vfork_done(t);
	process_timers_exec(t->process);
	signal_reset_handlers(t->process);
	fd_close_on_exec(t->files);
	task_vector_exec(t);
	fpu_save(&t->fp);
	memset(&t->fp, 0, sizeof(t->fp));
}

static void exec_replace_cred(struct task *t, struct exec_state *st)
{
	const struct cred *old = t->cred;
	bool own = old->uid == old->euid && old->gid == old->egid;

	/* cred_commit() takes it back if the program's rights differ. */
	atomic_store_relaxed(&t->process->dumpable, own ? DUMPABLE_USER : DUMPABLE_NO);
	if (st->image.secure)
		atomic_store_relaxed(&t->process->parent_death_signal, 0);
	/* A program with rights of its own is not laid out as its caller likes. */
	if (st->image.secure)
		t->personality &= ~ADDR_NO_RANDOMIZE;
	cred_commit(st->cred);
	st->cred = NULL;
	exec_end_raise(t->process);
}

static int exec_commit(struct exec_state *st, const struct exec_source *source, struct exec_args *args)
{
	struct task *t = task_current();
	struct trap_frame *frame = task_frame(t);
	long sp;

	exec_forget(t);
	exec_replace_mm(t, st->mm);
	exec_replace_exe(t->process, st->file);
	exec_replace_cred(t, st);
	trace_task_exec(t->thread.tid);
	exec_set_name(t, source, st->file);
	atomic_store_relaxed(&t->process->did_exec, true);
	if (exec_zero_tails(&st->image))
		return -EFAULT;
	sp = exec_build_stack(st->stack_top, args, source->name, &st->image, &st->layout);
	if (sp < 0)
		return (int)sp;
	t->process->layout = st->layout;
	if (trace_enabled(map))
		task_trace_program(t->process->pid, st->mm);
	memset(frame, 0, sizeof(*frame));
	frame->pc = st->image.entry;
	frame->sp = (u64)sp;
	return 0;
}

/* A program closes its own descriptors only, not those of a process that shared them (CLONE_FILES). */
static int exec_own_files(void)
{
	struct fd_table *copy, *files = task_current()->files;

	if (!fd_table_shared(files))
		return 0;
	copy = fd_table_copy(files);
	if (!copy)
		return -ENOMEM;
	task_set_files(copy);
	return 0;
}

int exec_program(const struct exec_source *source, struct exec_args *args)
{
	struct exec_state *st = kzalloc(sizeof(*st));
	int err;

	if (!st) {
		if (source->file)
			file_put(source->file);
		return -ENOMEM;
	}
	err = exec_resolve(st, source, args);
	if (err)
		goto out_free;
	st->old_tid = thread_current()->tid;
	err = exec_prepare(st, args);
	if (!err)
		err = process_become_single(process_current());
	if (!err)
		err = exec_own_files();
	if (err) {
		if (st->mm)
			mm_put(st->mm);
		if (st->cred)
			cred_put(st->cred);
		exec_end_raise(process_current());
	} else if (exec_commit(st, source, args)) {
		file_put(st->file);
		kfree(st);
		exec_args_free(args);
		process_exit_group(SIGKILL);
	} else {
		ptrace_event_exec(st->old_tid);
	}
	file_put(st->file);
out_free:
	kfree(st);
	return err;
}
