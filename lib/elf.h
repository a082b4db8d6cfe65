/*
 * Reading of ELF64 program headers. Every field that exec relies on is checked, so that a damaged
 * or foreign file is refused (false) before anything is mapped, and later code may add and shift
 * without overflow.
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include "abi/elf.h"
#include "lib/types.h"

#define ELF_MAX_PHDRS	 73 /* one page */
#define ELF_MAX_SEGMENTS 16
#define ELF_PAGE_SIZE	 4096UL

struct elf_segment {
	u64 vaddr;
	u64 offset; /* congruent to vaddr modulo a page */
	u64 filesz; /* <= memsz; lies inside the file */
	u64 memsz;  /* > 0 */
	u32 flags;  /* PF_* */
};

struct elf_image {
	u64 entry;
	u64 phdr; /* virtual address of the program headers; 0 if no segment holds them */
	u32 nr_phdrs;
	u64 low, high;	   /* page-aligned extent of all segments */
	u64 interp_offset; /* name of the interpreter, NUL included; length 0: none */
	u64 interp_len;
	bool relocatable; /* ET_DYN */
	u32 nr_segments;
	struct elf_segment segments[ELF_MAX_SEGMENTS]; /* ascending, pages do not overlap */
};

/*
 * A program of this machine whose table of program headers lies in the file? `len` bytes of its
 * start are at `head`.
 */
bool elf_check_header(const void *head, size_t len, u64 file_size);

/*
 * Fills `image` from a checked header and its e_phnum program headers. `top`: segments must end at
 * or below it.
 */
bool elf_parse(const struct elf64_ehdr *ehdr, const struct elf64_phdr *phdrs, u64 file_size,
	       u64 top, struct elf_image *image);

#endif
