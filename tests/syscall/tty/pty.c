/*
 * Pseudo-terminals: both ends, the settings between them, readiness, hang-up, sessions.
 */
#include "tests/syscall/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

struct pair {
	int master, slave;
	char name[64];
};

/* StellarOS mounts it at boot; Linux leaves it to its init. */
__attribute__((constructor)) static void mount_devpts(void)
{
	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=666");
}

static int master_open(char name[64])
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	CHECK(master >= 0);
	CHECK_EQ(unlockpt(master), 0);
	CHECK_EQ(ptsname_r(master, name, 64), 0);
	return master;
}

static struct pair pair_open(void)
{
	struct pair p;

	p.master = master_open(p.name);
	p.slave = open(p.name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(p.slave >= 0);
	return p;
}

static void pair_close(struct pair *p)
{
	close(p->slave);
	close(p->master);
}

static void set_mode(int fd, tcflag_t clear, tcflag_t set, int min, int time)
{
	struct termios t;

	CHECK_EQ(tcgetattr(fd, &t), 0);
	t.c_lflag = (t.c_lflag & ~clear) | set;
	t.c_cc[VMIN] = (cc_t)min;
	t.c_cc[VTIME] = (cc_t)time;
	CHECK_EQ(tcsetattr(fd, TCSANOW, &t), 0);
}

static void send(int fd, const char *text)
{
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
}

/* Reads until as many bytes have come, or nothing more does for a second. */
static bool receive(int fd, const char *expected)
{
	char buf[256];
	size_t done = 0, wanted = strlen(expected);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (done < wanted && poll(&p, 1, 1000) > 0) {
		ssize_t n = read(fd, buf + done, wanted - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done == wanted && memcmp(buf, expected, wanted) == 0;
}

/* What one end is sent reaches the other a little later on Linux: what must become ready is waited for. */
static short ready(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

	poll(&p, 1, 0);
	return p.revents;
}

TEST(a_pair_has_a_number_and_a_name)
{
	unsigned int number = ~0U;
	char name[64], expected[64];
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), locked = 0;
	struct stat st;

	CHECK_EQ(ioctl(master, TIOCGPTN, &number), 0);
	snprintf(expected, sizeof(expected), "/dev/pts/%u", number);
	CHECK_EQ(ptsname_r(master, name, sizeof(name)), 0);
	CHECK_EQ(strcmp(name, expected), 0);
	CHECK_EQ(ioctl(master, TIOCGPTLCK, &locked), 0);
	CHECK_EQ(locked, 1);
	CHECK_EQ(open(name, O_RDWR | O_NOCTTY), -1);
	CHECK_EQ(errno, EIO);
	CHECK_EQ(stat(name, &st), 0);
	CHECK(S_ISCHR(st.st_mode));
	close(master);
	CHECK_EQ(stat(name, &st), -1);
	CHECK_EQ(errno, ENOENT);
}

TEST(both_ends_are_terminals)
{
	struct pair p = pair_open();

	CHECK(isatty(p.slave));
	CHECK(isatty(p.master));
	CHECK_EQ(lseek(p.slave, 0, SEEK_SET), -1);
	CHECK_EQ(errno, ESPIPE);
	pair_close(&p);
}

TEST(a_typed_line_is_edited_and_echoed)
{
	struct pair p = pair_open();

	send(p.master, "ab\177c\r");
	CHECK(receive(p.slave, "ac\n"));
	CHECK(receive(p.master, "ab\b \bc\r\n"));
	pair_close(&p);
}

TEST(output_is_processed)
{
	struct pair p = pair_open();

	send(p.slave, "x\ny");
	CHECK(receive(p.master, "x\r\ny"));
	pair_close(&p);
}

TEST(end_of_file_is_a_read_of_nothing)
{
	struct pair p = pair_open();
	char c;

	send(p.master, "\004");
	CHECK_EQ(read(p.slave, &c, 1), 0);
	pair_close(&p);
}

TEST(a_line_comes_in_pieces_of_the_readers_size)
{
	struct pair p = pair_open();
	char buf[4];

	send(p.master, "abcdef\n");
	CHECK_EQ(read(p.slave, buf, 4), 4);
	CHECK(memcmp(buf, "abcd", 4) == 0);
	CHECK_EQ(read(p.slave, buf, 4), 3);
	pair_close(&p);
}

TEST(nonblocking_reads_end_with_eagain)
{
	struct pair p = pair_open();
	char c;

	fcntl(p.slave, F_SETFL, O_RDWR | O_NONBLOCK);
	fcntl(p.master, F_SETFL, O_RDWR | O_NONBLOCK);
	CHECK_EQ(read(p.slave, &c, 1), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(read(p.master, &c, 1), -1);
	CHECK_EQ(errno, EAGAIN);
	send(p.master, "half");
	CHECK_EQ(read(p.slave, &c, 1), -1);
	CHECK_EQ(errno, EAGAIN);
	pair_close(&p);
}

TEST(vtime_alone_limits_the_read)
{
	struct pair p = pair_open();
	int64_t start = now_ns(CLOCK_MONOTONIC);
	char c;

	set_mode(p.slave, ICANON | ECHO, 0, 0, 2);
	CHECK_EQ(read(p.slave, &c, 1), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start > 150 * NS_PER_MS);
	send(p.master, "x");
	CHECK_EQ(read(p.slave, &c, 1), 1);
	set_mode(p.slave, 0, 0, 0, 0);
	CHECK_EQ(read(p.slave, &c, 1), 0);
	pair_close(&p);
}

static void *type_slowly(void *arg)
{
	for (int i = 0; i < 3; i++) {
		sleep_ms(20);
		send(*(int *)arg, "x");
	}
	return NULL;
}

TEST(vmin_waits_for_as_many_bytes)
{
	struct pair p = pair_open();
	char buf[8];
	pthread_t thread;

	set_mode(p.slave, ICANON | ECHO, 0, 3, 0);
	thread = thread_start(type_slowly, &p.master);
	CHECK_EQ(read(p.slave, buf, sizeof(buf)), 3);
	thread_join(thread);
	pair_close(&p);
}

TEST(vmin_with_vtime_ends_when_typing_pauses)
{
	struct pair p = pair_open();
	char buf[8];

	set_mode(p.slave, ICANON | ECHO, 0, 8, 2);
	send(p.master, "ab");
	CHECK_EQ(read(p.slave, buf, sizeof(buf)), 2);
	pair_close(&p);
}

TEST(poll_tells_when_a_line_is_whole)
{
	struct pair p = pair_open();

	CHECK_EQ(ready(p.slave), POLLOUT);
	send(p.master, "ab");
	CHECK_EQ(ready(p.slave), POLLOUT);
	send(p.master, "\n");
	WAIT_UNTIL(ready(p.slave) == (POLLIN | POLLOUT));
	WAIT_UNTIL(ready(p.master) == (POLLIN | POLLOUT));
	pair_close(&p);
}

TEST(counts_of_waiting_bytes)
{
	struct pair p = pair_open();
	int count = -1;

	set_mode(p.slave, ECHO, 0, 1, 0);
	send(p.master, "abc\nde");
	WAIT_UNTIL(ioctl(p.slave, FIONREAD, &count) == 0 && count == 4);
	CHECK_EQ(tcflush(p.slave, TCIFLUSH), 0);
	CHECK_EQ(ioctl(p.slave, FIONREAD, &count), 0);
	CHECK_EQ(count, 0);
	pair_close(&p);
}

TEST(the_end_of_all_slaves_is_eio_at_the_master)
{
	struct pair p = pair_open();
	char c;

	send(p.slave, "z");
	close(p.slave);
	CHECK(receive(p.master, "z"));
	CHECK_EQ(ready(p.master) & POLLHUP, POLLHUP);
	CHECK_EQ(read(p.master, &c, 1), -1);
	CHECK_EQ(errno, EIO);
	p.slave = open(p.name, O_RDWR | O_NOCTTY);
	CHECK_EQ(ready(p.master) & POLLHUP, 0);
	pair_close(&p);
}

TEST(the_end_of_the_master_hangs_the_terminal_up)
{
	struct pair p = pair_open();
	struct termios t;
	char c;

	close(p.master);
	CHECK_EQ(read(p.slave, &c, 1), 0);
	CHECK_EQ(write(p.slave, "x", 1), -1);
	CHECK_EQ(errno, EIO);
	CHECK_EQ(ready(p.slave), POLLIN | POLLOUT | POLLHUP | POLLERR);
	CHECK_EQ(tcgetattr(p.slave, &t), -1);
	CHECK_EQ(errno, EIO);
	close(p.slave);
}

TEST(the_peer_opens_without_a_name)
{
	char name[64];
	int master = master_open(name), peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);

	CHECK(peer >= 0);
	send(master, "hi\n");
	CHECK(receive(peer, "hi\n"));
	close(peer);
	close(master);
}

TEST(both_ends_share_the_window_size)
{
	struct pair p = pair_open();
	struct winsize size = {.ws_row = 33, .ws_col = 99}, got = {0};

	CHECK_EQ(ioctl(p.slave, TIOCGWINSZ, &got), 0);
	CHECK_EQ(got.ws_row, 0);
	CHECK_EQ(ioctl(p.master, TIOCSWINSZ, &size), 0);
	CHECK_EQ(ioctl(p.slave, TIOCGWINSZ, &got), 0);
	CHECK_EQ(got.ws_row, 33);
	CHECK_EQ(got.ws_col, 99);
	pair_close(&p);
}

TEST(a_stranger_gets_enotty)
{
	struct pair p = pair_open();
	int number;

	CHECK_EQ(ioctl(p.slave, TIOCGPGRP, &number), -1);
	CHECK_EQ(errno, ENOTTY);
	CHECK_EQ(ioctl(p.slave, TIOCGSID, &number), -1);
	CHECK_EQ(errno, ENOTTY);
	CHECK_EQ(tcsetpgrp(p.slave, getpgrp()), -1);
	CHECK_EQ(errno, ENOTTY);
	CHECK_EQ(ioctl(p.slave, TCXONC, 9), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(ioctl(p.slave, 0x54ff, 0), -1);
	CHECK_EQ(errno, ENOTTY);
	pair_close(&p);
}

/* ---- sessions ---- */

/*
 * A child that leads a session on the terminal, runs fn and exits with its result. It says "up"
 * when it is ready.
 */
static pid_t session_start(struct pair *p, int (*fn)(int tty))
{
	pid_t pid;

	p->master = master_open(p->name);
	pid = fork();
	if (pid == 0) {
		int tty;

		setsid();
		tty = open(p->name, O_RDWR);
		close(p->master);
		write(tty, "up", 2);
		_exit(fn(tty));
	}
	p->slave = -1;
	CHECK(receive(p->master, "up"));
	return pid;
}

static int wait_status(pid_t pid, int options)
{
	int status = -1;

	CHECK_EQ(waitpid(pid, &status, options), pid);
	return status;
}

static int has_the_terminal(int tty)
{
	int again = open("/dev/tty", O_RDWR);

	return !(again >= 0 && tcgetsid(tty) == getpid() && tcgetpgrp(tty) == getpid() &&
		 tcgetsid(again) == getpid() && tcsetpgrp(tty, getpid()) == 0);
}

TEST(a_session_leader_takes_the_terminal_it_opens)
{
	struct pair p;
	pid_t pid = session_start(&p, has_the_terminal);

	CHECK_EQ(wait_status(pid, 0), 0);
	close(p.master);
}

static int has_no_terminal(int tty)
{
	int group = 0;

	if (ioctl(tty, TIOCNOTTY, 0) || open("/dev/tty", O_RDWR) >= 0 || errno != ENXIO)
		return 1;
	if (ioctl(tty, TIOCGPGRP, &group) == 0 || errno != ENOTTY)
		return 2;
	return ioctl(tty, TIOCSCTTY, 0) || tcgetsid(tty) != getpid() ? 3 : 0;
}

TEST(a_terminal_is_given_up_and_taken_again)
{
	struct pair p;
	pid_t pid;

	signal(SIGHUP, SIG_IGN);
	pid = session_start(&p, has_no_terminal);
	CHECK_EQ(wait_status(pid, 0), 0);
	signal(SIGHUP, SIG_DFL);
	close(p.master);
}

static int wait_for_ever(int tty)
{
	while (tty >= 0)
		pause();
	return 1;
}

static int spin_for_ever(int tty)
{
	volatile int turns = 0;

	while (tty >= 0)
		turns++;
	return 1;
}

TEST(the_interrupt_character_reaches_the_foreground)
{
	struct pair p;
	pid_t pid = session_start(&p, wait_for_ever);

	send(p.master, "\003");
	CHECK_EQ(WTERMSIG(wait_status(pid, 0)), SIGINT);
	CHECK(receive(p.master, "^C"));
	close(p.master);
	pid = session_start(&p, spin_for_ever);
	send(p.master, "\034");
	CHECK_EQ(WTERMSIG(wait_status(pid, 0)), SIGQUIT);
	close(p.master);
}

TEST(a_hang_up_ends_the_leader)
{
	struct pair p;
	pid_t pid = session_start(&p, wait_for_ever);

	close(p.master);
	CHECK_EQ(WTERMSIG(wait_status(pid, 0)), SIGHUP);
}

static int resized;

static void on_resize(int signal)
{
	resized = signal;
}

static int wait_for_resize(int tty)
{
	signal(SIGWINCH, on_resize);
	write(tty, "go", 2);
	while (!resized)
		sleep_ms(1);
	return 0;
}

TEST(a_new_window_size_is_signalled)
{
	struct winsize size = {.ws_row = 5, .ws_col = 6};
	struct pair p;
	pid_t pid = session_start(&p, wait_for_resize);

	CHECK(receive(p.master, "go"));
	CHECK_EQ(ioctl(p.master, TIOCSWINSZ, &size), 0);
	CHECK_EQ(wait_status(pid, 0), 0);
	close(p.master);
}

/*
 * The leader has a child in a group of its own that reads in the background; continued in the
 * foreground it ends.
 */
static int background_reader(int tty)
{
	int status = 0;
	pid_t pid = fork();
	char c;

	signal(SIGTTOU, SIG_IGN);
	if (pid == 0) {
		setpgid(0, 0);
		_exit(read(tty, &c, 1) == 1 && c == 'q' ? 4 : 5);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status) ||
	    WSTOPSIG(status) != SIGTTIN)
		return 1;
	if (tcsetpgrp(tty, pid) || tcgetpgrp(tty) != pid)
		return 2;
	kill(-pid, SIGCONT);
	write(tty, "on", 2);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 3;
	return WEXITSTATUS(status) == 4 ? 0 : 4;
}

TEST(a_background_read_stops_the_reader)
{
	struct pair p;
	pid_t pid = session_start(&p, background_reader);

	CHECK(receive(p.master, "on"));
	send(p.master, "q\n");
	CHECK_EQ(wait_status(pid, 0), 0);
	close(p.master);
}

/* With TOSTOP a background write stops, too; without, it goes through. */
static int background_writer(int tty)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		write(tty, "1", 1);
		signal(SIGTTOU, SIG_IGN);
		set_mode(tty, 0, TOSTOP, 1, 0);
		signal(SIGTTOU, SIG_DFL);
		write(tty, "2", 1);
		_exit(0);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		return 1;
	kill(pid, SIGKILL);
	return WSTOPSIG(status) == SIGTTOU ? 0 : 2;
}

TEST(a_background_write_stops_with_tostop)
{
	struct pair p;
	pid_t pid = session_start(&p, background_writer);

	CHECK(receive(p.master, "1"));
	CHECK_EQ(wait_status(pid, 0), 0);
	close(p.master);
}

/* ---- much data ---- */

#define MUCH (1U << 20)

static void *write_much(void *arg)
{
	static char block[4096];

	memset(block, 'd', sizeof(block));
	for (unsigned int done = 0; done < MUCH;) {
		ssize_t n = write(*(int *)arg, block, sizeof(block));

		if (!CHECK(n > 0))
			break;
		done += (unsigned int)n;
	}
	return NULL;
}

static void transfer(int from, int to)
{
	static char block[4096];
	pthread_t thread = thread_start(write_much, &from);
	unsigned int done = 0;

	while (done < MUCH) {
		ssize_t n = read(to, block, sizeof(block));

		if (!CHECK(n > 0))
			break;
		done += (unsigned int)n;
	}
	CHECK_EQ(done, MUCH);
	thread_join(thread);
}

TEST(raw_data_passes_whole_both_ways)
{
	struct pair p = pair_open();
	struct termios t;

	CHECK_EQ(tcgetattr(p.slave, &t), 0);
	cfmakeraw(&t);
	CHECK_EQ(tcsetattr(p.slave, TCSANOW, &t), 0);
	transfer(p.slave, p.master);
	transfer(p.master, p.slave);
	pair_close(&p);
}

TEST(pairs_come_and_go)
{
	for (int i = 0; i < 500; i++) {
		struct pair p = pair_open();

		pair_close(&p);
	}
}

/* ---- packet mode ---- */

static void packet_mode(int master, int on)
{
	CHECK_EQ(ioctl(master, TIOCPKT, &on), 0);
}

/* Waits until there is news, and takes it: one byte alone. */
static int read_news(int master)
{
	struct pollfd p = {.fd = master, .events = POLLIN | POLLPRI};
	unsigned char buf[16];

	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(p.revents, POLLIN | POLLPRI);
	CHECK_EQ(read(master, buf, sizeof(buf)), 1);
	return buf[0];
}

TEST(packets_begin_with_a_byte)
{
	struct pair p = pair_open();
	char buf[16];
	int on = 5;

	CHECK_EQ(ioctl(p.master, TIOCGPKT, &on), 0);
	CHECK_EQ(on, 0);
	packet_mode(p.master, 1);
	CHECK_EQ(ioctl(p.master, TIOCGPKT, &on), 0);
	CHECK_EQ(on, 1);
	send(p.slave, "out");
	WAIT_UNTIL(ready(p.master) & POLLIN);
	CHECK_EQ(read(p.master, buf, sizeof(buf)), 4);
	CHECK_EQ(memcmp(buf, "\0out", 4), 0);
	CHECK_EQ(ioctl(p.slave, TIOCPKT, &on), -1);
	CHECK_EQ(errno, ENOTTY);
	CHECK_EQ(ioctl(p.master, TIOCPKT, 8), -1);
	CHECK_EQ(errno, EFAULT);
	packet_mode(p.master, 0);
	send(p.slave, "x");
	CHECK_EQ(read(p.master, buf, sizeof(buf)) > 0, 1);
	pair_close(&p);
}

TEST(packets_tell_of_flow_and_flushes)
{
	struct pair p = pair_open();
	struct termios t;

	packet_mode(p.master, 1);
	CHECK_EQ(tcgetattr(p.slave, &t), 0);
	t.c_iflag &= ~(tcflag_t)IXON;
	CHECK_EQ(tcsetattr(p.slave, TCSANOW, &t), 0);
	CHECK_EQ(read_news(p.master), TIOCPKT_NOSTOP);
	t.c_iflag |= IXON;
	CHECK_EQ(tcsetattr(p.slave, TCSANOW, &t), 0);
	CHECK_EQ(read_news(p.master), TIOCPKT_DOSTOP);
	send(p.master, "\023");
	CHECK_EQ(read_news(p.master), TIOCPKT_STOP);
	send(p.master, "\021");
	CHECK_EQ(read_news(p.master), TIOCPKT_START);
	CHECK_EQ(tcflow(p.slave, TCOOFF), 0);
	CHECK_EQ(tcflow(p.slave, TCOON), 0);
	CHECK_EQ(read_news(p.master), TIOCPKT_START);
	CHECK_EQ(tcflush(p.slave, TCIFLUSH), 0);
	CHECK_EQ(read_news(p.master), TIOCPKT_FLUSHREAD);
	CHECK_EQ(tcflush(p.slave, TCIOFLUSH), 0);
	CHECK_EQ(read_news(p.master), TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE);
	send(p.master, "\003");
	CHECK_EQ(read_news(p.master) & (TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE),
		 TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE);
	/* What was not read before the mode ends is forgotten. */
	CHECK_EQ(tcflush(p.slave, TCIFLUSH), 0);
	packet_mode(p.master, 0);
	packet_mode(p.master, 1);
	CHECK_EQ(ready(p.master) & POLLPRI, 0);
	pair_close(&p);
}
