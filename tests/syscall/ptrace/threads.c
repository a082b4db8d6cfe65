/*
 * Tracees with threads: each is traced, waited for and let go by its own number.
 */
#include "tests/syscall/ptrace/ptrace.h"

#include <dirent.h>

static unsigned long message_of(pid_t pid)
{
	unsigned long message = 0;

	CHECK_EQ(trace(P_GETEVENTMSG, pid, 0, &message), 0);
	return message;
}

static void *thread_body(void *arg)
{
	(void)arg;
	return NULL;
}

static int one_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_body, NULL);
	pthread_join(thread, NULL);
	return 8;
}

TEST(a_thread_is_born_and_dies)
{
	pid_t pid = traced_child(one_thread), tid, who;
	int status;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_CLONE | O_EXIT), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), EVENT_STATUS(EVENT_CLONE));
	tid = (pid_t)message_of(pid);
	CHECK_EQ(next_status(tid), STOPPED_BY(SIGSTOP));
	CHECK_EQ(waitpid(tid, &status, WNOHANG | __WALL), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(trace(P_CONT, tid, 0, 0), 0);
	CHECK_EQ(next_status_of(-1, &who), EVENT_STATUS(EVENT_EXIT));
	CHECK_EQ(who, tid);
	CHECK_EQ(message_of(tid), 0);
	CHECK_EQ(trace(P_CONT, tid, 0, 0), 0);
	status = next_status(tid);
	/* Its own, or that of the process, which goes on when the thread is gone. */
	CHECK(status == 0 || status == 8 << 8);
	CHECK(waitpid(tid, &status, WNOHANG | __WALL) == -1 && errno == ECHILD);
	CHECK_EQ(next_status(pid), EVENT_STATUS(EVENT_EXIT));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 8 << 8);
}

static void *pause_body(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static int exit_with_threads(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, pause_body, NULL);
	return 9;
}

/* All threads of a process that exits are told of, the leader last. */
TEST(a_process_exits_with_threads)
{
	pid_t pid = traced_child(exit_with_threads), who;
	int status, ended = 0;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_CLONE), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	do {
		status = next_status_of(-1, &who);
		if (WIFSTOPPED(status))
			CHECK_EQ(trace(P_CONT, who, 0, 0), 0);
		else
			ended++;
		if (WIFEXITED(status))
			CHECK_EQ(WEXITSTATUS(status), 9);
	} while (status != -1 && (who != pid || WIFSTOPPED(status)));
	CHECK_EQ(ended, 4);
	CHECK_EQ(who, pid);
}

static int killed_with_threads(void)
{
	exit_with_threads();
	pause();
	return 0;
}

/* A thread of `pid` that is not its leader, or 0. */
static pid_t other_thread(pid_t pid)
{
	struct dirent *entry;
	pid_t tid = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) != NULL)
		if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != pid)
			tid = atoi(entry->d_name);
	if (dir)
		closedir(dir);
	return tid;
}

/* A thread is attached to alone; the others run on. */
TEST(one_thread_is_attached)
{
	int status, told[2];
	char c, path[64];
	pid_t pid, tid;

	CHECK_EQ(pipe(told), 0);
	pid = fork();
	if (pid == 0) {
		pthread_t thread;

		pthread_create(&thread, NULL, pause_body, NULL);
		(void)!write(told[1], "x", 1);
		pause_body(NULL);
	}
	CHECK_EQ(read(told[0], &c, 1), 1);
	tid = other_thread(pid);
	CHECK(tid != 0);
	/* Though it is not listed there. */
	snprintf(path, sizeof(path), "/proc/%d/exe", tid);
	CHECK_EQ(access(path, F_OK), 0);
	CHECK_EQ(trace(P_ATTACH, tid, 0, 0), 0);
	CHECK_EQ(waitpid(tid, &status, __WALL), tid);
	CHECK_EQ(status, STOPPED_BY(SIGSTOP));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), -ESRCH);
	CHECK_EQ(trace(P_SEIZE, pid, 0, 0), 0);
	CHECK_EQ(trace(P_DETACH, tid, 0, 0), 0);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, SIGKILL);
	close(told[0]);
	close(told[1]);
}

/* Killed, a process with traced threads is a zombie when each of them was taken. */
TEST(a_killed_process_waits_for_its_threads)
{
	pid_t pid = traced_child(killed_with_threads), who, tids[3];
	int status, n = 0;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_CLONE), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	while (n < 3) {
		CHECK_EQ(next_status(pid), EVENT_STATUS(EVENT_CLONE));
		tids[n] = (pid_t)message_of(pid);
		CHECK_EQ(next_status(tids[n]), STOPPED_BY(SIGSTOP));
		n++;
		CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	}
	kill(pid, SIGKILL);
	/* Stopped ones die too. */
	for (int i = 0; i < 3; i++)
		CHECK_EQ(next_status(tids[i]), SIGKILL);
	status = next_status_of(pid, &who);
	CHECK_EQ(status, SIGKILL);
}

static void *exec_thread(void *arg)
{
	char *argv[] = {"self", "nothing-of-this-name", NULL};

	(void)arg;
	execve("/proc/self/exe", argv, NULL);
	return NULL;
}

static int exec_from_a_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, pause_body, NULL);
	pthread_create(&thread, NULL, exec_thread, NULL);
	pause_body(NULL);
	return 0;
}

/* The thread that execs becomes the leader: the event tells its old number. */
TEST(a_thread_execs)
{
	pid_t pid = traced_child(exec_from_a_thread), who, tids[2] = {0, 0};
	int status, n = 0, deaths = 0;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_CLONE | O_EXEC), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	for (;;) {
		status = next_status_of(-1, &who);
		if (status == -1 || status == EVENT_STATUS(EVENT_EXEC))
			break;
		if (status == EVENT_STATUS(EVENT_CLONE) && n < 2)
			tids[n++] = (pid_t)message_of(who);
		if (WIFSTOPPED(status))
			CHECK_EQ(trace(P_CONT, who, 0, 0), 0);
		else
			deaths++;
	}
	CHECK_EQ(who, pid);
	CHECK_EQ(n, 2);
	/* The one that paused; the old leader just vanished. */
	CHECK_EQ(deaths, 1);
	CHECK_EQ(message_of(pid), tids[1]);
	CHECK_EQ(trace(P_CONT, tids[1], 0, 0), -ESRCH);
	kill_and_reap(pid);
}

static void *trace_pid(void *arg)
{
	pid_t *pid = arg;

	/* Another thread's tracee. */
	CHECK_EQ(trace(P_CONT, *pid, 0, 0), -ESRCH);
	CHECK(waitpid(*pid, NULL, WNOHANG | __WNOTHREAD | __WALL) <= 0);
	return NULL;
}

TEST(the_tracer_is_a_thread)
{
	pid_t pid = traced_child(one_thread);

	thread_join(thread_start(trace_pid, &pid));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 8 << 8);
}

static void *attach_and_leave(void *arg)
{
	pid_t *pid = arg;

	CHECK_EQ(trace(P_SEIZE, *pid, 0, 0), 0);
	CHECK_EQ(trace(P_INTERRUPT, *pid, 0, 0), 0);
	return NULL;
}

/* A thread that ends lets its tracees go. */
TEST(a_tracing_thread_ends)
{
	pid_t pid = sleeping_child();

	thread_join(thread_start(attach_and_leave, &pid));
	WAIT_UNTIL(process_sleeps(pid));
	CHECK_EQ(trace(P_SEIZE, pid, 0, 0), 0);
	kill_and_reap(pid);
}
