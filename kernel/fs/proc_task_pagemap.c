/*
 * /proc/<pid>/pagemap: a word for each page of the address space (Linux's Documentation/admin-guide/mm/pagemap.rst). There are
 * neither soft-dirty bits nor swap, and no PAGEMAP_SCAN (ENOTTY).
 *
 * Who may look is decided when the file is opened, so a reader sees the space that was there then, or nothing: of a process that has
 * ended or runs another program since.
 */
#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/proc_task.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/hart.h"
#include "kernel/task/cred.h"

#define ENTRY_BYTES sizeof(u64)
#define CHUNK	    64U

#define ENTRY_EXCLUSIVE BIT(56)
#define ENTRY_OBJECT	BIT(61)
#define ENTRY_PRESENT	BIT(63)

struct pagemap {
	u64 space;	  /* [I] mm_id(), 0: there was none */
	bool show_frames; /* [I] the opener may know where in memory a page is */
};

static int pagemap_open(struct inode *inode, struct file *f)
{
	struct proc_space space;
	struct pagemap *m;
	int err = proc_space_get(inode->key, true, &space);

	/* A zombie has a file without any bytes. */
	if (err && err != -ESRCH)
		return err;
	m = kzalloc(sizeof(*m));
	if (m) {
		m->space = err ? 0 : mm_id(space.mm);
		m->show_frames = capable(CAP_SYS_ADMIN);
		f->data = m;
	}
	if (!err)
		mm_put(space.mm);
	return m ? 0 : -ENOMEM;
}

static void pagemap_release(struct file *f)
{
	kfree(f->data);
}

/* The space that the file was opened for, with a reference, or NULL. */
static struct mm *pagemap_space(struct file *f)
{
	const struct pagemap *m = f->data;
	struct proc_space now;

	if (proc_space_get(file_inode(f)->key, false, &now))
		return NULL;
	if (mm_id(now.mm) == m->space)
		return now.mm;
	mm_put(now.mm);
	return NULL;
}

static u64 pagemap_entry(const struct mm_page *page, bool show_frames)
{
	u64 entry = page->present ? ENTRY_PRESENT : 0;

	if (page->exclusive)
		entry |= ENTRY_EXCLUSIVE;
	if (page->object)
		entry |= ENTRY_OBJECT;
	return show_frames ? entry | page->frame : entry;
}

/* Bytes or -errno. */
static long pagemap_copy(struct mm *mm, struct iov_iter *it, u64 page, bool show_frames)
{
	struct mm_page pages[CHUNK];
	u64 entries[CHUNK];
	u64 n = MIN(MIN(it->count / ENTRY_BYTES, (u64)CHUNK), (USER_TOP >> PAGE_SHIFT) - page);

	mm_look(mm, page << PAGE_SHIFT, n, pages);
	for (u64 i = 0; i < n; i++)
		entries[i] = pagemap_entry(&pages[i], show_frames);
	return iov_copy_out(it, entries, n * ENTRY_BYTES);
}

static long pagemap_read_space(struct file *f, struct mm *mm, struct iov_iter *it, u64 *pos)
{
	const struct pagemap *m = f->data;
	long done = 0, got = 0;

	if (*pos % ENTRY_BYTES || it->count % ENTRY_BYTES)
		return -EINVAL;
	while (it->count && *pos / ENTRY_BYTES < USER_TOP >> PAGE_SHIFT && *pos % ENTRY_BYTES == 0) {
		got = pagemap_copy(mm, it, *pos / ENTRY_BYTES, m->show_frames);
		if (got <= 0)
			break;
		*pos += (u64)got;
		done += got;
		hart_relax();
	}
	return done ? done : got;
}

static long pagemap_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct mm *mm = pagemap_space(f);
	long ret;

	(void)nonblock;
	if (!mm)
		return 0;
	ret = pagemap_read_space(f, mm, it, pos);
	mm_put(mm);
	return ret;
}

const struct file_ops proc_pagemap_file_ops = {
	.name = "pagemap",
	.no_rw_flags = true,
	.read = pagemap_read,
	.seek = pseudo_seek,
	.stat = fs_file_stat,
	.release = pagemap_release,
};

const struct inode_ops proc_pagemap_ops = {
	.open = pagemap_open,
};
