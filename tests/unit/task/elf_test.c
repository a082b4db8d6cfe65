/*
 * The ELF parser: a good image, every header field damaged, and random damage, which must neither
 * crash nor let an inconsistent image through.
 */
#include "lib/elf.h"

#include "tests/unit/unit.h"

#include <stdlib.h>

#define FILE_SIZE 0x6000UL
#define TOP	  0x4000000000UL

struct file {
	struct elf64_ehdr ehdr;
	struct elf64_phdr phdrs[ELF_MAX_PHDRS]; /* as the header may claim; zero beyond the third */
};

static struct file good_file(void)
{
	struct file f = {
		.ehdr =
			{
				.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
				.e_type = ET_EXEC,
				.e_machine = EM_RISCV,
				.e_version = EV_CURRENT,
				.e_entry = 0x10200,
				.e_phoff = sizeof(struct elf64_ehdr),
				.e_ehsize = sizeof(struct elf64_ehdr),
				.e_phentsize = sizeof(struct elf64_phdr),
				.e_phnum = 3,
			},
		.phdrs =
			{
				{.p_type = PT_LOAD,
				 .p_flags = PF_R | PF_X,
				 .p_offset = 0,
				 .p_vaddr = 0x10000,
				 .p_filesz = 0x3000,
				 .p_memsz = 0x3000,
				 .p_align = 0x1000},
				{.p_type = PT_LOAD,
				 .p_flags = PF_R | PF_W,
				 .p_offset = 0x3e00,
				 .p_vaddr = 0x14e00,
				 .p_filesz = 0x400,
				 .p_memsz = 0x2000,
				 .p_align = 0x1000},
				{.p_type = PT_INTERP, .p_offset = 0x200, .p_filesz = 0x20},
			},
	};

	return f;
}

static bool accepts(const struct file *f, struct elf_image *image)
{
	return elf_check_header(&f->ehdr, sizeof(f->ehdr), FILE_SIZE) &&
	       elf_parse(&f->ehdr, f->phdrs, FILE_SIZE, TOP, image);
}

TEST(good_image_is_read)
{
	struct file f = good_file();
	struct elf_image image;

	CHECK(accepts(&f, &image));
	CHECK(image.entry == 0x10200 && !image.relocatable && image.nr_segments == 2);
	CHECK(image.phdr == 0x10000 + sizeof(struct elf64_ehdr) && image.nr_phdrs == 3);
	CHECK(image.low == 0x10000 && image.high == 0x17000);
	CHECK(image.interp_offset == 0x200 && image.interp_len == 0x20);
	CHECK(image.segments[1].memsz == 0x2000 && image.segments[1].filesz == 0x400);
}

#define REFUSES(change)                                                                            \
	do {                                                                                       \
		struct file f = good_file();                                                       \
		struct elf_image image;                                                            \
		change;                                                                            \
		CHECK(!accepts(&f, &image));                                                       \
	} while (0)

TEST(damaged_header_is_refused)
{
	REFUSES(f.ehdr.e_ident[0] = 0);
	REFUSES(f.ehdr.e_ident[EI_CLASS] = 1);
	REFUSES(f.ehdr.e_ident[EI_DATA] = 2);
	REFUSES(f.ehdr.e_ident[EI_VERSION] = 0);
	REFUSES(f.ehdr.e_type = 1);
	REFUSES(f.ehdr.e_machine = 62);
	REFUSES(f.ehdr.e_version = 2);
	REFUSES(f.ehdr.e_ehsize = 52);
	REFUSES(f.ehdr.e_phentsize = 32);
	REFUSES(f.ehdr.e_phnum = 0);
	REFUSES(f.ehdr.e_phnum = 0xffff);
	REFUSES(f.ehdr.e_phoff = FILE_SIZE);
	REFUSES(f.ehdr.e_phoff = ~0UL & ~7UL);
	REFUSES(f.ehdr.e_phoff = 65);
	REFUSES(f.ehdr.e_entry = 0x14f00);
	REFUSES(f.ehdr.e_entry = 0x10201);
	REFUSES(f.ehdr.e_entry = 0);
}

TEST(damaged_segment_is_refused)
{
	REFUSES(f.phdrs[0].p_filesz = 0x3001);
	REFUSES(f.phdrs[1].p_offset = 0x5e00);
	REFUSES(f.phdrs[1].p_offset = ~0UL - 0x1ff);
	REFUSES(f.phdrs[1].p_memsz = ~0UL);
	REFUSES(f.phdrs[1].p_vaddr = TOP);
	REFUSES(f.phdrs[1].p_vaddr = 0x14e08);
	REFUSES(f.phdrs[1].p_vaddr = 0x12e00);
	REFUSES(f.phdrs[1].p_align = 0x1001);
	REFUSES(f.phdrs[2].p_filesz = 1);
	REFUSES(f.phdrs[2].p_filesz = 0x2000);
	REFUSES(f.phdrs[0].p_type = 0);
}

TEST(short_file_is_refused)
{
	struct file f = good_file();

	for (size_t len = 0; len < sizeof(struct elf64_ehdr); len++)
		CHECK(!elf_check_header(&f, len, len));
	CHECK(!elf_check_header(&f, sizeof(struct elf64_ehdr), sizeof(struct elf64_ehdr)));
}

static void check_consistent(const struct elf_image *image)
{
	u64 end = 0;

	CHECK(image->nr_segments > 0 && image->nr_segments <= ELF_MAX_SEGMENTS);
	for (u32 i = 0; i < image->nr_segments; i++) {
		const struct elf_segment *s = &image->segments[i];

		CHECK(s->vaddr >= end && s->vaddr + s->memsz <= TOP);
		CHECK(s->filesz <= s->memsz && s->offset + s->filesz <= FILE_SIZE);
		CHECK((s->vaddr - s->offset) % ELF_PAGE_SIZE == 0);
		end = ALIGN_UP(s->vaddr + s->memsz, ELF_PAGE_SIZE);
	}
	CHECK(image->high == end);
}

TEST(random_damage_never_passes_unchecked)
{
	struct elf_image image;
	unsigned accepted = 0;

	srand(1);
	for (unsigned round = 0; round < 200000; round++) {
		struct file f = good_file();

		for (int hits = 1 + rand() % 3; hits > 0; hits--)
			((u8 *)&f)[(size_t)rand() % offsetof(struct file, phdrs[3])] ^=
				(u8)(1 << rand() % 8);
		if (!accepts(&f, &image))
			continue;
		accepted++;
		check_consistent(&image);
	}
	CHECK(accepted > 0);
}
