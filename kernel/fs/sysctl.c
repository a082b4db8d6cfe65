/* /proc/sys: rows of numbers in variables of their owners. */
#include "kernel/fs/sysctl.h"

#include <stdio.h>

#include "abi/errno.h"
#include "kernel/fs/pseudo.h"
#include "kernel/sync/atomic.h"
#include "lib/number.h"

#define SYSCTL_MAX_NUMBERS 8

static int sysctl_show(struct seq *s, u64 key)
{
	const struct sysctl *ctl = (const struct sysctl *)key;

	for (u32 i = 0; i < ctl->nr; i++) {
		u64 value = atomic_load_relaxed(&ctl->values[i]);

		if (i)
			seq_puts(s, "\t");
		seq_printf(s, ctl->is_signed ? "%ld" : "%lu", value);
	}
	seq_puts(s, "\n");
	return 0;
}

static bool in_bounds(const struct sysctl *ctl, u64 value)
{
	if (ctl->is_signed)
		return (s64)value >= (s64)ctl->min && (s64)value <= (s64)ctl->max;
	return value >= ctl->min && value <= ctl->max;
}

static int sysctl_store(const char *text, u64 key)
{
	const struct sysctl *ctl = (const struct sysctl *)key;
	u64 values[SYSCTL_MAX_NUMBERS];
	u32 nr = 0;

	for (text = number_skip_space(text); *text && nr < ctl->nr; text = number_skip_space(text)) {
		if (!number_parse(&text, ctl->is_signed, &values[nr]) || !in_bounds(ctl, values[nr]))
			return -EINVAL;
		nr++;
	}
	if (!nr)
		return -EINVAL;
	if (ctl->set)
		return ctl->set(ctl->values, values, nr);
	for (u32 i = 0; i < nr; i++)
		atomic_store_relaxed(&ctl->values[i], values[i]);
	return 0;
}

int sysctl_register(const struct sysctl *ctl)
{
	char path[96];

	if (ctl->nr > SYSCTL_MAX_NUMBERS ||
	    (size_t)snprintf(path, sizeof(path), "sys/%s", ctl->path) >= sizeof(path))
		return -EINVAL;
	return procfs_register_writable(path, ctl->mode, sysctl_show, sysctl_store, (u64)ctl);
}
