/*
 * WAKE_OP: changes a second word, wakes waiters of the first, and those of the second if its old value compares as asked:
 * what a condition variable needs to signal and unlock in one call. Both buckets are locked over the change, so a waiter of
 * either word is queued before it or sees its effect. Source: futex(2).
 */
#include "kernel/futex/futex_internal.h"

#include "abi/futex.h"
#include "kernel/mm/uaccess.h"
#include "kernel/trace/trace.h"

/* The encoded operation: 1 bit "operand is a shift", 3 operation, 4 comparison, 12 operand, 12 comparison operand. */
static u32 op_operand(u32 op)
{
	u32 operand = (u32)((s32)(op << 8) >> 20);

	return op & (FUTEX_OP_OPARG_SHIFT << 28) ? 1U << (operand & 31) : operand;
}

/* What becomes of `value`. 0 with *next, or -ENOSYS. */
static int op_apply(u32 op, u32 value, u32 *next)
{
	u32 operand = op_operand(op);

	switch (op >> 28 & 7) {
	case FUTEX_OP_SET:
		*next = operand;
		return 0;
	case FUTEX_OP_ADD:
		*next = value + operand;
		return 0;
	case FUTEX_OP_OR:
		*next = value | operand;
		return 0;
	case FUTEX_OP_ANDN:
		*next = value & ~operand;
		return 0;
	case FUTEX_OP_XOR:
		*next = value ^ operand;
		return 0;
	default:
		return -ENOSYS;
	}
}

/* Does the old value satisfy the comparison? 1, 0, or -ENOSYS. */
static int op_compare(u32 op, u32 old)
{
	s32 value = (s32)old, operand = (s32)(op << 20) >> 20;

	switch (op >> 24 & 15) {
	case FUTEX_OP_CMP_EQ:
		return value == operand;
	case FUTEX_OP_CMP_NE:
		return value != operand;
	case FUTEX_OP_CMP_LT:
		return value < operand;
	case FUTEX_OP_CMP_LE:
		return value <= operand;
	case FUTEX_OP_CMP_GT:
		return value > operand;
	case FUTEX_OP_CMP_GE:
		return value >= operand;
	default:
		return -ENOSYS;
	}
}

/* Changes the word without faulting. 0 with *old, -EFAULT, -ENOSYS. */
static int op_change_nofault(u32 __user *word, u32 op, u32 *old)
{
	u32 value, next;

	if (op_apply(op, 0, &next))
		return -ENOSYS;
	if (user_load_u32_nofault(word, &value))
		return -EFAULT;
	for (;;) {
		op_apply(op, value, &next);
		if (user_cas_u32_nofault(word, value, next, old))
			return -EFAULT;
		if (*old == value)
			return 0;
		value = *old;
	}
}

/* Locks both buckets and changes the word. 0 with *old, -EFAULT, -ENOSYS; locked only on 0. */
static int op_change_locked(struct futex_bucket *b1, struct futex_bucket *b2, u32 __user *word,
			    u32 op, u32 *old)
{
	int ret;

	for (;;) {
		bucket_lock_pair(&b1->lock, &b2->lock);
		ret = op_change_nofault(word, op, old);
		if (ret == 0)
			return 0;
		bucket_unlock_pair(&b1->lock, &b2->lock);
		if (ret != -EFAULT)
			return ret;
		ret = user_fault_in(word, true);
		if (ret)
			return ret;
	}
}

int futex_wake_op(u64 uaddr1, u32 flags, u64 uaddr2, int nr_wake, int nr_wake2, u32 op)
{
	struct unpark_batch batch = {0};
	struct futex_bucket *b1, *b2;
	struct mm_key key1, key2;
	int ret, satisfied, woken2;
	u32 old = 0;

	ret = futex_key(uaddr1, flags, false, &key1);
	if (ret == 0)
		ret = futex_key(uaddr2, flags, true, &key2);
	if (ret)
		return ret;
	b1 = futex_bucket(&key1);
	b2 = futex_bucket(&key2);
	ret = op_change_locked(b1, b2, (u32 __user *)uaddr2, op, &old);
	if (ret)
		return ret;
	trace_futex_wake(uaddr1, (u32)nr_wake);
	/* As on Linux an unknown comparison is found out after the change. */
	satisfied = op_compare(op, old);
	if (satisfied < 0)
		ret = satisfied;
	else
		ret = futex_wake_locked(b1, &key1, nr_wake, FUTEX_BITSET_MATCH_ANY, &batch);
	if (satisfied > 0 && ret >= 0) {
		woken2 = futex_wake_locked(b2, &key2, nr_wake2, FUTEX_BITSET_MATCH_ANY, &batch);
		ret = woken2 < 0 ? woken2 : ret + woken2;
	}
	bucket_unlock_pair(&b1->lock, &b2->lock);
	unpark_batch_flush(&batch);
	trace_futex_wake_done((u64)ret);
	return ret;
}
