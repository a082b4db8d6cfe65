/*
 * Messages: order, waiting, timeouts, poll, notification.
 */
#include "tests/syscall/mqueue/mqueue.h"

#include <linux/netlink.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>

TEST(the_most_urgent_comes_first)
{
	int q = fresh_queue(8, 0);

	CHECK_EQ(put(q, "a", 1), 0);
	CHECK_EQ(put(q, "b", 5), 0);
	CHECK_EQ(put(q, "", 5), 0);
	CHECK_EQ(put(q, "d", 32767), 0);
	CHECK_EQ(put(q, "e", 0), 0);
	CHECK_EQ(waiting(q), 5);
	CHECK(take(q, "d", 32767));
	CHECK(take(q, "b", 5));
	CHECK(take(q, "", 5));
	CHECK(take(q, "a", 1));
	CHECK(take(q, "e", 0));
	CHECK_EQ(waiting(q), 0);
	close(q);
}

TEST(what_does_not_fit)
{
	int q = fresh_queue(2, O_NONBLOCK), file = open("/dev/null", O_RDWR);
	char text[TEXT_MAX + 1] = {0};
	struct timespec bad = {0, 1000000000}, past = {0, 0};

	CHECK_EQ(mq_send_(q, text, TEXT_MAX + 1, 0, NULL), -EMSGSIZE);
	CHECK_EQ(mq_send_(q, text, 1, 32768, NULL), -EINVAL);
	CHECK_EQ(mq_send_(q, 8, 1, 0, NULL), -EFAULT);
	CHECK_EQ(mq_send_(q, text, 1, 0, &bad), -EINVAL);
	CHECK_EQ(mq_send_(q, text, 1, 0, 8), -EFAULT);
	CHECK_EQ(mq_receive_(q, text, TEXT_MAX - 1, NULL, NULL), -EMSGSIZE);
	CHECK_EQ(mq_receive_(q, text, TEXT_MAX, NULL, NULL), -EAGAIN);
	CHECK_EQ(mq_receive_(q, text, TEXT_MAX, NULL, &bad), -EINVAL);
	CHECK_EQ(mq_send_(file, text, 1, 0, NULL), -EBADF);
	CHECK_EQ(mq_receive_(-1, text, TEXT_MAX, NULL, NULL), -EBADF);
	CHECK_EQ(mq_send_(q, text, TEXT_MAX, 0, &past), 0);
	CHECK_EQ(put(q, "x", 0), 0);
	CHECK_EQ(put(q, "y", 0), -EAGAIN);
	/* A message that cannot be delivered is lost. */
	CHECK_EQ(mq_receive_(q, 8, TEXT_MAX, NULL, NULL), -EFAULT);
	CHECK_EQ(waiting(q), 1);
	CHECK_EQ(mq_receive_(q, text, TEXT_MAX, 8, NULL), -EFAULT);
	CHECK_EQ(waiting(q), 0);
	close(q);
	close(file);
}

TEST(timeouts)
{
	int q = fresh_queue(1, 0);
	struct timespec soon = in_ms(30), past = {1, 0};
	char text[TEXT_MAX];
	int64_t start = now_ns(CLOCK_MONOTONIC);

	CHECK_EQ(mq_receive_(q, text, TEXT_MAX, NULL, &soon), -ETIMEDOUT);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20 * NS_PER_SEC / 1000);
	CHECK_EQ(mq_receive_(q, text, TEXT_MAX, NULL, &past), -ETIMEDOUT);
	CHECK_EQ(put(q, "x", 0), 0);
	soon = in_ms(10);
	CHECK_EQ(mq_send_(q, text, 1, 0, &soon), -ETIMEDOUT);
	CHECK_EQ(waiting(q), 1);
	close(q);
}

