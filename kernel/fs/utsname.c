#include "kernel/fs/utsname.h"

#include <string.h>

#include "kernel/fs/fs_internal.h"
#include "kernel/fs/pseudo.h"
#include "kernel/sync/spinlock.h"

LOCK_CLASS(utsname, RANK_FDTABLE);

static struct spinlock uts_lock = SPINLOCK_INIT(utsname_class);
static char uts_names[NR_UTS_NAMES][UTS_NAME_MAX + 1] = {"stellar", "(none)"}; /* [L:uts_lock] */

void uts_get(enum uts_name which, char out[UTS_NAME_MAX + 1])
{
	spin_lock(&uts_lock);
	memcpy(out, uts_names[which], UTS_NAME_MAX + 1);
	spin_unlock(&uts_lock);
}

void uts_set(enum uts_name which, const char *text, size_t len)
{
	char *name = uts_names[which];

	spin_lock(&uts_lock);
	memset(name, 0, UTS_NAME_MAX + 1);
	memcpy(name, text, MIN(len, (size_t)UTS_NAME_MAX));
	spin_unlock(&uts_lock);
}

static int uts_show(struct seq *s, u64 which)
{
	char name[UTS_NAME_MAX + 1];

	uts_get((enum uts_name)which, name);
	seq_printf(s, "%s\n", name);
	return 0;
}

/* The first line of what was written. */
static int uts_store(const char *text, u64 which)
{
	size_t len = 0;

	while (text[len] && text[len] != '\n')
		len++;
	uts_set((enum uts_name)which, text, len);
	return 0;
}

int uts_init(void)
{
	int err =
		procfs_register_writable("sys/kernel/hostname", 0644, uts_show, uts_store, UTS_HOST);

	if (err)
		return err;
	return procfs_register_writable("sys/kernel/domainname", 0644, uts_show, uts_store,
					UTS_DOMAIN);
}
