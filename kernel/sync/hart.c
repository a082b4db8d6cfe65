/*
 * Doorbells: see hart.h for the protocol.
 */
#include "kernel/sync/hart.h"

#include "kernel/sync/epoch.h"
#include "kernel/sync/spinlock.h"

struct hart_ops hart_ops;
void (*relax_hook)(void);

/* Sets the bits; true if the hart must be rung to notice them. */
static bool hart_demand(struct cpu *cpu, u32 work, bool urgent)
{
	u32 before =
		atomic_fetch_or(&cpu->work, work); /* (A): pairs with (B) in hart_leave_kernel() */

	switch (hart_state_of(cpu)) {
	case HART_HALTED:
		return before == 0;
	case HART_USER:
		return urgent;
	default:
		return false;
	}
}

void hart_kick(u32 cpu, u32 work, bool urgent)
{
	if (hart_demand(cpu_of(cpu), work, urgent))
		hart_ops.ring(BIT(cpu), work);
}

void hart_kick_mask(u64 mask, u32 work, bool urgent)
{
	u64 ring = 0;

	while (mask) {
		u32 cpu = (u32)__builtin_ctzl(mask);

		mask &= mask - 1;
		if (hart_demand(cpu_of(cpu), work, urgent))
			ring |= BIT(cpu);
	}
	if (ring)
		hart_ops.ring(ring, work);
}

#ifdef KERNEL_DEBUG
void hart_check_quiescent(void)
{
	SYNC_BUG_ON(spin_held_count() != 0);
	SYNC_BUG_ON(epoch_depth() != 0);
	SYNC_BUG_ON(atomic_load_relaxed(&cpu_self()->user_access));
}
#endif
