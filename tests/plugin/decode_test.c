/* The decoder against words that the assembler makes of the instructions in the comments. */
#include "perf/plugin/decode.h"

#include <stdio.h>

#define PC 0x80001000ull

static int failed;

static void check(bool right, const char *what)
{
	if (right)
		return;
	printf("wrong: %s\n", what);
	failed++;
}

static void check_end(uint32_t word, unsigned int size, enum decode_end end, uint64_t target,
		      uint64_t other, const char *what)
{
	uint64_t next[2];

	check(decode_end(word, PC, size, next) == end, what);
	if (end == DECODE_DIRECT)
		check(next[0] == target && next[1] == other, what);
}

static void test_ends(void)
{
	check_end(0x0000006f, 4, DECODE_DIRECT, PC, PC, "jal x0, .");
	check_end(0xff1ff0ef, 4, DECODE_DIRECT, PC - 16, PC - 16, "jal ra, .-16");
	check_end(0x7ffff06f, 4, DECODE_DIRECT, PC + 0xffffe, PC + 0xffffe, "jal x0, .+0xffffe");
	check_end(0xfe0518e3, 4, DECODE_DIRECT, PC - 16, PC + 4, "bnez a0, .-16");
	check_end(0x00b50863, 4, DECODE_DIRECT, PC + 16, PC + 4, "beq a0, a1, .+16");
	check_end(0xbfc5, 2, DECODE_DIRECT, PC - 16, PC - 16, "c.j .-16");
	check_end(0xf965, 2, DECODE_DIRECT, PC - 16, PC + 2, "c.bnez a0, .-16");
	check_end(0xc901, 2, DECODE_DIRECT, PC + 16, PC + 2, "c.beqz a0, .+16");
	check_end(0x00008067, 4, DECODE_LOOKUP, 0, 0, "ret");
	check_end(0x8082, 2, DECODE_LOOKUP, 0, 0, "c.jr ra");
	check_end(0x9502, 2, DECODE_LOOKUP, 0, 0, "c.jalr a0");
	check_end(0x00000073, 4, DECODE_LOOKUP, 0, 0, "ecall");
	check_end(0x34002573, 4, DECODE_LOOKUP, 0, 0, "csrr a0, mscratch");
	check_end(0x10500073, 4, DECODE_LOOKUP, 0, 0, "wfi");
	check_end(0x0000100f, 4, DECODE_LOOKUP, 0, 0, "fence.i");
	check_end(0x0100000f, 4, DECODE_LOOKUP, 0, 0, "pause");
	check_end(0x0330000f, 4, DECODE_FALLS, 0, 0, "fence rw, rw");
	check_end(0x00150513, 4, DECODE_FALLS, 0, 0, "addi a0, a0, 1");
	check_end(0x852e, 2, DECODE_FALLS, 0, 0, "c.mv a0, a1");
	check_end(0x952e, 2, DECODE_FALLS, 0, 0, "c.add a0, a1");
}

static void test_kinds(void)
{
	check(decode_is_csr(0x34002573), "csrr a0, mscratch is a CSR access");
	check(decode_is_csr(0x10017073), "csrci sstatus, 2 is a CSR access");
	check(!decode_is_csr(0x00000073), "ecall is no CSR access");
	check(decode_is_xret(0x10200073) && decode_is_xret(0x30200073), "sret, mret");
	check(decode_is_wfi(0x10500073) && !decode_is_wfi(0x10200073), "wfi");
	check(decode_is_sfence_vma(0x12000073) && decode_is_sfence_vma(0x12b50073), "sfence.vma");
	check(!decode_is_sfence_vma(0x10500073), "wfi is no sfence.vma");
	check(decode_writes_only(0x08b5262f), "amoswap.w a2, a1, (a0)");
	check(decode_writes_only(0x18b5262f), "sc.w a2, a1, (a0)");
	check(!decode_writes_only(0x1005262f), "lr.w a2, (a0)");
	check(!decode_writes_only(0x00053503), "ld a0, 0(a0)");
}

static void test_markers(void)
{
	check(decode_marker(0x60502013) == 0x605, "slti x0, x0, 0x605");
	check(decode_marker(0x60502593) == -1, "slti a1, x0, 0x605 is no marker");
	check(decode_marker(0x00000013) == -1, "nop is no marker");
}

int main(void)
{
	test_ends();
	test_kinds();
	test_markers();
	return failed != 0;
}
