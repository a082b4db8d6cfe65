/*
 * Requests with good and hostile arguments: registers, memory, signals, options, and who may trace whom.
 */
#include "tests/syscall/ptrace/ptrace.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>

static int exit_7(void)
{
	return 7;
}

static volatile long word = 0x1234;
static const long read_only_word = 0x55;

TEST(a_child_asks_to_be_traced)
{
	pid_t pid = traced_child(exit_7);

	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 7 << 8);
}

TEST(requests_need_a_tracee_that_rests)
{
	pid_t pid = sleeping_child();
	struct regs regs;
	long out;

	CHECK_EQ(trace(P_CONT, pid, 0, 0), -ESRCH);
	CHECK_EQ(trace(P_CONT, 0, 0, 0), -ESRCH);
	CHECK_EQ(trace(P_CONT, -1, 0, 0), -ESRCH);
	CHECK_EQ(trace(P_CONT, 4194303, 0, 0), -ESRCH);
	CHECK_EQ(trace(P_PEEKDATA, pid, &word, &out), -ESRCH);
	CHECK_EQ(trace(P_KILL, pid, 0, 0), -ESRCH);
	CHECK_EQ(trace(P_SEIZE, pid, 0, 0), 0);
	CHECK_EQ(get_regs(pid, &regs), -ESRCH);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), -ESRCH);
	CHECK_EQ(trace(P_DETACH, pid, 0, 0), -ESRCH);
	CHECK_EQ(trace(12345, pid, 0, 0), -ESRCH);
	kill_and_reap(pid);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), -ESRCH);
}

TEST(who_may_not_be_traced)
{
	pid_t pid = sleeping_child(), other;
	int status;

	CHECK_EQ(trace(P_ATTACH, getpid(), 0, 0), -EPERM);
	CHECK_EQ(trace(P_SEIZE, getpid(), 0, 0), -EPERM);
	CHECK_EQ(trace(P_ATTACH, 4194303, 0, 0), -ESRCH);
	CHECK_EQ(trace(P_SEIZE, 4194303, 1, 0), -ESRCH);
	CHECK_EQ(trace(P_SEIZE, pid, 1, 0), -EIO);
	CHECK_EQ(trace(P_SEIZE, pid, 0, 0x400), -EIO);
	CHECK_EQ(trace(P_SEIZE, pid, 0, 0), 0);
	CHECK_EQ(trace(P_SEIZE, pid, 0, 0), -EPERM);
	CHECK_EQ(trace(P_ATTACH, pid, 0, 0), -EPERM);
	other = fork();
	if (other == 0) {
		if (trace(P_ATTACH, pid, 0, 0) != -EPERM)
			_exit(1);
		if (setresgid(77, 77, 77) || setresuid(77, 77, 77))
			_exit(2);
		_exit(trace(P_ATTACH, getppid(), 0, 0) == -EPERM ? 0 : 3);
	}
	CHECK_EQ(waitpid(other, &status, 0), other);
	CHECK_EQ(status, 0);
	kill_and_reap(pid);
}

static int undumpable_body(void)
{
	pid_t pid;
	int status;

	if (setresgid(77, 77, 77) || setresuid(77, 77, 77))
		return 1;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, 0);
		for (;;)
			pause();
	}
	WAIT_UNTIL(process_sleeps(pid));
	status = trace(P_ATTACH, pid, 0, 0) == -EPERM ? 0 : 2;
	kill_and_reap(pid);
	return status;
}

TEST(one_that_is_not_dumpable_is_not_traced)
{
	CHECK_EQ(child_status(undumpable_body), 0);
}

TEST(twice_is_once_too_often)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (trace(P_TRACEME, 0, 0, 0))
			_exit(1);
		_exit(trace(P_TRACEME, 0, 0, 0) == -EPERM ? 0 : 2);
	}
	CHECK_EQ(next_status(pid), 0);
}

