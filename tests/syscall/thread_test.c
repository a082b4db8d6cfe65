/*
 * Threads: creation, thread-local storage, joining, the end of a process with many of them, affinity, scheduling classes.
 */
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include "tests/syscall/harness.h"

#define MANY 64

static __thread long own = 7;
static long sum;

static void *add_own(void *arg)
{
	own += (long)arg;
	sched_yield();
	__atomic_add_fetch(&sum, own, __ATOMIC_SEQ_CST);
	return (void *)own;
}

TEST(threads_have_own_storage)
{
	pthread_t threads[MANY];
	long wanted = 0;

	sum = 0;
	for (long i = 0; i < MANY; i++) {
		threads[i] = thread_start(add_own, (void *)i);
		wanted += 7 + i;
	}
	for (long i = 0; i < MANY; i++) {
		void *result;

		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK_EQ(result, 7 + i);
	}
	CHECK_EQ(sum, wanted);
	CHECK_EQ(own, 7);
}

static void *nothing(void *arg)
{
	return arg;
}

TEST(many_threads_one_after_the_other)
{
	for (int i = 0; i < 300; i++)
		thread_join(thread_start(nothing, NULL));
}

static void *detached(void *arg)
{
	__atomic_add_fetch((long *)arg, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST(detached_threads_end_alone)
{
	static long ended;

	for (int i = 0; i < 50; i++)
		pthread_detach(thread_start(detached, &ended));
	WAIT_UNTIL(__atomic_load_n(&ended, __ATOMIC_SEQ_CST) == 50);
}

static void *float_main(void *arg)
{
	double x = (double)(long)arg, sum_of = 0;

	for (int i = 0; i < 20000; i++) {
		sum_of += x;
		if (i % 500 == 0)
			sched_yield();
	}
	CHECK_EQ((long)sum_of, 20000 * (long)arg);
	return NULL;
}

TEST(floating_point_survives_switches)
{
	pthread_t threads[8];

	for (long i = 0; i < 8; i++)
		threads[i] = thread_start(float_main, (void *)(i + 1));
	for (int i = 0; i < 8; i++)
		thread_join(threads[i]);
}

/* Callee-saved registers and the stack pointer over system calls and switches. */
static void *registers_main(void *arg)
{
	long bad = 0;

	for (long i = 0; i < 2000; i++) {
		register long s2 __asm__("s2") = i + (long)arg;
		register long s11 __asm__("s11") = ~(i + (long)arg);
		register long t0 __asm__("t0") = i;
		register long a7 __asm__("a7") = SYS_sched_yield;
		register long a0 __asm__("a0") = 1;
		register long a5 __asm__("a5") = i;

		__asm__ volatile("ecall"
				 : "+r"(a0), "+r"(s2), "+r"(s11), "+r"(t0), "+r"(a5), "+r"(a7)
				 :
				 : "memory");
		bad += a0 != 0 || s2 != i + (long)arg || s11 != ~(i + (long)arg);
		/* Linux keeps all registers but a0. */
		bad += t0 != i || a5 != i || a7 != SYS_sched_yield;
	}
	CHECK_EQ(bad, 0);
	return NULL;
}

TEST(registers_survive_switches)
{
	pthread_t threads[4];

	for (long i = 0; i < 4; i++)
		threads[i] = thread_start(registers_main, (void *)(i << 40));
	for (int i = 0; i < 4; i++)
		thread_join(threads[i]);
}

static void *tid_main(void *arg)
{
	*(long *)arg = sys0(SYS_gettid);
	return NULL;
}

TEST(thread_ids)
{
	long a, b, pid = sys0(SYS_getpid);
	pthread_t thread;

	CHECK_EQ(sys0(SYS_gettid), pid);
	thread = thread_start(tid_main, &a);
	thread_join(thread);
	thread = thread_start(tid_main, &b);
	thread_join(thread);
	CHECK(a > 0 && b > 0 && a != pid && b != pid && a != b);
	/* A dead thread's number names nobody; on Linux pthread_join may come first. */
	WAIT_UNTIL(sys3(SYS_tgkill, pid, a, 0) == -ESRCH);
}

/* ---- the bare calls ---- */

#define STACK_SIZE 65536
#define THREAD_FLAGS                                                                               \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static char raw_stack[STACK_SIZE] __attribute__((aligned(16)));
static volatile uint32_t raw_tid, parent_tid, raw_ran, raw_tp;

/* clone3 with a function for the child, which must not return and has no thread-local storage of its own. */
static long raw_clone3(struct clone_args *args, void (*fn)(void))
{
	register long a0 __asm__("a0") = (long)args;
	register long a1 __asm__("a1") = sizeof(*args);
	register long a7 __asm__("a7") = SYS_clone3;
	register void (*s1)(void) __asm__("s1") = fn;

	__asm__ volatile("ecall\n\t"
			 "bnez a0, 1f\n\t"
			 "jalr s1\n\t"
			 "1:"
			 : "+r"(a0)
			 : "r"(a1), "r"(a7), "r"(s1)
			 : "memory", "ra");
	return a0;
}

static void raw_child(void)
{
	long tp;

	__asm__ volatile("mv %0, tp" : "=r"(tp));
	raw_tp = (uint32_t)tp;
	raw_ran = 1;
	sys1(SYS_exit, 0);
}

TEST(clone3_sets_ids_and_tls)
{
	struct clone_args args = {
		.flags = THREAD_FLAGS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
			 CLONE_CHILD_CLEARTID | CLONE_SETTLS,
		.child_tid = (uint64_t)&raw_tid,
		.parent_tid = (uint64_t)&parent_tid,
		.stack = (uint64_t)raw_stack,
		.stack_size = STACK_SIZE,
		.tls = 0x12345670,
	};
	long tid;

	raw_tid = ~0U;
	raw_ran = 0;
	tid = raw_clone3(&args, raw_child);
	if (!CHECK(tid > 0))
		return;
	CHECK_EQ(parent_tid, tid);
	WAIT_UNTIL(raw_tid == 0);
	CHECK_EQ(raw_ran, 1);
	CHECK_EQ(raw_tp, 0x12345670);
}

TEST(clone_refuses_odd_flags)
{
	static struct clone_args zero;
	struct clone_args no_stack_size = {.flags = THREAD_FLAGS, .stack = (uint64_t)raw_stack};
	struct clone_args no_stack = {.flags = THREAD_FLAGS, .stack_size = STACK_SIZE};
	struct clone_args bad_signal = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = 200};
	struct clone_args unknown = {.flags = 1UL << 60};
	struct clone_args thread_alone = {.flags = CLONE_THREAD};
	const struct errno_case cases[] = {
		{"clone thread without sighand", SYS_clone, {CLONE_THREAD | CLONE_VM}, EINVAL},
		{"clone sighand without vm", SYS_clone, {CLONE_SIGHAND}, EINVAL},
		{"clone3 too small", SYS_clone3, {(long)&zero, 63}, EINVAL},
		{"clone3 too large", SYS_clone3, {(long)&zero, 8192}, E2BIG},
		{"clone3 bad pointer", SYS_clone3, {(long)page_unmapped(), sizeof(zero)}, EFAULT},
		{"clone3 no stack size", SYS_clone3, {(long)&no_stack_size, sizeof(zero)}, EINVAL},
		{"clone3 no stack", SYS_clone3, {(long)&no_stack, sizeof(zero)}, EINVAL},
		{"clone3 bad signal", SYS_clone3, {(long)&bad_signal, sizeof(zero)}, EINVAL},
		{"clone3 unknown flag", SYS_clone3, {(long)&unknown, sizeof(zero)}, EINVAL},
		{"clone3 thread alone", SYS_clone3, {(long)&thread_alone, sizeof(zero)}, EINVAL},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
}

/* ---- scheduling ---- */

TEST(affinity_moves_the_thread)
{
	cpu_set_t all, one;
	int cpus = 0;

	CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		unsigned int now, node;

		if (!CPU_ISSET(cpu, &all))
			continue;
		cpus++;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
		CHECK_EQ(sys3(SYS_getcpu, &now, &node, NULL), 0);
		CHECK_EQ(now, cpu);
		CHECK_EQ(sched_getcpu(), cpu);
	}
	CHECK_EQ(sched_setaffinity(0, sizeof(all), &all), 0);
	CHECK_EQ(cpus, sysconf(_SC_NPROCESSORS_ONLN));
	CHECK_EQ(cpus, get_nprocs_conf());
}

static void *pinned_main(void *arg)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((long)arg, &one);
	CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	for (int i = 0; i < 200; i++) {
		if (sched_getcpu() != (long)arg)
			CHECK_EQ(sched_getcpu(), arg);
		if (i % 10)
			sched_yield();
		else
			usleep(100);
	}
	return NULL;
}

