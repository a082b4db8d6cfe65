/*
 * Many connections to one address and port, and connections whose owners are killed. Afterwards tables are empty, ports free, and
 * the memory is back. Ordinary runs have 1000 and 200 of them; "net_test crowd 60" and "net_test killed 50" 60,000 and 10,000.
 */
#include "tests/syscall/net/net.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define PER_SOURCE 20000 /* connections from one address: less than there are ephemeral ports */
#define TIME_WAIT  6
#define FIN_WAIT2  5

/* Has the kernel give back what it keeps for later. */
static void drop_caches(void)
{
	FILE *f = fopen("/proc/sys/vm/drop_caches", "w");

	CHECK(f && fputs("3\n", f) > 0 && fflush(f) == 0);
	fclose(f);
}

static long meminfo(const char *name)
{
	return proc_value("/proc/meminfo", name);
}

static long available(void)
{
	drop_caches();
	return meminfo("MemAvailable:");
}

/* Whether all but a hundredth of the memory is back that was available `before`. */
static bool memory_is_back(long before)
{
	return available() > before - meminfo("MemTotal:") / 100;
}

/* Lines of /proc/net/tcp that have the port: those in state `state`, or (-1) all but the records of closed connections. */
static long lines_of(int port, int state)
{
	char line[256], wanted[8];
	FILE *f = fopen("/proc/net/tcp", "r");
	long n = 0;

	snprintf(wanted, sizeof(wanted), ":%04X ", (unsigned int)port);
	while (fgets(line, sizeof(line), f)) {
		unsigned int is;

		if (!strstr(line, wanted) || sscanf(line, "%*d: %*s %*s %x", &is) != 1)
			continue;
		n += state < 0 ? is != TIME_WAIT && is != FIN_WAIT2 : is == (unsigned int)state;
	}
	fclose(f);
	return n;
}

/* TCP sockets that are not closed, by the name that /proc/net/sockstat has for their number. */
static long sockets_in(const char *what)
{
	char line[256], *at = NULL;
	FILE *f = fopen("/proc/net/sockstat", "r");

	while (!at && fgets(line, sizeof(line), f))
		at = strncmp(line, "TCP:", 4) ? NULL : strstr(line, what);
	fclose(f);
	return at ? atol(at + strlen(what)) : -1;
}

static void allow_files(long nr)
{
	struct rlimit limit = {(rlim_t)nr + 100, (rlim_t)nr + 100};

	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* ---- a crowd ---- */

/* Accepts `nr` connections, then answers what each says with the number after it. */
static void crowd_serve(int listener, long nr)
{
	int *fds = calloc((size_t)nr, sizeof(*fds));
	int word;

	for (long i = 0; i < nr; i++)
		fds[i] = accept(listener, NULL, NULL);
	for (long i = 0; i < nr; i++) {
		if (recv(fds[i], &word, sizeof(word), MSG_WAITALL) != sizeof(word))
			_exit(1);
		word++;
		if (send(fds[i], &word, sizeof(word), 0) != sizeof(word))
			_exit(2);
	}
	pause();
}

static int crowd_connect(long number, int port)
{
	struct sockaddr_in from = lo_addr(0), to = lo_addr(port);
	struct linger reset = {1, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(number / PER_SOURCE));
	if (fd < 0 || set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1) ||
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) ||
	    bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		printf("# connection %ld: %m\n", number);
		return -1;
	}
	return fd;
}

