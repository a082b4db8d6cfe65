/*
 * Shared by the tests of ptrace. Most tracees are children that trace themselves (traced_child()) and stop at once.
 */
#ifndef TESTS_SYSCALL_PTRACE_PTRACE_H
#define TESTS_SYSCALL_PTRACE_PTRACE_H

#include "tests/syscall/harness.h"

#include <signal.h>
#include <sys/wait.h>

#define P_TRACEME	   0
#define P_PEEKTEXT	   1
#define P_PEEKDATA	   2
#define P_PEEKUSER	   3
#define P_POKETEXT	   4
#define P_POKEDATA	   5
#define P_CONT		   7
#define P_KILL		   8
#define P_SINGLESTEP	   9
#define P_GETREGS	   12
#define P_ATTACH	   16
#define P_DETACH	   17
#define P_SYSCALL	   24
#define P_SETOPTIONS	   0x4200
#define P_GETEVENTMSG	   0x4201
#define P_GETSIGINFO	   0x4202
#define P_SETSIGINFO	   0x4203
#define P_GETREGSET	   0x4204
#define P_SETREGSET	   0x4205
#define P_SEIZE		   0x4206
#define P_INTERRUPT	   0x4207
#define P_LISTEN	   0x4208
#define P_PEEKSIGINFO	   0x4209
#define P_GETSIGMASK	   0x420a
#define P_SETSIGMASK	   0x420b
#define P_GET_SYSCALL_INFO 0x420e

#define O_SYSGOOD   0x01
#define O_FORK	    0x02
#define O_VFORK	    0x04
#define O_CLONE	    0x08
#define O_EXEC	    0x10
#define O_VFORKDONE 0x20
#define O_EXIT	    0x40
#define O_EXITKILL  0x100000

#define EVENT_FORK	 1
#define EVENT_VFORK	 2
#define EVENT_CLONE	 3
#define EVENT_EXEC	 4
#define EVENT_VFORK_DONE 5
#define EVENT_EXIT	 6
#define EVENT_STOP	 128

#define NT_GENERAL 1
#define NT_FLOAT   2

/* Wait statuses of stops. */
#define STOPPED_BY(sig)	    ((sig) << 8 | 0x7f)
#define SYSCALL_STOP	    STOPPED_BY(SIGTRAP | 0x80)
#define EVENT_STATUS(event) STOPPED_BY((event) << 8 | SIGTRAP)
#define GROUP_STOP(sig)	    STOPPED_BY(EVENT_STOP << 8 | (sig))

/* General registers as NT_PRSTATUS has them. */
struct regs {
	unsigned long pc, ra, sp, gp, tp, t0, t1, t2, s0, s1, a0, a1, a2, a3, a4, a5, a6, a7, s2,
		s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6;
};

struct syscall_info {
	uint8_t op, pad[3];
	uint32_t arch;
	uint64_t pc, sp;
	union {
		struct {
			uint64_t nr, args[6];
		} entry;
		struct {
			int64_t rval;
			uint8_t is_error;
		} exit;
		uint64_t room[8];
	};
};

#define trace(request, pid, addr, data) sys4(SYS_ptrace, request, pid, addr, data)

/* The next status of `pid` (-1: anybody), which must be there in ten seconds; -1. *who: whose it was. */
static inline int next_status_of(pid_t pid, pid_t *who)
{
	int status = -1;
	pid_t got = 0;

	WAIT_UNTIL(got || (got = waitpid(pid, &status, WNOHANG | __WALL)) != 0);
	if (who)
		*who = got;
	return got > 0 ? status : -1;
}

static inline int next_status(pid_t pid)
{
	return next_status_of(pid, NULL);
}

/* A child that has asked to be traced runs `body` once it is let go from its SIGSTOP, and exits with what that returns. */
static inline pid_t traced_child(int (*body)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		if (trace(P_TRACEME, 0, 0, 0))
			_exit(101);
		raise(SIGSTOP);
		_exit(body());
	}
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGSTOP));
	return pid;
}

/* One that nobody traces and that sleeps until it is killed. */
static inline pid_t sleeping_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

/* Its letter in /proc. */
static inline char process_state(pid_t pid)
{
	char path[64], line[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		line[0] = 0;
	fclose(f);
	return strrchr(line, ')') ? strrchr(line, ')')[2] : 0;
}

static inline void kill_and_reap(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	do {
		if (waitpid(pid, &status, __WALL) != pid)
			break;
	} while (!WIFEXITED(status) && !WIFSIGNALED(status));
}

static inline long get_regs(pid_t pid, struct regs *regs)
{
	struct {
		void *base;
		size_t len;
	} iov = {regs, sizeof(*regs)};

	return trace(P_GETREGSET, pid, NT_GENERAL, &iov);
}

static inline long set_regs(pid_t pid, const struct regs *regs)
{
	struct {
		const void *base;
		size_t len;
	} iov = {regs, sizeof(*regs)};

	return trace(P_SETREGSET, pid, NT_GENERAL, &iov);
}

#endif
