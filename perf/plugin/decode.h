/*
 * As much of RISC-V as the counters need: what kind an instruction is, and where QEMU's code goes
 * after it.
 */
#ifndef PERF_PLUGIN_DECODE_H
#define PERF_PLUGIN_DECODE_H

#include <stdbool.h>
#include <stdint.h>

/* How QEMU leaves a translation block whose last instruction this is. */
enum decode_end {
	DECODE_FALLS,  /* not a jump: the block was cut, the next one follows */
	DECODE_DIRECT, /* one or two targets known at translation: can be chained */
	DECODE_LOOKUP, /* indirect jump, or an exit to the main loop: always a look-up */
};

/* decode_word() - the instruction of @size (2 or 4) bytes at @bytes, little endian. */
uint32_t decode_word(const void *bytes, unsigned int size);

bool decode_is_csr(uint32_t word);	  /* csrrw, csrrs, csrrc and their immediate forms */
bool decode_is_xret(uint32_t word);	  /* sret, mret */
bool decode_is_wfi(uint32_t word);	  /* wfi */
bool decode_is_sfence_vma(uint32_t word); /* sfence.vma */

/* decode_writes_only() - an AMO or SC: one access for ownership, though QEMU reports a load too. */
bool decode_writes_only(uint32_t word);

/* decode_marker() - the immediate of `slti x0, x0, IMM`, or -1. */
int decode_marker(uint32_t word);

/*
 * decode_end() - how a block ends.
 * @pc, @size: address and length of its last instruction @word.
 * @next: filled with the addresses that may follow without a look-up; next[1] is the fall-through.
 */
enum decode_end decode_end(uint32_t word, uint64_t pc, unsigned int size, uint64_t next[2]);

#endif
