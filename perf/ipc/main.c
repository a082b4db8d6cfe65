/* ipc: System V shared memory, semaphores, message queues. Runs unchanged on Linux. */
#include "perf/ipc/ipc.h"

#define ARRAY_SIZE(array) (int)(sizeof(array) / sizeof((array)[0]))
#define KIB		  1024L
#define MIB		  (1024 * KIB)

#define THREADS(name_, op_, work_, ...)                                                            \
	{                                                                                          \
		.name = name_, .op = op_, .shape = BENCH_THREADS, .threads = 1, .count_ops = 200,  \
		.work = work_, .check = bench_check_done, __VA_ARGS__                              \
	}
#define PAIR(name_, op_, work_, ...)                                                               \
	{                                                                                          \
		.name = name_, .op = op_, .shape = BENCH_PAIR, .threads = 2, .granule = 1,         \
		.processes = true, .count_ops = 100, .work = work_, .check = bench_check_done,     \
		__VA_ARGS__                                                                        \
	}
#define SHM(size) .arg = size, .setup = shm_setup, .teardown = shm_teardown
#define ATTACH(size_name, size)                                                                    \
	THREADS("attach-" size_name, "shmat() and shmdt()", attach_work, SHM(size)),               \
		THREADS("touch-" size_name, "shmat(), a write, shmdt()", touch_work, SHM(size),    \
			.max_threads = 4)
#define SEM(setup_) .setup = setup_, .teardown = sem_teardown
#define MSG(size)   .arg = size, .setup = msg_setup, .teardown = msg_teardown

static const struct bench benches[] = {
	ATTACH("4k", 4 * KIB),
	ATTACH("1m", MIB),
	ATTACH("64m", 64 * MIB),
	THREADS("stat-own", "IPC_STAT, a segment each", stat_work, SHM(4 * KIB), .calls = 1),
	THREADS("stat-same", "IPC_STAT, one segment for all", stat_work, .arg = 4 * KIB,
		.setup = shm_same_setup, .teardown = shm_teardown),
	PAIR("shm-futex", "hand-over by a futex in a segment", shm_futex_work, .arg = 4 * KIB,
	     .setup = shm_same_setup, .prepare = shm_futex_prepare, .teardown = shm_teardown),
	THREADS("sem-own", "semop() down and up, a set each", sem_work, SEM(sem_setup), .calls = 2),
	THREADS("sem-undo", "the same with SEM_UNDO", sem_undo_work, SEM(sem_setup)),
	THREADS("sem-same", "semop() down and up, one for all", sem_work, SEM(sem_same_setup)),
	PAIR("sem-pair", "hand-over by two semaphores", sem_pair_work, SEM(sem_pair_setup)),
	THREADS("msg-own", "msgsnd() and msgrcv(), 64 bytes", msg_own_work, MSG(64)),
	PAIR("msg-pair-8", "message to the other process", msg_pair_work, MSG(8)),
	PAIR("msg-pair-1k", "message to the other process", msg_pair_work, MSG(KIB)),
	PAIR("msg-pair-8k", "message to the other process", msg_pair_work, MSG(8 * KIB)),
	PAIR("msg-stream-64", "message", msg_stream_work, MSG(64), .bytes = 64),
	PAIR("msg-stream-8k", "message", msg_stream_work, MSG(8 * KIB), .bytes = 8 * KIB),
};

int main(int argc, char **argv)
{
	static const struct bench_suite suite = {
		.name = "ipc",
		.program = "ipc",
		.about = "System V shared memory, semaphores, messages; every result is checked.",
		.benches = benches,
		.nr_benches = ARRAY_SIZE(benches),
	};

	return bench_main(&suite, argc, argv);
}
