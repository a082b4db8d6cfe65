/*
 * Files inside the booted kernel: contents, pipes between harts, names under concurrent changes,
 * and that all memory comes back.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "kernel/file/file.h"
#include "kernel/file/pipe.h"
#include "kernel/file/poll.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/completion.h"
#include "tests/kernel/ktest.h"

#define WORKERS	   4
#define PIPE_BYTES (1UL << 20)
#define ROUNDS	   2000

static struct fs_context *ctx;

static u8 pattern(u64 i)
{
	return (u8)(i * 7 + (i >> 8));
}

/* ---- several threads at once ---- */

struct worker {
	void (*fn)(u32 id);
	u32 id;
	struct completion done;
};

static void worker_main(void *arg)
{
	struct worker *w = arg;

	w->fn(w->id);
	completion_signal(&w->done);
}

static void run_workers(void (*fn)(u32 id))
{
	static struct worker workers[WORKERS];

	for (u32 i = 0; i < WORKERS; i++) {
		struct thread *t;

		workers[i] = (struct worker){.fn = fn, .id = i};
		completion_init(&workers[i].done);
		t = kthread_create("file test", worker_main, &workers[i]);
		if (!KCHECK(t != NULL))
			completion_signal(&workers[i].done);
	}
	for (u32 i = 0; i < WORKERS; i++)
		completion_wait(&workers[i].done);
}

/* ---- contents ---- */

static void write_and_read(const char *name, size_t size)
{
	u8 *buf = kmalloc(size);
	struct stat_info st;
	struct file *f;

	if (!KCHECK(buf != NULL))
		return;
	for (size_t i = 0; i < size; i++)
		buf[i] = pattern(i);
	if (KCHECK(fs_open(ctx, NULL, name, O_CREAT | O_RDWR, 0644, 0, &f) == 0)) {
		KCHECK(file_write_kernel(f, buf, size, 0) == (long)size);
		memset(buf, 0, size);
		KCHECK(file_read_kernel(f, buf, size, 0) == (long)size);
		for (size_t i = 0; i < size; i++)
			if (buf[i] != pattern(i)) {
				KCHECK(!"contents differ");
				break;
			}
		KCHECK(f->ops->stat(f, &st) == 0 && st.size == size);
		file_put(f);
	}
	KCHECK(fs_unlink(ctx, NULL, name) == 0);
	kfree(buf);
}

KTEST(file, contents_come_back)
{
	ctx = fs_context_create();
	write_and_read("/small", 1);
	write_and_read("/large", 300000);
	fs_context_put(ctx);
}

KTEST(file, pseudo_files_have_text)
{
	char text[64] = {0};
	struct file *f;

	ctx = fs_context_create();
	if (KCHECK(fs_open(ctx, NULL, "/proc/sys/kernel/ostype", O_RDONLY, 0, 0, &f) == 0)) {
		KCHECK(file_read_kernel(f, text, sizeof(text), 0) == 6);
		KCHECK(strcmp(text, "Linux\n") == 0);
		file_put(f);
	}
	KCHECK(fs_open(ctx, NULL, "/proc/self/exe", O_RDONLY, 0, 0, &f) == -ENOENT);
	KCHECK(fs_open(ctx, NULL, "/sys/devices/system/cpu/cpu0/topology", O_RDONLY, 0, 0, &f) == 0);
	file_put(f);
	fs_context_put(ctx);
}

/* ---- pipes ---- */

static struct file *ends[2];

static void pipe_worker(u32 id)
{
	u8 chunk[1000];
	u64 total = 0;
	long n;

	if (id > 1)
		return;
	while (id == 0 && total < PIPE_BYTES) {
		size_t want = MIN(sizeof(chunk), PIPE_BYTES - total);

		for (size_t i = 0; i < want; i++)
			chunk[i] = pattern(total + i);
		if (!KCHECK(file_write_kernel(ends[1], chunk, want, 0) == (long)want))
			break;
		total += want;
	}
	if (id == 0) {
		file_put(ends[1]);
		return;
	}
	while ((n = file_read_kernel(ends[0], chunk, sizeof(chunk), 0)) > 0) {
		for (long i = 0; i < n; i++)
			if (chunk[i] != pattern(total + (u64)i)) {
				KCHECK(!"bytes differ");
				break;
			}
		total += (u64)n;
	}
	KCHECK(n == 0);
	KCHECK(total == PIPE_BYTES);
	file_put(ends[0]);
}

