/*
 * mount and umount.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/mount.h"
#include "abi/system.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"

/* What a mount keeps, and obeys. */
#define MOUNT_KEPT                                                                                 \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME | \
	 MS_STRICTATIME)
#define MOUNT_KNOWN (MOUNT_KEPT | MS_REMOUNT | MS_BIND | MS_SILENT | MS_SYNCHRONOUS)

/* A string of the caller at most a page long; NULL is "". 0 or -errno; kfree(*out) is due. */
static int mount_text(u64 addr, char **out)
{
	long len = 0;

	*out = kmalloc(PAGE_SIZE);
	if (!*out)
		return -ENOMEM;
	**out = '\0';
	if (addr)
		len = strncpy_from_user(*out, (const void __user *)(uintptr_t)addr, PAGE_SIZE);
	if (len >= 0)
		return 0;
	kfree(*out);
	return len == -ENAMETOOLONG ? -EINVAL : (int)len;
}

static int mount_bind(u64 from_addr, const struct path *at)
{
	struct path from;
	int err = path_lookup_arg((u64)AT_FDCWD, from_addr, WALK_FOLLOW, &from);

	if (err)
		return err;
	err = fs_bind(&from, at);
	path_put(&from);
	return err;
}

static int mount_new(const struct path *at, u64 source, u64 type, u32 flags, u64 data)
{
	char *texts[3];
	const u64 addrs[] = {source, type, data};
	u32 n = 0;
	int err = 0;

	if (!type)
		return -EINVAL;
	while (n < ARRAY_SIZE(texts) && !err) {
		err = mount_text(addrs[n], &texts[n]);
		n += !err;
	}
	if (!err)
		err = fs_mount(texts[1], at, flags, *texts[0] ? texts[0] : "none", texts[2]);
	while (n)
		kfree(texts[--n]);
	return err;
}

static int mount_again(const struct path *at, u32 flags, u64 data)
{
	char *options;
	int err = mount_text(data, &options);

	if (err)
		return err;
	err = fs_remount(at, flags, options);
	kfree(options);
	return err;
}

long sys_mount(SYSCALL_ARGS)
{
	u64 flags = (a3 & MS_MGC_MSK) == MS_MGC_VAL ? a3 & ~MS_MGC_MSK : a3;
	u32 kept = (u32)(flags & MOUNT_KEPT);
	struct path at;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = path_lookup_arg((u64)AT_FDCWD, a1, WALK_FOLLOW, &at);
	if (err)
		return err;
	if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
		kept |= MS_RELATIME;
	if ((flags & ~(u64)MS_REC) == MS_PRIVATE)
		err = at.dentry == at.mnt->root ? 0 : -EINVAL; /* as all mounts are */
	else if (flags & ~(u64)MOUNT_KNOWN)
		err = -EINVAL;
	else if (flags & MS_REMOUNT)
		err = mount_again(&at, kept, flags & MS_BIND ? 0 : a4);
	else if (flags & MS_BIND)
		err = mount_bind(a0, &at);
	else
		err = mount_new(&at, a0, a2, kept, a4);
	path_put(&at);
	return err;
}

long sys_umount2(SYSCALL_ARGS)
{
	u32 flags = (u32)a1;
	struct path p;
	int err;

	if (flags & ~(u32)(MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW))
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = path_lookup_arg((u64)AT_FDCWD, a0, flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &p);
	return err ? err : fs_umount(&p, flags & MNT_DETACH);
}
