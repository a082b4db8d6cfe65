/*
 * Threads that do everything to each other at random, with checks: no lost wake-up (a watchdog looks at every thread's progress), no
 * register or floating-point value lost over a switch, no byte wrong in a page that was just made, no thread on a hart that its
 * affinity forbids, no sleep that ends early.
 *
 *	stress [--seconds N] [--threads N] [--seed N]
 *
 * Ends with status 0 and one line of counts, or 1 and the reason.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 64
#define PAGE	    4096
#define STUCK_S	    30 /* without progress: something was lost */
#define NSEC	    1000000000LL

struct worker {
	pthread_t thread;
	atomic_int tid;
	atomic_ulong steps;
	_Atomic(const char *) doing;
	atomic_ulong signals_seen;
	uint64_t random;
	sigjmp_buf fault;
	int pipe[2];
} __attribute__((aligned(64)));

static struct worker workers[MAX_THREADS];
static int nr_threads = 12;
static atomic_bool stop;
static atomic_ulong signals_sent;
static _Thread_local struct worker *self;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned long guarded, guarded_twin;
static atomic_int word;

static void fail(const char *why, long value)
{
	fprintf(stderr, "stress: %s (%ld) in %s\n", why, value,
		self && self->doing ? self->doing : "main");
	_exit(1);
}

static uint64_t rnd(uint64_t below)
{
	self->random ^= self->random << 13;
	self->random ^= self->random >> 7;
	self->random ^= self->random << 17;
	return self->random % below;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC + t.tv_nsec;
}

static struct worker *another(void)
{
	return &workers[rnd((uint64_t)nr_threads)];
}

/* ---- what a thread may do ---- */

static void do_yield(void)
{
	for (uint64_t n = rnd(20); n; n--)
		sched_yield();
}

static void do_sleep(void)
{
	int64_t ns = (int64_t)rnd(2000000), start = now_ns();
	struct timespec t = {0, ns};

	if (nanosleep(&t, NULL) == 0 && now_ns() - start < ns)
		fail("slept too short", ns);
}

static void do_spin(void)
{
	int64_t end = now_ns() + (int64_t)rnd(1000000), last = 0;

	while (now_ns() < end) {
		int64_t now = now_ns();

		if (now < last)
			fail("the clock went back", now - last);
		last = now;
	}
}

static void do_futex(void)
{
	struct timespec t = {0, (long)rnd(3000000)};

	if (rnd(2)) {
		atomic_fetch_add(&word, 1);
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, rnd(2) ? 1 : INT_MAX);
	} else {
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, atomic_load(&word), &t);
	}
}