TEST(crowd_of_connections)
{
	long nr = test_rounds(1000), before = available(), made = 0, right = 0;
	long others = sockets_in("inuse "), waiting = sockets_in("tw ");
	int port, listener = tcp_listener(4096, &port), *fds = calloc((size_t)nr, sizeof(*fds));
	pid_t server;

	allow_files(nr);
	server = fork();
	if (server == 0)
		crowd_serve(listener, nr);
	while (made < nr && (fds[made] = crowd_connect(made, port)) >= 0)
		made++;
	CHECK_EQ(made, nr);
	CHECK(sockets_in("inuse ") >= 2 * made);
	for (int i = 0; i < made; i++)
		right += send(fds[i], &i, sizeof(i), 0) == sizeof(i);
	for (int i = 0, got = 0; i < made; i++)
		right += recv(fds[i], &got, sizeof(got), MSG_WAITALL) == sizeof(got) && got > 0;
	CHECK_EQ(right, 2 * made);
	for (long i = 0; i < made; i++)
		close(fds[i]);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	close(listener);
	free(fds);
	WAIT_UNTIL(sockets_in("inuse ") <= others);
	WAIT_UNTIL(memory_is_back(before));
	CHECK(sockets_in("tw ") <= waiting);
}

/* ---- killed owners ---- */

static unsigned int killed_random(unsigned int *seed)
{
	return (*seed = *seed * 1103515245 + 12345) >> 16;
}

/* Uses a connection for a while; it is closed by the next one at that place, or by the end. */
static void use(int *place, int fd, unsigned int how)
{
	char data[4000] = {0};

	if (*place)
		close(*place);
	*place = fd;
	if (how & 1)
		send(fd, data, how % sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (how & 2)
		recv(fd, data, sizeof(data), MSG_DONTWAIT);
	if (how & 4)
		shutdown(fd, how & 8 ? SHUT_WR : SHUT_RDWR);
}

static void victim_serve(int listener, unsigned int seed)
{
	int places[16] = {0};

	for (;;)
		use(&places[killed_random(&seed) % 16], accept(listener, NULL, NULL),
		    killed_random(&seed));
}

static void victim_connect(int port, unsigned int seed, long *made)
{
	struct sockaddr_in to = lo_addr(port);
	int places[16] = {0};

	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
			__atomic_fetch_add(made, 1, __ATOMIC_RELAXED);
		use(&places[killed_random(&seed) % 16], fd, killed_random(&seed));
	}
}

/* A server and two clients, killed one after the other after some connections. */
static void kill_some(int listener, int port, unsigned int *seed, long *made)
{
	long enough = __atomic_load_n(made, __ATOMIC_RELAXED) + killed_random(seed) % 60;
	pid_t victims[3];

	for (unsigned int i = 0; i < 3; i++) {
		victims[i] = fork();
		if (victims[i] == 0 && i == 0)
			victim_serve(listener, *seed);
		if (victims[i] == 0)
			victim_connect(port, *seed + i, made);
	}
	WAIT_UNTIL(__atomic_load_n(made, __ATOMIC_RELAXED) >= enough);
	for (unsigned int i = 0, first = killed_random(seed); i < 3; i++)
		kill(victims[(first + i) % 3], SIGKILL);
	for (int i = 0; i < 3; i++)
		waitpid(victims[i], NULL, 0);
}

TEST(killed_owners_leave_nothing)
{
	long before = available(), nr = test_rounds(200);
	long *made = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int port, listener = tcp_listener(64, &port);
	struct sockaddr_in a = lo_addr(port);
	unsigned int seed = 7;

	CHECK_EQ(set_int(listener, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	while (*made < nr)
		kill_some(listener, port, &seed, made);
	close(listener);
	WAIT_UNTIL(lines_of(port, -1) == 0);
	WAIT_UNTIL(memory_is_back(before));
	listener = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(set_int(listener, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	CHECK_EQ(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(listen(listener, 1), 0);
	close(tcp_client(port));
	close(listener);
	/* A whole run waits for the records, too. */
	for (int s = 0; nr > 200 && s < 70 && lines_of(port, TIME_WAIT); s++)
		sleep_ms(1000);
	CHECK(nr == 200 || lines_of(port, TIME_WAIT) + lines_of(port, FIN_WAIT2) == 0);
	munmap(made, 4096);
}
