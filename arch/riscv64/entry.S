/*
 * Trap entry and exit.
 *
 * A plain system call costs five CSR accesses (csrrw sscratch, scause, sepc, sepc, csrrw sscratch) at 46-54 ns each
 * under TCG, and saves nineteen registers; s0-s11 stay in registers, and the user's tp stays in sscratch.
 *
 * Which mode did the trap come from? Reading sstatus would cost a CSR, so signs tell. In the kernel sp and tp are
 * negative (kernel addresses) and sscratch, which holds the user's tp, is kept non-negative: a user tp that is zero or
 * negative is put into the frame and sscratch becomes 0. So, by sign of (sp, tp) at entry:
 *   (+, +)          user, the plain path
 *   (+, 0 or -)     user with an odd tp
 *   (-, +)          user with a hostile sp
 *   (-, 0 or -)     swap tp and sscratch: negative now, it is the cpu record, so a user with both hostile; else the
 *                   kernel: swap back
 * Invariant: sscratch == 0 while in the kernel means that frame.tp holds the user's tp; otherwise sscratch does.
 *
 * Debug builds set SUM in user copies only (uaccess.S). It goes with the thread: a fault there may end on another hart.
 *
 * A thread that somebody traces enters by trap_entry_traced, so that the others pay nothing for it: its way out puts that into stvec, and
 * its next entry, before anything can trap, trap_entry.
 *
 * While in the kernel sstatus.SIE is 0. sret leaves SPP = 0 and SPIE = 1, and kernel traps put that back before they
 * may switch threads, so no path to user mode writes sstatus.
 */
#include "arch/riscv64/csr.h"
#include "arch/riscv64/offsets.h"
#include "kernel/sync/static_key.h"
#include "kernel/syscall/syscall_nr.h"

/* What of sstatus belongs to the thread that trapped in the kernel. */
#ifdef KERNEL_DEBUG
#define STATUS_OF_THREAD (SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SUM)
#define STATUS_CLEARED	 (SSTATUS_SPP | SSTATUS_SUM)
#else
#define STATUS_OF_THREAD (SSTATUS_SPP | SSTATUS_SPIE)
#define STATUS_CLEARED	 SSTATUS_SPP
#endif

	.section .text.hot.entry, "ax", @progbits

	.macro save_caller
	sd	ra, F_RA(sp)
	sd	gp, F_GP(sp)
	sd	t0, F_T0(sp)
	sd	t1, F_T1(sp)
	sd	t2, F_T2(sp)
	sd	a0, F_A0(sp)
	sd	a1, F_A1(sp)
	sd	a2, F_A2(sp)
	sd	a3, F_A3(sp)
	sd	a4, F_A4(sp)
	sd	a5, F_A5(sp)
	sd	a6, F_A6(sp)
	sd	a7, F_A7(sp)
	sd	t3, F_T3(sp)
	sd	t4, F_T4(sp)
	sd	t5, F_T5(sp)
	sd	t6, F_T6(sp)
	.endm

	/* All but a0, sp and tp. */
	.macro load_caller
	ld	ra, F_RA(sp)
	ld	gp, F_GP(sp)
	ld	t0, F_T0(sp)
	ld	t1, F_T1(sp)
	ld	t2, F_T2(sp)
	ld	a1, F_A1(sp)
	ld	a2, F_A2(sp)
	ld	a3, F_A3(sp)
	ld	a4, F_A4(sp)
	ld	a5, F_A5(sp)
	ld	a6, F_A6(sp)
	ld	a7, F_A7(sp)
	ld	t3, F_T3(sp)
	ld	t4, F_T4(sp)
	ld	t5, F_T5(sp)
	ld	t6, F_T6(sp)
	.endm

	.macro callee op, base
	\op	s0, F_S0(\base)
	\op	s1, F_S1(\base)
	\op	s2, F_S2(\base)
	\op	s3, F_S3(\base)
	\op	s4, F_S4(\base)
	\op	s5, F_S5(\base)
	\op	s6, F_S6(\base)
	\op	s7, F_S7(\base)
	\op	s8, F_S8(\base)
	\op	s9, F_S9(\base)
	\op	s10, F_S10(\base)
	\op	s11, F_S11(\base)
	.endm

	/* Puts the user's tp into the frame unless it is there already. Clobbers t0. */
	.macro save_user_tp
	csrrw	t0, sscratch, zero
	beqz	t0, 7f
	sd	t0, F_TP(sp)
7:
	.endm

	.globl trap_entry
	.type trap_entry, @function
	.balign 64
trap_entry:
	bltz	sp, .Lnegative_sp
	blez	tp, .Lodd_tp
	csrrw	tp, sscratch, tp
.Lfrom_user:
	sd	sp, CPU_SCRATCH(tp)
	ld	sp, CPU_KERNEL_SP(tp)
	addi	sp, sp, -F_SIZE
	save_caller
