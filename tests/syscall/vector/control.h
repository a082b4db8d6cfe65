/* Who may use vectors, in numbers. */
#ifndef TESTS_SYSCALL_VECTOR_CONTROL_H
#define TESTS_SYSCALL_VECTOR_CONTROL_H

#ifndef PR_RISCV_V_SET_CONTROL
#define PR_RISCV_V_SET_CONTROL 69
#define PR_RISCV_V_GET_CONTROL 70
#endif

/* Now, after exec, after each exec. */
#define V_OFF	   1
#define V_ON	   2
#define V_NEXT_OFF (V_OFF << 2)
#define V_NEXT_ON  (V_ON << 2)
#define V_INHERIT  16

#define HWCAP_V (1UL << ('v' - 'a'))
/* Added to the exit status of "control" if the program was told of vectors. */
#define CHILD_HWCAP_V 32

#define ALLOW_FILE "/proc/sys/abi/riscv_v_default_allow"

#endif
