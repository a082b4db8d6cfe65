#include "arch/riscv64/fpu.h"

#include "arch/riscv64/csr.h"
#include "arch/riscv64/trap_frame.h"
#include "arch/riscv64/vector.h"

void fpu_store_registers(struct fp_state *fp);
void fpu_load_registers(const struct fp_state *fp);

static_assert(offsetof(struct fp_state, fcsr) == 256, "fpu.S");

static void fpu_load(struct fp_state *fp)
{
	csr_set(sstatus, SSTATUS_FS_DIRTY);
	fpu_load_registers(fp);
	fp->live |= FPU_LIVE;
}

void fpu_restore(struct fp_state *fp)
{
	fp->eager--;
	fpu_load(fp);
}

bool fpu_enable(struct fp_state *fp)
{
	if (csr_read(sstatus) & SSTATUS_FS)
		return false;
	fp->eager = FPU_EAGER;
	fpu_load(fp);
	return true;
}

void fpu_save(struct fp_state *fp)
{
	if (!(fp->live & FPU_LIVE))
		return;
	fpu_store_registers(fp);
	csr_clear(sstatus, SSTATUS_FS);
	fp->live &= (u8)~FPU_LIVE;
}

void fpu_leave(struct fp_state *fp, const struct trap_frame *frame)
{
	fpu_save(fp);
	if (likely(!(fp->live & VECTOR_LIVE)))
		return;
	if (frame->cause == TRAP_CAUSE_SYSCALL)
		vector_drop(fp->vector);
	else
		vector_store(fp->vector);
	fp->live = 0;
}
