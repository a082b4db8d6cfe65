/*
 * Who may use vectors, and who is told of them.
 */
#include "tests/syscall/vector/control.h"
#include "tests/syscall/vector/vector.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>

#define HWPROBE_KEY_EXT 4
#define HWPROBE_IMA_V	(1UL << 2)
#define HWPROBE_ZVE	(0x1fUL << 37) /* Zve32x to Zve64d */

TEST(programs_are_told)
{
	struct {
		int64_t key;
		uint64_t value;
	} pair = {HWPROBE_KEY_EXT, 0};
	char line[1024];
	bool shown = false;
	FILE *f = fopen("/proc/cpuinfo", "r");

	CHECK(getauxval(AT_HWCAP) & HWCAP_V);
	CHECK_EQ(sys5(258, &pair, 1, 0, NULL, 0), 0);
	CHECK_EQ(pair.value & (HWPROBE_IMA_V | HWPROBE_ZVE), HWPROBE_IMA_V | HWPROBE_ZVE);
	while (f && fgets(line, sizeof(line), f))
		shown |= strncmp(line, "isa", 3) == 0 && strstr(line, "rv64imafdcv") != NULL;
	CHECK(shown);
	fclose(f);
}

static int control(unsigned long value)
{
	return sys5(SYS_prctl, PR_RISCV_V_SET_CONTROL, value, 0, 0, 0);
}

static int now(void)
{
	return sys5(SYS_prctl, PR_RISCV_V_GET_CONTROL, 0, 0, 0, 0);
}

TEST(control_checks)
{
	CHECK_EQ(now(), V_ON);
	CHECK_EQ(control(32), -EINVAL);
	CHECK_EQ(control(1UL << 40), -EINVAL);
	CHECK_EQ(control(3), -EINVAL);
	CHECK_EQ(control(3 << 2), -EINVAL);
	CHECK_EQ(control(V_OFF), -EPERM);
	CHECK_EQ(control(V_OFF | 3 << 2), -EPERM);
	CHECK_EQ(now(), V_ON);
	CHECK_EQ(control(V_NEXT_OFF | V_INHERIT), 0);
	CHECK_EQ(now(), V_ON | V_NEXT_OFF | V_INHERIT);
	CHECK_EQ(control(0), 0);
	CHECK_EQ(now(), V_ON);
}

#define EXITED(code) ((code) << 8)

TEST(off_after_exec)
{
	CHECK_EQ(exec_status("control"), EXITED(V_ON | CHILD_HWCAP_V));
	CHECK_EQ(control(V_NEXT_OFF), 0);
	CHECK_EQ(exec_status("control"), EXITED(V_OFF));
	CHECK_EQ(exec_status("zero"), SIGILL);
	CHECK_EQ(exec_status("again"), EXITED(V_ON | CHILD_HWCAP_V));
	CHECK_EQ(control(V_NEXT_OFF | V_INHERIT), 0);
	CHECK_EQ(exec_status("again"), EXITED(V_OFF | V_NEXT_OFF | V_INHERIT));
	CHECK_EQ(control(0), 0);
	CHECK_EQ(exec_status("zero"), 0);
}

static void set_allow(const char *text)
{
	int fd = open(ALLOW_FILE, O_WRONLY);

	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int allowed(void)
{
	char text[8] = "";
	int fd = open(ALLOW_FILE, O_RDONLY);

	CHECK(read(fd, text, sizeof(text) - 1) == 2 && text[1] == '\n');
	close(fd);
	return text[0] - '0';
}

TEST(default_for_new_programs)
{
	CHECK_EQ(allowed(), 1);
	set_allow("0\n");
	CHECK_EQ(allowed(), 0);
	CHECK_EQ(now(), V_ON);
	CHECK_EQ(exec_status("control"), EXITED(V_OFF));
	CHECK_EQ(control(V_NEXT_ON), 0);
	CHECK_EQ(exec_status("control"), EXITED(V_ON | CHILD_HWCAP_V));
	CHECK_EQ(control(0), 0);
	set_allow("7\n");
	CHECK_EQ(allowed(), 1);
	CHECK_EQ(exec_status("control"), EXITED(V_ON | CHILD_HWCAP_V));
}

TEST(control_is_inherited)
{
	CHECK_EQ(control(V_NEXT_OFF | V_INHERIT), 0);
	CHECK_EQ(exec_status("fork"), EXITED(V_OFF | V_NEXT_OFF | V_INHERIT));
	CHECK_EQ(exec_status("switch on"), 0);
	CHECK_EQ(control(0), 0);
}