TEST(attributes)
{
	int q = fresh_queue(3, 0);
	struct mq_attr attr = {.mq_flags = O_NONBLOCK, .mq_maxmsg = 77}, old = {.mq_maxmsg = -1};

	CHECK_EQ(mq_getsetattr_(q, &attr, &old), 0);
	CHECK_EQ(old.mq_flags, 0);
	CHECK_EQ(old.mq_maxmsg, 3);
	CHECK_EQ(old.mq_msgsize, TEXT_MAX);
	CHECK_EQ(mq_getsetattr_(q, NULL, &old), 0);
	CHECK_EQ(old.mq_flags, O_NONBLOCK);
	CHECK_EQ(fcntl(q, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	attr.mq_flags = 1;
	CHECK_EQ(mq_getsetattr_(q, &attr, NULL), -EINVAL);
	CHECK_EQ(mq_getsetattr_(q, 8, NULL), -EFAULT);
	CHECK_EQ(mq_getsetattr_(q, NULL, 8), -EFAULT);
	CHECK_EQ(mq_getsetattr_(-1, NULL, &old), -EBADF);
	CHECK_EQ(mq_getsetattr_(0, NULL, &old), -EBADF);
	close(q);
}

static short events(int q)
{
	struct pollfd p = {.fd = q, .events = POLLIN | POLLOUT};

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

struct poller {
	int q;
	short events;
	int result;
};

static void *poll_thread(void *arg)
{
	struct poller *p = arg;
	struct pollfd fd = {.fd = p->q, .events = p->events};

	p->result = poll(&fd, 1, 10000) == 1 ? fd.revents : -1;
	return NULL;
}

/* Does a poll that sleeps hear of `change`? */
static int poll_through(int q, short wanted, void (*change)(int))
{
	struct poller p = {.q = q, .events = wanted};
	pthread_t thread;

	pthread_create(&thread, NULL, poll_thread, &p);
	sleep_ms(20);
	change(q);
	pthread_join(thread, NULL);
	return p.result;
}

static void put_one(int q)
{
	CHECK_EQ(put(q, "x", 0), 0);
}

static void take_one(int q)
{
	CHECK(take(q, "x", 0));
}

TEST(polling)
{
	int q = fresh_queue(1, 0);

	CHECK_EQ(events(q), POLLOUT);
	CHECK_EQ(poll_through(q, POLLIN, put_one), POLLIN);
	CHECK_EQ(events(q), POLLIN);
	CHECK_EQ(poll_through(q, POLLOUT, take_one), POLLOUT);
	close(q);
}

static volatile sig_atomic_t heard, heard_code, heard_value, heard_pid;

static void hear(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	heard_code = info->si_code;
	heard_value = info->si_value.sival_int;
	heard_pid = info->si_pid;
	heard++;
}

static int put_body(int q)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(put(q, "x", 0) ? 1 : 0);
	waitpid(pid, &status, 0);
	return status ? -1 : pid;
}

TEST(notification)
{
	struct sigaction action = {.sa_sigaction = hear, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42};
	int q = fresh_queue(4, O_NONBLOCK), again = dup(q), sender;
	char text[128] = "";

	sigaction(SIGUSR1, &action, NULL);
	CHECK_EQ(mq_notify_(q, &event), 0);
	CHECK_EQ(mq_notify_(q, &event), -EBUSY);
	snprintf(text, sizeof(text), "NOTIFY:0     SIGNO:%-5d NOTIFY_PID:%-6d\n", SIGUSR1, getpid());
	{
		char got[128] = "";

		CHECK(read(q, got, sizeof(got) - 1) > 0);
		CHECK(strstr(got, text) != NULL);
	}
	sender = put_body(q);
	WAIT_UNTIL(heard == 1);
	CHECK_EQ(heard_code, SI_MESGQ);
	CHECK_EQ(heard_value, 42);
	CHECK_EQ(heard_pid, sender);
	/* Once only. */
	CHECK(take(q, "x", 0));
	CHECK(put_body(q) > 0);
	CHECK_EQ(heard, 1);
	/* Only the empty queue tells. */
	CHECK_EQ(mq_notify_(q, &event), 0);
	CHECK(put_body(q) > 0);
	CHECK_EQ(heard, 1);
	CHECK_EQ(mq_notify_(q, NULL), 0);
	CHECK_EQ(mq_notify_(q, NULL), 0);
	CHECK(take(q, "x", 0));
	CHECK(take(q, "x", 0));
	CHECK(put_body(q) > 0);
	CHECK_EQ(heard, 1);
	CHECK(take(q, "x", 0));
	/* Closing any descriptor of the queue ends it. */
	CHECK_EQ(mq_notify_(q, &event), 0);
	close(again);
	CHECK(put_body(q) > 0);
	CHECK_EQ(heard, 1);
	close(q);
	signal(SIGUSR1, SIG_DFL);
}

#define COOKIE 32

/* The kernel's side of SIGEV_THREAD: a text for a netlink socket, whose last byte says why. */
TEST(notification_by_socket)
{
	int q = fresh_queue(4, O_NONBLOCK), nl = socket(AF_NETLINK, SOCK_RAW, 0), other;
	char cookie[COOKIE], got[2 * COOKIE];
	struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_signo = nl};

	memset(cookie, 'c', sizeof(cookie));
	event.sigev_value.sival_ptr = cookie;
	CHECK_EQ(mq_notify_(q, &event), 0);
	CHECK_EQ(mq_notify_(q, &event), -EBUSY);
	CHECK_EQ(recv(nl, got, sizeof(got), MSG_DONTWAIT), -1);
	CHECK(put_body(q) > 0);
	CHECK_EQ(recv(nl, got, sizeof(got), 0), COOKIE);
	CHECK_EQ(memcmp(got, cookie, COOKIE - 1), 0);
	CHECK_EQ(got[COOKIE - 1], 1);
	CHECK(take(q, "x", 0));
	/* It ends with a word, too. */
	CHECK_EQ(mq_notify_(q, &event), 0);
	CHECK_EQ(mq_notify_(q, NULL), 0);
	CHECK_EQ(recv(nl, got, sizeof(got), 0), COOKIE);
	CHECK_EQ(got[COOKIE - 1], 2);
	event.sigev_value.sival_ptr = (void *)8;
	CHECK_EQ(mq_notify_(q, &event), -EFAULT);
	event.sigev_value.sival_ptr = cookie;
	other = socket(AF_UNIX, SOCK_DGRAM, 0);
	event.sigev_signo = other;
	CHECK_EQ(mq_notify_(q, &event), -EINVAL);
	close(other);
	event.sigev_signo = nl;
	CHECK_EQ(mq_notify_(-1, &event), -EBADF);
	/* Nor does it need anybody to read. */
	CHECK_EQ(mq_notify_(q, &event), 0);
	close(nl);
	CHECK(put_body(q) > 0);
	close(q);
}

/* As many texts as its buffer takes. */
static void fill(int to)
{
	struct sockaddr_nl name = {.nl_family = AF_NETLINK};
	int from = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	socklen_t len = sizeof(name);
	char text[4096] = "";

	CHECK_EQ(bind(to, (struct sockaddr *)&name, sizeof(name)), 0);
	CHECK_EQ(getsockname(to, (struct sockaddr *)&name, &len), 0);
	for (size_t size = sizeof(text); size >= 1; size /= 64)
		while (sendto(from, text, size, MSG_DONTWAIT, (struct sockaddr *)&name, len) > 0)
			;
	CHECK_EQ(errno, EAGAIN);
	close(from);
}

struct registration {
	int queue;
	struct sigevent event;
	atomic_int tid;
	long result;
};

static void *register_for(void *arg)
{
	struct registration *r = arg;

	r->tid = gettid();
	r->result = mq_notify_(r->queue, &r->event);
	return NULL;
}

TEST(notification_waits_for_a_full_socket)
{
	int q = fresh_queue(4, O_NONBLOCK), nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	char cookie[COOKIE] = "late", got[4096];
	struct registration r = {.queue = q, .result = -1};
	pthread_t thread;

	r.event = (struct sigevent){
		.sigev_notify = SIGEV_THREAD, .sigev_signo = nl, .sigev_value.sival_ptr = cookie};
	fill(nl);
	thread = thread_start(register_for, &r);
	WAIT_UNTIL(r.tid && thread_sleeps(r.tid));
	CHECK_EQ(r.result, -1);
	while (recv(nl, got, sizeof(got), MSG_DONTWAIT) > 0)
		;
	thread_join(thread);
	CHECK_EQ(r.result, 0);
	CHECK(put_body(q) > 0);
	CHECK_EQ(recv(nl, got, sizeof(got), 0), COOKIE);
	close(nl);
	close(q);
}

/* To close the queue ends a registration, and the socket hears of it. */
TEST(notification_by_socket_ends_with_the_queue)
{
	int q = fresh_queue(4, O_NONBLOCK), nl = socket(AF_NETLINK, SOCK_RAW, 0);
	char cookie[COOKIE] = "closed", got[COOKIE];
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD, .sigev_signo = nl, .sigev_value.sival_ptr = cookie};

	CHECK_EQ(mq_notify_(q, &event), 0);
	close(q);
	CHECK_EQ(recv(nl, got, sizeof(got), 0), COOKIE);
	CHECK_EQ(strcmp(got, "closed"), 0);
	CHECK_EQ(got[COOKIE - 1], 2);
	close(nl);
}

