/*
 * reboot(2): the end of the machine. Whether ^Alt-Del restarts it is kept, there is no such key.
 */
#include "abi/errno.h"
#include "abi/system.h"
#include "drivers/finisher.h"
#include "kernel/log/log.h"
#include "kernel/mm/uaccess.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/cred.h"

#define COMMAND_MAX 256

static bool magic_is_right(u32 first, u32 second)
{
	return first == LINUX_REBOOT_MAGIC1 &&
	       (second == LINUX_REBOOT_MAGIC2 || second == LINUX_REBOOT_MAGIC2A ||
		second == LINUX_REBOOT_MAGIC2B || second == LINUX_REBOOT_MAGIC2C);
}

/* Halting is powering off, as on Linux/riscv64. */
long sys_reboot(SYSCALL_ARGS)
{
	char command[COMMAND_MAX];

	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	if (!magic_is_right((u32)a0, (u32)a1))
		return -EINVAL;
	switch ((u32)a2) {
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0;
	case LINUX_REBOOT_CMD_RESTART2:
		if (strncpy_from_user(command, (const char __user *)a3, sizeof(command)) == -EFAULT)
			return -EFAULT;
		machine_restart();
	case LINUX_REBOOT_CMD_RESTART:
		machine_restart();
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF:
		machine_poweroff(0);
	default:
		return -EINVAL;
	}
}
