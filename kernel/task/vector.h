/*
 * Vectors of a task: whether it may use them, and when its registers hold them. The registers themselves: arch/riscv64/vector.h.
 */
#ifndef KERNEL_TASK_VECTOR_H
#define KERNEL_TASK_VECTOR_H

#include "lib/types.h"

struct abi_ext_header;
struct task;
struct trap_frame;

/* Finds the vector unit and makes its number below /proc/sys. Boot, once. */
void task_vector_init(const char *isa);
/* AT_HWCAP's bit of vectors, if there are any and the running task may not use them. */
u64 task_vector_hidden_hwcap(void);

/* An illegal instruction of the running task: true if its vector unit was off and will be on: retry. May sleep. */
bool task_vector_begin(const struct trap_frame *frame);

/*
 * Exit work of a task with THREAD_WORK_VECTOR: the first at the end of a system call, before signals; the second last, when nothing that
 * may switch comes any more.
 */
void task_vector_call(struct task *t);
void task_vector_resume(struct task *t);

/* Memory is the place of the running task's vectors until it goes to user mode: others may read and write them there. */
void task_vector_settle(struct task *t);
/* The running task forgets its vectors; whether the new program may use them. */
void task_vector_exec(struct task *t);

/* Bytes of the record in a signal frame of `t`, which may be 0; of the greatest one. */
u64 task_vector_record_size(const struct task *t);
u64 task_vector_record_max(void);
/* Writes the record. 0 or -EFAULT. Context: `t` runs. */
int task_vector_save(struct task *t, struct abi_ext_header __user *at);
/* And reads it. 0, -EFAULT, or -EINVAL: no vectors, or another size. */
int task_vector_load(struct task *t, const struct abi_ext_header __user *at, u32 size);

/* prctl(PR_RISCV_V_SET_CONTROL, PR_RISCV_V_GET_CONTROL) of the running task. Source: PR_RISCV_V_SET_CONTROL(2const), Linux's vector.rst. */
long task_vector_set_control(u64 control);
long task_vector_get_control(void);

#endif
