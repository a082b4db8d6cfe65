/*
 * Rewrites the places in the kernel's text that look at a key (kernel/sync/static_key.h), while other harts execute them.
 *
 * A place is four bytes at an even address: `nop` or `j target`. A hart fetches a 16-bit half in one piece, the lower one first, but may see
 * the two halves at different ages. So a place changes by one half at a time, through a third instruction that does nothing either: the
 * lower half of the nop says "addi x0, rs1, imm" whatever the upper half holds.
 *
 *	off -> on	upper half of the jump (still no operation); all harts fence; lower half; all harts fence
 *	on -> off	lower half of the nop (no operation now); all harts fence; upper half; all harts fence
 *
 * Without the fence between, a hart could meet the jump's lower half with the nop's upper half, a jump to somewhere else:
 *
 *	writer			fetching hart
 *				(fetched the upper half of the nop ahead of time)
 *	upper half := jump's
 *	lower half := jump's
 *				fetches the lower half: half a jump, half a nop
 *
 * The half that was written last is written once more, with the same value. Hardware does not need it; QEMU (10.0, threads) does. It drops
 * the code that it translated from a place before it performs a store to it, not after, and fence.i translates nothing anew:
 *
 *	writer			hart that runs the place
 *	store: drop the code
 *				translate the old text, keep it
 *	store: write the text
 *				runs the old code for ever
 *
 * All harts answered a call between the two stores, so whatever they translate after the second is read from what the first wrote.
 *
 * The text stays read-only where it is executed. It is written through an alias that is mapped for the length of a change, by the one
 * hart that writes, and never executable.
 */
#include "kernel/sync/static_key.h"

#include "arch/riscv64/csr.h"
#include "arch/riscv64/pgtable.h"
#include "kernel/irq/irq.h"
#include "kernel/log/log.h"
#include "kernel/mm/space.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/mutex.h"

#include <string.h>

#define JUMP_REACH (1L << 20)

LOCK_CLASS(static_keys, RANK_STATIC_KEYS);

extern char __text_start[], __text_end[];
extern const struct static_key_site __start_static_key_sites[], __stop_static_key_sites[];

static struct mutex keys_lock = MUTEX_INIT(keys_lock, static_keys_class);

/* jal x0, offset. Source: RISC-V unprivileged specification, "J" format. */
static u32 jump(s64 offset)
{
	u64 o = (u64)offset;

	return 0x6f | (u32)((o >> 20 & 1) << 31 | (o >> 1 & 0x3ff) << 21 | (o >> 11 & 1) << 20 |
			    (o >> 12 & 0xff) << 12);
}

/* Half `upper` of the place in the alias. */
static u16 *alias_half(const struct static_key_site *site, u32 upper)
{
	return (u16 *)(site->at - ALIGN_DOWN((u64)__text_start, PGTABLE_SPAN(1)) + TEXT_ALIAS) +
	       upper;
}

/* Keys that change: keys[i] becomes values[i]. */
struct key_change {
	const u8 *keys, *values;
	u32 nr;
};

/* Writes the half that comes first, or the other, of all places that look at a key that changes. */
static void write_halves(const struct key_change *change, bool first)
{
	const struct static_key_site *s;

	for (s = __start_static_key_sites; s < __stop_static_key_sites; s++) {
		u64 i = (u64)(s->key - change->keys);
		u32 text;
		bool on, upper;

		if (i >= change->nr || change->keys[i] == change->values[i])
			continue;
		on = change->values[i];
		text = on ? jump((s64)(s->target - s->at)) : STATIC_KEY_NOP;
		upper = on == first;
		atomic_store_relaxed(alias_half(s, upper), (u16)(text >> (upper ? 16 : 0)));
	}
}

/* The entries of the alias, by which the text is writable or not there. */
static void map_alias(bool on)
{
	u64 *blocks = pa_to_va(pte_pa(kernel_root[pgtable_index(TEXT_ALIAS, 2)]));
	u64 text = ALIGN_DOWN((u64)__text_start, PGTABLE_SPAN(1));

	for (u64 at = 0; text + at < (u64)__text_end; at += PGTABLE_SPAN(1))
		atomic_store_relaxed(&blocks[pgtable_index(TEXT_ALIAS + at, 1)],
				     on ? pte_make(va_to_pa(text + at), PTE_KERNEL_RW) : 0);
	sfence_vma_all();
}

/* The translations, too: a hart may have read the alias's entries, though it does not use them. */
static void fence_text(void *unused)
{
	(void)unused;
	sfence_vma_all();
	fence_i();
}

void static_keys_set(u8 *keys, const u8 *values, u32 nr)
{
	const struct key_change change = {.keys = keys, .values = values, .nr = nr};
	bool threads = thread_current();

	if (!memcmp(keys, values, nr))
		return;
	if (threads)
		mutex_lock(&keys_lock);
	map_alias(true);
	write_halves(&change, true);
	hart_call(hart_all(), fence_text, NULL);
	write_halves(&change, false);
	hart_call(hart_all(), fence_text, NULL);
	write_halves(&change, false);
	map_alias(false);
	hart_call(hart_all(), fence_text, NULL);
	memcpy(keys, values, nr);
	if (threads)
		mutex_unlock(&keys_lock);
}

void static_keys_init(void)
{
	const struct static_key_site *s;

	for (s = __start_static_key_sites; s < __stop_static_key_sites; s++) {
		s64 offset = (s64)(s->target - s->at);

		BUG_ON(offset < -JUMP_REACH || offset >= JUMP_REACH);
	}
}
