/* flood HARTS COUNT: a thread on each hart writes COUNT numbered markers, "#HART NUMBER", as fast as it can. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int count;

static void *flood(void *arg)
{
	int hart = (int)(intptr_t)arg, fd = open("/sys/kernel/tracing/trace_marker", O_WRONLY);
	char text[16];
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(hart, &set);
	if (fd < 0 || sched_setaffinity(0, sizeof(set), &set))
		abort();
	for (int i = 0; i < count; i++) {
		int len = snprintf(text, sizeof(text), "#%d %d", hart, i);

		if (write(fd, text, (size_t)len) != len)
			abort();
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int harts = argc > 2 ? atoi(argv[1]) : 1;
	pthread_t threads[64];

	count = argc > 2 ? atoi(argv[2]) : 1;
	for (int i = 0; i < harts; i++)
		if (pthread_create(&threads[i], NULL, flood, (void *)(intptr_t)i))
			return 1;
	for (int i = 0; i < harts; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
