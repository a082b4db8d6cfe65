/*
 * The first process on the rival kernel: gives one program the environment that StellarOS gives it.
 *
 * Mounts what a program expects, connects the standard streams to the virtio-serial ports named
 * stellar.in, .out and .err (or to the UART console when there are none), runs the command of
 * /etc/stellar/argv, reports its status on the port stellar.status and powers the machine off with
 * that status. docs/boot.md is the contract.
 *
 * The status goes out twice because a Linux panic also ends QEMU with status 0: the host takes a
 * missing report for a crash. Cost: a few mounts and one fork before the program starts.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIFIVE_TEST_ADDRESS 0x100000
#define SIFIVE_TEST_FAIL    0x3333

#define STATUS_INIT_FAILED    125
#define STATUS_NOT_EXECUTABLE 126
#define STATUS_NOT_FOUND      127

#define MAX_STRINGS 4096

static int status_fd = -1;

/* Ends QEMU with this exit status. Does not return. */
static void power_off(int status)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	volatile uint32_t *test;

	if (status_fd >= 0)
		dprintf(status_fd, "exit %d\n", status);
	test = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, SIFIVE_TEST_ADDRESS);
	if (test != MAP_FAILED)
		*test = (uint32_t)status << 16 | SIFIVE_TEST_FAIL;
	for (;;)
		pause();
}

__attribute__((format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	dprintf(STDERR_FILENO, "init: ");
	vdprintf(STDERR_FILENO, format, args);
	dprintf(STDERR_FILENO, ": %s\n", strerror(errno));
	va_end(args);
	power_off(STATUS_INIT_FAILED);
}

static void mount_one(const char *type, const char *where, const char *options)
{
	mkdir(where, 0755);
	if (mount(type, where, type, 0, options))
		fail("cannot mount %s on %s", type, where);
}

static void mount_all(void)
{
	mount_one("proc", "/proc", "");
	mount_one("sysfs", "/sys", "");
	mount_one("devtmpfs", "/dev", "");
	mount_one("devpts", "/dev/pts", "ptmxmode=0666");
	mount_one("tmpfs", "/dev/shm", "mode=1777");
	if (symlink("/proc/self/fd", "/dev/fd") || symlink("fd/0", "/dev/stdin") ||
	    symlink("fd/1", "/dev/stdout") || symlink("fd/2", "/dev/stderr"))
		fail("cannot make the links in /dev");
}

/* Reads the first line of a file, without its newline. Returns 0, or -1 if it cannot be read. */
static int read_line(const char *path, char *value, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -1;
	len = read(fd, value, size - 1);
	close(fd);
	if (len < 0)
		return -1;
	value[len] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

/* Opens the virtio-serial port of this name. Returns a descriptor, or -1 if there is none. */
static int open_port(const char *wanted, int flags)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	struct dirent *entry;
	char path[320], name[64];
	int fd = -1;

	if (!dir)
		return -1;
	while (fd < 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
		if (read_line(path, name, sizeof(name)) || strcmp(name, wanted))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, flags | O_CLOEXEC);
	}
	closedir(dir);
	return fd;
}

static void set_host_name(void)
{
	char name[64];

	if (!read_line("/etc/hostname", name, sizeof(name)) && sethostname(name, strlen(name)))
		fail("cannot set the host name");
}

static void replace(int fd, int with)
{
	if (dup2(with, fd) < 0)
		fail("cannot set descriptor %d", fd);
}

/* In the child: standard streams from the ports, or from the console as controlling terminal. */
static void connect_streams(void)
{
	int in = open_port("stellar.in", O_RDONLY);

	if (in >= 0) {
		replace(STDIN_FILENO, in);
		replace(STDOUT_FILENO, open_port("stellar.out", O_WRONLY));
		replace(STDERR_FILENO, open_port("stellar.err", O_WRONLY));
		return;
	}
	setsid();
	in = open("/dev/ttyS0", O_RDWR | O_CLOEXEC);
	if (in < 0 || ioctl(in, TIOCSCTTY, 0))
		fail("cannot open the console");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		replace(fd, in);
}

