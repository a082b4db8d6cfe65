/*
 * CLONE_PARENT while the parent dies: whoever the sibling belongs to then, somebody reaps it.
 */
#include "tests/syscall/process/process.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define CLONERS 2

struct shared {
	atomic_int made;
};

/* Makes siblings until another process is its parent. */
static void clone_siblings(struct shared *s, pid_t parent)
{
	while (getppid() == parent) {
		long pid = sys5(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

		if (pid == 0)
			_exit(0);
		if (pid > 0)
			s->made++;
	}
	_exit(0);
}

/* Dies with all its children unreaped, which takes it the longer the more they are. */
static void parent_body(struct shared *s, int wanted)
{
	pid_t self = getpid();

	for (int i = 0; i < CLONERS; i++)
		if (fork() == 0)
			clone_siblings(s, self);
	while (s->made < wanted)
		sched_yield();
	_exit(0);
}

static int reap_all(void)
{
	int n = 0;

	while (wait(NULL) > 0)
		n++;
	return n;
}

static int siblings_body(void)
{
	struct shared *s =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1))
		return 1;
	for (int round = 0; round < test_rounds(40); round++) {
		s->made = 0;
		if (fork() == 0)
			parent_body(s, 10 + round % 7);
		CHECK_EQ(reap_all(), 1 + CLONERS + s->made);
	}
	return 0;
}

TEST(siblings_of_a_process_whose_parent_dies)
{
	CHECK_EQ(child_status(siblings_body), 0);
}
