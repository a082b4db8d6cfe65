/*
 * A machine without vectors.
 */
#include "tests/syscall/vector/control.h"
#include "tests/syscall/vector/vector.h"

#include <signal.h>
#include <sys/auxv.h>

TEST(programs_are_not_told)
{
	CHECK_EQ(getauxval(AT_HWCAP) & HWCAP_V, 0);
	CHECK_EQ(getauxval(AT_MINSIGSTKSZ), 1088);
	CHECK_EQ(access(ALLOW_FILE, F_OK), -1);
}

TEST(no_control)
{
	CHECK_EQ(sys5(SYS_prctl, PR_RISCV_V_GET_CONTROL, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(sys5(SYS_prctl, PR_RISCV_V_SET_CONTROL, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(sys5(SYS_prctl, PR_RISCV_V_SET_CONTROL, V_ON, 0, 0, 0), -EINVAL);
}

static int use(void)
{
	return (int)vector_bytes();
}

TEST(instruction_is_illegal)
{
	CHECK_EQ(child_status(use), SIGILL);
}
