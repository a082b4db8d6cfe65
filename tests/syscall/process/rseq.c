/*
 * Restartable sequences, registered by hand in a thread whose C library does not.
 */
#include "tests/syscall/process/process.h"

#include <sched.h>

struct area {
	uint32_t cpu_id_start, cpu_id;
	uint64_t section;
	uint32_t flags, node_id, mm_cid, pad;
} __attribute__((aligned(32)));

struct section {
	uint32_t version, flags;
	uint64_t start, length, abort;
} __attribute__((aligned(32)));

#define SIGNATURE 0xf1401073

static struct area area;

static long rseq(struct area *a, uint32_t len, int flags, uint32_t signature)
{
	return sys4(SYS_rseq, a, len, flags, signature);
}

/* The library's own registration, if it has one, stays: then there is nothing to test here. */
static bool start(void)
{
	long ret = rseq(&area, sizeof(area), 0, SIGNATURE);

	if (ret == -EINVAL || ret == -EBUSY) {
		test_skip("the C library has registered its own");
		return false;
	}
	return CHECK_EQ(ret, 0);
}

static void stop(void)
{
	CHECK_EQ(rseq(&area, sizeof(area), 1, SIGNATURE), 0);
	CHECK_EQ(area.cpu_id, (uint32_t)-1);
}

TEST(the_hart_is_told)
{
	cpu_set_t set, old;

	if (!start())
		return;
	sched_getaffinity(0, sizeof(old), &old);
	CHECK(area.cpu_id < 64);
	for (int cpu = 0; cpu < 2; cpu++) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			continue;
		CHECK_EQ(area.cpu_id, cpu);
		CHECK_EQ(area.cpu_id_start, cpu);
		CHECK_EQ(sched_getcpu(), cpu);
	}
	sched_setaffinity(0, sizeof(old), &old);
	stop();
}

TEST(registration_is_checked)
{
	if (!start())
		return;
	CHECK_EQ(rseq(&area, sizeof(area), 0, SIGNATURE), -EBUSY);
	CHECK_EQ(rseq(&area, sizeof(area), 0, 1), -EPERM);
	CHECK_EQ(rseq(&area, 64, 0, SIGNATURE), -EINVAL);
	CHECK_EQ(rseq(&area + 1, sizeof(area), 0, SIGNATURE), -EINVAL);
	CHECK_EQ(rseq(&area, sizeof(area), 1, 1), -EPERM);
	CHECK_EQ(rseq(&area, sizeof(area), 2, SIGNATURE), -EINVAL);
	CHECK_EQ(rseq(&area, sizeof(area), 3, SIGNATURE), -EINVAL);
	stop();
	CHECK_EQ(rseq(&area, sizeof(area), 1, SIGNATURE), -EINVAL);
	CHECK_EQ(rseq(&area, 16, 0, SIGNATURE), -EINVAL);
	CHECK_EQ(rseq((struct area *)((char *)&area + 8), 32, 0, SIGNATURE), -EINVAL);
	CHECK_EQ(rseq((struct area *)KERNEL_ADDRESS, 32, 0, SIGNATURE), -EFAULT);
}

/* Spins in a section until it is aborted or `*go_on` is 0. 1: aborted. */
static long spin_in_section(struct section *s, volatile int *go_on)
{
	long aborted;

	__asm__ volatile("	la	t0, 1f\n"
			 "	sd	t0, 8(%[s])\n"
			 "	la	t1, 2f\n"
			 "	sub	t1, t1, t0\n"
			 "	sd	t1, 16(%[s])\n"
			 "	la	t1, 3f\n"
			 "	sd	t1, 24(%[s])\n"
			 "	li	%[aborted], 0\n"
			 "	sd	%[s], 8(%[area])\n"
			 "1:	lw	t0, 0(%[go_on])\n"
			 "	bnez	t0, 1b\n"
			 "2:	j	4f\n"
			 "	.balign	4\n"
			 "	.word	0xf1401073\n"
			 "3:	li	%[aborted], 1\n"
			 "4:\n"
			 : [aborted] "=&r"(aborted)
			 : [s] "r"(s), [area] "r"(&area), [go_on] "r"(go_on)
			 : "t0", "t1", "memory");
	return aborted;
}

static volatile int go_on;

static void on_signal(int sig)
{
	(void)sig;
}

static void *signal_later(void *arg)
{
	sleep_ms(20);
	pthread_kill(*(pthread_t *)arg, SIGUSR1);
	sleep_ms(200);
	go_on = 0;
	return NULL;
}

TEST(a_signal_aborts_a_section)
{
	struct section s = {0};
	pthread_t self = pthread_self(), thread;
	sigset_t set;

	if (!start())
		return;
	signal(SIGUSR1, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	go_on = 1;
	thread = thread_start(signal_later, &self);
	CHECK_EQ(spin_in_section(&s, &go_on), 1);
	CHECK_EQ(area.section, 0);
	thread_join(thread);
	stop();
}

static void *spin_until(void *arg)
{
	while (*(volatile int *)arg)
		;
	return NULL;
}

TEST(preemption_aborts_a_section)
{
	struct section s = {0};
	cpu_set_t one, old;
	pthread_t thread;

	if (!start())
		return;
	/* Two spinning threads on one hart: the other one ends by what this one does after its abort. */
	sched_getaffinity(0, sizeof(old), &old);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	go_on = 1;
	thread = thread_start(spin_until, (void *)&go_on);
	CHECK_EQ(spin_in_section(&s, &go_on), 1);
	go_on = 0;
	thread_join(thread);
	sched_setaffinity(0, sizeof(old), &old);
	stop();
}

TEST(a_bad_section_kills)
{
	int status;

	if (!start())
		return;
	if (fork() == 0) {
		struct section s = {.version = 1};

		area.section = (uint64_t)&s;
		kill(getpid(), SIGUSR1);
		_exit(0);
	}
	wait(&status);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGSEGV);
	stop();
}
