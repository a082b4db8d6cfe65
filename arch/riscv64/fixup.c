/*
 * The fix-up table that uaccess.S fills, in order of address: pairs of (faulting pc, where to continue).
 */
#include "arch/riscv64/uaccess.h"

struct fixup_entry {
	u64 pc;
	u64 target;
};

extern const struct fixup_entry __fixups_start[], __fixups_end[];

u64 arch_fixup(u64 pc)
{
	for (const struct fixup_entry *e = __fixups_start; e < __fixups_end; e++) {
		if (e->pc == pc)
			return e->target;
	}
	return 0;
}
