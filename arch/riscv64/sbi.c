#include "arch/riscv64/sbi.h"

#include "arch/riscv64/cpu.h"

#define EXT_BASE   0x10
#define EXT_TIME   0x54494d45
#define EXT_IPI	   0x735049
#define EXT_RFENCE 0x52464e43
#define EXT_HSM	   0x48534d
#define EXT_SRST   0x53525354

#define BASE_MVENDORID 4
#define BASE_MARCHID   5
#define BASE_MIMPID    6

#define RFENCE_SFENCE_VMA 1

struct sbi_ret sbi_call(u64 ext, u64 fn, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
	register u64 r0 __asm__("a0") = a0;
	register u64 r1 __asm__("a1") = a1;
	register u64 r2 __asm__("a2") = a2;
	register u64 r3 __asm__("a3") = a3;
	register u64 r4 __asm__("a4") = a4;
	register u64 r6 __asm__("a6") = fn;
	register u64 r7 __asm__("a7") = ext;

	__asm__ volatile("ecall"
			 : "+r"(r0), "+r"(r1)
			 : "r"(r2), "r"(r3), "r"(r4), "r"(r6), "r"(r7)
			 : "memory");
	return (struct sbi_ret){.error = (long)r0, .value = (long)r1};
}

static u64 sbi_base(u64 fn)
{
	return (u64)sbi_call(EXT_BASE, fn, 0, 0, 0, 0, 0).value;
}

u64 sbi_mvendorid(void)
{
	return sbi_base(BASE_MVENDORID);
}

u64 sbi_marchid(void)
{
	return sbi_base(BASE_MARCHID);
}

u64 sbi_mimpid(void)
{
	return sbi_base(BASE_MIMPID);
}

long sbi_hart_start(u64 hartid, u64 entry, u64 opaque)
{
	return sbi_call(EXT_HSM, 0, hartid, entry, opaque, 0, 0).error;
}

long sbi_hart_status(u64 hartid)
{
	struct sbi_ret ret = sbi_call(EXT_HSM, 2, hartid, 0, 0, 0, 0);

	return ret.error ? ret.error : ret.value;
}

void sbi_set_timer(u64 deadline)
{
	sbi_call(EXT_TIME, 0, deadline, 0, 0, 0, 0);
}

void sbi_shutdown(void)
{
	sbi_call(EXT_SRST, 0, 0, 0, 0, 0, 0);
}

/*
 * The hart mask of an SBI call covers 64 hart ids from a base. Takes from *cpus those that share the window of its first
 * member; returns their mask and stores the base.
 */
static u64 sbi_next_window(u64 *cpus, u64 *base)
{
	u64 first = cpu_of((u32)__builtin_ctzl(*cpus))->hartid;
	u64 mask = 0;

	for (u64 left = *cpus; left; left &= left - 1) {
		u32 id = (u32)__builtin_ctzl(left);
		u64 bit = cpu_of(id)->hartid - first;

		if (bit < 64) {
			mask |= BIT(bit);
			*cpus &= ~BIT(id);
		}
	}
	*base = first;
	return mask;
}

void sbi_send_ipi(u64 cpus)
{
	while (cpus) {
		u64 base, mask = sbi_next_window(&cpus, &base);

		sbi_call(EXT_IPI, 0, mask, base, 0, 0, 0);
	}
}

void sbi_remote_sfence(u64 cpus)
{
	while (cpus) {
		u64 base, mask = sbi_next_window(&cpus, &base);

		sbi_call(EXT_RFENCE, RFENCE_SFENCE_VMA, mask, base, 0, ~0UL, 0);
	}
}
