/* What tests/programs debugs: a loop with a sum, threads, a signal, an end that can be waited for. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile int total;

static int square(int n)
{
	int result = n * n;

	return result;
}

static void sum(int limit)
{
	for (int i = 1; i <= limit; i++)
		total += square(i);
}

static void *wait_in_pipe(void *arg)
{
	char c;

	(void)!read(*(int *)arg, &c, 1);
	return NULL;
}

static void all_wait(void)
{
	printf("threads\n");
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	int fds[2];

	if (argc > 1 && strcmp(argv[1], "wait") == 0) {
		printf("waits\n");
		fflush(stdout);
		pause();
	}
	sum(3);
	printf("total %d\n", total);
	if (pipe(fds))
		return 1;
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, wait_in_pipe, &fds[0]);
	all_wait();
	(void)!write(fds[1], "xy", 2);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	raise(SIGUSR1);
	return 3;
}
