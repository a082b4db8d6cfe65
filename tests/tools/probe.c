/*
 * A guest program that does one thing a caller can check, for the tests of tools/run:
 *   probe cat            copies stdin to stdout
 *   probe exit N         returns N
 *   probe kill N         dies of signal N
 *   probe streams        writes "out" to stdout and "err" to stderr
 *   probe args A...      prints each argument in brackets, then PATH and the working directory
 *   probe fill N         writes N MiB to stdout
 *   probe sleep          never returns
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_all(const char *data, ssize_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, data, (size_t)len);

		if (n < 0)
			return 1;
		data += n;
		len -= n;
	}
	return 0;
}

static int copy(void)
{
	static char buffer[65536];
	ssize_t len;

	while ((len = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
		if (write_all(buffer, len))
			return 1;
	return len < 0;
}

static int fill(long mebibytes)
{
	static char buffer[65536];

	memset(buffer, 'x', sizeof(buffer));
	for (long i = 0; i < mebibytes * 16; i++)
		if (write_all(buffer, sizeof(buffer)))
			return 1;
	return 0;
}

static int print_args(char **argv)
{
	char cwd[256];

	for (; *argv; argv++)
		printf("[%s]\n", *argv);
	printf("PATH=%s\ncwd=%s\n", getenv("PATH"), getcwd(cwd, sizeof(cwd)));
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int number = argc > 2 ? atoi(argv[2]) : 0;

	if (!strcmp(what, "cat"))
		return copy();
	if (!strcmp(what, "exit"))
		return number;
	if (!strcmp(what, "kill"))
		return raise(number);
	if (!strcmp(what, "streams"))
		return puts("out") < 0 || fputs("err\n", stderr) < 0;
	if (!strcmp(what, "args"))
		return print_args(argv + 2);
	if (!strcmp(what, "fill"))
		return fill(number);
	while (!strcmp(what, "sleep"))
		pause();
	return 2;
}
