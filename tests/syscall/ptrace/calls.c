/*
 * Stops at system calls: order, what is told, what the tracer changes.
 */
#include "tests/syscall/ptrace/ptrace.h"

#include <fcntl.h>

static int one_call(void)
{
	return (int)sys6(SYS_getppid, 11, 12, 13, 14, 15, 16) == getppid() ? 0 : 1;
}

/* To the entry of call `nr`. */
static bool run_to(pid_t pid, uint64_t nr, struct syscall_info *info)
{
	for (int i = 0; i < 200; i++) {
		if (trace(P_SYSCALL, pid, 0, 0) || next_status(pid) != SYSCALL_STOP)
			return false;
		memset(info, 0, sizeof(*info));
		if (trace(P_GET_SYSCALL_INFO, pid, sizeof(*info), info) <= 0)
			return false;
		if (info->op == 1 && info->entry.nr == nr)
			return true;
	}
	return false;
}

TEST(entry_and_exit_are_told)
{
	pid_t pid = traced_child(one_call);
	struct syscall_info info;
	unsigned long message = 0;
	siginfo_t stop;
	struct regs regs;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_SYSGOOD), 0);
	CHECK_EQ(trace(P_GET_SYSCALL_INFO, pid, sizeof(info), &info), 24);
	CHECK_EQ(info.op, 0);
	CHECK_EQ(info.arch, 0xc00000f3);
	CHECK(run_to(pid, SYS_getppid, &info));
	CHECK_EQ(trace(P_GET_SYSCALL_INFO, pid, sizeof(info), &info), 80);
	for (uint64_t i = 0; i < 6; i++)
		CHECK_EQ(info.entry.args[i], 11 + i);
	CHECK_EQ(get_regs(pid, &regs), 0);
	CHECK_EQ(info.pc, regs.pc);
	CHECK_EQ(info.sp, regs.sp);
	CHECK_EQ(regs.a0, -ENOSYS);
	CHECK_EQ(regs.a1, 12);
	CHECK_EQ(regs.a7, SYS_getppid);
	CHECK_EQ(trace(P_GETEVENTMSG, pid, 0, &message), 0);
	CHECK_EQ(message, 1);
	CHECK_EQ(trace(P_GETSIGINFO, pid, 0, &stop), 0);
	CHECK_EQ(stop.si_signo, SIGTRAP);
	CHECK_EQ(stop.si_code, SIGTRAP | 0x80);
	CHECK_EQ(stop.si_pid, pid);
	CHECK_EQ(trace(P_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), SYSCALL_STOP);
	memset(&info, 0x77, sizeof(info));
	CHECK_EQ(trace(P_GET_SYSCALL_INFO, pid, sizeof(info), &info), 33);
	CHECK_EQ(info.op, 2);
	CHECK_EQ(info.exit.rval, getpid());
	CHECK_EQ(info.exit.is_error, 0);
	CHECK_EQ(trace(P_GETEVENTMSG, pid, 0, &message), 0);
	CHECK_EQ(message, 2);
	CHECK_EQ(trace(P_GET_SYSCALL_INFO, pid, 4, &info), 33);
	CHECK_EQ(trace(P_GET_SYSCALL_INFO, pid, 4, 8), -EFAULT);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 0);
}

static int bad_call(void)
{
	return sys1(SYS_close, -1) == -EBADF ? 0 : 1;
}

TEST(an_error_is_told)
{
	pid_t pid = traced_child(bad_call);
	struct syscall_info info;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_SYSGOOD), 0);
	CHECK(run_to(pid, SYS_close, &info));
	CHECK_EQ(info.entry.args[0], -1);
	CHECK_EQ(trace(P_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), SYSCALL_STOP);
	CHECK_EQ(trace(P_GET_SYSCALL_INFO, pid, sizeof(info), &info), 33);
	CHECK_EQ(info.exit.rval, -EBADF);
	CHECK_EQ(info.exit.is_error, 1);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 0);
}

TEST(without_the_option_it_is_a_sigtrap)
{
	pid_t pid = traced_child(one_call);
	struct syscall_info info;

	CHECK_EQ(trace(P_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGTRAP));
	CHECK_EQ(trace(P_GET_SYSCALL_INFO, pid, sizeof(info), &info), 24);
	kill_and_reap(pid);
}

static int getppid_changed(void)
{
	return (int)sys0(SYS_getppid) & 0x7f;
}

TEST(the_result_is_changed)
{
	pid_t pid = traced_child(getppid_changed);
	struct syscall_info info;
	struct regs regs;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_SYSGOOD), 0);
	CHECK(run_to(pid, SYS_getppid, &info));
	CHECK_EQ(trace(P_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), SYSCALL_STOP);
	CHECK_EQ(get_regs(pid, &regs), 0);
	regs.a0 = 33;
	CHECK_EQ(set_regs(pid, &regs), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 33 << 8);
}

TEST(a_call_is_left_out)
{
	pid_t pid = traced_child(getppid_changed);
	struct syscall_info info;
	struct regs regs;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_SYSGOOD), 0);
	CHECK(run_to(pid, SYS_getppid, &info));
	CHECK_EQ(get_regs(pid, &regs), 0);
	regs.a7 = -1UL;
	regs.a0 = 21;
	CHECK_EQ(set_regs(pid, &regs), 0);
	CHECK_EQ(trace(P_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), SYSCALL_STOP);
	CHECK_EQ(get_regs(pid, &regs), 0);
	CHECK_EQ(regs.a0, 21);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 21 << 8);
}

