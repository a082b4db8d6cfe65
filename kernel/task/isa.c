#include "kernel/task/isa.h"

#include "abi/system.h"

#include <string.h>

#define ISA_PREFIX "rv64"
#define ISA_USER   "imafdc"

const char *isa_string = ISA_PREFIX;

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

u64 isa_hwprobe_ext(const char *isa)
{
	u64 caps = isa_hwcap(isa), bits = 0;

	if ((caps & BIT('f' - 'a')) && (caps & BIT('d' - 'a')))
		bits |= RISCV_HWPROBE_IMA_FD;
	if (caps & BIT('c' - 'a'))
		bits |= RISCV_HWPROBE_IMA_C;
	if (isa_has(isa, "zba"))
		bits |= RISCV_HWPROBE_EXT_ZBA;
	if (isa_has(isa, "zbb"))
		bits |= RISCV_HWPROBE_EXT_ZBB;
	if (isa_has(isa, "zbs"))
		bits |= RISCV_HWPROBE_EXT_ZBS;
	return bits;
}
