#include "tests/syscall/ipc/ipc.h"

static ssize_t read_whole(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = 0;
	return (ssize_t)len;
}

bool sysvipc_line(const char *file, int id, char *line, size_t size)
{
	static char text[1 << 20];
	char path[64], *save, *l;

	snprintf(path, sizeof(path), "/proc/sysvipc/%s", file);
	if (read_whole(path, text, sizeof(text)) < 0)
		return false;
	for (l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		int key, found;

		if (sscanf(l, "%d %d", &key, &found) == 2 && found == id) {
			snprintf(line, size, "%s", l);
			return true;
		}
	}
	return false;
}

long long proc_number(const char *path, int index)
{
	char text[256], *at = text, *end;

	if (read_whole(path, text, sizeof(text)) < 0)
		return -1;
	for (;;) {
		long long value = (long long)strtoull(at, &end, 10);

		if (end == at)
			return -1;
		if (index-- == 0)
			return value;
		at = end;
	}
}

int proc_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}