/* Without a timeout: only a wake-up ends the wait. */
static void do_condition(void)
{
	unsigned long seen;

	pthread_mutex_lock(&lock);
	if (guarded != guarded_twin)
		fail("two threads held one mutex", (long)(guarded - guarded_twin));
	guarded++;
	if (rnd(4) == 0)
		sched_yield();
	guarded_twin++;
	pthread_cond_broadcast(&changed);
	seen = guarded;
	if (rnd(4) == 0 && !stop)
		while (guarded == seen && !stop)
			pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void do_affinity(void)
{
	uint64_t mask = rnd(UINT64_MAX) | (rnd(3) ? 0 : UINT64_MAX);
	struct worker *w = rnd(2) ? self : another();
	cpu_set_t set, got;

	memset(&set, 0, sizeof(set));
	memcpy(&set, &mask, sizeof(mask));
	if (syscall(SYS_sched_setaffinity, w->tid, sizeof(set), &set) && errno != EINVAL &&
	    errno != ESRCH)
		fail("sched_setaffinity", errno);
	/* Others change ours too: only an answer that is the same before and after tells. */
	for (int i = 0; i < 5; i++) {
		unsigned cpu;

		sched_getaffinity(0, sizeof(set), &set);
		cpu = (unsigned)sched_getcpu();
		sched_getaffinity(0, sizeof(got), &got);
		if (CPU_EQUAL(&set, &got) && !CPU_ISSET(cpu, &set)) {
			/* Changed and changed back between: look again at leisure. */
			sched_yield();
			sched_getaffinity(0, sizeof(set), &set);
			cpu = (unsigned)sched_getcpu();
			sched_getaffinity(0, sizeof(got), &got);
			if (CPU_EQUAL(&set, &got) && !CPU_ISSET(cpu, &set))
				fail("runs where it may not", (long)cpu);
		}
	}
}

static void do_policy(void)
{
	static const int policies[] = {SCHED_OTHER, SCHED_OTHER, SCHED_BATCH,
				       SCHED_IDLE,  SCHED_FIFO,	 SCHED_RR};
	int policy = policies[rnd(sizeof(policies) / sizeof(policies[0]))];
	bool rt = policy == SCHED_FIFO || policy == SCHED_RR;
	struct sched_param param = {rt ? 1 + (int)rnd(50) : 0};
	struct worker *w = rnd(2) ? self : another();

	syscall(SYS_sched_setscheduler, w->tid, policy, &param);
	setpriority(PRIO_PROCESS, (id_t)w->tid, (int)rnd(40) - 20);
}

static void *short_life(void *arg)
{
	static _Thread_local long mark;
	long value = (long)arg;

	mark = value;
	if (value & 1)
		sched_yield();
	return (void *)(mark + 1);
}

static void do_thread(void)
{
	long value = (long)rnd(1000);
	pthread_t t;
	void *result;

	if (pthread_create(&t, NULL, short_life, (void *)value))
		return;
	if (pthread_join(t, &result) || (long)result != value + 1)
		fail("a thread's result is wrong", value);
}

static void on_signal(int sig)
{
	int saved = errno;

	(void)sig;
	if (self)
		atomic_fetch_add(&self->signals_seen, 1);
	errno = saved;
}

static void do_signal(void)
{
	struct worker *w = another();

	if (w->tid && syscall(SYS_tgkill, getpid(), w->tid, SIGUSR1) == 0)
		atomic_fetch_add(&signals_sent, 1);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	if (!self)
		_exit(3);
	siglongjmp(self->fault, 1);
}

static void do_memory(void)
{
	size_t size = (1 + rnd(16)) * PAGE;
	uint8_t mark = (uint8_t)rnd(256);
	volatile uint8_t *p =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap", errno);
	for (size_t i = 0; i < size; i += PAGE) {
		if (p[i + 7])
			fail("a new page is not zero", p[i + 7]);
		p[i + 7] = mark;
	}
	if (rnd(2))
		madvise((void *)p, PAGE, MADV_DONTNEED);
	else if (p[7] != mark)
		fail("a byte changed", p[7]);
	if (size > PAGE && p[PAGE + 7] != mark)
		fail("a byte changed", p[PAGE + 7]);
	munmap((void *)p, size);
}

static void do_fault(void)
{
	volatile uint8_t *p = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile bool went_on = false;

	if (p == MAP_FAILED)
		fail("mmap", errno);
	if (rnd(2))
		mprotect((void *)p, PAGE, PROT_READ);
	if (!sigsetjmp(self->fault, 1)) {
		*p = 1;
		went_on = true;
	}
	if (went_on)
		fail("a write to read-only memory went through", 0);
	munmap((void *)p, PAGE);
}

/* The kernel itself faults in both buffers, while others map and unmap. */
static void do_copy(void)
{
	size_t size = 8 * PAGE;
	uint8_t *from = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t mark = (uint8_t)rnd(256);
	ssize_t done = 0;

	if (from == MAP_FAILED || to == MAP_FAILED)
		fail("mmap", errno);
	from[size - 1] = mark;
	if (write(self->pipe[1], from, size) != (ssize_t)size)
		fail("write to a pipe", errno);
	while (done < (ssize_t)size) {
		ssize_t n = read(self->pipe[0], to + done, size - (size_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			fail("read from a pipe", errno);
		done += n;
	}
	if (to[size - 1] != mark || to[0])
		fail("bytes came through a pipe changed", to[size - 1]);
	munmap(from, size);
	munmap(to, size);
}

/* s0-s11 and fs0-fs11 over a system call that may switch, and over interrupts. */
static void do_registers(void)
{
	uint64_t seed = rnd(UINT64_MAX) | 1, wrong;
	long number = rnd(2) ? SYS_sched_yield : SYS_gettid;
	uint64_t turns = rnd(3000);

	__asm__ volatile("mv	s2, %[seed]\n"
			 "	addi	s3, s2, 1\n"
			 "	addi	s4, s2, 2\n"
			 "	addi	s11, s2, 3\n"
			 "	fmv.d.x	fs2, s2\n"
			 "	fmv.d.x	ft11, s4\n"
			 "	fmv.d.x	fa7, s11\n"
			 "	mv	t5, s3\n"
			 "	mv	a7, %[number]\n"
			 "	ecall\n"
			 "	mv	t4, %[turns]\n"
			 "1:	addi	t4, t4, -1\n"
			 "	bgtz	t4, 1b\n"
			 "	fmv.x.d	t0, fs2\n"
			 "	xor	%[wrong], t0, %[seed]\n"
			 "	fmv.x.d	t0, ft11\n"
			 "	xor	t0, t0, s4\n"
			 "	or	%[wrong], %[wrong], t0\n"
			 "	fmv.x.d	t0, fa7\n"
			 "	xor	t0, t0, s11\n"
			 "	or	%[wrong], %[wrong], t0\n"
			 "	xor	t0, t5, s3\n"
			 "	or	%[wrong], %[wrong], t0\n"
			 "	xor	t0, s2, %[seed]\n"
			 "	or	%[wrong], %[wrong], t0\n"
			 "	addi	t0, s11, -3\n"
			 "	xor	t0, t0, s2\n"
			 "	or	%[wrong], %[wrong], t0\n"
			 : [wrong] "=&r"(wrong)
			 : [seed] "r"(seed), [number] "r"(number), [turns] "r"(turns)
			 : "s2", "s3", "s4", "s11", "t0", "t4", "t5", "a0", "a7", "fs2", "ft11",
			   "fa7", "memory");
	if (wrong)
		fail("a register changed", (long)wrong);
}

static const struct {
	const char *name;
	void (*fn)(void);
} actions[] = {
	{"yield", do_yield},	     {"sleep", do_sleep},	  {"spin", do_spin},
	{"futex", do_futex},	     {"condition", do_condition}, {"affinity", do_affinity},
	{"policy", do_policy},	     {"thread", do_thread},	  {"signal", do_signal},
	{"memory", do_memory},	     {"fault", do_fault},	  {"copy", do_copy},
	{"registers", do_registers},
};

static void *work(void *arg)
{
	self = arg;
	self->tid = gettid();
	while (!stop) {
		size_t i = rnd(sizeof(actions) / sizeof(actions[0]));

		self->doing = actions[i].name;
		actions[i].fn();
		self->steps++;
	}
	/* Whoever still waits for a change of the counter. */
	pthread_mutex_lock(&lock);
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* ---- the watch ---- */

static void report_stuck(const unsigned long *steps)
{
	for (int i = 0; i < nr_threads; i++)
		fprintf(stderr, "stress: thread %d: %lu steps, %s%s\n", i, workers[i].steps,
			workers[i].doing, workers[i].steps == steps[i] ? " STUCK" : "");
	_exit(1);
}

/*
 * Waiters for the condition are woken by the others, so all must go on. Real-time threads may hold up one of the fair classes for a
 * while, but none of them spins for long.
 */
static void watch(int64_t seconds)
{
	unsigned long steps[MAX_THREADS] = {0};
	int64_t moved[MAX_THREADS], end = now_ns() + seconds * NSEC;
	struct timespec t = {0, 50000000};

	for (int i = 0; i < nr_threads; i++)
		moved[i] = now_ns();
	while (now_ns() < end) {
		nanosleep(&t, NULL);
		for (int i = 0; i < nr_threads; i++) {
			unsigned long n = workers[i].steps;

			if (n != steps[i])
				moved[i] = now_ns();
			else if (now_ns() - moved[i] > STUCK_S * NSEC)
				report_stuck(steps);
			steps[i] = n;
		}
	}
}

static long option(int argc, char **argv, const char *name, long value)
{
	for (int i = 1; i + 1 < argc; i += 2)
		if (!strcmp(argv[i], name))
			value = atol(argv[i + 1]);
	return value;
}

static void start(long seed)
{
	struct sigaction user = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGUSR1, &user, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	for (int i = 0; i < nr_threads; i++) {
		struct worker *w = &workers[i];

		w->random = (uint64_t)(seed + i + 1) * 0x9e3779b97f4a7c15ULL;
		w->doing = "start";
		if (pipe(w->pipe) || pthread_create(&w->thread, NULL, work, w))
			fail("cannot start a thread", errno);
	}
}

static void finish(void)
{
	for (int i = 0; i < nr_threads; i++) {
		struct timespec t;

		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_sec += STUCK_S;
		if (pthread_timedjoin_np(workers[i].thread, NULL, &t))
			fail("a thread does not end", i);
	}
}

int main(int argc, char **argv)
{
	struct sched_param param = {90};
	unsigned long steps = 0, seen = 0;

	nr_threads = (int)option(argc, argv, "--threads", nr_threads);
	if (nr_threads < 1 || nr_threads > MAX_THREADS)
		return 2;
	/* Above whatever the threads give each other; without the right to it the watch is a little late. */
	start(option(argc, argv, "--seed", 1));
	sched_setscheduler(0, SCHED_FIFO, &param);
	watch(option(argc, argv, "--seconds", 5));
	stop = true;
	finish();
	for (int i = 0; i < nr_threads; i++) {
		steps += workers[i].steps;
		seen += workers[i].signals_seen;
	}
	if (seen > signals_sent)
		fail("more signals came than were sent", (long)(seen - signals_sent));
	printf("stress: %d threads, %lu steps, %lu signals sent, %lu seen\n", nr_threads, steps,
	       signals_sent, seen);
	return 0;
}