.Lsaved:
	ld	t0, CPU_SCRATCH(tp)
	csrr	t1, scause
	csrr	t2, sepc
	sd	t0, F_SP(sp)
	/* hart_enter_kernel(): sequence + 1, USER -> KERNEL; fence pairs with (A) in hart_kick(). */
	ld	t3, CPU_STATE(tp)
	li	t0, CAUSE_ECALL
	addi	t3, t3, STATE_USER_TO_KERNEL
	sd	t3, CPU_STATE(tp)
	fence	rw, rw
	bne	t1, t0, .Luser_trap

	/* System call: past the ecall; arguments are still in a0-a5. */
	addi	t2, t2, 4
	sd	t1, F_CAUSE(sp)
	sd	a0, F_ORIG_A0(sp)
	sd	t2, F_PC(sp)
	static_key_branch trace_keys, .Ltraced	/* TRACE_KEY_ENTRY */
	li	t0, SYSCALL_TABLE_SIZE
	bgeu	a7, t0, .Lunknown
	la	t1, syscall_table
	slli	t0, a7, 3
	add	t1, t1, t0
	ld	t1, 0(t1)
	jalr	t1
.Lsyscall_done:
	/* hart_leave_kernel(USER): fence; store; fence (B) pairs with (A) in hart_kick(); test the demands. */
	ld	t0, CPU_STATE(tp)
	ld	t1, CPU_CURRENT(tp)
	fence	rw, w
	addi	t0, t0, STATE_KERNEL_TO_USER
	sd	t0, CPU_STATE(tp)
	fence	rw, rw
	lw	t2, CPU_WORK(tp)
	lw	t1, THREAD_WORK(t1)
	or	t1, t1, t2
	bnez	t1, .Lsyscall_work
	ld	t2, F_PC(sp)
	csrw	sepc, t2
	load_caller
.Luser_sp_tp:
	ld	sp, F_SP(sp)
	csrrw	tp, sscratch, tp
	beqz	tp, .Ltp_from_frame
	sret

	/* sscratch was 0: the user's tp is in the frame at the top of this stack. */
.Ltp_from_frame:
	csrr	tp, sscratch
	ld	tp, CPU_KERNEL_SP(tp)
	ld	tp, F_TP - F_SIZE(tp)
	sret

.Lunknown:
	call	sys_unknown
	j	.Lsyscall_done
	/* The C function below hides s0-s11 from the clone stubs: complete the frame here. */
.Ltraced:
	save_user_tp
	callee	sd, sp
	mv	a0, sp
	call	syscall_traced
	j	.Lsyscall_done

	/* Demands were seen after USER was stored: back to KERNEL, complete the frame, serve them in C. */
.Lsyscall_work:
	ld	t0, CPU_STATE(tp)
	addi	t0, t0, STATE_USER_TO_KERNEL
	sd	t0, CPU_STATE(tp)
	fence	rw, rw
	sd	a0, F_A0(sp)
	save_user_tp
	callee	sd, sp
	mv	a0, sp
	call	trap_exit_work
	j	.Lreturn_full

	/* Any other trap from user mode: complete the frame first. What it says of the last way out goes along. */
.Luser_trap:
	csrr	t0, stval
	ld	a1, F_PC(sp)
	ld	a2, F_CAUSE(sp)
	sd	t1, F_CAUSE(sp)
	sd	t2, F_PC(sp)
	sd	t0, F_TVAL(sp)
	save_user_tp
	callee	sd, sp
	mv	a0, sp
	call	trap_user
	mv	a0, sp
	call	trap_exit_work

	/* Everything from the frame at sp; the hart word says USER. */
.Lreturn_full:
	ld	t2, F_PC(sp)
	csrw	sepc, t2
	callee	ld, sp
	ld	a0, F_A0(sp)
	load_caller
	j	.Luser_sp_tp

	/* tp is zero or negative, sp is not: user mode, and the frame keeps tp. */
.Lodd_tp:
	csrrw	tp, sscratch, tp
.Lodd_user:
	sd	sp, CPU_SCRATCH(tp)
	ld	sp, CPU_KERNEL_SP(tp)
	addi	sp, sp, -F_SIZE
	save_caller
	csrrw	t0, sscratch, zero
	sd	t0, F_TP(sp)
	j	.Lsaved

.Lnegative_sp:
	bgtz	tp, .Lhostile_sp
	csrrw	tp, sscratch, tp
	bltz	tp, .Lodd_user
	csrrw	tp, sscratch, tp
	j	.Lkernel_trap
.Lhostile_sp:
	csrrw	tp, sscratch, tp
	j	.Lfrom_user

	/* From here on no plain system call comes by: apart, so that its whole way fits into one page (kernel.ld). */
	.section .text.trap, "ax", @progbits

	/*
	 * A trap in the kernel: a fault on user memory or a bug. Stacks are 16 KiB in the upper half of 32 KiB slots, so bit 14
	 * of a good frame's address is set; otherwise the stack has overflowed.
	 */
