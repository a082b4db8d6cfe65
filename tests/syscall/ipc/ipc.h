/*
 * What the tests of System V IPC share: calls that answer -errno, children, other users.
 */
#ifndef TESTS_SYSCALL_IPC_IPC_H
#define TESTS_SYSCALL_IPC_IPC_H

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/syscall/harness.h"

#define PAGE 4096UL

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

/* The bare calls: a result or -errno. */
#define shmget_(key, size, flags)	    sys3(SYS_shmget, key, size, flags)
#define shmat_(id, addr, flags)		    sys3(SYS_shmat, id, addr, flags)
#define shmdt_(addr)			    sys1(SYS_shmdt, addr)
#define shmctl_(id, cmd, buf)		    sys3(SYS_shmctl, id, cmd, buf)
#define semget_(key, nr, flags)		    sys3(SYS_semget, key, nr, flags)
#define semop_(id, ops, nr)		    sys3(SYS_semop, id, ops, nr)
#define semtimedop_(id, ops, nr, time)	    sys4(SYS_semtimedop, id, ops, nr, time)
#define semctl_(id, num, cmd, arg)	    sys4(SYS_semctl, id, num, cmd, arg)
#define msgget_(key, flags)		    sys2(SYS_msgget, key, flags)
#define msgsnd_(id, msg, size, flags)	    sys4(SYS_msgsnd, id, msg, size, flags)
#define msgrcv_(id, msg, size, type, flags) sys5(SYS_msgrcv, id, msg, size, type, flags)
#define msgctl_(id, cmd, buf)		    sys3(SYS_msgctl, id, cmd, buf)

/* A key that nothing else uses. */
static inline int fresh_key(void)
{
	static int next = 0x57000000;

	return next++;
}

/* One operation on semaphore `num`. */
static inline long sem_do(int id, int num, int op, int flags)
{
	struct sembuf b = {(unsigned short)num, (short)op, (short)flags};

	return semop_(id, &b, 1);
}

/* Runs `fn(arg)` in a child; the exit status is its result's low byte. */
static inline pid_t child_start(int (*fn)(void *), void *arg)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(fn(arg));
	return pid;
}

/* The child's exit status, or 256 + the signal that killed it. */
static inline int child_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static inline int child_run(int (*fn)(void *), void *arg)
{
	return child_wait(child_start(fn, arg));
}

/* The child sleeps in the kernel: its state in /proc is S. */
static inline bool child_sleeps(pid_t pid)
{
	char path[64], text[256] = "", *state;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	state = strrchr(text, ')');
	return state && state[2] == 'S';
}

/* Another user, without rights: for children only. */
static inline void become_nobody(void)
{
	if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, 65534, 65534, 65534) ||
	    syscall(SYS_setresuid, 65534, 65534, 65534))
		_exit(99);
}

/* The line of a /proc/sysvipc file whose second column is `id`, without the key; false: none. */
bool sysvipc_line(const char *file, int id, char *line, size_t size);
/* Number `index` of a file of numbers, -1 if there is none. */
long long proc_number(const char *path, int index);
/* 0 or -errno. */
int proc_write(const char *path, const char *text);

#endif
