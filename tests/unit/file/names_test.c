/*
 * Names: walks against concurrent renames and removals on one tree, and the invariants that the
 * system-call tests cannot see.
 */
#include <stdlib.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/sync/atomic.h"
#include "tests/unit/host_cpu.h"
#include "tests/unit/unit.h"

#define ROUNDS 5000

static struct fs_context *ctx;

static void start(u32 harts)
{
	static bool once;
	struct super_block *sb;

	host_cpus_init(harts);
	host_cpu_become(0);
	if (!once)
		dentry_init();
	once = true;
	file_path_put = path_put;
	sb = tmpfs_create("tmpfs", 0);
	CHECK(mount_at(NULL, sb) == 0);
	ctx = fs_context_create();
}

static int touch(const char *name)
{
	struct file *f;
	int err = fs_open(ctx, NULL, name, O_CREAT | O_WRONLY, 0644, 0, &f);

	if (!err)
		file_put(f);
	return err;
}

static int look(const char *name)
{
	struct path p;
	int err = fs_lookup(ctx, NULL, name, WALK_FOLLOW, &p);

	if (!err)
		path_put(&p);
	return err;
}

TEST(references_balance)
{
	struct dentry *root;
	u32 refs;

	start(1);
	root = mount_root->root;
	refs = root->refs;
	CHECK(fs_mkdir(ctx, NULL, "/a", 0755) == 0 && fs_mkdir(ctx, NULL, "/a/b", 0755) == 0);
	CHECK(touch("/a/b/f") == 0 && fs_symlink(ctx, NULL, "/a/l", "b/../b/f") == 0);
	CHECK(look("/a/l") == 0 && look("/a/b/../b/./f") == 0 && look("/a/none") == -ENOENT);
	CHECK(fs_rename(ctx, NULL, "/a/b", NULL, "/c", 0) == 0);
	CHECK(look("/c/f") == 0 && look("/a/l") == -ENOENT);
	CHECK(fs_unlink(ctx, NULL, "/c/f") == 0 && fs_unlink(ctx, NULL, "/a/l") == 0);
	CHECK(fs_rmdir(ctx, NULL, "/c") == 0 && fs_rmdir(ctx, NULL, "/a") == 0);
	CHECK(root->refs == refs);
	CHECK(root->inode->nlink == 2 && root->inode->nr_children == 0 &&
	      list_empty(&root->inode->children));
}

TEST(path_text)
{
	char buf[64];
	struct path p;

	start(1);
	fs_mkdir(ctx, NULL, "/one", 0755);
	fs_mkdir(ctx, NULL, "/one/two", 0755);
	CHECK(fs_lookup(ctx, NULL, "/one/two", 0, &p) == 0);
	CHECK(strcmp(fs_path_text(ctx, &p, buf, sizeof(buf)), "/one/two") == 0);
	CHECK(is_err(fs_path_text(ctx, &p, buf, 8)));
	path_put(&p);
	CHECK(fs_lookup(ctx, NULL, "/", 0, &p) == 0);
	CHECK(strcmp(fs_path_text(ctx, &p, buf, sizeof(buf)), "/") == 0);
	path_put(&p);
}

/*
 * Hart 0 renames a file over another and back, so that "/d/a" and "/d/b" are never both missing
 * and "/d/b" never is; the others walk. Hart 1 moves a directory that lies on the way of a third
 * path, under both of its names.
 */
static void race_rename(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		if (cpu_id() == 0) {
			CHECK(touch("/d/a") == 0);
			CHECK(fs_rename(ctx, NULL, "/d/a", NULL, "/d/b", 0) == 0);
		} else if (cpu_id() == 1) {
			CHECK(fs_rename(ctx, NULL, "/x/m", NULL, "/y/m", 0) == 0);
			CHECK(fs_rename(ctx, NULL, "/y/m", NULL, "/x/m", 0) == 0);
		} else {
			int x = look("/x/m/f"), y = look("/y/m/f");

			CHECK(look("/d/b") == 0);
			CHECK(x == 0 || x == -ENOENT);
			CHECK(y == 0 || y == -ENOENT);
			CHECK(look("/x/m/../../d/b") != -ENOTDIR);
		}
		host_user_mode();
	}
}

TEST(walk_races_rename)
{
	start(4);
	fs_mkdir(ctx, NULL, "/d", 0755);
	fs_mkdir(ctx, NULL, "/x", 0755);
	fs_mkdir(ctx, NULL, "/y", 0755);
	fs_mkdir(ctx, NULL, "/x/m", 0755);
	CHECK(touch("/x/m/f") == 0 && touch("/d/b") == 0);
	host_cpus_run(race_rename, NULL);
	host_cpu_become(0);
	CHECK(look("/x/m/f") == 0 && look("/d/b") == 0 && look("/d/a") == -ENOENT);
}

/* All harts create and remove the same names, and directories that others try to fill. */
static void race_create(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		int err;

		switch ((cpu_id() + (u32)i) % 4) {
		case 0:
			err = fs_mkdir(ctx, NULL, "/r", 0755);
			CHECK(err == 0 || err == -EEXIST);
			break;
		case 1:
			err = touch("/r/f");
			CHECK(err == 0 || err == -ENOENT);
			break;
		case 2:
			err = fs_unlink(ctx, NULL, "/r/f");
			CHECK(err == 0 || err == -ENOENT);
			break;
		default:
			err = fs_rmdir(ctx, NULL, "/r");
			CHECK(err == 0 || err == -ENOENT || err == -ENOTEMPTY);
		}
		host_user_mode();
	}
}

TEST(create_races_remove)
{
	struct dentry *root;
	u32 refs;

	start(4);
	root = mount_root->root;
	refs = root->refs;
	host_cpus_run(race_create, NULL);
	host_cpu_become(0);
	fs_unlink(ctx, NULL, "/r/f");
	fs_rmdir(ctx, NULL, "/r");
	CHECK(root->refs == refs && root->inode->nr_children == 0);
}
