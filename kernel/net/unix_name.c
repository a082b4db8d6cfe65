/*
 * Names of AF_UNIX sockets: in the file system, where the inode leads to the socket, and abstract
 * ones, in a table of our own. Both ways are guarded by one lock, which bind, connect and close
 * take for a few instructions.
 */
#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/net/unix.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"

#define BUCKETS	   256U
#define FAMILY_LEN ((u32)sizeof(u16))

LOCK_CLASS(unix_names, RANK_UNIX_NAMES);

static struct spinlock names = SPINLOCK_INIT(unix_names_class);
static struct list buckets[BUCKETS]; /* [L:names] of unix_sock.names; next NULL: empty */

static struct list *bucket_of(u32 hash)
{
	struct list *b = &buckets[hash % BUCKETS];

	if (!b->next)
		list_init(b);
	return b;
}

int unix_name_check(const struct sock_name *name)
{
	if (name->len <= FAMILY_LEN || name->len > sizeof(struct abi_sockaddr_un))
		return -EINVAL;
	return name->family == AF_UNIX ? 0 : -EINVAL;
}

/* The path as text; the program need not have ended it. */
static void path_text(const struct sock_name *name, char text[UNIX_PATH_MAX + 1])
{
	u32 len = name->len - FAMILY_LEN;

	memcpy(text, name->bytes + FAMILY_LEN, len);
	text[len] = '\0';
}

static bool is_abstract(const struct sock_name *name)
{
	return name->bytes[FAMILY_LEN] == '\0';
}

static u32 name_hash(const struct sock_name *name, int type)
{
	u32 h = 2166136261U ^ (u32)type;

	for (u32 i = FAMILY_LEN; i < name->len; i++)
		h = (h ^ name->bytes[i]) * 16777619U;
	return h;
}

static struct unix_name *name_make(const struct sock_name *name, int type)
{
	struct unix_name *n = kzalloc(sizeof(*n));

	if (!n)
		return NULL;
	n->name.len = name->len;
	memcpy(n->name.bytes, name->bytes, name->len);
	n->hash = name_hash(name, type);
	return n;
}

/* Context: names locked. */
static struct unix_sock *abstract_find(const struct sock_name *name, int type)
{
	u32 hash = name_hash(name, type);
	struct unix_sock *u;

	list_for_each(u, bucket_of(hash), names)
		if (u->name->hash == hash && u->name->name.len == name->len && u->s.type == type &&
		    !memcmp(u->name->name.bytes, name->bytes, name->len))
			return u;
	return NULL;
}

static int bind_abstract(struct unix_sock *u, struct unix_name *n)
{
	int err = 0;

	spin_lock(&names);
	if (abstract_find(&n->name, u->s.type)) {
		err = -EADDRINUSE;
	} else {
		atomic_store_release(&u->name, n);
		list_add(bucket_of(n->hash), &u->names);
	}
	spin_unlock(&names);
	return err;
}

/* Linux's default: five hexadecimal digits of the abstract space. */
int unix_autobind(struct unix_sock *u)
{
	static u32 next; /* [a] */
	struct sock_name name = {.len = FAMILY_LEN + 6};
	struct unix_name *n;
	char digits[8];
	int err = -EADDRINUSE;

	mutex_lock(&u->s.lock);
	if (u->name) {
		mutex_unlock(&u->s.lock);
		return 0;
	}
	name.family = AF_UNIX;
	for (u32 tries = 0; err == -EADDRINUSE && tries <= 0xfffff; tries++) {
		snprintf(digits, sizeof(digits), "%05x",
			 atomic_fetch_add_relaxed(&next, 1) & 0xfffff);
		memcpy(name.bytes + FAMILY_LEN + 1, digits, 5);
		n = name_make(&name, u->s.type);
		err = n ? bind_abstract(u, n) : -ENOMEM;
		if (err)
			kfree(n);
	}
	mutex_unlock(&u->s.lock);
	return err;
}