TEST(pinned_threads_stay)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[8];

	for (long i = 0; i < 8; i++)
		threads[i] = thread_start(pinned_main, (void *)(i % cpus));
	for (int i = 0; i < 8; i++)
		thread_join(threads[i]);
}

TEST(affinity_refuses)
{
	cpu_set_t none, beyond;

	CPU_ZERO(&none);
	CPU_ZERO(&beyond);
	CPU_SET(1000, &beyond);
	CHECK_EQ(sys3(SYS_sched_setaffinity, 0, sizeof(none), &none), -EINVAL);
	CHECK_EQ(sys3(SYS_sched_setaffinity, 0, sizeof(beyond), &beyond), -EINVAL);
	CHECK_EQ(sys3(SYS_sched_setaffinity, 0, 8, page_unmapped()), -EFAULT);
	CHECK_EQ(sys3(SYS_sched_setaffinity, 0x3fffff, sizeof(none), &none), -ESRCH);
	CHECK_EQ(sys3(SYS_sched_getaffinity, 0, 4, &none), -EINVAL);
	CHECK_EQ(sys3(SYS_sched_getaffinity, 0, 8, page_unmapped()), -EFAULT);
	CHECK_EQ(sys3(SYS_sched_getaffinity, 0x3fffff, 8, &none), -ESRCH);
}

