/*
 * events: makes each event of the trace that a program can cause at least once: System V IPC with its waits, sockets with theirs, a
 * requeue, a PI hand-over, system calls with six and with long arguments. Two threads hand over to each other, so that the one
 * really sleeps for what the other does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROUNDS 50

static void check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

/* Runs both at once, to their ends. */
static void together(void *(*a)(void *), void *(*b)(void *), void *arg)
{
	pthread_t t;

	check(!pthread_create(&t, NULL, a, arg), "pthread_create");
	b(arg);
	pthread_join(t, NULL);
}

/* ---- System V ---- */

static void change(int id, unsigned short num, short by)
{
	struct sembuf op = {.sem_num = num, .sem_op = by};

	check(!semop(id, &op, 1), "semop");
}

static void *sem_first(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		change(*(int *)arg, 0, -1);
		change(*(int *)arg, 1, 1);
	}
	return NULL;
}

static void *sem_second(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		change(*(int *)arg, 0, 1);
		change(*(int *)arg, 1, -1);
	}
	return NULL;
}

struct message {
	long type;
	char text[16];
};

static void *msg_first(void *arg)
{
	struct message m;

	for (int i = 0; i < ROUNDS; i++) {
		check(msgrcv(*(int *)arg, &m, sizeof(m.text), 1, 0) == 16, "msgrcv");
		m.type = 2;
		check(!msgsnd(*(int *)arg, &m, sizeof(m.text), 0), "msgsnd");
	}
	return NULL;
}

static void *msg_second(void *arg)
{
	struct message m;

	for (int i = 0; i < ROUNDS; i++) {
		m.type = 1;
		check(!msgsnd(*(int *)arg, &m, sizeof(m.text), 0), "msgsnd");
		check(msgrcv(*(int *)arg, &m, sizeof(m.text), 2, 0) == 16, "msgrcv");
	}
	return NULL;
}

static void system_v(void)
{
	int sem = semget(IPC_PRIVATE, 2, 0600), msg = msgget(IPC_PRIVATE, 0600);
	int shm = shmget(IPC_PRIVATE, 4096, 0600);
	void *at;

	check(sem >= 0 && msg >= 0 && shm >= 0, "get");
	together(sem_first, sem_second, &sem);
	together(msg_first, msg_second, &msg);
	at = shmat(shm, NULL, 0);
	check(at != (void *)-1 && !shmdt(at), "shmat");
	check(!semctl(sem, 0, IPC_RMID) && !msgctl(msg, IPC_RMID, NULL) &&
		      !shmctl(shm, IPC_RMID, NULL),
	      "remove");
}

/* ---- POSIX message queues, of one message each ---- */

static void *mq_first(void *arg)
{
	const mqd_t *queues = arg;
	char byte = 'x';

	for (int i = 0; i < ROUNDS; i++) {
		check(!mq_send(queues[0], &byte, 1, 3), "mq_send");
		check(mq_receive(queues[1], &byte, 1, NULL) == 1, "mq_receive");
	}
	return NULL;
}

static void *mq_second(void *arg)
{
	const mqd_t *queues = arg;
	char byte;

	for (int i = 0; i < ROUNDS; i++) {
		check(mq_receive(queues[0], &byte, 1, NULL) == 1, "mq_receive");
		check(!mq_send(queues[1], &byte, 1, 0), "mq_send");
	}
	return NULL;
}

static void message_queues(void)
{
	struct mq_attr size = {.mq_maxmsg = 1, .mq_msgsize = 1};
	mqd_t queues[2] = {mq_open("/there", O_CREAT | O_RDWR, 0600, &size),
			   mq_open("/back", O_CREAT | O_RDWR, 0600, &size)};

	check(queues[0] >= 0 && queues[1] >= 0, "mq_open");
	together(mq_first, mq_second, queues);
	check(!mq_unlink("/there") && !mq_unlink("/back"), "mq_unlink");
}

/* ---- sockets ---- */

static void echo(int fd, int first)
{
	char byte = 'x';

	for (int i = 0; i < ROUNDS; i++) {
		if (first)
			check(send(fd, &byte, 1, 0) == 1, "send");
		check(recv(fd, &byte, 1, 0) == 1, "recv");
		if (!first)
			check(send(fd, &byte, 1, 0) == 1, "send");
	}
	close(fd);
}

static void *serve(void *arg)
{
	int fd = accept(*(int *)arg, NULL, NULL);

	check(fd >= 0, "accept");
	echo(fd, 0);
	return NULL;
}

static void *ask(void *arg)
{
	struct sockaddr_in to;
	socklen_t len = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	check(!getsockname(*(int *)arg, (struct sockaddr *)&to, &len), "getsockname");
	check(!connect(fd, (struct sockaddr *)&to, len), "connect");
	echo(fd, 1);
	return NULL;
}

static void sockets(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	check(fd >= 0 && !bind(fd, (struct sockaddr *)&any, sizeof(any)) && !listen(fd, 4), "listen");
	together(serve, ask, &fd);
	close(fd);
}

/* ---- futexes ---- */

static struct {
	uint32_t word, target, pi, ready;
} shared;

static void *requeued(void *arg)
{
	__atomic_add_fetch(&shared.ready, 1, __ATOMIC_SEQ_CST);
	while (syscall(SYS_futex, &shared.word, FUTEX_WAIT, 0, NULL, NULL, 0) && errno == EINTR)
		;
	return arg;
}

static void *requeue(void *arg)
{
	long moved = 0;

	while (!__atomic_load_n(&shared.ready, __ATOMIC_SEQ_CST) || moved != 1) {
		moved = syscall(SYS_futex, &shared.word, FUTEX_CMP_REQUEUE, 0, 1L, &shared.target, 0);
		usleep(100);
	}
	check(syscall(SYS_futex, &shared.target, FUTEX_WAKE, 1, NULL, NULL, 0) == 1, "wake");
	return arg;
}

/* FUTEX_WAITERS is in the word only while somebody sleeps for it. */
static void *pi_holder(void *arg)
{
	check(!syscall(SYS_futex, &shared.pi, FUTEX_LOCK_PI, 0, NULL, NULL, 0), "lock");
	__atomic_store_n(&shared.ready, 3, __ATOMIC_SEQ_CST);
	while (!(__atomic_load_n(&shared.pi, __ATOMIC_SEQ_CST) & FUTEX_WAITERS))
		usleep(100);
	usleep(2000);
	check(!syscall(SYS_futex, &shared.pi, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), "unlock");
	return arg;
}

static void *pi_waiter(void *arg)
{
	while (__atomic_load_n(&shared.ready, __ATOMIC_SEQ_CST) != 3)
		usleep(100);
	check(!syscall(SYS_futex, &shared.pi, FUTEX_LOCK_PI, 0, NULL, NULL, 0), "lock");
	check(!syscall(SYS_futex, &shared.pi, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), "unlock");
	return arg;
}

int main(void)
{
	system_v();
	message_queues();
	sockets();
	together(requeued, requeue, NULL);
	together(pi_holder, pi_waiter, NULL);
	/* The test knows these numbers. */
	syscall(SYS_pread64, -1L, 0x1111L, 0x2222L, 0x123456789abcdefL);
	syscall(SYS_mmap, 0L, 4096L, (long)PROT_READ, 0x12L, -2L, 0x5000L);
	return 0;
}