/* The name is stored with its final NUL, as Linux reports it. */
static int bind_path(struct unix_sock *u, const struct sock_name *name)
{
	char text[UNIX_PATH_MAX + 1];
	struct sock_name whole = *name;
	struct unix_name *n;
	int err;

	path_text(name, text);
	whole.len = FAMILY_LEN + (u32)strlen(text) + 1;
	memcpy(whole.bytes + FAMILY_LEN, text, whole.len - FAMILY_LEN);
	n = name_make(&whole, u->s.type);
	if (!n)
		return -ENOMEM;
	err = fs_socket_bind(task_current()->fs, text, 0777, u, &u->path);
	if (err) {
		kfree(n);
		return err;
	}
	atomic_store_release(&u->name, n);
	return 0;
}

/* What a socket that has a name already hears of another one. Linux looks at the path first. */
static int bind_again(const struct sock_name *name)
{
	char text[UNIX_PATH_MAX + 1];
	struct path p;
	int err;

	if (is_abstract(name))
		return -EINVAL;
	path_text(name, text);
	err = fs_socket_find(task_current()->fs, text, &p);
	if (!err)
		path_put(&p);
	return err == -ENOENT ? -EINVAL : -EADDRINUSE;
}

int unix_bind(struct socket *s, const struct sock_name *name)
{
	struct unix_sock *u = unix_of(s);
	struct unix_name *n = NULL;
	int err;

	if (name->len == FAMILY_LEN && name->family == AF_UNIX)
		return unix_autobind(u);
	err = unix_name_check(name);
	if (err)
		return err;
	mutex_lock(&s->lock);
	if (u->name) {
		err = bind_again(name);
	} else if (is_abstract(name)) {
		n = name_make(name, s->type);
		err = n ? bind_abstract(u, n) : -ENOMEM;
		if (err)
			kfree(n);
	} else {
		err = bind_path(u, name);
	}
	mutex_unlock(&s->lock);
	return err;
}

static struct unix_sock *find_path(const struct sock_name *name)
{
	char text[UNIX_PATH_MAX + 1];
	struct unix_sock *u;
	struct path p;
	int err;

	path_text(name, text);
	err = fs_socket_find(task_current()->fs, text, &p);
	if (err)
		return err_ptr(err);
	spin_lock(&names);
	u = p.dentry->inode->data;
	if (u)
		socket_get(&u->s);
	spin_unlock(&names);
	path_put(&p);
	return u ? u : err_ptr(-ECONNREFUSED);
}

struct unix_sock *unix_find(const struct sock_name *name, int type)
{
	struct unix_sock *u;

	if (is_abstract(name)) {
		spin_lock(&names);
		u = abstract_find(name, type);
		if (u)
			socket_get(&u->s);
		spin_unlock(&names);
		return u ? u : err_ptr(-ECONNREFUSED);
	}
	u = find_path(name);
	if (is_err(u) || u->s.type == type)
		return u;
	socket_put(&u->s);
	return err_ptr(-EPROTOTYPE);
}

void unix_name_drop(struct unix_sock *u)
{
	spin_lock(&names);
	list_del(&u->names);
	if (u->path.dentry)
		u->path.dentry->inode->data = NULL;
	spin_unlock(&names);
	if (u->path.dentry)
		path_put(&u->path);
	u->path.dentry = NULL;
}

int unix_getname(struct socket *s, struct sock_name *out, bool peer)
{
	struct unix_sock *u = unix_of(s), *p = NULL;
	const struct unix_name *n;

	if (peer) {
		p = unix_peer_get(u);
		if (!p)
			return -ENOTCONN;
		u = p;
	}
	n = atomic_load_acquire(&u->name);
	out->len = n ? n->name.len : FAMILY_LEN;
	out->family = AF_UNIX;
	if (n)
		memcpy(out->bytes, n->name.bytes, n->name.len);
	if (p)
		socket_put(&p->s);
	return 0;
}
