/*
 * Mapping of programs. A segment is a private mapping of the file's own pages (demand-paged,
 * writable ones copied on the first write), and anonymous memory where it is longer than the file's
 * part.
 */
#include "kernel/task/exec.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/random/random.h"
#include "kernel/task/task.h"

/*
 * Position-independent programs start at two thirds of user space: room for the heap above, as on
 * Linux.
 */
#define PIE_BASE	ALIGN_DOWN(USER_TOP / 3 * 2, PAGE_SIZE)
#define PIE_RANDOM_BITS 18

static int segment_prot(const struct elf_segment *s)
{
	return (s->flags & PF_R ? PROT_READ : 0) | (s->flags & PF_W ? PROT_WRITE : 0) |
	       (s->flags & PF_X ? PROT_EXEC : 0);
}

static int load_segment(struct mm *mm, struct vm_object *object, struct file *f,
			const struct elf_segment *s, u64 base)
{
	u64 start = ALIGN_DOWN(base + s->vaddr, PAGE_SIZE);
	u64 end = ALIGN_UP(base + s->vaddr + s->memsz, PAGE_SIZE);
	u64 file_end = s->filesz ? ALIGN_UP(base + s->vaddr + s->filesz, PAGE_SIZE) : start;
	long ret;

	if (file_end > start) {
		ret = mm_map_backed(mm, start, file_end - start, segment_prot(s),
				    MAP_PRIVATE | MAP_FIXED, object,
				    ALIGN_DOWN(s->offset, PAGE_SIZE), &f->backing);
		if (ret < 0)
			return (int)ret;
	}
	if (end > file_end) {
		ret = mm_map(mm, file_end, end - file_end, segment_prot(s),
			     MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, NULL, 0, NULL);
		if (ret < 0)
			return (int)ret;
	}
	return 0;
}

/*
 * Chooses where a relocatable image goes and keeps the whole extent for it: *base is what to add to
 * its addresses.
 */
static int load_place(struct mm *mm, const struct elf_image *elf, bool program, u64 *base)
{
	u64 hint = 0, random;
	long addr;

	*base = 0;
	if (!elf->relocatable)
		return 0;
	if (program) {
		random_bytes(&random, sizeof(random));
		hint = PIE_BASE + (random & (BIT(PIE_RANDOM_BITS) - 1)) * PAGE_SIZE;
	}
	addr = mm_map(mm, hint, elf->high - elf->low, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, NULL,
		      0, NULL);
	if (addr < 0)
		return (int)addr;
	*base = (u64)addr - elf->low;
	return 0;
}

/* Reads and checks header and program headers of `f`. */
static int load_parse(struct file *f, struct elf_image *elf)
{
	struct stat_info st;
	struct elf64_ehdr ehdr;
	struct elf64_phdr *phdrs;
	size_t size;
	long n;
	int err;

	err = f->ops->stat(f, &st);
	if (err)
		return err;
	n = file_read_kernel(f, &ehdr, sizeof(ehdr), 0);
	if (n < 0)
		return (int)n;
	if (!elf_check_header(&ehdr, (size_t)n, st.size))
		return -ENOEXEC;
	size = ehdr.e_phnum * sizeof(*phdrs);
	phdrs = kmalloc(size);
	if (!phdrs)
		return -ENOMEM;
	n = file_read_kernel(f, phdrs, size, ehdr.e_phoff);
	if (n == (long)size)
		err = elf_parse(&ehdr, phdrs, st.size, USER_TOP, elf) ? 0 : -ENOEXEC;
	else
		err = n < 0 ? (int)n : -ENOEXEC;
	kfree(phdrs);
	return err;
}

static int load_image(struct mm *mm, struct file *f, const struct elf_image *elf, bool program,
		      u64 *base)
{
	struct vm_object *object;
	int err = load_place(mm, elf, program, base);
	u32 i;

	if (err)
		return err;
	if (!f->ops->mmap)
		return -ENOEXEC;
	object = f->ops->mmap(f, PROT_READ | PROT_EXEC, MAP_PRIVATE, &err);
	if (!object)
		return err;
	for (i = 0; i < elf->nr_segments && !err; i++)
		err = load_segment(mm, object, f, &elf->segments[i], *base);
	vm_object_put(object);
	return err;
}

static int load_interp(struct mm *mm, struct file *program, struct exec_image *image)
{
	struct elf_image elf;
	struct file *f;
	char *path = kmalloc(image->elf.interp_len);
	long n;
	int err;

	if (!path)
		return -ENOMEM;
	n = file_read_kernel(program, path, image->elf.interp_len, image->elf.interp_offset);
	err = n < 0 ? (int)n : -ENOEXEC;
	if (n != (long)image->elf.interp_len || path[n - 1] != '\0')
		goto out_free;
	err = fs_open_exec(task_current()->fs, NULL, path, WALK_FOLLOW, &f);
	if (err)
		goto out_free;
	err = load_parse(f, &elf);
	/* An interpreter that asks for another one is none. */
	if (!err && elf.interp_len)
		err = -ENOEXEC;
	if (!err)
		err = load_image(mm, f, &elf, false, &image->interp_base);
	if (!err)
		image->interp = elf;
	image->entry = image->interp_base + elf.entry;
	file_put(f);
out_free:
	kfree(path);
	return err == -ENOEXEC ? -ELIBBAD : err;
}

int exec_load(struct mm *mm, struct file *f, struct exec_image *image)
{
	int err = load_parse(f, &image->elf);

	image->interp.nr_segments = 0;
	image->interp_base = 0;
	if (err)
		return err;
	err = load_image(mm, f, &image->elf, true, &image->base);
	if (err)
		return err;
	image->entry = image->base + image->elf.entry;
	return image->elf.interp_len ? load_interp(mm, f, image) : 0;
}

static int zero_tails(const struct elf_image *elf, u64 base)
{
	for (u32 i = 0; i < elf->nr_segments; i++) {
		const struct elf_segment *s = &elf->segments[i];
		u64 end = base + s->vaddr + s->filesz;

		/* A read-only tail keeps what the file has there, as on Linux. */
		if (s->memsz > s->filesz && s->filesz && (s->flags & PF_W) &&
		    clear_user((void __user *)end, ALIGN_UP(end, PAGE_SIZE) - end))
			return -EFAULT;
	}
	return 0;
}

int exec_zero_tails(const struct exec_image *image)
{
	int err = zero_tails(&image->elf, image->base);

	return err ? err : zero_tails(&image->interp, image->interp_base);
}
