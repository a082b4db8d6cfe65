#include "kernel/task/isa.h"

#include "abi/system.h"

#include "tests/unit/unit.h"

#define LETTER(c) (1UL << ((c) - 'a'))

TEST(hwcap_has_the_known_letters_only)
{
	u64 imafdc =
		LETTER('i') | LETTER('m') | LETTER('a') | LETTER('f') | LETTER('d') | LETTER('c');

	CHECK(isa_hwcap("rv64imafdch_zic64b_zicbom_zba_zbb") == imafdc);
	CHECK(isa_hwcap("rv64imafdcvh_zve64d") == (imafdc | LETTER('v')));
	CHECK(isa_hwcap("rv64imafdc_zve64d") == imafdc);
	CHECK(isa_hwcap("rv64imac_zfoo") == (imafdc & ~(LETTER('f') | LETTER('d'))));
	CHECK(isa_hwcap("rv32imac") == 0);
	CHECK(isa_hwcap("") == 0);
}

TEST(hwprobe_finds_whole_words)
{
	CHECK(isa_hwprobe_ext("rv64imafdc_zba_zbs") ==
	      (RISCV_HWPROBE_IMA_FD | RISCV_HWPROBE_IMA_C | RISCV_HWPROBE_EXT_ZBA |
	       RISCV_HWPROBE_EXT_ZBS));
	CHECK(isa_hwprobe_ext("rv64imafdc_zbab_xzbb") == (RISCV_HWPROBE_IMA_FD | RISCV_HWPROBE_IMA_C));
}

TEST(hwprobe_shows_vectors_with_v_only)
{
	u64 plain = RISCV_HWPROBE_IMA_FD | RISCV_HWPROBE_IMA_C;

	CHECK(isa_hwprobe_ext("rv64imafdc_zve32x_zvbb_zvfh") == plain);
	CHECK(isa_hwprobe_ext("rv64imafdcv_zve32x_zvbb_zvfh") ==
	      (plain | RISCV_HWPROBE_IMA_V | 1UL << 37 | 1UL << 17 | 1UL << 30));
}

TEST(hwprobe_shows_zicboz_with_a_size)
{
	u64 plain = RISCV_HWPROBE_IMA_FD | RISCV_HWPROBE_IMA_C;

	CHECK(isa_hwprobe_ext("rv64imafdc_zicboz") == plain);
	isa_zicboz_bytes = 64;
	CHECK(isa_hwprobe_ext("rv64imafdc_zicboz") == (plain | RISCV_HWPROBE_EXT_ZICBOZ));
	CHECK(isa_hwprobe_ext("rv64imafdc") == plain);
	isa_zicboz_bytes = 0;
}
