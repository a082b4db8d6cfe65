#include "kernel/task/isa.h"

#include "abi/auxv.h"
#include "abi/system.h"

#include <string.h>

#define ISA_PREFIX "rv64"
#define ISA_USER   "imafdcv"

const char *isa_string = ISA_PREFIX;
u32 isa_zicboz_bytes;

u64 isa_hwcap(const char *isa)
{
	u64 bits = 0;

	if (strncmp(isa, ISA_PREFIX, strlen(ISA_PREFIX)) != 0)
		return 0;
	for (isa += strlen(ISA_PREFIX); *isa && *isa != '_'; isa++)
		if (strchr(ISA_USER, *isa))
			bits |= BIT(*isa - 'a');
	return bits;
}

/* Multi-letter extensions are words between underscores. */
bool isa_has(const char *isa, const char *name)
{
	size_t len = strlen(name);

	while ((isa = strchr(isa, '_'))) {
		isa++;
		if (strncmp(isa, name, len) == 0 && (isa[len] == '_' || isa[len] == '\0'))
			return true;
	}
	return false;
}

/*
 * Extensions of several letters by their bit in RISCV_HWPROBE_KEY_IMA_EXT_0. Zicboz (6) is missing: it takes a size of blocks, too.
 * Source: Linux 6.12, Documentation/arch/riscv/hwprobe.rst.
 */
static const char *const hwprobe_names[] = {
	[3] = "zba",	    [4] = "zbb",     [5] = "zbs",	   [7] = "zbc",	    [8] = "zbkb",
	[9] = "zbkc",	    [10] = "zbkx",   [11] = "zknd",	   [12] = "zkne",   [13] = "zknh",
	[14] = "zksed",	    [15] = "zksh",   [16] = "zkt",	   [17] = "zvbb",   [18] = "zvbc",
	[19] = "zvkb",	    [20] = "zvkg",   [21] = "zvkned",	   [22] = "zvknha", [23] = "zvknhb",
	[24] = "zvksed",    [25] = "zvksh",  [26] = "zvkt",	   [27] = "zfh",    [28] = "zfhmin",
	[29] = "zihintntl", [30] = "zvfh",   [31] = "zvfhmin",	   [32] = "zfa",    [33] = "ztso",
	[34] = "zacas",	    [35] = "zicond", [36] = "zihintpause", [37] = "zve32x", [38] = "zve32f",
	[39] = "zve64x",    [40] = "zve64f", [41] = "zve64d",	   [42] = "zimop",  [43] = "zca",
	[44] = "zcb",	    [45] = "zcd",    [46] = "zcf",	   [47] = "zcmop",  [48] = "zawrs",
};

u64 isa_hwprobe_ext(const char *isa)
{
	u64 caps = isa_hwcap(isa), bits = 0;

	if ((caps & BIT('f' - 'a')) && (caps & BIT('d' - 'a')))
		bits |= RISCV_HWPROBE_IMA_FD;
	if (caps & BIT('c' - 'a'))
		bits |= RISCV_HWPROBE_IMA_C;
	if (caps & HWCAP_ISA_V)
		bits |= RISCV_HWPROBE_IMA_V;
	for (u32 i = 0; i < ARRAY_SIZE(hwprobe_names); i++)
		if (hwprobe_names[i] && isa_has(isa, hwprobe_names[i]))
			bits |= BIT(i);
	if (isa_zicboz_bytes && isa_has(isa, "zicboz"))
		bits |= RISCV_HWPROBE_EXT_ZICBOZ;
	return caps & HWCAP_ISA_V ? bits : bits & ~RISCV_HWPROBE_EXT_VECTOR;
}
