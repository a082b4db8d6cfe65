#include "kernel/task/cred.h"

#include "abi/system.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"

#define CAP_ALL (BIT(CAP_LAST_CAP + 1) - 1)

struct cred cred_root = {
	.refs = 1,
	.cap_effective = CAP_ALL,
	.cap_permitted = CAP_ALL,
};

void cred_get(struct cred *c)
{
	atomic_fetch_add(&c->refs, 1);
}

static void cred_free(struct epoch_node *node)
{
	kfree(container_of(node, struct cred, free_node));
}

void cred_put(struct cred *c)
{
	if (atomic_fetch_add(&c->refs, (u32)-1) == 1)
		epoch_defer(&c->free_node, cred_free);
}

const struct cred *cred_current(void)
{
	return task_current()->process->cred;
}

static bool cred_same_ids(const struct cred *own, const struct cred *other)
{
	return own->uid == other->uid && own->uid == other->euid && own->uid == other->suid &&
	       own->gid == other->gid && own->gid == other->egid && own->gid == other->sgid;
}

bool task_may_inspect(struct task *t)
{
	struct process *p = t->process;
	const struct cred *own = cred_current(), *other = atomic_load_acquire(&p->cred);

	if (p == process_current() || cred_capable(own, CAP_SYS_PTRACE))
		return true;
	return cred_same_ids(own, other) && atomic_load_relaxed(&p->dumpable) &&
	       !(other->cap_permitted & ~own->cap_permitted);
}

/*
 * For kernel/fs, which is a layer below. Kernel threads other than pid 1 are no tasks; they act as
 * root.
 */
static void cred_for_fs(struct fs_cred *out)
{
	const struct cred *c = thread_current()->mm ? cred_current() : &cred_root;

	*out = (struct fs_cred){
		.uid = c->fsuid,
		.gid = c->fsgid,
		.override = cred_capable(c, CAP_DAC_OVERRIDE),
	};
}

void cred_init(void)
{
	fs_cred_current = cred_for_fs;
}
