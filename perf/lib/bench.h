/*
 * The harness behind every benchmark program of perf/.
 *
 * A benchmark is a function that does a given number of operations on a team of threads or of
 * processes. The harness makes the team, finds how many operations fill a sample, takes several
 * samples and reports nanoseconds an operation (of the whole team together: lower is better), or
 * megabytes a second where an operation moves bytes. A sample lasts from the moment its first
 * worker begins to the moment its last worker ends.
 *
 * Invariant: no figure is printed that was not checked. Every sample ends in the benchmark's own
 * check of its result; a failed check, or a sample that does not end within BENCH_WATCHDOG_S (a
 * lost wake-up; ten times that when counting), ends the program with status 1 and a message that
 * names the benchmark.
 *
 * What the kernel does not have is said ("not supported", with the reason), never measured: a
 * benchmark's setup() finds out.
 *
 * The programs are plain static Linux programs, so the same binary runs on both kernels.
 */
#ifndef PERF_LIB_BENCH_H
#define PERF_LIB_BENCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BENCH_MAX_THREADS 65
#define BENCH_WATCHDOG_S  60
#define BENCH_LINE	  64

struct bench_team;

/* One member of a team. All fields but [I] belong to the worker while a sample runs. */
struct bench_worker {
	_Alignas(BENCH_LINE) struct bench_team *team; /* [I] */
	pthread_t thread;			      /* [I] a team of threads */
	pid_t pid;				      /* [I] a team of processes; 0: has ended */
	int index;				      /* [I] 0 .. threads - 1 */
	int cpu;				      /* [I] where it is pinned, -1: anywhere */
	uint64_t ops;  /* its share of team->ops; [a] of an endless sample: 0 ends it */
	uint64_t done; /* operations it did itself */
	uint64_t start_ns, end_ns;
	_Atomic bool finished; /* [a] for the watchdog's report */
};

/* What a benchmark's threads are, and so what its variants are called. */
enum bench_shape {
	BENCH_ONE,     /* one variant, .threads workers placed by the kernel, called .variant */
	BENCH_THREADS, /* one variant for each thread count asked for: "4-threads" */
	BENCH_PAIR,    /* two pinned workers: "same-hart" and "other-hart" */
};

struct bench {
	const char *name;    /* "mutex": the middle part of suite/benchmark/variant */
	const char *variant; /* BENCH_ONE only: the last part */
	const char *op;	     /* what one operation is, for people */
	enum bench_shape shape;
	int threads;	    /* BENCH_ONE: how many; BENCH_THREADS: the fewest that make sense */
	int max_threads;    /* BENCH_THREADS: the most, 0: no limit */
	bool processes;	    /* the workers are processes: they share the team and its .shared */
	bool one_hart;	    /* BENCH_ONE: all workers on one hart */
	long arg;	    /* the benchmark's own: which version of it */
	uint64_t bytes;	    /* that one operation moves: reported as MB/s; 0: report the time */
	uint64_t granule;   /* a worker's share is a multiple of this (0: workers share freely) */
	uint64_t max_ops;   /* in one sample: for what is fast or slow by luck; 0: no limit */
	uint64_t count_ops; /* operations in a counted window, of each worker (BENCH_ONE: of all) */
	int calls; /* system calls of an operation, where those of different workers never wait for each other: see count(); 0: others */
	/* Before the workers start: make what they need. Returns NULL, or why this kernel cannot. */
	const char *(*setup)(struct bench_team *team);
	void (*teardown)(struct bench_team *team); /* after they have ended, if setup() worked */
	void (*prepare)(struct bench_team *team);  /* before each sample, no worker runs; or NULL */
	void (*work)(struct bench_worker *worker);
	void (*check)(struct bench_team *team); /* after each sample: bench_fail() if wrong */
};

struct bench_team {
	const struct bench *bench;		       /* [I] */
	const char *name;			       /* [I] suite/benchmark/variant */
	int threads;				       /* [I] */
	void *shared;				       /* [I] the benchmark's own, from setup() */
	int patience_s;				       /* [I] a sample that lasts longer hangs */
	int window;				       /* counted window of this sample, -1: none */
	bool quit;				       /* read after the gate opens */
	uint64_t ops;				       /* of the whole team in this sample */
	_Alignas(BENCH_LINE) _Atomic uint32_t gate;    /* [a] futex: number of the sample */
	_Alignas(BENCH_LINE) _Atomic uint32_t started; /* [a] workers that arrived */
	_Atomic bool go;			       /* [a] all have arrived */
	_Alignas(BENCH_LINE) _Atomic uint32_t running; /* [a] futex: workers not yet done */
	struct bench_worker workers[BENCH_MAX_THREADS];
};

struct bench_suite {
	const char *name;    /* "futex": the first part of every name */
	const char *program; /* for messages */
	const char *about;   /* one line for --help */
	const struct bench *benches;
	int nr_benches;
};

/*
 * bench_main() - run a suite as its command line says.
 *
 * Return: the program's exit status: 0, or 2 for a bad command line. What goes wrong in a
 * benchmark ends the program with status 1 on the spot.
 */
int bench_main(const struct bench_suite *suite, int argc, char **argv);

/* bench_fail() - say what was inconsistent in the benchmark that runs now and exit(1). */
_Noreturn __attribute__((format(printf, 1, 2))) void bench_fail(const char *format, ...);

/* bench_done() - sum of the operations that each worker of @team counted in .done. */
uint64_t bench_done(const struct bench_team *team);

/* bench_check_done() - the default check: the workers did exactly team->ops operations. */
void bench_check_done(struct bench_team *team);

/*
 * bench_unsupported() - for setup(): the reason "@what: strerror(errno)", in a buffer that the
 * next call reuses.
 */
const char *bench_unsupported(const char *what);

/* bench_map_shared() - @size zeroed bytes that processes forked later share; bench_fail() if none. */
void *bench_map_shared(size_t size);

/* bench_now_ns() - CLOCK_MONOTONIC in nanoseconds. */
uint64_t bench_now_ns(void);

/* bench_spin() - @loops turns of an empty loop: work that touches no memory. */
static inline void bench_spin(int loops)
{
	for (int i = 0; i < loops; i++)
		__asm__ volatile("");
}

#endif
