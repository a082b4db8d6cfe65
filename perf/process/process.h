/* The benchmarks of the process suite; for each, work() runs in every worker (perf/lib/bench.h). */
#ifndef PERF_PROCESS_H
#define PERF_PROCESS_H

#include "perf/lib/bench.h"

#define PAGE 4096

/* io.c: one byte, one open, one stat; .arg says of what */
enum io_file { IO_ZERO, IO_NULL, IO_FILE };
const char *io_setup(struct bench_team *team);
void io_teardown(struct bench_team *team);
void read_work(struct bench_worker *worker);
void write_work(struct bench_worker *worker);
void open_work(struct bench_worker *worker);
void stat_work(struct bench_worker *worker);

/* child.c: processes that end at once */
#define CHILD_STATUS 7
extern const char *child_program; /* what exec and spawn run: this program itself */
void fork_work(struct bench_worker *worker);
void vfork_exec_work(struct bench_worker *worker);
void fork_exec_work(struct bench_worker *worker);
void spawn_work(struct bench_worker *worker);

/* pipe.c: worker processes joined by pipes */
#define PIPE_BLOCK (64 * 1024)
const char *ring_setup(struct bench_team *team);
void ring_teardown(struct bench_team *team);
void ring_work(struct bench_worker *worker);
void stream_work(struct bench_worker *worker);

/* memory.c: .arg is a number of pages */
const char *file_setup(struct bench_team *team);
void file_teardown(struct bench_team *team);
void fault_file_work(struct bench_worker *worker);
void fault_cow_work(struct bench_worker *worker);
void mmap_work(struct bench_worker *worker);
void mmap_populate_work(struct bench_worker *worker);
void mprotect_work(struct bench_worker *worker);

/* signal.c */
const char *signal_setup(struct bench_team *team);
void signal_install_work(struct bench_worker *worker);
void signal_self_work(struct bench_worker *worker);
void signal_pair_work(struct bench_worker *worker);

/* epoll.c */
const char *epoll_setup(struct bench_team *team);
void epoll_teardown(struct bench_team *team);
void epoll_work(struct bench_worker *worker);

#endif
