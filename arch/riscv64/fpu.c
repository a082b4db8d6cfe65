#include "arch/riscv64/fpu.h"

#include "arch/riscv64/csr.h"

void fpu_store_registers(struct fp_state *fp);
void fpu_load_registers(const struct fp_state *fp);

static_assert(offsetof(struct fp_state, fcsr) == 256, "fpu.S");

bool fpu_enable(struct fp_state *fp)
{
	if (csr_read(sstatus) & SSTATUS_FS)
		return false;
	csr_set(sstatus, SSTATUS_FS_CLEAN);
	fpu_load_registers(fp);
	/* Loading made it dirty. */
	csr_clear(sstatus, SSTATUS_FS);
	csr_set(sstatus, SSTATUS_FS_CLEAN);
	fp->live = 1;
	return true;
}

void fpu_save(struct fp_state *fp)
{
	if (!fp->live)
		return;
	if ((csr_read(sstatus) & SSTATUS_FS) == SSTATUS_FS_DIRTY)
		fpu_store_registers(fp);
	csr_clear(sstatus, SSTATUS_FS);
	fp->live = 0;
}
