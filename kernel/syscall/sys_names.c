/*
 * The names of the system: uname, sethostname, setdomainname.
 */
#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/fs/utsname.h"
#include "kernel/mm/uaccess.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/task.h"
#include "lib/version.h"

#include <string.h>

long sys_uname(SYSCALL_ARGS)
{
	struct abi_utsname names = {
		.sysname = KERNEL_OSTYPE,
		.release = KERNEL_RELEASE,
		.version = KERNEL_VERSION,
		.machine = "riscv64",
	};

	static_assert(UTS_FIELD == UTS_NAME_MAX + 1, "a name and its NUL");
	uts_get(UTS_HOST, names.nodename);
	uts_get(UTS_DOMAIN, names.domainname);
	if (task_current()->personality & UNAME26)
		strcpy(names.release, KERNEL_RELEASE_26);
	return copy_to_user((void __user *)a0, &names, sizeof(names));
}

/* Source: sethostname(2). */
static long set_name(enum uts_name which, u64 user, s32 len)
{
	char name[UTS_NAME_MAX];

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len > UTS_NAME_MAX)
		return -EINVAL;
	if (copy_from_user(name, (const void __user *)user, (size_t)len))
		return -EFAULT;
	uts_set(which, name, (size_t)len);
	return 0;
}

long sys_sethostname(SYSCALL_ARGS)
{
	return set_name(UTS_HOST, a0, (s32)a1);
}

long sys_setdomainname(SYSCALL_ARGS)
{
	return set_name(UTS_DOMAIN, a0, (s32)a1);
}
