/*
 * pid 1: a kernel thread that starts the one program of this run, reaps every orphan, and powers
 * the machine off with the program's status. Contract with the host tools: docs/boot.md.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/sched.h"
#include "arch/riscv64/entry.h"
#include "drivers/finisher.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/task/exec.h"
#include "kernel/task/task_internal.h"
#include "kernel/task/vdso.h"
#include "kernel/trace/trace.h"
#include "lib/cmdline.h"

#include <string.h>

#define ARGV_PATH    "/etc/stellar/argv"
#define ENV_PATH     "/etc/stellar/env"
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#define STATUS_FAILED	 125
#define STATUS_NOT_RUN	 126
#define STATUS_NOT_FOUND 127
#define STATUS_SIGNAL	 128

static struct exec_args program_args; /* [c] init's, then the program's task's until it runs */

const char *task_strerror(int err)
{
	switch (-err) {
	case ENOENT:
		return "no such file";
	case ENOTDIR:
		return "a part of the path is not a directory";
	case EACCES:
		return "permission denied";
	case ENOEXEC:
		return "not a program for this machine, or damaged";
	case ELIBBAD:
		return "its interpreter is damaged";
	case ELOOP:
		return "too many levels of links or interpreters";
	case ENOMEM:
		return "out of memory";
	case E2BIG:
		return "arguments too long";
	case EISDIR:
		return "it is a directory";
	default:
		return "it cannot be read";
	}
}

/* Appends the strings of a file of NUL-terminated strings. */
static int read_strings(const char *path, struct exec_args *args, u32 *count)
{
	struct stat_info st;
	struct file *f;
	char *text, *s;
	long n;
	int err = fs_open(task_current()->fs, NULL, path, O_RDONLY, 0, 0, &f);

	if (err)
		return err;
	err = f->ops->stat(f, &st);
	text = err ? NULL : kmalloc(st.size + 1);
	if (!text) {
		file_put(f);
		return err ? err : -ENOMEM;
	}
	n = file_read_kernel(f, text, st.size, 0);
	file_put(f);
	if (n < 0) {
		kfree(text);
		return (int)n;
	}
	text[n] = '\0';
	for (s = text; s < text + n && !err; s += strlen(s) + 1, (*count)++)
		err = exec_args_add(args, s, strlen(s));
	kfree(text);
	return err;
}

static const char *args_getenv(const struct exec_args *args, const char *name)
{
	const char *s = args->buf;
	size_t len = strlen(name);

	for (u32 i = 0; i < args->argc + args->envc; i++, s += strlen(s) + 1)
		if (i >= args->argc && strncmp(s, name, len) == 0 && s[len] == '=')
			return s + len + 1;
	return NULL;
}

static int run_path(const char *path, struct exec_args *args)
{
	return exec_program(&(struct exec_source){path, NULL, path, WALK_FOLLOW, NULL}, args);
}

/* As execvp: a name without a slash is looked for in PATH. */
static int exec_search(const char *name, struct exec_args *args)
{
	const char *dirs = args_getenv(args, "PATH");
	char path[512];
	int err = -ENOENT, denied = 0;

	if (strchr(name, '/'))
		return run_path(name, args);
	for (dirs = dirs ? dirs : PATH_DEFAULT; *dirs;) {
		size_t len = strcspn(dirs, ":");

		if (len + 1 + strlen(name) < sizeof(path)) {
			memcpy(path, dirs, len);
			path[len] = '/';
			strcpy(path + len + 1, name);
			err = run_path(path, args);
			if (err == -EACCES)
				denied = err;
			else if (err != -ENOENT && err != -ENOTDIR)
				return err;
		}
		dirs += len + (dirs[len] == ':');
	}
	return denied ? denied : err;
}

static __noreturn void program_failed(const char *name, int err)
{
	klog_always("init: cannot run %s: %s\n", name, task_strerror(err));
	process_exit_group((err == -ENOENT || err == -ENOTDIR ? STATUS_NOT_FOUND : STATUS_NOT_RUN)
			   << 8);
}

static void program_start(void *arg)
{
	struct task *t = arg;
	char name[256] = "";
	int err;

	if (task_tty_ops.program_start)
		task_tty_ops.program_start();
	strncpy(name, program_args.buf, sizeof(name) - 1);
	err = exec_search(name, &program_args);
	if (err)
		program_failed(name, err);
	exec_args_free(&program_args);
	arch_return_to_user(task_frame(t));
}

static int open_standard_streams(struct fd_table *files)
{
	bool ports = cmdline_get_bool("stellar.ports", false);

	for (int i = 0; i < 3; i++) {
		struct file *f = fs_open_console(i, ports);
		int fd;

		if (!f)
			return -ENODEV;
		fd = fd_install(files, f, (u32)i, false, 3);
		if (fd < 0)
			return fd;
	}
	return 0;
}

/* Tells the trace of a thread that no program made. */
static void trace_birth(const struct task *t, u32 parent)
{
	trace_task_new(parent, t->thread.tid, t->process->pid);
	trace_task_name(t->thread.tid, t->process->pid, t->thread.name);
}

static struct task *program_create(void)
{
	struct process *p = process_create(process_init);
	struct task *t;
	int err;

	if (!p)
		return err_ptr(-ENOMEM);
	p->exit_signal = SIGCHLD;
	/* A group and a session of its own. */
	pid_group_put(p->pgid, p->sid);
	p->pgid = p->sid = 0;
	t = task_create(p, "program", true, program_start);
	if (is_err(t))
		return t;
	t->files = fd_table_create();
	t->fs = fs_context_create();
	if (!t->files || !t->fs)
		return err_ptr(-ENOMEM);
	err = open_standard_streams(t->files);
	if (!err)
		err = task_join_process(t);
	if (err)
		return err_ptr(err);
	process_add_child(process_init, p);
	return t;
}

static __noreturn void init_fail(const char *what, int err)
{
	klog_always("init: %s: %s\n", what, task_strerror(err));
	machine_poweroff(STATUS_FAILED);
}

static void init_main(void *arg)
{
	struct wait_result result;
	struct task *program;
	u32 pid;
	int err;

	(void)arg;
	err = read_strings(ARGV_PATH, &program_args, &program_args.argc);
	if (!err && program_args.argc == 0)
		err = -ENOENT;
	if (err)
		init_fail("cannot read " ARGV_PATH, err);
	err = read_strings(ENV_PATH, &program_args, &program_args.envc);
	if (err && err != -ENOENT)
		init_fail("cannot read " ENV_PATH, err);
	program = program_create();
	if (is_err(program))
		init_fail("cannot start the program", (int)ptr_err(program));
	pid = program->thread.tid;
	trace_birth(program, thread_current()->tid);
	thread_start(&program->thread);
	thread_put(&program->thread);
	while (process_wait(-1, WEXITED | __WALL, &result) != (long)pid)
		;
	machine_poweroff(result.status & 0x7f ? STATUS_SIGNAL + (u32)(result.status & 0x7f)
					      : (u32)result.status >> 8);
}

void task_start_init(void)
{
	struct process *p = process_create(NULL);
	struct task *t;

	BUG_ON(!p);
	p->kernel = true;
	process_init = p;
	BUG_ON(vdso_init());
	t = task_create(p, "init", true, init_main);
	BUG_ON(is_err(t));
	BUG_ON(p->pid != 1);
	t->files = fd_table_create();
	t->fs = fs_context_create();
	BUG_ON(!t->files || !t->fs || task_join_process(t));
	trace_birth(t, 0);
	thread_start(&t->thread);
	thread_put(&t->thread);
}
