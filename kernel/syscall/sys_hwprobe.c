/*
 * riscv_hwprobe: what programs are told of the harts, which are all alike.
 * Source: Linux's Documentation/arch/riscv/hwprobe.rst.
 */
#include "abi/errno.h"
#include "abi/system.h"
#include "arch/riscv64/cpu.h"
#include "arch/riscv64/csr.h"
#include "arch/riscv64/sbi.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/isa.h"
#include "kernel/time/time.h"

/* ---- are misaligned accesses worth it? ---- */

#define COPY_BYTES  2048U
#define COPY_ROUNDS 8

static u64 misaligned; /* [a] RISCV_HWPROBE_MISALIGNED_* once it was measured */

static void copy_words(u8 *to, const u8 *from)
{
	u64 word;

	for (u32 i = 0; i < COPY_BYTES; i += sizeof(word))
		__asm__ volatile("ld %0, 0(%1); sd %0, 0(%2)"
				 : "=&r"(word)
				 : "r"(from + i), "r"(to + i)
				 : "memory");
}

static void copy_bytes(u8 *to, const u8 *from)
{
	u64 byte;

	for (u32 i = 0; i < COPY_BYTES; i++)
		__asm__ volatile("lb %0, 0(%1); sb %0, 0(%2)"
				 : "=&r"(byte)
				 : "r"(from + i), "r"(to + i)
				 : "memory");
}

static u64 best_ticks(void (*copy)(u8 *to, const u8 *from), u8 *to, const u8 *from)
{
	u64 best = ~0UL;

	for (u32 i = 0; i < COPY_ROUNDS; i++) {
		u64 begin = csr_time();

		copy(to, from);
		best = MIN(best, csr_time() - begin);
	}
	return best;
}

/*
 * As Linux does at boot: fast, if words at odd addresses are copied faster than bytes. Measured when somebody asks first, in some 200 us; two
 * at once find the same.
 */
static u64 misaligned_speed(void)
{
	u64 speed = atomic_load_relaxed(&misaligned);
	u8 *buffer;

	if (speed)
		return speed;
	buffer = kzalloc(2 * COPY_BYTES + 2 * sizeof(u64));
	if (!buffer)
		return RISCV_HWPROBE_MISALIGNED_UNKNOWN;
	if (best_ticks(copy_words, buffer + 1, buffer + COPY_BYTES + 3) <
	    best_ticks(copy_bytes, buffer + 1, buffer + COPY_BYTES + 3))
		speed = RISCV_HWPROBE_MISALIGNED_FAST;
	else
		speed = RISCV_HWPROBE_MISALIGNED_SLOW;
	kfree(buffer);
	atomic_store_relaxed(&misaligned, speed);
	return speed;
}

/* ---- pairs ---- */

/* Fills in the value; an unknown key becomes -1. */
static void hwprobe_pair(struct abi_riscv_hwprobe *pair)
{
	switch (pair->key) {
	case RISCV_HWPROBE_KEY_MVENDORID:
		pair->value = sbi_mvendorid();
		break;
	case RISCV_HWPROBE_KEY_MARCHID:
		pair->value = sbi_marchid();
		break;
	case RISCV_HWPROBE_KEY_MIMPID:
		pair->value = sbi_mimpid();
		break;
	case RISCV_HWPROBE_KEY_BASE_BEHAVIOR:
		pair->value = RISCV_HWPROBE_BASE_BEHAVIOR_IMA;
		break;
	case RISCV_HWPROBE_KEY_IMA_EXT_0:
		pair->value = isa_hwprobe_ext(isa_string);
		break;
	case RISCV_HWPROBE_KEY_CPUPERF_0:
	case RISCV_HWPROBE_KEY_MISALIGNED_SCALAR_PERF:
		pair->value = misaligned_speed();
		break;
	case RISCV_HWPROBE_KEY_ZICBOZ_BLOCK_SIZE:
		pair->value = isa_has(isa_string, "zicboz") ? isa_zicboz_bytes : 0;
		break;
	case RISCV_HWPROBE_KEY_HIGHEST_VIRT_ADDRESS:
		pair->value = USER_TOP - 1;
		break;
	case RISCV_HWPROBE_KEY_TIME_CSR_FREQ:
		pair->value = time_freq;
		break;
	default:
		pair->key = -1;
		pair->value = 0;
	}
}

/* Have the harts what `wanted` asks for: of sets of bits, all these. */
static bool hwprobe_meets(const struct abi_riscv_hwprobe *wanted, const struct abi_riscv_hwprobe *have)
{
	switch (wanted->key) {
	case RISCV_HWPROBE_KEY_BASE_BEHAVIOR:
	case RISCV_HWPROBE_KEY_IMA_EXT_0:
	case RISCV_HWPROBE_KEY_CPUPERF_0:
		return !(wanted->value & ~have->value);
	default:
		return wanted->value == have->value;
	}
}

/* ---- sets of harts: what is behind the first 64 is not looked at, as on a Linux for so many ---- */

static int cpus_load(u64 user, u64 size, u64 *mask)
{
	*mask = 0;
	return copy_from_user(mask, (const void __user *)user, MIN(size, sizeof(*mask)));
}

static long hwprobe_values(u64 pairs, u64 count, u64 size, u64 cpus)
{
	struct abi_riscv_hwprobe pair;
	u64 mask = hart_all();

	if ((size || cpus) && cpus_load(cpus, size, &mask))
		return -EFAULT;
	if (!(mask & hart_all()))
		return -EINVAL;
	for (u64 i = 0; i < count; i++, pairs += sizeof(pair)) {
		if (user_load_u64((const u64 __user *)pairs, (u64 *)&pair.key))
			return -EFAULT;
		hwprobe_pair(&pair);
		if (copy_to_user((void __user *)pairs, &pair, sizeof(pair)))
			return -EFAULT;
	}
	return 0;
}

/* RISCV_HWPROBE_WHICH_CPUS: the harts of the set, of all if it is empty, that have every pair: all of them or none. */
static long hwprobe_harts(u64 pairs, u64 count, u64 size, u64 cpus)
{
	struct abi_riscv_hwprobe wanted, have;
	bool known = true;
	u64 mask;

	if (!size || !cpus)
		return -EINVAL;
	if (cpus_load(cpus, size, &mask))
		return -EFAULT;
	mask = mask ? mask & hart_all() : hart_all();
	for (u64 i = 0; i < count; i++, pairs += sizeof(wanted)) {
		if (copy_from_user(&wanted, (const void __user *)pairs, sizeof(wanted)))
			return -EFAULT;
		have = wanted;
		hwprobe_pair(&have);
		known &= have.key != -1;
		if (have.key == -1 && copy_to_user((void __user *)pairs, &have, sizeof(have)))
			return -EFAULT;
		if (!known || !hwprobe_meets(&wanted, &have))
			mask = 0;
	}
	return copy_to_user((void __user *)cpus, &mask, MIN(size, sizeof(mask)));
}

/* riscv_hwprobe(pairs, count, size, cpus, flags) */
long sys_riscv_hwprobe(SYSCALL_ARGS)
{
	if (a4 & ~(u64)RISCV_HWPROBE_WHICH_CPUS)
		return -EINVAL;
	return a4 ? hwprobe_harts(a0, a1, a2, a3) : hwprobe_values(a0, a1, a2, a3);
}
