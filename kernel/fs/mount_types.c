/*
 * The kinds of file systems that programs may mount, and the options of tmpfs.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/mount.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

#define FS_TYPES_MAX 8

struct fs_type {
	const char *name;
	struct super_block *one; /* the only instance; NULL: each mount makes a new tmpfs */
};

static struct fs_type types[FS_TYPES_MAX] = {{"tmpfs", NULL}}; /* [I] after boot */
static u32 nr_types = 1;

int fs_type_register(const char *name, struct super_block *one)
{
	if (nr_types == FS_TYPES_MAX)
		return -ENOSPC;
	types[nr_types++] = (struct fs_type){name, one};
	return 0;
}

const char *fs_type_name(u32 i)
{
	return i < nr_types ? types[i].name : NULL;
}

/* ---- options of tmpfs ---- */

u64 tmpfs_default_inodes(void)
{
	return mm_total_pages() / 2;
}

struct tmpfs_options {
	u64 pages; /* 0: no limit */
	u64 inodes;
	u32 mode, uid, gid;
};

/* The value of an option that ends at a comma or the end. False: no number. */
static bool option_number(const char *text, size_t len, u32 base, u64 *value)
{
	size_t i = 0;

	for (*value = 0; i < len && text[i] >= '0' && text[i] < (char)('0' + base); i++)
		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, (u64)(text[i] - '0'), value))
			return false;
	if (i == 0)
		return false;
	if (i + 1 == len && base == 10) {
		static const char units[] = "kmgt";
		const char *unit = strchr(units, text[i] | 0x20);

		if (!unit)
			return false;
		*value <<= 10 * (unit - units + 1);
		i++;
	}
	return i == len;
}

/* One option "name=value" or "name". */
static int option_set(struct tmpfs_options *o, const char *name, size_t name_len, const char *text,
		      size_t len)
{
	u64 n;

#define NAMED(word) (name_len == sizeof(word) - 1 && memcmp(name, word, name_len) == 0)
	/* Numbers of inodes fit both, and nothing is ever swapped out. */
	if (NAMED("inode64") || NAMED("inode32") || NAMED("noswap"))
		return len ? -EINVAL : 0;
	if (NAMED("size") && len > 1 && text[len - 1] == '%') {
		if (!option_number(text, len - 1, 10, &n))
			return -EINVAL;
		o->pages = mm_total_pages() * n / 100;
		return 0;
	}
	if (!option_number(text, len, NAMED("mode") ? 8 : 10, &n))
		return -EINVAL;
	if (NAMED("size"))
		o->pages = (n + PAGE_SIZE - 1) >> PAGE_SHIFT;
	else if (NAMED("nr_blocks"))
		o->pages = n;
	else if (NAMED("nr_inodes"))
		o->inodes = n;
	else if (NAMED("mode"))
		o->mode = (u32)n & 07777;
	else if (NAMED("uid"))
		o->uid = (u32)n;
	else if (NAMED("gid"))
		o->gid = (u32)n;
	else
		return -EINVAL;
	return 0;
#undef NAMED
}

static int options_parse(const char *text, struct tmpfs_options *o)
{
	int err = 0;

	while (*text && !err) {
		size_t len = strcspn(text, ",");
		size_t name_len = MIN(strcspn(text, "="), len);
		const char *value = text + name_len + (name_len < len);

		if (len)
			err = option_set(o, text, name_len, value, len - (size_t)(value - text));
		text += len + (text[len] == ',');
	}
	return err;
}

static int tmpfs_mount(const char *options, struct super_block **out)
{
	struct tmpfs_options o = {.pages = mm_total_pages() / 2,
				  .inodes = tmpfs_default_inodes(),
				  .mode = TMPFS_DEFAULT_MODE};
	struct super_block *sb;
	struct inode *root;
	int err = options_parse(options, &o);

	if (err)
		return err;
	sb = tmpfs_create("tmpfs", o.pages);
	if (!sb)
		return -ENOMEM;
	tmpfs_limit_inodes(sb, o.inodes);
	sb->asked_mode = o.mode;
	sb->asked_uid = o.uid;
	sb->asked_gid = o.gid;
	root = sb->root->inode;
	root->mode = S_IFDIR | o.mode;
	root->uid = o.uid;
	root->gid = o.gid;
	*out = sb;
	return 0;
}

/* The limit of pages in `options` from now on. */
static int tmpfs_remount(struct super_block *sb, const char *options)
{
	struct tmpfs_options o = {0};
	int err = options_parse(options, &o);

	if (!err && o.pages && !(sb->budget && vm_budget_resize(sb->budget, o.pages)))
		err = -EINVAL;
	return err;
}

int fs_mount(const char *type, const struct path *at, u32 flags, const char *source,
	     const char *options)
{
	struct super_block *sb;
	u32 i = 0;
	int err;

	while (i < nr_types && strcmp(types[i].name, type) != 0)
		i++;
	if (i == nr_types)
		return -ENODEV;
	sb = types[i].one;
	if (sb)
		return mount_add(at, sb, sb->root, flags, source);
	err = tmpfs_mount(options, &sb);
	if (err)
		return err;
	err = mount_add(at, sb, sb->root, flags, source);
	super_put(sb);
	return err;
}

int fs_bind(const struct path *from, const struct path *at)
{
	return mount_add(at, from->mnt->sb, from->dentry, from->mnt->flags, from->mnt->source);
}

int fs_remount(const struct path *p, u32 flags, const char *options)
{
	int err;

	if (p->dentry != p->mnt->root)
		return -EINVAL;
	err = tmpfs_remount(p->mnt->sb, options);
	if (!err)
		atomic_store_relaxed(&p->mnt->flags, flags);
	return err;
}
