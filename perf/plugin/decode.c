/*
 * Instruction decoding by the tables of the RISC-V unprivileged and privileged specifications.
 * What ends a translation block without a chainable jump is QEMU's own choice: jalr, every SYSTEM
 * instruction, fence.i, pause and the Zawrs waits (both of which are HINT or SYSTEM encodings).
 */
#include "perf/plugin/decode.h"

enum opcode {
	OP_MISC_MEM = 0x0f,
	OP_OP_IMM = 0x13,
	OP_AMO = 0x2f,
	OP_VECTOR = 0x57,
	OP_BRANCH = 0x63,
	OP_JALR = 0x67,
	OP_JAL = 0x6f,
	OP_SYSTEM = 0x73,
};

#define WORD_PAUSE 0x0100000fu
#define WORD_SRET  0x10200073u
#define WORD_MRET  0x30200073u
#define WORD_WFI   0x10500073u

uint32_t decode_word(const void *bytes, unsigned int size)
{
	const uint8_t *byte = bytes;
	uint32_t word = 0;

	for (unsigned int i = 0; i < size; i++)
		word |= (uint32_t)byte[i] << (8 * i);
	return word;
}

/* @count bits of @word from @from up, moved to bit @to. */
static uint32_t field(uint32_t word, int from, int count, int to)
{
	return ((word >> from) & ((1u << count) - 1)) << to;
}

static int64_t sign_extend(uint32_t value, int bits)
{
	return (int64_t)((uint64_t)value << (64 - bits)) >> (64 - bits);
}

static bool is_compressed(uint32_t word)
{
	return (word & 3) != 3;
}

static uint32_t opcode(uint32_t word)
{
	return is_compressed(word) ? 0 : word & 0x7f;
}

static uint32_t funct3(uint32_t word)
{
	return field(word, 12, 3, 0);
}

bool decode_is_csr(uint32_t word)
{
	return opcode(word) == OP_SYSTEM && (funct3(word) & 3) != 0;
}

bool decode_is_xret(uint32_t word)
{
	return word == WORD_SRET || word == WORD_MRET;
}

bool decode_is_wfi(uint32_t word)
{
	return word == WORD_WFI;
}

bool decode_is_sfence_vma(uint32_t word)
{
	return opcode(word) == OP_SYSTEM && funct3(word) == 0 && word >> 25 == 0x09;
}

bool decode_writes_only(uint32_t word)
{
	const uint32_t funct5_lr = 0x02;

	return opcode(word) == OP_AMO && word >> 27 != funct5_lr;
}

int decode_marker(uint32_t word)
{
	const uint32_t slti_x0_x0 = OP_OP_IMM | 2 << 12;

	return (word & 0xfffff) == slti_x0_x0 ? (int)(word >> 20) : -1;
}

static int64_t jal_offset(uint32_t word)
{
	return sign_extend(field(word, 21, 10, 1) | field(word, 20, 1, 11) |
				   field(word, 12, 8, 12) | field(word, 31, 1, 20),
			   21);
}

static int64_t branch_offset(uint32_t word)
{
	return sign_extend(field(word, 8, 4, 1) | field(word, 25, 6, 5) | field(word, 7, 1, 11) |
				   field(word, 31, 1, 12),
			   13);
}

static int64_t c_j_offset(uint32_t word)
{
	return sign_extend(field(word, 3, 3, 1) | field(word, 11, 1, 4) | field(word, 2, 1, 5) |
				   field(word, 7, 1, 6) | field(word, 6, 1, 7) | field(word, 9, 2, 8) |
				   field(word, 8, 1, 10) | field(word, 12, 1, 11),
			   12);
}

static int64_t c_branch_offset(uint32_t word)
{
	return sign_extend(field(word, 3, 2, 1) | field(word, 10, 2, 3) | field(word, 2, 1, 5) |
				   field(word, 5, 2, 6) | field(word, 12, 1, 8),
			   9);
}

static enum decode_end compressed_end(uint32_t word, uint64_t pc, uint64_t next[2])
{
	switch (word & 0xe003) {
	case 0xa001: /* c.j */
		next[0] = next[1] = pc + c_j_offset(word);
		return DECODE_DIRECT;
	case 0xc001: /* c.beqz */
	case 0xe001: /* c.bnez */
		next[0] = pc + c_branch_offset(word);
		return DECODE_DIRECT;
	case 0x8002: /* with rs2 = 0: c.jr, c.jalr, c.ebreak; else c.mv, c.add */
		return field(word, 2, 5, 0) == 0 ? DECODE_LOOKUP : DECODE_FALLS;
	default:
		return DECODE_FALLS;
	}
}

enum decode_end decode_end(uint32_t word, uint64_t pc, unsigned int size, uint64_t next[2])
{
	next[0] = next[1] = pc + size;
	switch (opcode(word)) {
	case 0:
		return compressed_end(word, pc, next);
	case OP_JAL:
		next[0] = next[1] = pc + jal_offset(word);
		return DECODE_DIRECT;
	case OP_BRANCH:
		next[0] = pc + branch_offset(word);
		return DECODE_DIRECT;
	case OP_JALR:
	case OP_SYSTEM:
		return DECODE_LOOKUP;
	case OP_MISC_MEM: /* funct3 1: fence.i */
		return funct3(word) == 1 || word == WORD_PAUSE ? DECODE_LOOKUP : DECODE_FALLS;
	case OP_VECTOR: /* funct3 7: vsetvli and its kin change how what follows is translated */
		return funct3(word) == 7 ? DECODE_LOOKUP : DECODE_FALLS;
	default:
		return DECODE_FALLS;
	}
}