KTEST(file, pipe_between_threads)
{
	if (KCHECK(pipe_create(ends, 0) == 0))
		run_workers(pipe_worker);
}

static void poll_worker(u32 id)
{
	struct poll_item item = {.file = ends[0], .events = POLL_EVENT_READ};
	u8 byte = 1;

	if (id == 0) {
		for (int i = 0; i < ROUNDS; i++) {
			KCHECK(poll_files(&item, 1, PARK_FOREVER) == 1);
			KCHECK(file_read_kernel(ends[0], &byte, 1, 0) == 1);
		}
	} else if (id == 1) {
		for (int i = 0; i < ROUNDS; i++) {
			KCHECK(file_write_kernel(ends[1], &byte, 1, 0) == 1);
			if (i % 16 == 0)
				sched_yield();
		}
	}
}

KTEST(file, poll_sees_every_write)
{
	if (!KCHECK(pipe_create(ends, 0) == 0))
		return;
	run_workers(poll_worker);
	file_put(ends[0]);
	file_put(ends[1]);
}

/* ---- names ---- */

static void name_worker(u32 id)
{
	struct file *f;

	for (int i = 0; i < ROUNDS; i++) {
		int err;

		switch ((id + (u32)i) % 4) {
		case 0:
			err = fs_mkdir(ctx, NULL, "/kt", 0755);
			KCHECK(err == 0 || err == -EEXIST);
			break;
		case 1:
			err = fs_open(ctx, NULL, "/kt/f", O_CREAT | O_WRONLY, 0644, 0, &f);
			KCHECK(err == 0 || err == -ENOENT);
			if (!err)
				file_put(f);
			break;
		case 2:
			err = fs_rename(ctx, NULL, "/kt/f", NULL, "/kt/g", 0);
			KCHECK(err == 0 || err == -ENOENT);
			err = fs_unlink(ctx, NULL, "/kt/g");
			KCHECK(err == 0 || err == -ENOENT);
			break;
		default:
			err = fs_rmdir(ctx, NULL, "/kt");
			KCHECK(err == 0 || err == -ENOENT || err == -ENOTEMPTY);
		}
		kernel_relax();
	}
}

KTEST(file, names_change_under_walks)
{
	u32 refs;

	ctx = fs_context_create();
	refs = mount_root->root->refs;
	run_workers(name_worker);
	fs_unlink(ctx, NULL, "/kt/f");
	fs_unlink(ctx, NULL, "/kt/g");
	fs_rmdir(ctx, NULL, "/kt");
	KCHECK(mount_root->root->refs == refs);
	fs_context_put(ctx);
}

/* ---- leaks ---- */

static void use_files(void)
{
	ctx = fs_context_create();
	for (int i = 0; i < 20; i++) {
		write_and_read("/leak", 100000);
		KCHECK(fs_mkdir(ctx, NULL, "/leakdir", 0755) == 0);
		KCHECK(fs_symlink(ctx, NULL, "/leaklink", "leakdir") == 0);
		KCHECK(fs_unlink(ctx, NULL, "/leaklink") == 0);
		KCHECK(fs_rmdir(ctx, NULL, "/leakdir") == 0);
		if (KCHECK(pipe_create(ends, 0) == 0)) {
			file_write_kernel(ends[1], "x", 1, 0);
			file_put(ends[0]);
			file_put(ends[1]);
		}
	}
	fs_context_put(ctx);
	epoch_barrier();
	mm_drain_all();
}

KTEST(file, nothing_leaks)
{
	u64 before, after;

	use_files(); /* caches fill */
	before = mm_free_pages();
	use_files();
	after = mm_free_pages();
	/* 20 rounds of 25 pages each went through: a leak would show. */
	KCHECK(after + 8 >= before);
}
