/*
 * Vectors of a task.
 *
 * The first vector instruction traps; from then on the task has a struct vector_state, as long as the program runs, and THREAD_WORK_VECTOR is
 * set while its registers shall hold it whenever it is in user mode. That bit sends each of its ways to user mode through the exit work, which
 * loads the registers if the task has been switched out, and lets a system call take them. So neither the entry code nor a switch to a thread
 * knows of vectors, and a thread without pays nothing.
 *
 * A bit that stays set makes each system call slower. After VECTOR_CALLS calls the unit goes off and the bit with it, until the next vector
 * instruction traps: through the firmware, which costs as much as a few dozen of those calls.
 *
 * As on Linux a new thread or process begins without, for a system call has taken its parent's.
 */
#include "kernel/task/vector.h"

#include "abi/auxv.h"
#include "abi/errno.h"
#include "abi/signal.h"
#include "abi/system.h"
#include "arch/riscv64/vector.h"
#include "kernel/fs/sysctl.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/isa.h"
#include "kernel/task/task.h"

#include <string.h>

#define VECTOR_CALLS 128

static u64 default_allow = 1; /* [a] */

static int set_default_allow(u64 *values, const u64 *wanted, u32 nr)
{
	(void)nr;
	atomic_store_relaxed(values, (u64) !!*wanted);
	return 0;
}

static const struct sysctl allow_sysctl = {
	.path = "abi/riscv_v_default_allow",
	.mode = 0644,
	.nr = 1,
	.values = &default_allow,
	.is_signed = true,
	.min = (u64)INT32_MIN,
	.max = INT32_MAX,
	.set = set_default_allow,
};

void task_vector_init(const char *isa)
{
	if (!(isa_hwcap(isa) & HWCAP_ISA_V))
		return;
	vector_init();
	if (sysctl_register(&allow_sysctl))
		panic("no memory for /proc/sys/abi");
}

/* ---- who may ---- */

static u32 control_now(const struct task *t)
{
	return t->vector_control & PR_RISCV_V_VSTATE_CTRL_CUR_MASK;
}

u64 task_vector_hidden_hwcap(void)
{
	return control_now(task_current()) == PR_RISCV_V_VSTATE_CTRL_ON ? 0 : HWCAP_ISA_V;
}

long task_vector_get_control(void)
{
	return vector_size ? task_current()->vector_control : -EINVAL;
}

long task_vector_set_control(u64 control)
{
	struct task *t = task_current();
	u32 now = (u32)control & PR_RISCV_V_VSTATE_CTRL_CUR_MASK;
	u32 next = (u32)control & PR_RISCV_V_VSTATE_CTRL_NEXT_MASK;

	if (!vector_size || (control & ~PR_RISCV_V_VSTATE_CTRL_MASK))
		return -EINVAL;
	if (now == PR_RISCV_V_VSTATE_CTRL_CUR_MASK)
		return -EINVAL;
	if (now == PR_RISCV_V_VSTATE_CTRL_OFF && control_now(t) != PR_RISCV_V_VSTATE_CTRL_OFF)
		return -EPERM;
	if (next == PR_RISCV_V_VSTATE_CTRL_NEXT_MASK)
		return -EINVAL;
	if (now == PR_RISCV_V_VSTATE_CTRL_DEFAULT)
		now = control_now(t);
	t->vector_control = (u8)(now | next | (control & PR_RISCV_V_VSTATE_CTRL_INHERIT));
	return 0;
}

static void control_exec(struct task *t)
{
	u32 next = t->vector_control & PR_RISCV_V_VSTATE_CTRL_NEXT_MASK;
	u32 now = next >> PR_RISCV_V_VSTATE_CTRL_NEXT_SHIFT;

	if (!now)
		now = atomic_load_relaxed(&default_allow) ? PR_RISCV_V_VSTATE_CTRL_ON
							  : PR_RISCV_V_VSTATE_CTRL_OFF;
	if (t->vector_control & PR_RISCV_V_VSTATE_CTRL_INHERIT)
		t->vector_control = (u8)(now | next | PR_RISCV_V_VSTATE_CTRL_INHERIT);
	else
		t->vector_control = (u8)now;
}

/* ---- where they are ---- */

static bool vector_live(const struct task *t)
{
	return t->fp.live & VECTOR_LIVE;
}

