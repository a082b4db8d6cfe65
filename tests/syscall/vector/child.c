/* What this program does when a test has executed it anew. */
#include "tests/syscall/vector/control.h"
#include "tests/syscall/vector/vector.h"

#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/wait.h>

int exec_status(const char *what)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/proc/self/exe", CHILD_NAME, what, (char *)NULL);
		_exit(CHILD_FAILED);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

static int control(void)
{
	return prctl(PR_RISCV_V_GET_CONTROL) | (getauxval(AT_HWCAP) & HWCAP_V ? CHILD_HWCAP_V : 0);
}

static int control_of_child(void)
{
	int status;

	if (fork() == 0)
		_exit(control());
	wait(&status);
	return WEXITSTATUS(status);
}

/* Runs before main. */
__attribute__((constructor)) static void child_main(int argc, char **argv)
{
	static struct vectors v;

	if (argc != 2 || strcmp(argv[0], CHILD_NAME) != 0)
		return;
	if (strcmp(argv[1], "again") == 0)
		execl("/proc/self/exe", CHILD_NAME, "control", (char *)NULL);
	if (strcmp(argv[1], "control") == 0)
		_exit(control());
	if (strcmp(argv[1], "fork") == 0)
		_exit(control_of_child());
	if (strcmp(argv[1], "switch on") == 0 && prctl(PR_RISCV_V_SET_CONTROL, V_ON) != 0)
		_exit(CHILD_FAILED);
	vectors_get(&v);
	_exit(vectors_zero(&v) ? 0 : CHILD_FAILED);
}