/* Reads a file of NUL-terminated strings into a NULL-terminated array that is never freed. */
static char **read_strings(const char *path)
{
	static const size_t limit = 4 << 20;
	char **strings = calloc(MAX_STRINGS + 1, sizeof(*strings));
	char *text = malloc(limit + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len, used = 0;

	if (fd < 0 || !strings || !text)
		fail("cannot read %s", path);
	while ((len = read(fd, text + used, limit - used)) > 0)
		used += len;
	close(fd);
	text[used] = '\0';
	for (int i = 0; i < MAX_STRINGS && used > 0; i++) {
		size_t size = strlen(text) + 1;

		strings[i] = text;
		text += size;
		used -= (ssize_t)size;
	}
	return strings;
}

/* execve along PATH, as StellarOS does it: no shell for what is not executable. */
static int execute(char **argv, char **env)
{
	const char *dirs = "";
	char path[4096];
	int error = ENOENT;

	if (strchr(argv[0], '/')) {
		execve(argv[0], argv, env);
		return errno;
	}
	for (char **variable = env; *variable; variable++)
		if (!strncmp(*variable, "PATH=", 5))
			dirs = *variable + 5;
	while (*dirs) {
		int len = (int)strcspn(dirs, ":");

		snprintf(path, sizeof(path), "%.*s/%s", len, dirs, argv[0]);
		execve(path, argv, env);
		if (errno != ENOENT && errno != ENOTDIR)
			error = errno;
		dirs += len + (dirs[len] == ':');
	}
	return error;
}

static void run_program(void)
{
	char **argv = read_strings("/etc/stellar/argv");
	char **env = read_strings("/etc/stellar/env");
	int error;

	connect_streams();
	if (!argv[0])
		_exit(STATUS_NOT_FOUND);
	error = execute(argv, env);
	dprintf(STDERR_FILENO, "init: cannot run %s: %s\n", argv[0], strerror(error));
	_exit(error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

/* Waits for the program and buries what it leaves behind. Returns its exit status. */
static int wait_for(pid_t program)
{
	int status;
	pid_t pid;

	do {
		pid = wait(&status);
		if (pid < 0 && errno != EINTR)
			fail("cannot wait");
	} while (pid != program);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* As the other system has it from the start. */
static void loopback_up(void)
{
	struct ifreq req = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req))
		fail("cannot bring up lo");
	close(fd);
}

/* The modules that the host put into /etc/stellar, in their order. */
static void load_modules(void)
{
	char path[64];

	for (int i = 0;; i++) {
		int fd;

		snprintf(path, sizeof(path), "/etc/stellar/module%d", i);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (syscall(SYS_finit_module, fd, "", 0))
			fail("cannot load %s", path);
		close(fd);
	}
}

static void set_inet(struct sockaddr *to, const char *text)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	if (inet_pton(AF_INET, text, &in.sin_addr) != 1)
		fail("ip=: not an address: %s", text);
	memcpy(to, &in, sizeof(in));
}

/* Address, netmask, up, and the default route by `gateway`. */
static void set_interface(const char *name, const char *address, const char *gateway, const char *mask)
{
	struct ifreq req = {0};
	struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	set_inet(&req.ifr_addr, address);
	if (fd < 0 || ioctl(fd, SIOCSIFADDR, &req))
		fail("cannot set the address of %s", name);
	set_inet(&req.ifr_netmask, mask);
	if (ioctl(fd, SIOCSIFNETMASK, &req))
		fail("cannot set the netmask of %s", name);
	req.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &req))
		fail("cannot bring up %s", name);
	set_inet(&route.rt_dst, "0.0.0.0");
	set_inet(&route.rt_genmask, "0.0.0.0");
	if (gateway[0]) {
		set_inet(&route.rt_gateway, gateway);
		if (ioctl(fd, SIOCADDRT, &route))
			fail("cannot add a route by %s", gateway);
	}
	close(fd);
}

/*
 * The boot argument ip=CLIENT::GATEWAY:NETMASK::DEVICE:off, which Debian's kernel leaves alone; the last one counts.
 * No DHCP here.
 */
static void configure_network(void)
{
	static char line[4096];
	char *fields[7] = {0}, *text = NULL, *next = line;
	int nr = 0;

	if (read_line("/proc/cmdline", line, sizeof(line)))
		return;
	for (char *word; (word = strsep(&next, " ")) != NULL;)
		if (!strncmp(word, "ip=", 3))
			text = word + 3;
	while (nr < 7 && text)
		fields[nr++] = strsep(&text, ":");
	if (nr == 7)
		set_interface(fields[5], fields[0], fields[2], fields[3]);
	else if (nr)
		fail("ip=: seven fields are needed here");
}

int main(void)
{
	pid_t program;

	mount_all();
	loopback_up();
	load_modules();
	configure_network();
	set_host_name();
	status_fd = open_port("stellar.status", O_WRONLY);
	if (chdir("/"))
		fail("cannot enter /");
	program = fork();
	if (program < 0)
		fail("cannot fork");
	if (program == 0)
		run_program();
	power_off(wait_for(program));
}