TEST(memory_is_read_and_written)
{
	pid_t pid = traced_child(exit_7);
	long out = 0;

	CHECK_EQ(trace(P_PEEKDATA, pid, &word, &out), 0);
	CHECK_EQ(out, 0x1234);
	CHECK_EQ(trace(P_POKEDATA, pid, &word, 0x5678), 0);
	CHECK_EQ(trace(P_PEEKTEXT, pid, &word, &out), 0);
	CHECK_EQ(out, 0x5678);
	CHECK_EQ(word, 0x1234);
	CHECK_EQ(trace(P_PEEKDATA, pid, (char *)&word + 1, &out), 0);
	CHECK_EQ(out & 0xff, 0x56);
	/* Text and constants too, and only the tracee's. */
	CHECK_EQ(trace(P_POKETEXT, pid, &read_only_word, 0x66), 0);
	CHECK_EQ(trace(P_PEEKTEXT, pid, &read_only_word, &out), 0);
	CHECK_EQ(out, 0x66);
	CHECK_EQ(*(const volatile long *)&read_only_word, 0x55);
	CHECK_EQ(trace(P_PEEKDATA, pid, page_unmapped(), &out), -EIO);
	CHECK_EQ(trace(P_POKEDATA, pid, page_unmapped(), 1), -EIO);
	CHECK_EQ(trace(P_PEEKDATA, pid, KERNEL_ADDRESS, &out), -EIO);
	CHECK_EQ(trace(P_POKEDATA, pid, KERNEL_ADDRESS, 1), -EIO);
	CHECK_EQ(trace(P_PEEKDATA, pid, -4L, &out), -EIO);
	CHECK_EQ(trace(P_PEEKDATA, pid, &word, 8), -EFAULT);
	kill_and_reap(pid);
}

static char *shared_page, *private_page;

static int compare_private(void)
{
	mprotect(private_page, 4096, PROT_READ);
	return private_page[5] == 'x' ? 0 : 1;
}

/* Private pages whatever their rights, shared ones only as their rights are. */
TEST(memory_without_rights)
{
	long out = 0;
	pid_t pid;

	shared_page = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	private_page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid = traced_child(compare_private);
	CHECK_EQ(trace(P_PEEKDATA, pid, shared_page, &out), 0);
	CHECK_EQ(trace(P_POKEDATA, pid, shared_page, 1), -EIO);
	CHECK_EQ(trace(P_PEEKDATA, pid, private_page, &out), 0);
	CHECK_EQ(out, 0);
	CHECK_EQ(trace(P_POKEDATA, pid, private_page + 5, 'x'), 0);
	CHECK_EQ(trace(P_PEEKDATA, pid, private_page + 5, &out), 0);
	CHECK_EQ(out, 'x');
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 0);
	munmap(shared_page, 4096);
	munmap(private_page, 4096);
}

static __attribute__((noinline, noclone)) int return_from_patched(void)
{
	/* li a0, 1; the tracer makes it li a0, 5. */
	register long value __asm__("a0");

	__asm__ volatile(".option push\n.option norvc\n.globl patched_insn\npatched_insn: li a0, 1\n"
			 ".option pop"
			 : "=r"(value));
	return (int)value;
}
extern char patched_insn[];

TEST(code_is_patched)
{
	pid_t pid = traced_child(return_from_patched);
	unsigned long insn = 0;

	CHECK_EQ(return_from_patched(), 1);
	CHECK_EQ(trace(P_PEEKTEXT, pid, patched_insn, &insn), 0);
	insn = (insn & ~0xffffffffUL) | 0x00500513;
	CHECK_EQ(trace(P_POKETEXT, pid, patched_insn, insn), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 5 << 8);
	CHECK_EQ(return_from_patched(), 1);
}

TEST(sets_of_registers)
{
	pid_t pid = traced_child(exit_7);
	struct regs regs, again;
	double fp[33];
	struct iovec iov = {&regs, sizeof(regs)};

	memset(&regs, 0xee, sizeof(regs));
	CHECK_EQ(trace(P_GETREGSET, pid, NT_GENERAL, &iov), 0);
	CHECK_EQ(iov.iov_len, 256);
	CHECK(regs.sp != 0 && regs.pc != 0 && regs.pc != 0xeeeeeeeeeeeeeeee);
	regs.s5 = 0x1122334455;
	regs.t6 = -1UL;
	CHECK_EQ(trace(P_SETREGSET, pid, NT_GENERAL, &iov), 0);
	iov = (struct iovec){&again, 1000};
	CHECK_EQ(trace(P_GETREGSET, pid, NT_GENERAL, &iov), 0);
	CHECK_EQ(iov.iov_len, 256);
	CHECK_EQ(memcmp(&regs, &again, sizeof(regs)), 0);
	iov = (struct iovec){&again, 16};
	CHECK_EQ(trace(P_GETREGSET, pid, NT_GENERAL, &iov), 0);
	CHECK_EQ(iov.iov_len, 16);
	iov = (struct iovec){&again, 0};
	CHECK_EQ(trace(P_GETREGSET, pid, NT_GENERAL, &iov), 0);
	iov = (struct iovec){&again, 12};
	CHECK_EQ(trace(P_GETREGSET, pid, NT_GENERAL, &iov), -EINVAL);
	iov = (struct iovec){&again, 256};
	CHECK_EQ(trace(P_GETREGSET, pid, 99, &iov), -EINVAL);
	CHECK_EQ(trace(P_GETREGSET, pid, NT_GENERAL, 8), -EFAULT);
	iov = (struct iovec){(void *)8, 256};
	CHECK_EQ(trace(P_GETREGSET, pid, NT_GENERAL, &iov), -EFAULT);
	CHECK_EQ(trace(P_SETREGSET, pid, NT_GENERAL, &iov), -EFAULT);
	iov = (struct iovec){fp, sizeof(fp)};
	CHECK_EQ(trace(P_GETREGSET, pid, NT_FLOAT, &iov), 0);
	CHECK_EQ(iov.iov_len, 264);
	kill_and_reap(pid);
}

