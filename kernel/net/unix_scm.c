/*
 * Descriptors and credentials that travel in messages. What becomes of sockets that travel, and are never received: unix_gc.c.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/system.h"
#include "kernel/mm/mm.h"
#include "kernel/net/unix.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/cred.h"
#include "kernel/task/task.h"
#include "kernel/task/user.h"

#define ID_OVERFLOW 65534U

/* ---- sending ---- */

struct abi_ucred unix_current_cred(void)
{
	const struct cred *c = cred_current();

	return (struct abi_ucred){process_pid(process_current()), c->euid, c->egid};
}

static struct unix_scm *scm_alloc(u32 nr_files)
{
	return kzalloc(sizeof(struct unix_scm) + nr_files * sizeof(struct file *));
}

void unix_scm_free_files(struct unix_scm *scm)
{
	if (scm->user) {
		user_uncharge_files(scm->user, scm->nr_files);
		user_put(scm->user);
	}
	for (u32 i = 0; i < scm->nr_files; i++)
		file_put(scm->files[i]);
	kfree(scm);
}

static int take_files(struct unix_scm *scm, const void *data, u64 len)
{
	u64 nr = len / sizeof(s32);
	s32 fd;

	if (scm->nr_files + nr > ABI_SCM_MAX_FD)
		return -EINVAL;
	for (u64 i = 0; i < nr; i++) {
		struct file *f;

		memcpy(&fd, (const u8 *)data + i * sizeof(fd), sizeof(fd));
		f = fd_get(task_current()->files, fd);
		if (!f)
			return -EBADF;
		scm->files[scm->nr_files++] = f;
	}
	return 0;
}

/* May the running task say that it is this? */
static int take_cred(struct unix_scm *scm, const void *data, u64 len)
{
	const struct cred *c = cred_current();
	struct abi_ucred u;

	if (len != sizeof(u))
		return -EINVAL;
	memcpy(&u, data, sizeof(u));
	if (u.pid != process_pid(process_current()) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (u.uid != c->uid && u.uid != c->euid && u.uid != c->suid && !capable(CAP_SETUID))
		return -EPERM;
	if (u.gid != c->gid && u.gid != c->egid && u.gid != c->sgid && !capable(CAP_SETGID))
		return -EPERM;
	scm->cred = u;
	scm->has_cred = true;
	return 0;
}

static int scm_parse(struct unix_scm *scm, const struct cmsg_source *c)
{
	struct abi_cmsghdr head;
	const void *data;
	u64 pos = 0;
	int err;

	while (cmsg_next(c, &pos, &head, &data, &err)) {
		if (head.cmsg_level != SOL_SOCKET)
			continue;
		if (head.cmsg_type == SCM_RIGHTS)
			err = take_files(scm, data, head.cmsg_len);
		else if (head.cmsg_type == SCM_CREDENTIALS)
			err = take_cred(scm, data, head.cmsg_len);
		else
			err = -EINVAL;
		if (err)
			return err;
	}
	return err;
}

/* Who passes more files than it might have open hides them from that limit. */
static int scm_charge(struct unix_scm *scm)
{
	struct user *user = cred_current()->user;
	u64 limit = process_rlimit(process_current(), RLIMIT_NOFILE);

	if (capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN))
		limit = ~0UL;
	if (!user_charge_files(user, scm->nr_files, limit))
		return -ETOOMANYREFS;
	user_get(user);
	scm->user = user;
	return 0;
}

/* Files that the control messages could name at most. */
static u32 files_room(const struct cmsg_source *c)
{
	return c ? (u32)MIN(c->len / sizeof(s32), (u64)ABI_SCM_MAX_FD) : 0;
}

int unix_scm_from(struct unix_sock *from, struct unix_sock *to, struct sock_msg *m,
		  struct unix_scm **out)
{
	bool cred = socket_flag(&from->s, SOCK_F_PASSCRED) || socket_flag(&to->s, SOCK_F_PASSCRED);
	struct unix_scm *scm;
	int err;

	*out = NULL;
	if (likely(!m->control && !cred))
		return 0;
	scm = scm_alloc(files_room(m->control));
	if (!scm)
		return -ENOMEM;
	err = scm_parse(scm, m->control);
	if (!err && scm->nr_files)
		err = scm_charge(scm);
	if (!err && scm->nr_files)
		err = unix_graph_add(scm, to);
	if (err) {
		unix_scm_free(scm);
		return err;
	}
	if (cred && !scm->has_cred) {
		scm->cred = unix_current_cred();
		scm->has_cred = true;
	}
	*out = scm;
	return 0;
}

struct unix_scm *unix_scm_copy(const struct unix_scm *scm)
{
	struct unix_scm *c = scm ? scm_alloc(scm->nr_files) : NULL;

	if (!c)
		return NULL;
	c->has_cred = scm->has_cred;
	c->cred = scm->cred;
	c->nr_files = scm->nr_files;
	for (u32 i = 0; i < scm->nr_files; i++) {
		c->files[i] = scm->files[i];
		file_get(c->files[i]);
	}
	return c;
}

/* ---- receiving ---- */

/* Descriptors for as many files as the buffer and the table take. */
static int put_files(struct sock_msg *m, struct unix_scm *scm)
{
	u64 room = m->sink && m->sink->left > sizeof(struct abi_cmsghdr)
			   ? (m->sink->left - sizeof(struct abi_cmsghdr)) / sizeof(s32)
			   : 0;
	u32 want = (u32)MIN((u64)scm->nr_files, room), nr = 0;
	u32 limit = (u32)MIN(process_rlimit(process_current(), RLIMIT_NOFILE), (u64)FD_TABLE_MAX);
	s32 fds[ABI_SCM_MAX_FD];

	for (; nr < want; nr++) {
		file_get(scm->files[nr]);
		fds[nr] = fd_install(task_current()->files, scm->files[nr], 0, m->sink->cloexec,
				     limit);
		if (fds[nr] < 0) {
			file_put(scm->files[nr]);
			break;
		}
	}
	if (nr < scm->nr_files)
		m->out_flags |= MSG_CTRUNC;
	return nr ? cmsg_put(m, SOL_SOCKET, SCM_RIGHTS, fds, nr * sizeof(s32)) : 0;
}

int unix_scm_deliver(struct socket *s, struct sock_msg *m, struct unix_scm *scm,
		     const struct abi_ucred *cred)
{
	static const struct abi_ucred unknown = {0, ID_OVERFLOW, ID_OVERFLOW};
	int err = 0;

	if (m->sink && socket_flag(s, SOCK_F_PASSCRED))
		err = cmsg_put(m, SOL_SOCKET, SCM_CREDENTIALS, cred ? cred : &unknown, sizeof(*cred));
	if (scm && scm->nr_files && !err)
		err = put_files(m, scm);
	unix_scm_free(scm);
	return err;
}