static int told;

static void tell(union sigval value)
{
	__atomic_store_n(&told, value.sival_int, __ATOMIC_RELEASE);
}

/* The C library's side. */
TEST(notification_by_thread)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD,
				 .sigev_notify_function = tell,
				 .sigev_value.sival_int = 7};
	int q = fresh_queue(4, O_NONBLOCK);

	CHECK_EQ(mq_notify(q, &event), 0);
	CHECK(put_body(q) > 0);
	WAIT_UNTIL(__atomic_load_n(&told, __ATOMIC_ACQUIRE) == 7);
	close(q);
}

TEST(notification_errors)
{
	struct sigevent event = {.sigev_notify = 77};
	int q = fresh_queue(1, 0), pipes[2];

	CHECK_EQ(mq_notify_(q, &event), -EINVAL);
	CHECK_EQ(mq_notify_(q, 8), -EFAULT);
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = 65;
	CHECK_EQ(mq_notify_(q, &event), -EINVAL);
	event.sigev_signo = SIGUSR1;
	CHECK_EQ(mq_notify_(0, &event), -EBADF);
	CHECK_EQ(mq_notify_(-1, NULL), -EBADF);
	CHECK_EQ(pipe(pipes), 0);
	event.sigev_notify = SIGEV_THREAD;
	event.sigev_value.sival_ptr = pipes;
	event.sigev_signo = -1;
	CHECK_EQ(mq_notify_(q, &event), -EBADF);
	event.sigev_signo = pipes[0];
	CHECK_EQ(mq_notify_(q, &event), -ENOTSOCK);
	event.sigev_notify = SIGEV_NONE;
	CHECK_EQ(mq_notify_(q, &event), 0);
	CHECK_EQ(mq_notify_(q, &event), -EBUSY);
	CHECK_EQ(put(q, "x", 0), 0);
	CHECK_EQ(mq_notify_(q, &event), 0);
	close(q);
	close(pipes[0]);
	close(pipes[1]);
}
