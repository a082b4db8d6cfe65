/*
 * /proc/sys/kernel and /proc/sys/fs: facts about this kernel that hold from boot on, and its random numbers in text form. What may be
 * set is with its owner. Linux lets root write some of these; here they are what the kernel is built with.
 */
#include <stdio.h>

#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/pseudo.h"
#include "kernel/random/random.h"
#include "kernel/sched/sched.h"

#define NR_GROUPS_MAX 65536 /* setgroups(2) */
#define OVERFLOW_ID   65534 /* what an id that does not fit looks like */
#define ENTROPY_BITS  256   /* of a generator's key: it is full from the first moment on */
#define RESEED_SECS   60    /* Linux's interval; here every use replaces the key */
#define UUID_BYTES    16U
#define UUID_TEXT_MAX 40

static u8 boot_id[UUID_BYTES]; /* [I] */

/* A random UUID: version 4, variant 1 (RFC 9562). */
static void uuid_make(u8 *id)
{
	random_bytes(id, UUID_BYTES);
	id[6] = (u8)((id[6] & 0x0f) | 0x40);
	id[8] = (u8)((id[8] & 0x3f) | 0x80);
}

static void show_uuid(struct seq *s, const u8 *id)
{
	for (u32 i = 0; i < UUID_BYTES; i++)
		seq_printf(s, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", id[i]);
	seq_puts(s, "\n");
}

static int show_boot_id(struct seq *s, u64 key)
{
	(void)key;
	show_uuid(s, boot_id);
	return 0;
}

/* Another one at each read. */
static int show_new_uuid(struct seq *s, u64 key)
{
	u8 id[UUID_BYTES];

	(void)key;
	uuid_make(id);
	show_uuid(s, id);
	return 0;
}

static int show_arch(struct seq *s, u64 key)
{
	(void)key;
	seq_puts(s, "riscv64\n");
	return 0;
}

/* Without a pattern and without the number of the process in the name nothing is dumped, core(5). */
static int show_no_pattern(struct seq *s, u64 key)
{
	(void)key;
	seq_puts(s, "\n");
	return 0;
}

int proc_kernel_init(void)
{
	static const struct {
		const char *path;
		pseudo_show_fn show;
		u64 key;
	} nodes[] = {
		{"sys/kernel/arch", show_arch, 0},
		{"sys/kernel/cap_last_cap", pseudo_show_number, CAP_LAST_CAP},
		{"sys/kernel/core_pattern", show_no_pattern, 0},
		{"sys/kernel/core_uses_pid", pseudo_show_number, 0},
		{"sys/kernel/ngroups_max", pseudo_show_number, NR_GROUPS_MAX},
		{"sys/kernel/overflowgid", pseudo_show_number, OVERFLOW_ID},
		{"sys/kernel/overflowuid", pseudo_show_number, OVERFLOW_ID},
		{"sys/kernel/random/boot_id", show_boot_id, 0},
		{"sys/kernel/random/entropy_avail", pseudo_show_number, ENTROPY_BITS},
		{"sys/kernel/random/poolsize", pseudo_show_number, ENTROPY_BITS},
		{"sys/kernel/random/urandom_min_reseed_secs", pseudo_show_number, RESEED_SECS},
		{"sys/kernel/random/uuid", show_new_uuid, 0},
		{"sys/kernel/random/write_wakeup_threshold", pseudo_show_number, ENTROPY_BITS},
		{"sys/kernel/sched_rr_timeslice_ms", pseudo_show_number, SCHED_RR_SLICE_MS},
		{"sys/kernel/sysctl_writes_strict", pseudo_show_number, 1},
		{"sys/kernel/tainted", pseudo_show_number, 0},
		{"sys/fs/overflowgid", pseudo_show_number, OVERFLOW_ID},
		{"sys/fs/overflowuid", pseudo_show_number, OVERFLOW_ID},
		{"sys/fs/suid_dumpable", pseudo_show_number, 0},
	};
	int err = 0;

	uuid_make(boot_id);
	for (u32 i = 0; i < ARRAY_SIZE(nodes) && !err; i++)
		err = procfs_register(nodes[i].path, nodes[i].show, nodes[i].key);
	return err;
}
