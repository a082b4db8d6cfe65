/*
 * Hostile arguments: each system call of calls.def is made with good arguments, then with each argument
 * in turn replaced by every bad value of its kind. One line a case:
 *
 *	NAME ARGUMENT VALUE RESULT
 *
 * RESULT is "ok", an errno, or the signal that ended the process. Each call has children of its own; an
 * alarm ends what blocks.
 *
 * hostile [NAME...]: only these calls.
 */
#include "tests/syscall/hostile/hostile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* Newer than the headers. */
#define SYS_cachestat 451

#define BLOCK_LIMIT_US 40000
#define MAX_CASES      256
#define DIED	       (1L << 62) /* + number of the signal */

struct call {
	const char *name;
	long nr;
	struct argument {
		const char *kind;
		long good;
	} args[6];
};

/* A kind of argument is a name; `good` says what the plain call passes. */
#define CALL(name, ...) {#name, SYS_##name, {__VA_ARGS__}},

/* Shared with the children: a call's results by number of the case, and how many there are. */
static long *results, *finished;

static void on_alarm(int sig)
{
	(void)sig;
}

static long make_call(long nr, const long a[6])
{
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = a[0];
	register long a1 __asm__("a1") = a[1];
	register long a2 __asm__("a2") = a[2];
	register long a3 __asm__("a3") = a[3];
	register long a4 __asm__("a4") = a[4];
	register long a5 __asm__("a5") = a[5];

	__asm__ volatile("ecall"
			 : "+r"(a0)
			 : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
			 : "memory");
	return a0;
}

/* The number of the case, in the order of a call's cases, that each step is at. */
struct walk {
	const struct call *call;
	long number; /* of the case that comes next */
	long first;  /* the child begins with this one */
};

static void arm_alarm(void)
{
	struct itimerval limit = {.it_value = {0, BLOCK_LIMIT_US},
				  .it_interval = {0, BLOCK_LIMIT_US}};

	setitimer(ITIMER_REAL, &limit, NULL);
}

/* In the child: one case, if it is still to be made. */
static void make_case(struct walk *w, const long args[6])
{
	long number = w->number++;
	pid_t self = getpid();

	if (number < w->first || number >= MAX_CASES)
		return;
	arm_alarm();
	results[number] = make_call(w->call->nr, args);
	/* A child that the call has made: what it does is no case. */
	if (getpid() != self)
		_exit(0);
	*finished = number + 1;
}

/* In the parent: its line. */
static void print_case(struct walk *w, int index, const char *value)
{
	long number = w->number++, result = results[number];

	printf("%s %d %s ", w->call->name, index, value);
	if (result >= DIED)
		printf("signal %ld\n", result - DIED);
	else if (result < 0 && result > -4096)
		printf("%s\n", strerrorname_np((int)-result));
	else
		printf("ok\n");
}

static void walk_cases(struct walk *w, bool print)
{
	long args[6];

	w->number = 0;
	for (int i = 0; i < 6; i++)
		args[i] = w->call->args[i].good;
	print ? print_case(w, 0, "good") : make_case(w, args);
	for (int i = 0; i < 6; i++) {
		const struct bad_value *bad = bad_values(w->call->args[i].kind);

		for (; bad && bad->name; bad++) {
			args[i] = bad->value;
			print ? print_case(w, i + 1, bad->name) : make_case(w, args);
		}
		args[i] = w->call->args[i].good;
	}
}

/* Children make the cases, one after the other; where one dies the next goes on. */
static void run_call(const struct call *call)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct walk w = {.call = call};
	int status = 1;

	*finished = 0;
	fflush(stdout);
	while (status != 0) {
		pid_t pid = fork();

		w.first = *finished;
		if (pid == 0) {
			sigaction(SIGALRM, &action, NULL);
			walk_cases(&w, false);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		if (WIFSIGNALED(status))
			results[(*finished)++] = DIED + WTERMSIG(status);
	}
	walk_cases(&w, true);
}

int main(int argc, char **argv)
{
	struct good *g = good_make();
	const struct call calls[] = {
#include "tests/syscall/hostile/calls.def"
	};

	results = mmap(NULL, (MAX_CASES + 1) * sizeof(long), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	finished = results + MAX_CASES;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		bool wanted = argc < 2;

		for (int k = 1; k < argc; k++)
			wanted |= strcmp(argv[k], calls[i].name) == 0;
		if (wanted)
			run_call(&calls[i]);
	}
	puts("end");
	return 0;
}
