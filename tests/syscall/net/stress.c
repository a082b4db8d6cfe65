/*
 * Connections opened, used and killed at random from several threads; afterwards nothing is left.
 * And what programs without rights may not do.
 */
#include "tests/syscall/net/net.h"

#include <sys/wait.h>

#define THREADS	    4
#define CONNECTIONS 250

static int listener, port;

static unsigned int next_random(unsigned int *seed)
{
	return *seed = *seed * 1103515245 + 12345;
}

/* Ends a connection in one of the ways that there are. */
static void end_somehow(int fd, unsigned int how)
{
	struct linger l = {1, 0};
	char c;

	switch (how % 5) {
	case 0:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
		break;
	case 1:
		shutdown(fd, SHUT_WR);
		break;
	case 2:
		shutdown(fd, SHUT_RDWR);
		break;
	case 3:
		recv(fd, &c, 1, MSG_DONTWAIT);
		break;
	default:
		break;
	}
	close(fd);
}

static void *serve(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	char buf[3000];

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			return NULL;
		if (next_random(&seed) >> 16 & 1)
			recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		send(fd, buf, (next_random(&seed) >> 16) % sizeof(buf), MSG_NOSIGNAL | MSG_DONTWAIT);
		end_somehow(fd, next_random(&seed) >> 16);
	}
}

static void *attack(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	struct sockaddr_in a = lo_addr(port);
	char buf[3000] = {0};

	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (next_random(&seed) >> 16 & 1)
			fcntl(fd, F_SETFL, O_NONBLOCK);
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) && errno != EINPROGRESS)
			CHECK_EQ(errno, ECONNRESET);
		send(fd, buf, (next_random(&seed) >> 16) % sizeof(buf), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (next_random(&seed) >> 16 & 1)
			recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		end_somehow(fd, next_random(&seed) >> 16);
	}
	return NULL;
}

/* Lines of /proc/net/tcp in a state other than TIME_WAIT and FIN_WAIT2 that have our port. */
static int left_over(void)
{
	char line[256], wanted[16];
	FILE *f = fopen("/proc/net/tcp", "r");
	int n = 0;

	snprintf(wanted, sizeof(wanted), "0100007F:%04X", (unsigned int)port);
	while (f && fgets(line, sizeof(line), f)) {
		unsigned int state;

		if (strstr(line, wanted) && sscanf(line, "%*d: %*s %*s %x", &state) == 1)
			n += state != 6 && state != 5;
	}
	if (f)
		fclose(f);
	return n;
}

TEST(random_connections_leave_nothing)
{
	pthread_t servers[2], clients[THREADS];

	listener = tcp_listener(16, &port);
	CHECK_EQ(left_over(), 1);
	for (int i = 0; i < 2; i++)
		servers[i] = thread_start(serve, (void *)(uintptr_t)(100 + i));
	for (int i = 0; i < THREADS; i++)
		clients[i] = thread_start(attack, (void *)(uintptr_t)(1 + i));
	for (int i = 0; i < THREADS; i++)
		thread_join(clients[i]);
	shutdown(listener, SHUT_RDWR);
	for (int i = 0; i < 2; i++)
		thread_join(servers[i]);
	close(listener);
	WAIT_UNTIL(left_over() == 0);
}

/* What a process of user 1000 gets. */
static int as_user(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (setgid(1000) || setuid(1000))
			_exit(99);
		_exit(fn());
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static int raw_socket(void)
{
	return ERRNO_OF(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int low_port(void)
{
	struct sockaddr_in a = lo_addr(80);

	return ERRNO_OF(bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof(a)));
}

static int ping_socket(void)
{
	return ERRNO_OF(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
}

TEST(without_rights)
{
	CHECK_EQ(as_user(raw_socket), EPERM);
	CHECK_EQ(as_user(low_port), EACCES);
	CHECK_EQ(as_user(ping_socket), EACCES);
	CHECK_EQ(raw_socket(), 0);
	CHECK_EQ(low_port(), 0);
}

TEST(options_that_are_not_there)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK_EQ(set_int(fd, SOL_SOCKET, 9999, 1), -ENOPROTOOPT);
	CHECK_EQ(get_int(fd, SOL_SOCKET, 9999), -ENOPROTOOPT);
	CHECK_EQ(set_int(fd, IPPROTO_TCP, 9999, 1), -ENOPROTOOPT);
	CHECK_EQ(get_int(fd, IPPROTO_TCP, 9999), -ENOPROTOOPT);
	CHECK_EQ(set_int(fd, IPPROTO_IP, 9999, 1), -ENOPROTOOPT);
	CHECK_EQ(set_int(fd, SOL_SOCKET, SO_TYPE, 1), -ENOPROTOOPT);
	CHECK_EQ(ERRNO_OF(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(char){1}, 1)), EINVAL);
	CHECK_EQ(ERRNO_OF(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, NULL, 4)), EFAULT);
	CHECK_EQ(ERRNO_OF(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, -1)), EINVAL);
	CHECK_EQ(ERRNO_OF(getsockopt(0, SOL_SOCKET, SO_ERROR, &(int){0}, &(socklen_t){4})), ENOTSOCK);
	CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	CHECK_EQ(get_int(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	CHECK_EQ(set_int(fd, SOL_SOCKET, SO_RCVBUF, 10000), 0);
	CHECK_EQ(get_int(fd, SOL_SOCKET, SO_RCVBUF), 20000);
	CHECK_EQ(set_int(fd, SOL_SOCKET, SO_SNDBUF, 1), 0);
	CHECK_EQ(get_int(fd, SOL_SOCKET, SO_SNDBUF), 4608);
	CHECK_EQ(get_int(fd, SOL_SOCKET, SO_RCVLOWAT), 1);
	CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 0), -EINVAL);
	CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60), 0);
	CHECK_EQ(get_int(fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
	close(fd);
}
