/*
 * Cancellation of threads, as the C library makes it of a signal to one thread and of its restart or not.
 */
#include "tests/syscall/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int pipes[2];
static sem_t never;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static volatile int waiting, cleaned;

static void block_in_read(void)
{
	char byte;

	(void)!read(pipes[0], &byte, 1);
}

static void block_in_poll(void)
{
	struct pollfd p = {.fd = pipes[0], .events = POLLIN};

	poll(&p, 1, -1);
}

static void block_in_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(pipes[0], &set);
	select(pipes[0] + 1, &set, NULL, NULL, NULL);
}

static void block_in_pause(void)
{
	pause();
}

static void block_in_nanosleep(void)
{
	nanosleep(&(struct timespec){1000, 0}, NULL);
}

static void block_in_sem_wait(void)
{
	sem_wait(&never);
}

static void unlock(void *arg)
{
	pthread_mutex_unlock(arg);
}

static void block_in_cond_wait(void)
{
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(unlock, &mutex);
	for (;;)
		pthread_cond_wait(&condition, &mutex);
	pthread_cleanup_pop(1);
}

static void block_in_wait(void)
{
	waitpid(-1, NULL, 0);
}

static void block_in_sigwait(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigwait(&set, &sig);
}

static void block_in_accept(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	bind(fd, &(struct sockaddr){.sa_family = AF_UNIX}, sizeof(sa_family_t));
	listen(fd, 1);
	accept(fd, NULL, NULL);
}

static void block_in_lock(void)
{
	struct flock whole = {.l_type = F_WRLCK};
	int fd = open("/tmp/cancel", O_RDWR | O_CREAT, 0600);

	fcntl(fd, F_OFD_SETLKW, &whole);
}

static const struct {
	const char *name;
	void (*fn)(void);
} blocking[] = {
	{"read", block_in_read},	   {"poll", block_in_poll},
	{"select", block_in_select},	   {"pause", block_in_pause},
	{"nanosleep", block_in_nanosleep}, {"sem_wait", block_in_sem_wait},
	{"cond_wait", block_in_cond_wait}, {"wait", block_in_wait},
	{"sigwait", block_in_sigwait},	   {"accept", block_in_accept},
	{"fcntl", block_in_lock},
};

static void note(void *arg)
{
	(void)arg;
	cleaned++;
}

static void *run(void *arg)
{
	void (*fn)(void) = *(void (*const *)(void))arg;

	pthread_cleanup_push(note, NULL);
	waiting = 1;
	fn();
	pthread_cleanup_pop(1);
	return NULL;
}

static void check_cancelled(void (*const *fn)(void), const char *name, int after_ms)
{
	void *result = NULL;
	pthread_t thread;

	waiting = cleaned = 0;
	CHECK_EQ(pthread_create(&thread, NULL, run, (void *)fn), 0);
	WAIT_UNTIL(waiting);
	sleep_ms(after_ms);
	CHECK_EQ(pthread_cancel(thread), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	if (!CHECK(result == PTHREAD_CANCELED) || !CHECK_EQ(cleaned, 1))
		printf("# in %s\n", name);
}

TEST(blocking_calls_are_cancelled)
{
	struct flock whole = {.l_type = F_WRLCK};
	int fd = open("/tmp/cancel", O_RDWR | O_CREAT, 0600);
	pid_t child = fork();

	if (child == 0)
		for (;;)
			pause();
	CHECK_EQ(fcntl(fd, F_OFD_SETLK, &whole), 0);
	CHECK_EQ(pipe(pipes), 0);
	sem_init(&never, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(blocking); i++) {
		/* Before the call, as a rule, and inside it. */
		check_cancelled(&blocking[i].fn, blocking[i].name, 0);
		check_cancelled(&blocking[i].fn, blocking[i].name, 5);
	}
	CHECK_EQ(pthread_mutex_trylock(&mutex), 0);
	pthread_mutex_unlock(&mutex);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

static void spin(void)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (;;)
		__asm__ volatile("");
}

TEST(a_spinning_thread_is_cancelled)
{
	static void (*const fn)(void) = spin;

	check_cancelled(&fn, "spin", 2);
}
