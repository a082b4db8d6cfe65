/*
 * /proc/<pid>/mem: the memory of a process at its own addresses, for debuggers: whatever the rights of its mappings (proc_pid_mem(5)).
 *
 * Who may is decided when the file is opened; it is then of the space that the process had, which exec and exit end: nothing is read or
 * written any more.
 */
#include "abi/errno.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/proc_task.h"
#include "kernel/mm/mm.h"

static int mem_open(struct inode *inode, struct file *f)
{
	struct proc_space space;
	int err = proc_space_get(inode->key, true, &space);
	u64 *id;

	/* A zombie has one without any bytes. */
	if (err && err != -ESRCH)
		return err;
	id = kzalloc(sizeof(*id));
	if (id)
		*id = err ? 0 : mm_id(space.mm);
	f->data = id;
	if (!err)
		mm_put(space.mm);
	return id ? 0 : -ENOMEM;
}

static void mem_release(struct file *f)
{
	kfree(f->data);
}

/* The space that the file was opened for, with a reference, or NULL. */
static struct mm *mem_space(struct file *f)
{
	const u64 *id = f->data;
	struct proc_space now;

	if (proc_space_get(file_inode(f)->key, false, &now))
		return NULL;
	if (mm_id(now.mm) == *id)
		return now.mm;
	mm_put(now.mm);
	return NULL;
}

/* Up to a page at *pos. Bytes or -errno. */
static long mem_piece(struct mm *mm, struct iov_iter *it, u64 pos, char *page, bool write)
{
	size_t n = MIN(it->count, PAGE_SIZE - (pos & (PAGE_SIZE - 1)));
	long got = (long)n;

	if (write)
		got = iov_copy_in(page, it, n);
	if (got > 0 && mm_access_forced(mm, pos, page, (size_t)got, write) != got)
		return -EIO;
	return write || got <= 0 ? got : iov_copy_out(it, page, (size_t)got);
}

static long mem_copy(struct mm *mm, struct iov_iter *it, u64 *pos, bool write)
{
	char *page = kmalloc(PAGE_SIZE);
	long done = 0, got = 0;

	if (!page)
		return -ENOMEM;
	while (it->count) {
		got = mem_piece(mm, it, *pos, page, write);
		if (got <= 0)
			break;
		*pos += (u64)got;
		done += got;
		kernel_relax();
	}
	kfree(page);
	return done ? done : got;
}

static long mem_access(struct file *f, struct iov_iter *it, u64 *pos, bool write)
{
	struct mm *mm = mem_space(f);
	long ret;

	if (!mm)
		return 0;
	ret = mem_copy(mm, it, pos, write);
	mm_put(mm);
	return ret;
}

static long mem_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	(void)nonblock;
	return mem_access(f, it, pos, false);
}

static long mem_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	(void)nonblock;
	return mem_access(f, it, pos, true);
}

const struct file_ops proc_mem_file_ops = {
	.name = "mem",
	.read = mem_read,
	.write = mem_write,
	.seek = pseudo_seek,
	.stat = fs_file_stat,
	.release = mem_release,
};

const struct inode_ops proc_mem_ops = {
	.open = mem_open,
};
