/*
 * Path walks. One walk runs inside one epoch section: it borrows every dentry on its way and
 * takes a reference on the result only; if the result is dying at that moment (count zero) the
 * walk starts again, and finds it gone.
 *
 * Symlinks need no recursion: the rest of the path is a stack of strings, one for each link that
 * is not yet used up; the strings are the links' own text, which the epoch keeps. A dentry that
 * was made on demand (procfs) belongs to nobody but the walk, which holds the reference of the
 * last such one in `held`; that one keeps its parents.
 *
 * The restrictions of openat2(2) are tested on the way; that the result lies below the start is tested
 * once more at the end, as a directory may have been moved meanwhile.
 *
 * Cost: per component one hash and one chain, no atomics; one atomic increment at the end.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/sync/atomic.h"

#define WALK_MAX_LINKS 40U

#define WALK_SCOPED (WALK_BENEATH | WALK_IN_ROOT)

/* Internal flags, beside those of fs.h. */
#define WALK_STOP_AT_LAST BIT(8) /* find the parent, do not look the last name up */
#define WALK_MAY_MISS	  BIT(9) /* the last name may be missing */

struct walk {
	u32 flags;
	struct path root;
	struct path at; /* borrowed: where the walk has come to */
	/* Reference on the newest dentry made on demand (no mount), or on what a link led to. */
	struct path held;
	struct file *file; /* what a link to an open file led through; put after the walk */
	const char *rest[WALK_MAX_LINKS + 1];
	u32 depth;    /* rest[depth] is being used */
	u32 links;    /* symlinks followed */
	bool stopped; /* `at` is the parent, last_* tell the name */
	bool slash;   /* the last component is followed by slashes: it must be a directory */
	enum walk_last kind;
	const char *last;
	size_t last_len;
	char text[32]; /* text of a symlink made on demand (/proc/self) */
};

static const char *skip_slashes(const char *p)
{
	while (*p == '/')
		p++;
	return p;
}

static size_t component_len(const char *p)
{
	size_t len = 0;

	while (p[len] && p[len] != '/')
		len++;
	return len;
}

/* True if nothing but slashes is left; notes whether there are any. */
static bool walk_is_last(struct walk *w)
{
	bool slash = false;

	for (u32 i = 0; i <= w->depth; i++) {
		if (*skip_slashes(w->rest[i]))
			return false;
		slash |= *w->rest[i] != '\0';
	}
	w->slash = slash;
	return true;
}

static bool path_equal(const struct path *a, const struct path *b)
{
	return a->mnt == b->mnt && a->dentry == b->dentry;
}

/* The walk has come from `mnt`. */
static int walk_check_mount(const struct walk *w, const struct mount *mnt)
{
	return w->flags & WALK_NO_XDEV && w->at.mnt != mnt ? -EXDEV : 0;
}

static int walk_up(struct walk *w)
{
	const struct mount *mnt = w->at.mnt;

	if (path_equal(&w->at, &w->root))
		return w->flags & WALK_BENEATH ? -EXDEV : 0;
	while (w->at.dentry == w->at.mnt->root && w->at.mnt->parent) {
		w->at = (struct path){w->at.mnt->parent, w->at.mnt->mountpoint};
		if (path_equal(&w->at, &w->root))
			return walk_check_mount(w, mnt);
	}
	w->at.dentry = dentry_parent(w->at.dentry);
	mount_cross(&w->at);
	return walk_check_mount(w, mnt);
}

/* Is the result the root of the walk, or below it? */
static bool walk_is_inside(const struct walk *w)
{
	struct path p = w->at;

	while (!path_equal(&p, &w->root)) {
		if (p.dentry != p.mnt->root)
			p.dentry = dentry_parent(p.dentry);
		else if (p.mnt->parent)
			p = (struct path){p.mnt->parent, p.mnt->mountpoint};
		else
			return false;
	}
	return true;
}

