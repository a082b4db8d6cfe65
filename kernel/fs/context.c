/*
 * A task's view of the tree. Root and working directory are objects replaced as a whole: a walk
 * reads one pointer under the epoch and takes no reference; the old object's dentry keeps its
 * memory until the walks that saw it are over.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/refcount.h"

LOCK_CLASS(fs_context, RANK_FDTABLE);

static struct fs_location *location_alloc(const struct path *p)
{
	struct fs_location *loc = kmalloc(sizeof(*loc));

	if (!loc)
		return NULL;
	path_get(p);
	loc->path = *p;
	return loc;
}

static void location_free(struct epoch_node *node)
{
	kfree(container_of(node, struct fs_location, free_node));
}

static void location_drop(struct fs_location *loc)
{
	path_put(&loc->path);
	epoch_defer(&loc->free_node, location_free);
}

/* A copy of *slot with its own references. */
static struct fs_location *location_copy(struct fs_context *ctx, struct fs_location **slot)
{
	struct fs_location *copy = kmalloc(sizeof(*copy));

	if (!copy)
		return NULL;
	spin_lock(&ctx->lock);
	copy->path = (*slot)->path;
	path_get(&copy->path);
	spin_unlock(&ctx->lock);
	return copy;
}

struct fs_context *fs_context_create(void)
{
	struct fs_context *ctx = kzalloc(sizeof(*ctx));
	struct path root = {mount_root, mount_root->root};

	if (!ctx)
		return NULL;
	ctx->root = location_alloc(&root);
	ctx->cwd = location_alloc(&root);
	ctx->umask = 022;
	ctx->refs = 1;
	spin_init(&ctx->lock, &fs_context_class);
	if (ctx->root && ctx->cwd)
		return ctx;
	fs_context_put(ctx);
	return NULL;
}

struct fs_context *fs_context_copy(struct fs_context *from)
{
	struct fs_context *ctx = kzalloc(sizeof(*ctx));

	if (!ctx)
		return NULL;
	ctx->root = location_copy(from, &from->root);
	ctx->cwd = location_copy(from, &from->cwd);
	ctx->umask = atomic_load_relaxed(&from->umask);
	ctx->refs = 1;
	spin_init(&ctx->lock, &fs_context_class);
	if (ctx->root && ctx->cwd)
		return ctx;
	fs_context_put(ctx);
	return NULL;
}

void fs_context_get(struct fs_context *ctx)
{
	refcount_get(&ctx->refs);
}

static void context_free(struct epoch_node *node)
{
	kfree(container_of(node, struct fs_context, free_node));
}

void fs_context_put(struct fs_context *ctx)
{
	struct fs_location *root, *cwd;

	if (!refcount_put(&ctx->refs))
		return;
	spin_lock(&ctx->lock);
	root = ctx->root;
	cwd = ctx->cwd;
	ctx->root = NULL;
	ctx->cwd = NULL;
	spin_unlock(&ctx->lock);
	if (root)
		location_drop(root);
	if (cwd)
		location_drop(cwd);
	epoch_defer(&ctx->free_node, context_free);
}

static int location_set(struct fs_context *ctx, struct fs_location **slot, const struct path *dir)
{
	struct fs_location *new, *old;

	if (!S_ISDIR(dir->dentry->inode->mode))
		return -ENOTDIR;
	new = location_alloc(dir);
	if (!new)
		return -ENOMEM;
	spin_lock(&ctx->lock);
	old = *slot;
	/* Pairs with the acquire loads in walk_start(). */
	atomic_store_release(slot, new);
	spin_unlock(&ctx->lock);
	location_drop(old);
	return 0;
}

int fs_set_cwd(struct fs_context *ctx, const struct path *dir)
{
	return location_set(ctx, &ctx->cwd, dir);
}

int fs_set_root(struct fs_context *ctx, const struct path *dir)
{
	return location_set(ctx, &ctx->root, dir);
}

struct path fs_cwd(struct fs_context *ctx)
{
	struct path p;

	spin_lock(&ctx->lock);
	p = ctx->cwd->path;
	path_get(&p);
	spin_unlock(&ctx->lock);
	return p;
}

bool fs_context_peek(struct fs_context *ctx, bool root, struct path *out)
{
	struct fs_location *loc;

	spin_lock(&ctx->lock);
	loc = root ? ctx->root : ctx->cwd;
	if (loc) {
		*out = loc->path;
		path_get(out);
	}
	spin_unlock(&ctx->lock);
	return loc != NULL;
}

/* Puts `text` in front of *at, if there is room. */
static bool prepend(char **at, const char *start, const char *text, size_t len)
{
	if ((size_t)(*at - start) < len)
		return false;
	*at -= len;
	memcpy(*at, text, len);
	return true;
}

/* Under the epoch: names from `p` up to the context's root. False: buffer too small. */
static bool path_text_walk(struct fs_context *ctx, struct path p, char *start, char **at)
{
	struct path root = atomic_load_acquire(&ctx->root)->path;
	char *end = *at;

	while (p.mnt != root.mnt || p.dentry != root.dentry) {
		const struct dentry_key *key;

		if (p.dentry == p.mnt->root) {
			if (!p.mnt->parent)
				return prepend(at, start, "(unreachable)", 13);
			p = (struct path){p.mnt->parent, p.mnt->mountpoint};
			continue;
		}
		key = atomic_load_acquire(&p.dentry->key);
		if (!prepend(at, start, key->text, key->len) || !prepend(at, start, "/", 1))
			return false;
		p.dentry = key->parent;
	}
	return *at != end || prepend(at, start, "/", 1);
}

char *fs_path_text(struct fs_context *ctx, const struct path *p, char *buf, size_t size)
{
	char *at = buf + size - 1;
	bool fits;

	*at = '\0';
	epoch_enter();
	if (p->dentry->flags & DENTRY_NAMELESS)
		fits = prepend(&at, buf, p->dentry->key->text, p->dentry->key->len);
	else
		fits = path_text_walk(ctx, *p, buf, &at);
	epoch_exit();
	return fits ? at : err_ptr(-ENAMETOOLONG);
}

char *fs_dentry_text(struct dentry *root, struct dentry *d, char *buf, size_t size)
{
	char *at = buf + size - 1, *end = at;
	bool fits = true;

	*at = '\0';
	epoch_enter();
	while (d != root && fits) {
		const struct dentry_key *key = atomic_load_acquire(&d->key);

		fits = prepend(&at, buf, key->text, key->len) && prepend(&at, buf, "/", 1);
		d = key->parent;
	}
	epoch_exit();
	if (at == end)
		prepend(&at, buf, "/", 1);
	return at;
}