static int dup_changed(void)
{
	int fd = open("/dev/null", O_RDONLY);

	return (int)sys3(SYS_dup3, fd, 50, 0);
}

TEST(number_and_arguments_are_changed)
{
	pid_t pid = traced_child(dup_changed);
	struct syscall_info info;
	struct regs regs;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_SYSGOOD), 0);
	CHECK(run_to(pid, SYS_dup3, &info));
	CHECK_EQ(get_regs(pid, &regs), 0);
	regs.a0 = 99; /* not the argument */
	regs.a1 = 51;
	CHECK_EQ(set_regs(pid, &regs), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 51 << 8);

	pid = traced_child(getppid_changed);
	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_SYSGOOD), 0);
	CHECK(run_to(pid, SYS_getppid, &info));
	CHECK_EQ(get_regs(pid, &regs), 0);
	regs.a7 = SYS_getpid;
	CHECK_EQ(set_regs(pid, &regs), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), (pid & 0x7f) << 8);
}

/* Registers that a call preserves: the tracer's are the program's afterwards. */
static int saved_registers(void)
{
	register long nr __asm__("a7") = SYS_getppid;
	register long s3 __asm__("s3") = 1;
	register long result __asm__("a0") = 0;

	__asm__ volatile("ecall" : "+r"(result), "+r"(s3) : "r"(nr) : "memory");
	return (int)s3;
}

TEST(saved_registers_are_changed)
{
	pid_t pid = traced_child(saved_registers);
	struct syscall_info info;
	struct regs regs;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_SYSGOOD), 0);
	CHECK(run_to(pid, SYS_getppid, &info));
	CHECK_EQ(get_regs(pid, &regs), 0);
	CHECK_EQ(regs.s3, 1);
	regs.s3 = 77;
	CHECK_EQ(set_regs(pid, &regs), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 77 << 8);
}

static void nothing(int sig)
{
	(void)sig;
}

static int handler_and_sigreturn(void)
{
	signal(SIGUSR1, nothing);
	raise(SIGUSR1);
	return 9;
}

/* Entries and exits alternate, through handlers too; exit_group has no exit. */
TEST(entries_and_exits_alternate)
{
	pid_t pid = traced_child(handler_and_sigreturn);
	struct syscall_info info;
	bool inside = false, sigreturn = false;
	int status, sig = 0;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_SYSGOOD), 0);
	for (int i = 0; i < 200; i++) {
		CHECK_EQ(trace(P_SYSCALL, pid, 0, sig), 0);
		status = next_status(pid);
		sig = status == STOPPED_BY(SIGUSR1) ? SIGUSR1 : 0;
		if (sig)
			continue;
		if (status != SYSCALL_STOP)
			break;
		trace(P_GET_SYSCALL_INFO, pid, sizeof(info), &info);
		CHECK_EQ(info.op, inside ? 2 : 1);
		inside = !inside;
		sigreturn |= inside && info.entry.nr == SYS_rt_sigreturn;
	}
	CHECK_EQ(status, 9 << 8);
	CHECK(inside && sigreturn);
}

static int pause_twice(void)
{
	signal(SIGUSR1, nothing);
	return sys4(SYS_ppoll, 0, 0, 0, 0) == -EINTR ? 0 : 1;
}

/* The exit of an interrupted call shows the code by which the kernel knows how to go on with it. */
TEST(an_interrupted_call_is_seen)
{
	pid_t pid = traced_child(pause_twice);
	struct syscall_info info;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_SYSGOOD), 0);
	CHECK(run_to(pid, SYS_ppoll, &info));
	CHECK_EQ(trace(P_SYSCALL, pid, 0, 0), 0);
	WAIT_UNTIL(process_sleeps(pid));
	kill(pid, SIGUSR1);
	CHECK_EQ(next_status(pid), SYSCALL_STOP);
	CHECK_EQ(trace(P_GET_SYSCALL_INFO, pid, sizeof(info), &info), 33);
	CHECK_EQ(info.exit.rval, -514);
	CHECK_EQ(trace(P_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGUSR1));
	/* Without the signal it is made again. */
	CHECK_EQ(trace(P_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), SYSCALL_STOP);
	CHECK_EQ(trace(P_GET_SYSCALL_INFO, pid, sizeof(info), &info), 80);
	CHECK_EQ(info.entry.nr, SYS_ppoll);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	WAIT_UNTIL(process_sleeps(pid));
	kill(pid, SIGUSR1);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGUSR1));
	CHECK_EQ(trace(P_CONT, pid, 0, SIGUSR1), 0);
	CHECK_EQ(next_status(pid), 0);
}

static int unknown_call(void)
{
	return sys0(5000) == -ENOSYS && sys0(462) <= 0 ? 0 : 1;
}

TEST(an_unknown_call_is_told)
{
	pid_t pid = traced_child(unknown_call);
	struct syscall_info info;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_SYSGOOD), 0);
	CHECK(run_to(pid, 5000, &info));
	CHECK_EQ(trace(P_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), SYSCALL_STOP);
	CHECK_EQ(trace(P_GET_SYSCALL_INFO, pid, sizeof(info), &info), 33);
	CHECK_EQ(info.exit.rval, -ENOSYS);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 0);
}

TEST(a_stop_at_a_call_sends_a_signal)
{
	pid_t pid = traced_child(one_call);
	struct syscall_info info;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_SYSGOOD), 0);
	CHECK(run_to(pid, SYS_getppid, &info));
	CHECK_EQ(trace(P_CONT, pid, 0, SIGUSR1), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGUSR1));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 0);
}
