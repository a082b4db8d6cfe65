#include "tests/syscall/files/files.h"

void enter_fresh_directory(void)
{
	static int count;
	char path[64];

	mkdir("/tmp", 01777);
	snprintf(path, sizeof(path), "/tmp/files-%d-%d", getpid(), count++);
	CHECK_EQ(mkdir(path, 0755), 0);
	CHECK_EQ(chdir(path), 0);
}

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

long read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	long n = 0, got;

	if (fd < 0)
		return -1;
	while (n < (long)size - 1 && (got = read(fd, buf + n, size - 1 - (size_t)n)) > 0)
		n += got;
	close(fd);
	buf[n] = '\0';
	return n;
}
