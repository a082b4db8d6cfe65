/* process: processes, memory, files, signals. Runs unchanged on Linux. */
#include "perf/process/process.h"

#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (int)(sizeof(array) / sizeof((array)[0]))
#define FILE_PAGES	  64

/* What several benchmarks have in common; ... are further members. */
#define THREADS(name_, op_, ops_, work_, ...)                                                      \
	{                                                                                          \
		.name = name_, .op = op_, .shape = BENCH_THREADS, .threads = 1, .max_threads = 4,  \
		.count_ops = ops_, .work = work_, .check = bench_check_done, __VA_ARGS__           \
	}
#define PAIR(name_, op_, ops_, work_, ...)                                                         \
	{                                                                                          \
		.name = name_, .op = op_, .shape = BENCH_PAIR, .threads = 2, .granule = 1,         \
		.count_ops = ops_, .work = work_, .check = bench_check_done, __VA_ARGS__           \
	}
#define ONE(name_, variant_, op_, ops_, work_, ...)                                                \
	{                                                                                          \
		.name = name_, .variant = variant_, .op = op_, .shape = BENCH_ONE, .threads = 1,   \
		.count_ops = ops_, .work = work_, .check = bench_check_done, __VA_ARGS__           \
	}
#define IO(file) .arg = file, .setup = io_setup, .teardown = io_teardown
#define RING	 .processes = true, .setup = ring_setup, .teardown = ring_teardown
#define SWITCH(variant_, processes_)                                                                \
	{                                                                                           \
		.name = "switch", .variant = variant_, .op = "token to the next process",           \
		.shape = BENCH_ONE, .threads = processes_, .one_hart = true, .granule = 1,          \
		.count_ops = 100 * (processes_), .work = ring_work, .check = bench_check_done, RING \
	}
#define FILE_FAULT(name_, op_, work_)                                                              \
	THREADS(name_, op_, 2 * FILE_PAGES, work_, .granule = FILE_PAGES, .arg = FILE_PAGES,       \
		.setup = file_setup, .teardown = file_teardown)

static const struct bench benches[] = {
	ONE("read", "zero", "one byte of /dev/zero", 200, read_work, IO(IO_ZERO)),
	ONE("read", "file", "one byte of a file", 200, read_work, IO(IO_FILE)),
	ONE("write", "null", "one byte to /dev/null", 200, write_work, IO(IO_NULL)),
	ONE("write", "file", "one byte to a file", 200, write_work, IO(IO_FILE)),
	THREADS("open", "open() and close()", 100, open_work, IO(IO_FILE)),
	THREADS("stat", "stat()", 100, stat_work, IO(IO_FILE)),
	ONE("child", "fork-exit", "fork(), _exit(), waitpid()", 20, fork_work),
	ONE("child", "fork-exec", "fork(), execve(), waitpid()", 20, fork_exec_work),
	ONE("child", "vfork-exec", "vfork(), execve(), waitpid()", 20, vfork_exec_work),
	ONE("child", "spawn", "posix_spawn(), waitpid()", 20, spawn_work),
	SWITCH("2-processes", 2),
	SWITCH("8-processes", 8),
	SWITCH("32-processes", 32),
	PAIR("pipe", "byte to the other process", 100, ring_work, RING),
	PAIR("pipe-stream", "64 KiB through a pipe", 20, stream_work, RING, .bytes = PIPE_BLOCK),
	FILE_FAULT("fault-file", "page of a file, read", fault_file_work),
	FILE_FAULT("fault-cow", "page of a file, copied", fault_cow_work),
	THREADS("mmap-1", "mmap, munmap", 100, mmap_work, .arg = 1),
	THREADS("mmap-64", "mmap, munmap", 100, mmap_work, .arg = 64),
	THREADS("mmap-4096", "mmap, munmap", 100, mmap_work, .arg = 4096),
	THREADS("mmap-populate-1", "mmap with the page, munmap", 50, mmap_populate_work, .arg = 1),
	THREADS("mmap-populate-64", "mmap with all pages, munmap", 20, mmap_populate_work, .arg = 64),
	THREADS("mmap-populate-4096", "mmap with all pages, munmap", 2, mmap_populate_work,
		.arg = 4096),
	THREADS("mprotect-1", "mprotect", 100, mprotect_work, .arg = 1),
	THREADS("mprotect-64", "mprotect", 100, mprotect_work, .arg = 64),
	ONE("signal", "install", "sigaction()", 200, signal_install_work),
	ONE("signal", "self", "signal to oneself, handled", 100, signal_self_work,
	    .setup = signal_setup),
	PAIR("signal-pair", "signal to the other process", 100, signal_pair_work, .processes = true,
	     .setup = signal_setup),
	PAIR("epoll", "eventfd to the other thread", 100, epoll_work, .setup = epoll_setup,
	     .teardown = epoll_teardown),
};

int main(int argc, char **argv)
{
	static const struct bench_suite suite = {
		.name = "process",
		.program = "process",
		.about = "Processes, memory, files, signals; every result is checked.",
		.benches = benches,
		.nr_benches = ARRAY_SIZE(benches),
	};

	if (argc == 2 && strcmp(argv[1], "--child") == 0)
		_exit(CHILD_STATUS);
	child_program = strchr(argv[0], '/') ? argv[0] : "/proc/self/exe";
	return bench_main(&suite, argc, argv);
}