/* From now on `held` keeps what the walk has made. */
static void walk_hold(struct walk *w, struct path p)
{
	if (w->held.mnt)
		path_put(&w->held);
	else if (w->held.dentry)
		dentry_put(w->held.dentry);
	w->held = p;
}

/* Goes on with the text of a symlink found in w->at. */
static int walk_text(struct walk *w, const char *text)
{
	if (*text == '\0')
		return -ENOENT;
	if (*text == '/') {
		const struct mount *mnt = w->at.mnt;
		int err;

		if (w->flags & WALK_BENEATH)
			return -EXDEV;
		w->at = w->root;
		err = walk_check_mount(w, mnt);
		if (err)
			return err;
	}
	/* A used-up string needs no place: links at the end of links do not pile up. */
	if (w->rest[w->depth][0] != '\0')
		w->depth++;
	w->rest[w->depth] = text;
	return 0;
}

static int walk_symlink(struct walk *w, struct dentry *link)
{
	const struct inode_ops *ops = link->inode->ops;
	const struct mount *mnt = w->at.mnt;
	long len;
	int err;

	if (++w->links > WALK_MAX_LINKS || w->flags & WALK_NO_LINKS)
		return -ELOOP;
	if (link->inode->link)
		return walk_text(w, link->inode->link);
	if (ops->follow) {
		if (w->flags & WALK_NO_MAGIC)
			return -ELOOP;
		if (w->flags & WALK_SCOPED)
			return -EXDEV;
		/* Through one open file at most: a second would have to be put here, and that may sleep. */
		err = w->file ? -ELOOP : ops->follow(link, &w->at, &w->file);
		if (!err)
			walk_hold(w, w->at);
		return err ? err : walk_check_mount(w, mnt);
	}
	len = ops->readlink(link, w->text, sizeof(w->text) - 1);
	if (len < 0)
		return (int)len;
	w->text[len] = '\0';
	return walk_text(w, w->text);
}

/* The child, borrowed; NULL if there is none; or an error. */
static struct dentry *walk_child(struct walk *w, const char *name, size_t len)
{
	struct dentry *dir = w->at.dentry;
	struct dentry *child = dentry_find(dir, name, len);

	if (child || !dir->inode->ops || !dir->inode->ops->lookup)
		return child;
	child = dir->inode->ops->lookup(dir, name, len);
	if (is_err(child))
		return ptr_err(child) == -ENOENT ? NULL : child;
	walk_hold(w, (struct path){NULL, child});
	return child;
}

static enum walk_last component_kind(const char *name, size_t len)
{
	if (name[0] == '.' && len == 1)
		return WALK_LAST_DOT;
	if (name[0] == '.' && name[1] == '.' && len == 2)
		return WALK_LAST_DOTDOT;
	return WALK_LAST_NAME;
}

static int walk_stop(struct walk *w, const char *name, size_t len, enum walk_last kind)
{
	w->stopped = true;
	w->kind = kind;
	w->last = name;
	w->last_len = len;
	return 0;
}

static int walk_component(struct walk *w, const char *name, size_t len)
{
	enum walk_last kind = component_kind(name, len);
	bool last = walk_is_last(w);
	const struct mount *mnt = w->at.mnt;
	struct dentry *child;
	int err;

	if (!S_ISDIR(w->at.dentry->inode->mode))
		return -ENOTDIR;
	err = fs_permission(w->at.dentry->inode, MAY_EXEC);
	if (err)
		return err;
	if (len > FS_NAME_MAX)
		return -ENAMETOOLONG;
	if (last && (w->flags & WALK_STOP_AT_LAST))
		return walk_stop(w, name, len, kind);
	if (kind == WALK_LAST_DOTDOT)
		return walk_up(w);
	if (kind != WALK_LAST_NAME)
		return 0;
	child = walk_child(w, name, len);
	if (is_err(child))
		return (int)ptr_err(child);
	if (!child) {
		if (last && (w->flags & WALK_MAY_MISS))
			return walk_stop(w, name, len, kind);
		return -ENOENT;
	}
	if (S_ISLNK(child->inode->mode) && (!last || w->slash || (w->flags & WALK_FOLLOW)))
		return walk_symlink(w, child);
	w->at.dentry = child;
	mount_cross(&w->at);
	return walk_check_mount(w, mnt);
}

