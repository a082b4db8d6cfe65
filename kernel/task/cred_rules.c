/*
 * What a change of user ids does to capabilities, and what exec does to both. Pure functions of the
 * old credentials and the edited copy. Source: capabilities(7), "Effect of user ID changes on
 * capabilities" and "Transformation of capabilities during execve()".
 */
#include "abi/stat.h"
#include "abi/system.h"
#include "kernel/task/cred.h"

/* What goes with the file-system user id. */
#define CAP_FS                                                                                     \
	(BIT(CAP_CHOWN) | BIT(CAP_MKNOD) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) |      \
	 BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_MAC_OVERRIDE))

void cred_fix_uids(struct cred *c, const struct cred *old)
{
	bool was_root = old->uid == 0 || old->euid == 0 || old->suid == 0;
	bool is_root = c->uid == 0 || c->euid == 0 || c->suid == 0;

	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (was_root && !is_root) {
		if (!(c->securebits & SECBIT_KEEP_CAPS))
			c->cap_permitted = c->cap_effective = 0;
		c->cap_ambient = 0;
	}
	if (old->euid == 0 && c->euid != 0)
		c->cap_effective = 0;
	if (old->euid != 0 && c->euid == 0)
		c->cap_effective = c->cap_permitted;
}

void cred_fix_fsuid(struct cred *c, const struct cred *old)
{
	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (old->fsuid == 0 && c->fsuid != 0)
		c->cap_effective &= ~CAP_FS;
	if (old->fsuid != 0 && c->fsuid == 0)
		c->cap_effective |= c->cap_permitted & CAP_FS;
}

static void exec_set_ids(struct cred *c, const struct cred_exec_file *file)
{
	if (file->mode & S_ISUID)
		c->euid = file->uid;
	/* Without group execute permission the bit asks for mandatory locks, not for a group. */
	if ((file->mode & S_ISGID) && (file->mode & 0010))
		c->egid = file->gid;
}

void cred_exec(struct cred *c, const struct cred *old, const struct cred_exec_file *file,
	       bool privileges, bool *secure)
{
	bool all = false, set_id;

	exec_set_ids(c, file);
	c->cap_permitted = 0; /* files carry no capabilities */
	if (!(c->securebits & SECBIT_NOROOT) && (c->uid == 0 || c->euid == 0)) {
		c->cap_permitted = old->cap_bounding | old->cap_inheritable;
		all = c->euid == 0;
	}
	set_id = c->euid != old->uid || c->egid != old->gid;
	if (!privileges && (set_id || (c->cap_permitted & ~old->cap_permitted))) {
		c->euid = c->uid;
		c->egid = c->gid;
		c->cap_permitted &= old->cap_permitted;
	}
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	if (set_id)
		c->cap_ambient = 0;
	c->cap_permitted |= c->cap_ambient;
	c->cap_effective = all ? c->cap_permitted : c->cap_ambient;
	c->securebits &= ~(u32)SECBIT_KEEP_CAPS;
	*secure = set_id || (c->uid != 0 && (all || (c->cap_permitted & ~c->cap_ambient)));
}