static void *classes_main(void *arg)
{
	struct sched_param param = {.sched_priority = 10};

	(void)arg;
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &param), 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_FIFO);
	param.sched_priority = 0;
	CHECK_EQ(sched_getparam(0, &param), 0);
	CHECK_EQ(param.sched_priority, 10);
	param.sched_priority = 20;
	CHECK_EQ(sched_setparam(0, &param), 0);
	CHECK_EQ(sched_setscheduler(0, SCHED_RR, &param), 0);
	param.sched_priority = 0;
	CHECK_EQ(sys3(SYS_sched_setscheduler, 0, SCHED_FIFO, &param), -EINVAL);
	CHECK_EQ(sys3(SYS_sched_setscheduler, 0, 99, &param), -EINVAL);
	CHECK_EQ(sched_setscheduler(0, SCHED_BATCH, &param), 0);
	CHECK_EQ(sched_setscheduler(0, SCHED_IDLE, &param), 0);
	CHECK_EQ(sched_setscheduler(0, SCHED_OTHER, &param), 0);
	param.sched_priority = 1;
	CHECK_EQ(sys3(SYS_sched_setscheduler, 0, SCHED_OTHER, &param), -EINVAL);
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 100), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
	return NULL;
}

TEST(scheduling_classes)
{
	thread_join(thread_start(classes_main, NULL));
	CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
	CHECK_EQ(sched_get_priority_min(SCHED_RR), 1);
	CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
	CHECK_EQ(sys1(SYS_sched_get_priority_max, 99), -EINVAL);
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
}

/* More spinning threads than harts: each gets its turn without a call. */
static volatile bool spin_stop;

static void *spin_main(void *arg)
{
	volatile long *turns = arg;

	while (!spin_stop)
		(*turns)++;
	return NULL;
}

TEST(spinning_threads_share_the_harts)
{
	long turns[12] = {0};
	pthread_t threads[12];

	spin_stop = false;
	for (int i = 0; i < 12; i++)
		threads[i] = thread_start(spin_main, &turns[i]);
	for (int i = 0; i < 12; i++)
		WAIT_UNTIL(*(volatile long *)&turns[i] > 1000);
	spin_stop = true;
	for (int i = 0; i < 12; i++)
		thread_join(threads[i]);
}

TEST(names)
{
	char name[16] = "";

	CHECK_EQ(prctl(PR_SET_NAME, "a name that is too long"), 0);
	CHECK_EQ(prctl(PR_GET_NAME, name), 0);
	CHECK_EQ(strcmp(name, "a name that is "), 0);
	CHECK_EQ(sys2(SYS_prctl, PR_SET_NAME, page_unmapped()), -EFAULT);
}

TEST(auxiliary_vector)
{
	char *random = (char *)getauxval(AT_RANDOM);

	CHECK_EQ(getauxval(AT_PAGESZ), 4096);
	CHECK_EQ(getauxval(AT_CLKTCK), 100);
	CHECK_EQ(getauxval(AT_SECURE), 0);
	CHECK(getauxval(AT_HWCAP) & (1 << ('D' - 'A')));
	CHECK(getauxval(AT_SYSINFO_EHDR) != 0);
	CHECK(getauxval(AT_PHNUM) > 0);
	CHECK(random && memcmp(random, "\0\0\0\0\0\0\0\0", 8) != 0);
}

/* Last: the process ends with its other threads asleep, spinning and in calls. */
static void *asleep_main(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *locked_main(void *arg)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	(void)arg;
	pthread_mutex_lock(&mutex);
	asleep_main(NULL);
	return NULL;
}

TEST(exit_with_threads_in_every_state)
{
	spin_stop = false;
	for (int i = 0; i < 8; i++) {
		static long turns[8];

		pthread_detach(thread_start(asleep_main, NULL));
		pthread_detach(thread_start(locked_main, NULL));
		pthread_detach(thread_start(spin_main, &turns[i]));
	}
	sleep_ms(10);
}