.Lkernel_trap:
	sd	t0, CPU_SCRATCH(tp)
	addi	t0, sp, -F_SIZE
	slli	t0, t0, 63 - 14
	bgez	t0, .Loverflow
	ld	t0, CPU_SCRATCH(tp)
	addi	sp, sp, -F_SIZE
.Lkernel_frame:
	save_caller
	callee	sd, sp
	addi	t0, sp, F_SIZE
	sd	t0, F_SP(sp)
	sd	tp, F_TP(sp)
.Lkernel_saved:
	csrr	t0, sepc
	csrr	t1, sstatus
	csrr	t2, scause
	csrr	t3, stval
	sd	t0, F_PC(sp)
	sd	t1, F_STATUS(sp)
	sd	t2, F_CAUSE(sp)
	sd	t3, F_TVAL(sp)
	/* As after sret: another thread may go to user mode before this trap ends. */
	li	t0, STATUS_CLEARED
	csrc	sstatus, t0
	li	t0, SSTATUS_SPIE
	csrs	sstatus, t0
	mv	a0, sp
	call	trap_kernel
	ld	t0, F_PC(sp)
	ld	t1, F_STATUS(sp)
	csrw	sepc, t0
	/* FS may have changed while the thread was away: it is not taken. */
	li	t2, STATUS_OF_THREAD
	and	t1, t1, t2
	csrc	sstatus, t2
	csrs	sstatus, t1
	callee	ld, sp
	ld	a0, F_A0(sp)
	load_caller
	addi	sp, sp, F_SIZE
	sret

.Loverflow:
	ld	t0, CPU_SCRATCH(tp)
	sd	sp, CPU_SCRATCH(tp)
	ld	sp, CPU_EMERGENCY_SP(tp)
	addi	sp, sp, -F_SIZE
	save_caller
	callee	sd, sp
	ld	t0, CPU_SCRATCH(tp)
	sd	t0, F_SP(sp)
	csrr	t0, sepc
	csrr	t1, sstatus
	csrr	t2, scause
	csrr	t3, stval
	sd	t0, F_PC(sp)
	sd	t1, F_STATUS(sp)
	sd	t2, F_CAUSE(sp)
	sd	t3, F_TVAL(sp)
	mv	a0, sp
	call	trap_stack_overflow

	/*
	 * Calls that read every register of the caller (a new thread inherits them). The stub runs straight from the dispatch
	 * above, so s0-s11 are still the user's.
	 */
	.macro full_stub name
	.globl	\name\()_stub
	.type	\name\()_stub, @function
\name\()_stub:
	ld	t1, CPU_KERNEL_SP(tp)
	addi	t1, t1, -F_SIZE
	callee	sd, t1
	csrrw	t0, sscratch, zero
	beqz	t0, 1f
	sd	t0, F_TP(t1)
1:
	tail	\name
	.endm

	full_stub sys_clone
	full_stub sys_clone3
	full_stub sys_exit
	full_stub sys_exit_group

	/* __noreturn void arch_return_to_user(struct trap_frame *frame): a new thread's way out. */
	/*
	 * The entry of a thread that is traced: always from user mode. The frame is completed before the call, for a tracer may read and
	 * write all of it, and every register comes from it afterwards.
	 */
	.globl	trap_entry_traced
	.type	trap_entry_traced, @function
	.balign 4
trap_entry_traced:
	csrrw	tp, sscratch, tp
	sd	sp, CPU_SCRATCH(tp)
	ld	sp, CPU_KERNEL_SP(tp)
	addi	sp, sp, -F_SIZE
	save_caller
	la	t0, trap_entry
	csrw	stvec, t0
	csrrw	t0, sscratch, zero
	sd	t0, F_TP(sp)
	csrr	t1, scause
	li	t0, CAUSE_ECALL
	beq	t1, t0, 1f
	j	.Lsaved
1:
	ld	t0, CPU_SCRATCH(tp)
	csrr	t2, sepc
	sd	t0, F_SP(sp)
	/* hart_enter_kernel(), as above. */
	ld	t3, CPU_STATE(tp)
	addi	t3, t3, STATE_USER_TO_KERNEL
	sd	t3, CPU_STATE(tp)
	fence	rw, rw
	addi	t2, t2, 4
	sd	t1, F_CAUSE(sp)
	sd	a0, F_ORIG_A0(sp)
	sd	t2, F_PC(sp)
	callee	sd, sp
	mv	a0, sp
	call	syscall_ptraced
	mv	a0, sp
	call	trap_exit_work
	j	.Lreturn_full

	.globl	arch_return_to_user
	.type	arch_return_to_user, @function
arch_return_to_user:
	mv	sp, a0
	csrw	sscratch, zero
	call	trap_exit_work
	j	.Lreturn_full
