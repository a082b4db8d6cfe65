/*
 * hot [SECONDS]: for four harts, a program whose time is known: a third each in a loop of its own, in read() and in page faults, on one
 * hart, while the others switch between threads, make processes, take signals, let timers expire and, if there is a network, let its kernel
 * threads work, as often as they can, so that windows of the sampler open and close at every place where they may.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TURN_US	    3000
#define NR_KNOCKERS 4
#define NR_SLEEPERS 16
#define NR_THREADS  (4 + NR_KNOCKERS + NR_SLEEPERS)

static volatile int over;

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

__attribute__((noinline)) static unsigned hot_inner(unsigned n)
{
	volatile unsigned x = n;

	for (unsigned i = 0; i < 1000; i++)
		x = x * 3 + i;
	return x;
}

__attribute__((noinline)) static unsigned hot_outer(long until)
{
	unsigned sum = 0;

	while (now_us() < until)
		sum += hot_inner(sum) + 1;
	return sum;
}

/* Not libc's: it keeps no frame pointers. */
static long raw_read(int fd, void *buffer, size_t size)
{
	register long a0 __asm__("a0") = fd;
	register long a1 __asm__("a1") = (long)buffer;
	register long a2 __asm__("a2") = (long)size;
	register long a7 __asm__("a7") = SYS_read;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
	return a0;
}

__attribute__((noinline)) static void hot_read(long until)
{
	static char buffer[1 << 16];
	int fd = open("/dev/zero", O_RDONLY);

	while (now_us() < until)
		if (raw_read(fd, buffer, sizeof(buffer)) < 0)
			abort();
	close(fd);
}

__attribute__((noinline)) static void hot_fault(long until)
{
	while (now_us() < until) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		for (int i = 0; i < 1 << 20; i += 4096)
			p[i] = 1;
		munmap(p, 1 << 20);
	}
}

/* ---- the others ---- */

static void nothing(int sig)
{
	(void)sig;
}

static void *hand_over(void *arg)
{
	int *ends = arg;
	char byte = 0;

	while (!over && write(ends[1], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1)
		;
	close(ends[1]);
	return NULL;
}

static void *make_processes(void *arg)
{
	while (!over) {
		pid_t pid = fork();

		if (!pid) {
			execl("/proc/self/exe", "hot", "child", NULL);
			_exit(1);
		}
		waitpid(pid, NULL, 0);
	}
	return arg;
}

static void *take_signals(void *arg)
{
	while (!over)
		raise(SIGUSR1);
	return arg;
}

static void *sleep_often(void *arg)
{
	while (!over)
		usleep(200);
	return arg;
}

/* Connections that QEMU's network refuses: each answer is a packet for the kernel's thread. Without a network there is nothing to do. */
static void *knock(void *arg)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(1)};
	int err = ECONNREFUSED;

	inet_pton(AF_INET, "10.0.2.2", &to.sin_addr);
	while (!over && err == ECONNREFUSED) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		err = connect(fd, (struct sockaddr *)&to, sizeof(to)) ? errno : 0;
		close(fd);
	}
	return arg;
}

/* The calling thread, and those that it makes, run on hart `hart` alone, or everywhere else. */
static void run_on(int hart, bool alone)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < 4; i++)
		if ((i == hart) == alone)
			CPU_SET(i, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		abort();
}

/* The busy neighbours, in a process of their own. */
static void disturb(long end)
{
	int there[2], back[2], first[2], second[2];
	pthread_t threads[NR_THREADS];

	signal(SIGUSR1, nothing);
	signal(SIGPIPE, SIG_IGN);
	if (pipe(there) || pipe(back))
		abort();
	first[0] = back[0], first[1] = there[1];
	second[0] = there[0], second[1] = back[1];
	pthread_create(&threads[0], NULL, hand_over, first);
	pthread_create(&threads[1], NULL, hand_over, second);
	pthread_create(&threads[2], NULL, make_processes, NULL);
	pthread_create(&threads[3], NULL, take_signals, NULL);
	for (int i = 4; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, i < 4 + NR_KNOCKERS ? knock : sleep_often, NULL);
	while (now_us() < end)
		usleep(10000);
	over = 1;
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	exit(0);
}

int main(int argc, char **argv)
{
	long seconds = argc > 1 ? atol(argv[1]) : 2, end = now_us() + seconds * 1000000;
	unsigned sum = 0;

	if (argc > 1 && !seconds)
		return 0;
	run_on(0, false);
	if (!fork())
		disturb(end);
	run_on(0, true);
	while (now_us() < end) {
		sum += hot_outer(now_us() + TURN_US);
		hot_read(now_us() + TURN_US);
		hot_fault(now_us() + TURN_US);
	}
	wait(NULL);
	printf("%u\n", sum);
	return 0;
}