static int use_floats(void)
{
	register double value __asm__("fs3") = 1.5;
	register long result __asm__("a0");

	__asm__ volatile("ebreak" : "+f"(value));
	result = (long)(value * 2);
	return (int)result;
}

TEST(floating_point_is_changed)
{
	pid_t pid = traced_child(use_floats);
	unsigned long fp[33];
	struct iovec iov = {fp, sizeof(fp)};
	struct regs regs;
	double twenty = 20;
	siginfo_t info;

	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGTRAP));
	CHECK_EQ(trace(P_GETSIGINFO, pid, 0, &info), 0);
	CHECK_EQ(info.si_code, TRAP_BRKPT);
	CHECK_EQ(get_regs(pid, &regs), 0);
	CHECK_EQ((long)info.si_addr, regs.pc);
	CHECK_EQ(trace(P_GETREGSET, pid, NT_FLOAT, &iov), 0);
	CHECK_EQ(fp[19], 0x3ff8000000000000);
	memcpy(&fp[19], &twenty, 8);
	CHECK_EQ(trace(P_SETREGSET, pid, NT_FLOAT, &iov), 0);
	/* A signal that is sent meanwhile wakes it for nothing. */
	kill(pid, SIGURG);
	sleep_ms(2);
	trace(P_PEEKTEXT, pid, regs.pc, &regs.t0);
	regs.pc += (regs.t0 & 3) == 3 ? 4 : 2;
	CHECK_EQ(set_regs(pid, &regs), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGURG));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 40 << 8);
}

TEST(requests_that_riscv_lacks)
{
	pid_t pid = traced_child(exit_7);
	struct regs regs;

	CHECK_EQ(trace(P_PEEKUSER, pid, 0, &regs), -EIO);
	CHECK_EQ(trace(P_GETREGS, pid, 0, &regs), -EIO);
	CHECK_EQ(trace(P_SINGLESTEP, pid, 0, 0), -EIO);
	CHECK_EQ(trace(12345, pid, 0, 0), -EIO);
	CHECK_EQ(trace(P_CONT, pid, 0, 65), -EIO);
	CHECK_EQ(trace(P_SYSCALL, pid, 0, -1L), -EIO);
	CHECK_EQ(trace(P_DETACH, pid, 0, 65), -EIO);
	CHECK_EQ(trace(P_LISTEN, pid, 0, 0), -EIO);
	CHECK_EQ(trace(P_INTERRUPT, pid, 0, 0), -EIO);
	kill_and_reap(pid);
}

TEST(options)
{
	pid_t pid = traced_child(exit_7);
	unsigned long message = 5;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, 0x1000ff), 0);
	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, 0x100), -EINVAL);
	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, 1UL << 40), -EINVAL);
	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, 0), 0);
	CHECK_EQ(trace(P_GETEVENTMSG, pid, 0, &message), 0);
	CHECK_EQ(message, 0);
	CHECK_EQ(trace(P_GETEVENTMSG, pid, 0, 8), -EFAULT);
	kill_and_reap(pid);
}