static int walk_run(struct walk *w)
{
	while (!w->stopped) {
		const char *name = skip_slashes(w->rest[w->depth]);
		size_t len;
		int err;

		if (*name == '\0') {
			if (w->depth == 0)
				break;
			w->depth--;
			continue;
		}
		len = component_len(name);
		w->rest[w->depth] = name + len;
		err = walk_component(w, name, len);
		if (err)
			return err;
	}
	if (!w->stopped && (w->slash || (w->flags & WALK_DIRECTORY)) &&
	    !S_ISDIR(w->at.dentry->inode->mode))
		return -ENOTDIR;
	return 0;
}

/* Under the epoch. */
static int walk_start(struct walk *w, struct fs_context *ctx, const struct path *at,
		      const char *name, u32 flags)
{
	int err;

	memset(w, 0, offsetof(struct walk, rest));
	w->depth = 0;
	w->links = 0;
	w->stopped = false;
	w->slash = false;
	w->kind = WALK_LAST_NONE;
	w->last_len = 0;
	w->flags = flags;
	w->root = atomic_load_acquire(&ctx->root)->path;
	w->at = at ? *at : atomic_load_acquire(&ctx->cwd)->path;
	if (*name == '\0' && !(flags & WALK_EMPTY))
		return -ENOENT;
	if (flags & WALK_SCOPED)
		w->root = w->at;
	if (*name == '/' && flags & WALK_BENEATH)
		return -EXDEV;
	if (*name == '/')
		w->at = w->root;
	w->rest[0] = name;
	err = walk_run(w);
	return !err && flags & WALK_SCOPED && !walk_is_inside(w) ? -EXDEV : err;
}

/* Copies the result out with a reference. -ESTALE: it was dying, walk again. */
static int walk_result(const struct walk *w, struct path *out, struct walk_parent *parent)
{
	if (!dentry_get_unless_zero(w->at.dentry))
		return -ESTALE;
	mount_get(w->at.mnt);
	if (!w->stopped && out) {
		*out = w->at;
		return 0;
	}
	if (out)
		*out = (struct path){NULL, NULL};
	parent->dir = w->at;
	parent->kind = w->kind;
	parent->slash = w->slash;
	parent->len = (u32)w->last_len;
	memcpy(parent->name, w->last, w->last_len);
	parent->name[w->last_len] = '\0';
	return 0;
}

static int walk(struct fs_context *ctx, const struct path *at, const char *name, u32 flags,
		struct path *out, struct walk_parent *parent)
{
	struct walk w;
	int err;

	do {
		epoch_enter();
		err = walk_start(&w, ctx, at, name, flags);
		if (!err)
			err = walk_result(&w, out, parent);
		epoch_exit();
		walk_hold(&w, (struct path){NULL, NULL});
		if (w.file)
			file_put(w.file);
	} while (err == -ESTALE);
	return err;
}

int fs_lookup(struct fs_context *ctx, const struct path *at, const char *name, u32 flags,
	      struct path *out)
{
	return walk(ctx, at, name, flags, out, NULL);
}

int walk_to_parent(struct fs_context *ctx, const struct path *at, const char *name,
		   struct walk_parent *out)
{
	return walk(ctx, at, name, WALK_STOP_AT_LAST, NULL, out);
}

int walk_or_parent(struct fs_context *ctx, const struct path *at, const char *name, u32 flags,
		   struct path *out, struct walk_parent *parent)
{
	return walk(ctx, at, name, flags | WALK_MAY_MISS, out, parent);
}
