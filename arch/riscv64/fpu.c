#include "arch/riscv64/fpu.h"

#include "arch/riscv64/csr.h"

void fpu_store_registers(struct fp_state *fp);
void fpu_load_registers(const struct fp_state *fp);

static_assert(offsetof(struct fp_state, fcsr) == 256, "fpu.S");

#define USES_MAX 4

void fpu_restore(struct fp_state *fp)
{
	csr_set(sstatus, SSTATUS_FS_CLEAN);
	fpu_load_registers(fp);
	/* Loading made it dirty: Dirty is both bits, Clean the upper one. */
	csr_clear(sstatus, SSTATUS_FS & ~SSTATUS_FS_CLEAN);
	fp->live = 1;
}

bool fpu_enable(struct fp_state *fp)
{
	if (csr_read(sstatus) & SSTATUS_FS)
		return false;
	fpu_restore(fp);
	return true;
}

void fpu_save(struct fp_state *fp)
{
	if (!fp->live)
		return;
	if ((csr_read(sstatus) & SSTATUS_FS) == SSTATUS_FS_DIRTY) {
		fpu_store_registers(fp);
		fp->uses = MIN(fp->uses + 1, USES_MAX);
	} else if (fp->uses) {
		fp->uses--;
	}
	csr_clear(sstatus, SSTATUS_FS);
	fp->live = 0;
}
