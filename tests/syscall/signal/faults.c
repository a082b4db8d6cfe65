/*
 * Signals that faults raise, the context that a handler may change, and alternate stacks.
 */
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#include "tests/syscall/harness.h"

static volatile int seen_count;

static sigjmp_buf jump;
static volatile int fault_code;
static void *volatile fault_address;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	fault_code = info->si_code;
	fault_address = info->si_addr;
	siglongjmp(jump, sig);
}

static int fault_of(void (*fn)(void))
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP};
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	int sig;

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigaction(faults[i], &action, NULL);
	sig = sigsetjmp(jump, 1);
	if (sig == 0)
		fn();
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		signal(faults[i], SIG_DFL);
	return sig;
}

static void read_nothing(void)
{
	(void)*(volatile char *)page_unmapped();
}

static void write_code(void)
{
	*(volatile uint32_t *)(void *)write_code = 0;
}

static void read_kernel(void)
{
	(void)*(volatile char *)KERNEL_ADDRESS;
}

static void run_nothing(void)
{
	((void (*)(void))page_no_access())();
}

static void illegal(void)
{
	__asm__ volatile(".word 0");
}

static void privileged(void)
{
	__asm__ volatile("csrw sstatus, zero");
}

static void breakpoint(void)
{
	__asm__ volatile("ebreak");
}

TEST(faults_are_signals)
{
	CHECK_EQ(fault_of(read_nothing), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_MAPERR);
	CHECK_EQ(fault_address, page_unmapped());
	CHECK_EQ(fault_of(write_code), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_ACCERR);
	CHECK_EQ(fault_address, write_code);
	CHECK_EQ(fault_of(read_kernel), SIGSEGV);
	CHECK_EQ(fault_address, KERNEL_ADDRESS);
	CHECK_EQ(fault_of(run_nothing), SIGSEGV);
	CHECK_EQ(fault_address, page_no_access());
	CHECK_EQ(fault_of(illegal), SIGILL);
	CHECK_EQ(fault_code, ILL_ILLOPC);
	CHECK_EQ(fault_of(privileged), SIGILL);
	CHECK_EQ(fault_of(breakpoint), SIGTRAP);
	CHECK_EQ(fault_code, TRAP_BRKPT);
}

/* A handler may change the registers that the program goes on with. */
static void skip_instruction(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	uc->uc_mcontext.__gregs[REG_PC] += 4;
	uc->uc_mcontext.__gregs[REG_A0] = 77;
}

TEST(context_can_be_changed)
{
	struct sigaction action = {.sa_sigaction = skip_instruction, .sa_flags = SA_SIGINFO};
	register long a0 __asm__("a0") = 1;
	register double f __asm__("fs3") = 1.5;

	sigaction(SIGILL, &action, NULL);
	__asm__ volatile(".option push\n.option norvc\n.word 0\n.option pop" : "+r"(a0), "+f"(f));
	CHECK_EQ(a0, 77);
	CHECK(f == 1.5);
	signal(SIGILL, SIG_DFL);
}

static void on_float(int sig)
{
	volatile double x = 3.25;

	(void)sig;
	x = x * 2;
	seen_count++;
}

TEST(handler_keeps_floating_point)
{
	long pid = getpid(), tid = sys0(SYS_gettid);
	double before[2] = {2.5, 4.5}, after[2] = {0, 0};

	signal(SIGUSR1, on_float);
	seen_count = 0;
	__asm__ volatile("fld fs4, 0(%3)\n\t"
			 "fld ft1, 8(%3)\n\t"
			 "mv a0, %0\n\t"
			 "mv a1, %1\n\t"
			 "li a2, %2\n\t"
			 "li a7, %5\n\t"
			 "ecall\n\t"
			 "fsd fs4, 0(%4)\n\t"
			 "fsd ft1, 8(%4)"
			 :
			 : "r"(pid), "r"(tid), "i"(SIGUSR1), "r"(before), "r"(after), "i"(SYS_tgkill)
			 : "a0", "a1", "a2", "a7", "fs4", "ft1", "memory");
	CHECK_EQ(seen_count, 1);
	CHECK(after[0] == 2.5 && after[1] == 4.5);
	signal(SIGUSR1, SIG_DFL);
}

/* ---- alternate stack ---- */

static char alternate[32768];
static char *volatile handler_stack;

static void on_stack(int sig)
{
	(void)sig;
	handler_stack = __builtin_frame_address(0);
}

TEST(alternate_stack_is_used)
{
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)}, old;
	struct sigaction action = {.sa_handler = on_stack, .sa_flags = SA_ONSTACK};

	CHECK_EQ(sigaltstack(&stack, NULL), 0);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	CHECK(handler_stack > alternate && handler_stack < alternate + sizeof(alternate));
	CHECK_EQ(sigaltstack(NULL, &old), 0);
	CHECK_EQ(old.ss_sp, alternate);
	CHECK_EQ(old.ss_flags, 0);
	stack.ss_flags = SS_DISABLE;
	CHECK_EQ(sigaltstack(&stack, NULL), 0);
	raise(SIGUSR1);
	CHECK(handler_stack < alternate || handler_stack > alternate + sizeof(alternate));
	stack = (stack_t){.ss_sp = alternate, .ss_size = 100};
	CHECK_EQ(sys2(SYS_sigaltstack, &stack, NULL), -ENOMEM);
	stack.ss_flags = 0x55;
	CHECK_EQ(sys2(SYS_sigaltstack, &stack, NULL), -EINVAL);
	CHECK_EQ(sys2(SYS_sigaltstack, page_unmapped(), NULL), -EFAULT);
	signal(SIGUSR1, SIG_DFL);
}

/* Without stack left, only the alternate one can take the handler. */
static volatile int overflow_depth;

static int overflow(int n)
{
	volatile char room[4096];

	room[0] = (char)n;
	overflow_depth = n;
	return n < (1 << 20) ? overflow(n + 1) + room[0] : 0;
}

static void *overflow_main(void *arg)
{
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	int sig;

	(void)arg;
	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sig = sigsetjmp(jump, 1);
	if (sig == 0)
		overflow(0);
	CHECK_EQ(sig, SIGSEGV);
	CHECK(overflow_depth > 10);
	signal(SIGSEGV, SIG_DFL);
	return NULL;
}

TEST(stack_overflow_is_caught)
{
	thread_join(thread_start(overflow_main, NULL));
}
