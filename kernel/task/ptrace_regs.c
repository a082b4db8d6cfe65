/*
 * Sets of registers of a tracee that is held, in Linux's layouts: general ones from its frame, floating point and vectors from memory,
 * where ptrace_stop() has put them.
 */
#include "abi/errno.h"
#include "abi/ptrace.h"
#include "abi/signal.h"
#include "arch/riscv64/vector.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/task.h"

#include <string.h>

/* Both begin with pc, ra, sp ... t6 in one order (struct user_regs_struct). */
#define GENERAL_SIZE (32 * sizeof(u64))

/* Of the floating-point set: what a writer gives for the padding is not looked at. */
#define FP_USED offsetof(struct abi_fp_state, pad)

long ptrace_regset_size(struct task *t, u64 type, u32 *unit)
{
	*unit = sizeof(u64);
	switch (type) {
	case NT_PRSTATUS:
		return GENERAL_SIZE;
	case NT_PRFPREG:
		return sizeof(struct abi_fp_state);
	case NT_RISCV_VECTOR:
		*unit = sizeof(u32);
		return t->fp.vector ? (long)(sizeof(struct abi_vector_regset) + vector_size)
				    : -EINVAL;
	default:
		return -EINVAL;
	}
}

static void vector_read(const struct task *t, void *buf)
{
	const struct vector_state *v = t->fp.vector;
	struct abi_vector_regset head = {
		.vstart = v->vstart,
		.vl = v->vl,
		.vtype = v->vtype,
		.vcsr = v->vcsr,
		.vlenb = vector_size / NR_VECTOR_REGISTERS,
	};

	memcpy(buf, &head, sizeof(head));
	memcpy((char *)buf + sizeof(head), v->registers, vector_size);
}

void ptrace_regset_read(struct task *t, u64 type, void *buf)
{
	switch (type) {
	case NT_PRSTATUS:
		memcpy(buf, task_frame(t), GENERAL_SIZE);
		break;
	case NT_PRFPREG: {
		struct abi_fp_state fp = {.fcsr = t->fp.fcsr};

		memcpy(fp.f, t->fp.f, sizeof(fp.f));
		memcpy(buf, &fp, sizeof(fp));
		break;
	}
	default:
		vector_read(t, buf);
	}
}

static void fp_write(struct task *t, const void *buf, u64 len)
{
	struct abi_fp_state fp;

	ptrace_regset_read(t, NT_PRFPREG, &fp);
	memcpy(&fp, buf, MIN(len, FP_USED));
	memcpy(t->fp.f, fp.f, sizeof(fp.f));
	t->fp.fcsr = fp.fcsr;
}

static long vector_write(struct task *t, const void *buf, u64 len)
{
	struct vector_state *v = t->fp.vector;
	struct abi_vector_regset head;

	if (len < sizeof(head))
		return -EINVAL;
	memcpy(&head, buf, sizeof(head));
	if (head.vlenb != vector_size / NR_VECTOR_REGISTERS)
		return -EINVAL;
	v->vstart = head.vstart;
	v->vl = head.vl;
	v->vtype = head.vtype;
	v->vcsr = head.vcsr;
	memcpy(v->registers, (const char *)buf + sizeof(head), len - sizeof(head));
	return 0;
}

long ptrace_regset_write(struct task *t, u64 type, const void *buf, u64 len)
{
	switch (type) {
	case NT_PRSTATUS:
		memcpy(task_frame(t), buf, len);
		return 0;
	case NT_PRFPREG:
		fp_write(t, buf, len);
		return 0;
	default:
		return vector_write(t, buf, len);
	}
}