/* The registers are to hold the state in user mode, for a while. */
static void vector_keep(struct task *t)
{
	t->fp.vector->calls = VECTOR_CALLS;
	atomic_fetch_or(&t->thread.work, THREAD_WORK_VECTOR);
}

static void vector_off(struct task *t)
{
	if (!vector_live(t))
		return;
	vector_drop(t->fp.vector);
	t->fp.live &= (u8)~VECTOR_LIVE;
}

bool task_vector_begin(const struct trap_frame *frame)
{
	struct task *t = task_current();
	u32 insn = (u32)frame->tval;

	if (!vector_size || vector_live(t) || control_now(t) != PR_RISCV_V_VSTATE_CTRL_ON)
		return false;
	/* Not every machine says which instruction it was. */
	if (!insn && copy_from_user(&insn, (const void __user *)frame->pc, sizeof(insn)))
		return false;
	if (!vector_instruction(insn))
		return false;
	if (!t->fp.vector)
		t->fp.vector = kzalloc(sizeof(struct vector_state) + vector_size);
	if (t->fp.vector)
		vector_keep(t);
	else
		signal_force_fault(SIGBUS, SI_KERNEL, 0);
	return true;
}

void task_vector_call(struct task *t)
{
	struct vector_state *v = t->fp.vector;

	if (vector_live(t))
		vector_fill();
	else
		v->taken = true;
	if (--v->calls)
		return;
	vector_off(t);
	atomic_fetch_and(&t->thread.work, (u32)~THREAD_WORK_VECTOR);
}

void task_vector_resume(struct task *t)
{
	if (vector_live(t))
		return;
	vector_load(t->fp.vector);
	t->fp.live |= VECTOR_LIVE;
}

void task_vector_exec(struct task *t)
{
	vector_off(t);
	atomic_fetch_and(&t->thread.work, (u32)~THREAD_WORK_VECTOR);
	kfree(t->fp.vector);
	t->fp.vector = NULL;
	control_exec(t);
}

/* ---- signal frames ---- */

u64 task_vector_record_max(void)
{
	return vector_size ? sizeof(struct abi_vector_record) + vector_size : 0;
}

u64 task_vector_record_size(const struct task *t)
{
	return t->fp.vector ? task_vector_record_max() : 0;
}

/* Makes memory the place of the state. */
static void vector_to_memory(struct task *t)
{
	struct vector_state *v = t->fp.vector;

	if (vector_live(t)) {
		vector_store(v);
		t->fp.live &= (u8)~VECTOR_LIVE;
	} else if (v->taken) {
		v->vstart = v->vl = 0;
		v->vtype = VTYPE_INVALID;
		memset(v->registers, 0xff, vector_size);
		v->taken = false;
	}
}

void task_vector_settle(struct task *t)
{
	if (t->fp.vector)
		vector_to_memory(t);
}

int task_vector_save(struct task *t, struct abi_ext_header __user *at)
{
	struct abi_vector_record __user *user = (struct abi_vector_record __user *)at;
	const struct vector_state *v = t->fp.vector;
	struct abi_vector_record record;

	vector_to_memory(t);
	record = (struct abi_vector_record){
		.header = {RISCV_V_MAGIC, (u32)task_vector_record_max()},
		.vstart = v->vstart,
		.vl = v->vl,
		.vtype = v->vtype,
		.vcsr = v->vcsr,
		.vlenb = vector_size / NR_VECTOR_REGISTERS,
		.registers = (u64)(user + 1),
	};
	if (copy_to_user(user, &record, sizeof(record)) ||
	    copy_to_user(user + 1, v->registers, vector_size))
		return -EFAULT;
	return 0;
}

int task_vector_load(struct task *t, const struct abi_ext_header __user *at, u32 size)
{
	struct vector_state *v = t->fp.vector;
	struct abi_vector_record record;

	if (!v || size != task_vector_record_max())
		return -EINVAL;
	if (copy_from_user(&record, at, sizeof(record)))
		return -EFAULT;
	/* Until all has been read they are a system call's to take. */
	vector_off(t);
	v->taken = true;
	if (copy_from_user(v->registers, (const void __user *)record.registers, vector_size))
		return -EFAULT;
	v->vstart = record.vstart;
	v->vl = record.vl;
	v->vtype = record.vtype;
	v->vcsr = record.vcsr;
	v->taken = false;
	vector_keep(t);
	return 0;
}
