/*
 * POSIX access control lists as extended attributes of a tmpfs.
 */
#include "tests/syscall/harness.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#define DIR	"/tmp/acl"
#define ACCESS	"system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 0x10, OTHER = 0x20 };

struct entry {
	unsigned short tag, perm;
	unsigned id;
};

struct list {
	unsigned version;
	struct entry entry[8];
};

#define LIST_SIZE(nr) (4 + (nr) * sizeof(struct entry))
#define NO_ID	      (~0U)

static const struct list four = {
	2,
	{{USER_OBJ, 6, NO_ID},
	 {USER, 7, 4000},
	 {GROUP_OBJ, 4, NO_ID},
	 {MASK, 5, NO_ID},
	 {OTHER, 0, NO_ID}},
};
#define FOUR_SIZE LIST_SIZE(5)

static unsigned mode_of(const char *path)
{
	struct stat st;

	CHECK_EQ(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void enter(void)
{
	mkdir(DIR, 0755);
	CHECK_EQ(mount("acl", DIR, "tmpfs", 0, "mode=755"), 0);
	CHECK_EQ(chdir(DIR), 0);
	umask(022);
}

static void leave(void)
{
	CHECK_EQ(chdir("/"), 0);
	CHECK_EQ(umount(DIR), 0);
	rmdir(DIR);
}

static void make_file(const char *path, unsigned mode)
{
	CHECK_EQ(close(open(path, O_CREAT | O_EXCL | O_RDWR, mode)), 0);
}

TEST(a_list_is_kept_and_shows_in_the_mode)
{
	struct list got = {0};
	char names[256];

	enter();
	make_file("f", 0640);
	CHECK_EQ(getxattr("f", ACCESS, NULL, 0), -1);
	CHECK_EQ(errno, ENODATA);
	CHECK_EQ(setxattr("f", ACCESS, &four, FOUR_SIZE, 0), 0);
	CHECK_EQ(getxattr("f", ACCESS, NULL, 0), FOUR_SIZE);
	CHECK_EQ(getxattr("f", ACCESS, &got, sizeof(got)), FOUR_SIZE);
	CHECK_EQ(memcmp(&got, &four, FOUR_SIZE), 0);
	CHECK_EQ(getxattr("f", ACCESS, &got, 10), -1);
	CHECK_EQ(errno, ERANGE);
	/* The group bits of the mode are the mask. */
	CHECK_EQ(mode_of("f"), 0650);
	CHECK_EQ(chmod("f", 0741), 0);
	CHECK_EQ(getxattr("f", ACCESS, &got, sizeof(got)), FOUR_SIZE);
	CHECK_EQ(got.entry[0].perm, 7);
	CHECK_EQ(got.entry[1].perm, 7);
	CHECK_EQ(got.entry[2].perm, 4);
	CHECK_EQ(got.entry[3].perm, 4);
	CHECK_EQ(got.entry[4].perm, 1);
	CHECK_EQ(setxattr("f", "user.k", "v", 1, 0), 0);
	CHECK_EQ(listxattr("f", names, sizeof(names)), sizeof(ACCESS) + sizeof("user.k"));
	CHECK_EQ(strcmp(names, ACCESS), 0);
	CHECK_EQ(listxattr("f", NULL, 0), sizeof(ACCESS) + sizeof("user.k"));
	CHECK_EQ(removexattr("f", ACCESS), 0);
	CHECK_EQ(removexattr("f", ACCESS), 0);
	CHECK_EQ(getxattr("f", ACCESS, NULL, 0), -1);
	CHECK_EQ(mode_of("f"), 0741);
	leave();
}

TEST(a_list_that_says_what_the_mode_can_say_is_none)
{
	static const struct list three = {
		2, {{USER_OBJ, 7, NO_ID}, {GROUP_OBJ, 5, NO_ID}, {OTHER, 4, NO_ID}}};

	enter();
	make_file("f", 0600);
	CHECK_EQ(setxattr("f", ACCESS, &three, LIST_SIZE(3), 0), 0);
	CHECK_EQ(mode_of("f"), 0754);
	CHECK_EQ(getxattr("f", ACCESS, NULL, 0), -1);
	CHECK_EQ(errno, ENODATA);
	CHECK_EQ(setxattr("f", ACCESS, &four, FOUR_SIZE, 0), 0);
	CHECK_EQ(setxattr("f", ACCESS, NULL, 0, 0), 0);
	CHECK_EQ(getxattr("f", ACCESS, NULL, 0), -1);
	leave();
}

TEST(directories_hand_their_default_down)
{
	struct list got = {0};

	enter();
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(setxattr("d", DEFAULT, &four, FOUR_SIZE, 0), 0);
	CHECK_EQ(mode_of("d"), 0755);
	CHECK_EQ(getxattr("d", ACCESS, NULL, 0), -1);
	umask(077);
	make_file("d/f", 0666);
	CHECK_EQ(mkdir("d/sub", 0777), 0);
	CHECK_EQ(symlink("nowhere", "d/link"), 0);
	umask(022);
	/* The umask does not count, the mode that was asked for does. */
	CHECK_EQ(mode_of("d/f"), 0640);
	CHECK_EQ(getxattr("d/f", ACCESS, &got, sizeof(got)), FOUR_SIZE);
	CHECK_EQ(got.entry[1].perm, 7);
	CHECK_EQ(got.entry[3].perm, 4);
	CHECK_EQ(getxattr("d/f", DEFAULT, NULL, 0), -1);
	CHECK_EQ(errno, ENODATA);
	CHECK_EQ(mode_of("d/sub"), 0650);
	CHECK_EQ(getxattr("d/sub", DEFAULT, &got, sizeof(got)), FOUR_SIZE);
	CHECK_EQ(memcmp(&got, &four, FOUR_SIZE), 0);
	CHECK_EQ(lgetxattr("d/link", ACCESS, NULL, 0), -1);
	CHECK_EQ(errno, EOPNOTSUPP);
	CHECK_EQ(removexattr("d", DEFAULT), 0);
	make_file("d/g", 0666);
	CHECK_EQ(mode_of("d/g"), 0644);
	leave();
}

static unsigned tried_uid, tried_gid;

/* What the user may do with the file: a mode's three bits. */
static int rights(void)
{
	CHECK_EQ(setresgid(tried_gid, tried_gid, tried_gid), 0);
	CHECK_EQ(setresuid(tried_uid, tried_uid, tried_uid), 0);
	return (access(DIR "/f", R_OK) == 0) * 4 + (access(DIR "/f", W_OK) == 0) * 2 +
	       (access(DIR "/f", X_OK) == 0);
}

static void check_rights(unsigned uid, unsigned gid, int wanted)
{
	tried_uid = uid;
	tried_gid = gid;
	CHECK_EQ(WEXITSTATUS(child_status(rights)), wanted);
}

TEST(lists_decide_who_may)
{
	static const struct list list = {
		2,
		{{USER_OBJ, 4, NO_ID},
		 {USER, 7, 4000},
		 {GROUP_OBJ, 4, NO_ID},
		 {GROUP, 2, 5000},
		 {GROUP, 5, 5001},
		 {MASK, 6, NO_ID},
		 {OTHER, 1, NO_ID}},
	};

	enter();
	make_file("f", 0600);
	CHECK_EQ(chown("f", 3000, 3001), 0);
	CHECK_EQ(setxattr("f", ACCESS, &list, LIST_SIZE(7), 0), 0);
	check_rights(3000, 5000, 4);
	check_rights(4000, 5000, 6); /* 7 within the mask */
	check_rights(6000, 3001, 4);
	check_rights(6000, 5000, 2);
	check_rights(6000, 5001, 4);
	check_rights(6000, 6000, 1);
	/* Without group bits Linux looks at the mode alone. */
	CHECK_EQ(chmod("f", 0401), 0);
	check_rights(4000, 5000, 1);
	check_rights(6000, 3001, 0);
	leave();
}

static int not_the_owner(void)
{
	CHECK_EQ(setresuid(4000, 4000, 4000), 0);
	CHECK_EQ(setxattr(DIR "/f", ACCESS, &four, FOUR_SIZE, 0), -1);
	CHECK_EQ(errno, EPERM);
	CHECK_EQ(removexattr(DIR "/f", ACCESS), -1);
	CHECK_EQ(errno, EPERM);
	CHECK_EQ(getxattr(DIR "/f", ACCESS, NULL, 0), FOUR_SIZE);
	return 0;
}

static int try_list(const struct entry *entries, unsigned nr, unsigned version, size_t extra)
{
	struct list l = {.version = version};

	memcpy(l.entry, entries, nr * sizeof(*entries));
	return setxattr("f", ACCESS, &l, LIST_SIZE(nr) + extra, 0) ? errno : 0;
}

TEST(bad_lists)
{
	const struct entry user = {USER_OBJ, 6, NO_ID}, group = {GROUP_OBJ, 4, NO_ID},
			   other = {OTHER, 0, NO_ID}, mask = {MASK, 7, NO_ID},
			   named = {USER, 7, 4000};

	enter();
	make_file("f", 0600);
	CHECK_EQ(try_list((struct entry[]){user, group, other}, 3, 1, 0), EOPNOTSUPP);
	CHECK_EQ(try_list((struct entry[]){user, group, other}, 3, 2, 3), EINVAL);
	CHECK_EQ(try_list((struct entry[]){user, group}, 2, 2, 0), EINVAL);
	CHECK_EQ(try_list((struct entry[]){group, user, other}, 3, 2, 0), EINVAL);
	CHECK_EQ(try_list((struct entry[]){user, named, group, other}, 4, 2, 0), EINVAL);
	CHECK_EQ(try_list((struct entry[]){user, user, group, other}, 4, 2, 0), EINVAL);
	CHECK_EQ(try_list((struct entry[]){user, {USER, 9, 4000}, group, mask, other}, 5, 2, 0),
		 EINVAL);
	CHECK_EQ(try_list((struct entry[]){user, {USER, 7, NO_ID}, group, mask, other}, 5, 2, 0),
		 EINVAL);
	CHECK_EQ(try_list((struct entry[]){{3, 6, NO_ID}, group, other}, 3, 2, 0), EINVAL);
	CHECK_EQ(try_list((struct entry[]){user, group, mask, other}, 4, 2, 0), 0);
	CHECK_EQ(try_list(NULL, 0, 2, 0), 0);
	CHECK_EQ(setxattr("f", DEFAULT, &four, FOUR_SIZE, 0), -1);
	CHECK_EQ(errno, EACCES);
	CHECK_EQ(setxattr("f", ACCESS, &four, FOUR_SIZE, 0), 0);
	CHECK_EQ(child_status(not_the_owner), 0);
	leave();
}
