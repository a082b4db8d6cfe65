#include "lib/elf.h"

#include <string.h>

/* Interpreter names are paths. */
#define INTERP_MAX 4096

bool elf_check_header(const void *head, size_t len, u64 file_size)
{
	const struct elf64_ehdr *e = head;

	if (len < sizeof(*e) || memcmp(e->e_ident, ELF_MAGIC, 4) != 0)
		return false;
	if (e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_ident[EI_DATA] != ELFDATA2LSB ||
	    e->e_ident[EI_VERSION] != EV_CURRENT || e->e_version != EV_CURRENT)
		return false;
	if ((e->e_type != ET_EXEC && e->e_type != ET_DYN) || e->e_machine != EM_RISCV)
		return false;
	if (e->e_ehsize < sizeof(*e) || e->e_phentsize != sizeof(struct elf64_phdr) ||
	    e->e_phnum == 0 || e->e_phnum > ELF_MAX_PHDRS || e->e_phoff % 8 != 0)
		return false;
	return e->e_phoff <= file_size &&
	       e->e_phnum * sizeof(struct elf64_phdr) <= file_size - e->e_phoff;
}

static bool elf_in_file(const struct elf64_phdr *ph, u64 file_size)
{
	return ph->p_offset <= file_size && ph->p_filesz <= file_size - ph->p_offset;
}

static bool elf_add_segment(struct elf_image *image, const struct elf64_phdr *ph, u64 file_size,
			    u64 top)
{
	if (ph->p_memsz == 0)
		return true;
	if (image->nr_segments == ELF_MAX_SEGMENTS || ph->p_filesz > ph->p_memsz ||
	    !elf_in_file(ph, file_size))
		return false;
	if (ph->p_vaddr > top || ph->p_memsz > top - ph->p_vaddr ||
	    (ph->p_vaddr - ph->p_offset) % ELF_PAGE_SIZE != 0 || (ph->p_align & (ph->p_align - 1)))
		return false;
	/* Ascending, and no page belongs to two segments. */
	if (image->nr_segments == 0)
		image->low = ALIGN_DOWN(ph->p_vaddr, ELF_PAGE_SIZE);
	else if (ph->p_vaddr < image->high)
		return false;
	image->high = ALIGN_UP(ph->p_vaddr + ph->p_memsz, ELF_PAGE_SIZE);
	image->segments[image->nr_segments++] = (struct elf_segment){
		.vaddr = ph->p_vaddr,
		.offset = ph->p_offset,
		.filesz = ph->p_filesz,
		.memsz = ph->p_memsz,
		.flags = ph->p_flags,
	};
	return true;
}

/* The program headers' own address: in the segment that loads them from the file. */
static void elf_find_phdr(struct elf_image *image, const struct elf64_ehdr *ehdr)
{
	u64 size = ehdr->e_phnum * sizeof(struct elf64_phdr);

	for (u32 i = 0; i < image->nr_segments; i++) {
		const struct elf_segment *s = &image->segments[i];

		if (ehdr->e_phoff >= s->offset && ehdr->e_phoff - s->offset <= s->filesz &&
		    size <= s->filesz - (ehdr->e_phoff - s->offset))
			image->phdr = s->vaddr + (ehdr->e_phoff - s->offset);
	}
}

static bool elf_entry_mapped(const struct elf_image *image)
{
	for (u32 i = 0; i < image->nr_segments; i++) {
		const struct elf_segment *s = &image->segments[i];

		if ((s->flags & PF_X) && image->entry - s->vaddr < s->memsz)
			return image->entry % 2 == 0;
	}
	return false;
}

bool elf_parse(const struct elf64_ehdr *ehdr, const struct elf64_phdr *phdrs, u64 file_size,
	       u64 top, struct elf_image *image)
{
	*image = (struct elf_image){
		.entry = ehdr->e_entry,
		.nr_phdrs = ehdr->e_phnum,
		.relocatable = ehdr->e_type == ET_DYN,
	};
	for (u32 i = 0; i < ehdr->e_phnum; i++) {
		const struct elf64_phdr *ph = &phdrs[i];

		if (ph->p_type == PT_LOAD) {
			if (!elf_add_segment(image, ph, file_size, top))
				return false;
		} else if (ph->p_type == PT_INTERP) {
			if (image->interp_len || !elf_in_file(ph, file_size) || ph->p_filesz < 2 ||
			    ph->p_filesz > INTERP_MAX)
				return false;
			image->interp_offset = ph->p_offset;
			image->interp_len = ph->p_filesz;
		}
	}
	elf_find_phdr(image, ehdr);
	return image->nr_segments > 0 && elf_entry_mapped(image);
}
