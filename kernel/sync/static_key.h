/*
 * Switches in the text of the kernel, for what is off nearly always: events of the trace, statistics of locks. Off, a switch is one nop;
 * on, the nop is a jump to what must be done. A key is a byte, which many places in the code look at; static_keys_set() changes keys
 * and rewrites those places (kernel/mm/static_key.c).
 *
 * Meanwhile some places know already and others do not, so a key is a hint: what it leads to tests a variable of its own. Switching
 * on: set the key, then the variable; off: clear the variable, then the key.
 *
 * Cost: off one instruction, to which QEMU's translator gives no code; on a jump. Where it is compiled out (bazel build --define
 * static_keys=none, to measure the nops) or on the host it is false, or a load.
 */
#ifndef KERNEL_SYNC_STATIC_KEY_H
#define KERNEL_SYNC_STATIC_KEY_H

#define STATIC_KEY_NOP 0x00000013 /* addi x0, x0, 0 */

#ifdef __ASSEMBLER__

/* clang-format off */
	/* Goes to `target` while `key` is on. Clobbers nothing. */
	.macro static_key_branch key, target
#ifndef STATIC_KEYS_NONE
.Lkey_\@:
	.option push
	.option norvc
	nop
	.option pop
	.pushsection static_key_sites, "a"
	.balign 8
	.dword .Lkey_\@, \target, \key
	.popsection
#endif
	.endm
/* clang-format on */

#else

#include "lib/types.h"

/* A place in the text that looks at a key: in the section static_key_sites. */
struct static_key_site {
	u64 at;	    /* address of the nop or jump: any even one */
	u64 target; /* where the jump goes */
	const u8 *key;
};

/*
 * Sets `nr` neighbouring keys to 0 or 1, and makes all places agree with them. On return every hart executes the new text. Callers for one
 * key come one at a time. Context: may sleep, or boot before there are threads; holds no spin lock and no epoch section.
 */
void static_keys_set(u8 *keys, const u8 *values, u32 nr);

#if defined(STATIC_KEYS_NONE)

#define static_key_on(key) ((void)sizeof(key), false)

#elif defined(__riscv) && !defined(ATOMIC_MODEL)

/* `key` is the address of a u8 that the compiler knows. */
static __force_inline bool static_key_on(const u8 *key)
{
	asm goto("1:\n"
		 ".option push\n"
		 ".option norvc\n"
		 "nop\n"
		 ".option pop\n"
		 ".pushsection static_key_sites, \"a\"\n"
		 ".balign 8\n"
		 ".dword 1b, %l[on], %0\n"
		 ".popsection\n"
		 :
		 : "i"(key)
		 :
		 : on);
	return false;
on:
	__attribute__((cold));
	return true;
}

#else

#define static_key_on(key) (__atomic_load_n((key), __ATOMIC_RELAXED) != 0)

#endif

#endif

#endif