TEST(masks_and_pending_signals)
{
	pid_t pid = traced_child(exit_7);
	unsigned long mask = 0, usr1 = 1UL << (SIGUSR1 - 1);
	struct {
		uint64_t off;
		uint32_t flags;
		int32_t nr;
	} args = {0, 0, 4};
	siginfo_t infos[4];

	CHECK_EQ(trace(P_GETSIGMASK, pid, 8, &mask), 0);
	CHECK_EQ(trace(P_GETSIGMASK, pid, 4, &mask), -EINVAL);
	CHECK_EQ(trace(P_GETSIGMASK, pid, 8, 8), -EFAULT);
	mask = usr1 | 1UL << (SIGKILL - 1);
	CHECK_EQ(trace(P_SETSIGMASK, pid, 8, &mask), 0);
	CHECK_EQ(trace(P_SETSIGMASK, pid, 16, &mask), -EINVAL);
	CHECK_EQ(trace(P_GETSIGMASK, pid, 8, &mask), 0);
	CHECK_EQ(mask, usr1);
	syscall(SYS_tgkill, pid, pid, SIGUSR1);
	kill(pid, SIGUSR2);
	CHECK_EQ(trace(P_PEEKSIGINFO, pid, &args, infos), 1);
	CHECK_EQ(infos[0].si_signo, SIGUSR1);
	CHECK_EQ(infos[0].si_pid, getpid());
	args.flags = 1;
	CHECK_EQ(trace(P_PEEKSIGINFO, pid, &args, infos), 1);
	CHECK_EQ(infos[0].si_signo, SIGUSR2);
	CHECK_EQ(trace(P_PEEKSIGINFO, pid, &args, 8), -EFAULT);
	args.off = 7;
	CHECK_EQ(trace(P_PEEKSIGINFO, pid, &args, infos), 0);
	args.nr = -1;
	CHECK_EQ(trace(P_PEEKSIGINFO, pid, &args, infos), -EINVAL);
	args.nr = 1;
	args.flags = 2;
	CHECK_EQ(trace(P_PEEKSIGINFO, pid, &args, infos), -EINVAL);
	CHECK_EQ(trace(P_PEEKSIGINFO, pid, 8, infos), -EFAULT);
	mask = 0;
	CHECK_EQ(trace(P_SETSIGMASK, pid, 8, &mask), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGUSR1));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGUSR2));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 7 << 8);
}

TEST(proc_tells_of_the_tracer)
{
	pid_t pid = traced_child(exit_7);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	CHECK_EQ(proc_value(path, "TracerPid:"), getpid());
	CHECK_EQ(process_state(pid), 't');
	CHECK_EQ(trace(P_DETACH, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 7 << 8);
}

/* /proc/PID/mem, by its own addresses and whatever the rights. */
TEST(memory_is_a_file)
{
	pid_t pid = traced_child(exit_7);
	char path[64];
	long out = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR);
	CHECK(fd >= 0);
	CHECK_EQ(pread(fd, &out, sizeof(out), (off_t)&word), sizeof(out));
	CHECK_EQ(out, 0x1234);
	out = 0x77;
	CHECK_EQ(pwrite(fd, &out, sizeof(out), (off_t)&read_only_word), sizeof(out));
	CHECK_EQ(trace(P_PEEKDATA, pid, &read_only_word, &out), 0);
	CHECK_EQ(out, 0x77);
	CHECK(pread(fd, &out, sizeof(out), (off_t)page_unmapped()) == -1 && errno == EIO);
	CHECK(pwrite(fd, &out, sizeof(out), (off_t)page_unmapped()) == -1 && errno == EIO);
	CHECK(pread(fd, page_unmapped(), 8, (off_t)&word) == -1 && errno == EFAULT);
	CHECK_EQ(lseek(fd, (off_t)&word, SEEK_SET), (off_t)&word);
	CHECK_EQ(read(fd, &out, sizeof(out)), sizeof(out));
	CHECK_EQ(out, 0x1234);
	CHECK(lseek(fd, 0, SEEK_END) == -1 && errno == EINVAL);
	kill_and_reap(pid);
	CHECK_EQ(pread(fd, &out, sizeof(out), (off_t)&word), 0);
	close(fd);
	fd = open("/proc/self/mem", O_RDWR);
	CHECK_EQ(pread(fd, &out, sizeof(out), (off_t)&word), sizeof(out));
	close(fd);
}

TEST(proc_tells_of_the_call)
{
	unsigned long v[8] = {0};
	char path[64], line[256] = "";
	pid_t pid = fork();
	long nr = 0;
	FILE *f;

	if (pid == 0)
		sys6(SYS_ppoll, 0, 0, 0, 0, 44, 55);
	WAIT_UNTIL(process_sleeps(pid));
	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	f = fopen(path, "r");
	if (CHECK(f && fgets(line, sizeof(line), f))) {
		CHECK_EQ(sscanf(line, "%ld %lx %lx %lx %lx %lx %lx %lx %lx", &nr, &v[0], &v[1],
				&v[2], &v[3], &v[4], &v[5], &v[6], &v[7]),
			 9);
		CHECK_EQ(nr, SYS_ppoll);
		CHECK_EQ(v[4], 44);
		CHECK_EQ(v[5], 55);
		CHECK(v[6] && v[7]);
	}
	if (f)
		fclose(f);
	kill_and_reap(pid);
}

TEST(leave_to_trace_is_given)
{
	CHECK_EQ(prctl(PR_SET_PTRACER, 0, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_SET_PTRACER, getppid(), 0, 0, 0), 0);
	CHECK(prctl(PR_SET_PTRACER, 4194303, 0, 0, 0) == -1 && errno == EINVAL);
}
