/*
 * Memory policies of a machine with one node. Where memory comes from is decided; what a program has said is checked as by a kernel
 * built for four nodes, as Debian's is, kept with the task or the mapping, and told back.
 *
 * A policy is kept in ten bits: mode (3), flags (3), nodes that it was given (4); 0 is the default. Sources: set_mempolicy(2),
 * mbind(2), get_mempolicy(2), migrate_pages(2), move_pages(2), Documentation/admin-guide/mm/numa_memory_policy.
 */
#include "abi/errno.h"
#include "abi/mempolicy.h"
#include "abi/system.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/memory_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/task.h"

#define NODES_MAX   4U	   /* bits that a set may have */
#define NODE_BITS   BIT(0) /* those of this machine */
#define WORD_BITS   64U
#define FLAG_SHIFT  10
#define NODES_SHIFT 6

#define POLICY_MODE(p)	((p)&7U)
#define POLICY_FLAGS(p) (((p) << FLAG_SHIFT) & MPOL_MODE_FLAGS)
#define POLICY_NODES(p) ((p) >> NODES_SHIFT)

/* A set of nodes from user memory. As on Linux it has one bit less than `bits` says. */
static long load_nodes(u64 user, u64 bits, u32 *nodes)
{
	u64 word = 0, last;

	*nodes = 0;
	if (!--bits || !user)
		return 0;
	if (bits > PAGE_SIZE * 8)
		return -EINVAL;
	last = (bits - 1) / WORD_BITS;
	for (u64 i = last + 1; i-- > 0;) {
		if (user_load_u64((const u64 __user *)user + i, &word))
			return -EFAULT;
		if (i == last && bits % WORD_BITS)
			word &= BIT(bits % WORD_BITS) - 1;
		if (i ? word : word >> NODES_MAX)
			return -EINVAL;
	}
	*nodes = (u32)word;
	return 0;
}

/* Zeroes what lies beyond the one word of the set. */
static long store_nodes(u64 user, u64 bits, u32 nodes)
{
	u64 bytes = ALIGN_UP(bits - 1, (u64)WORD_BITS) / 8, word = nodes;

	if (bytes > PAGE_SIZE)
		return -EINVAL;
	if (bytes > sizeof(word) &&
	    clear_user((void __user *)(user + sizeof(word)), bytes - sizeof(word)))
		return -EFAULT;
	return copy_to_user((void __user *)user, &word, MIN(bytes, sizeof(word)));
}

static bool flags_fit(u32 mode, u32 flags)
{
	if ((flags & MPOL_F_STATIC_NODES) && (flags & MPOL_F_RELATIVE_NODES))
		return false;
	return !(flags & MPOL_F_NUMA_BALANCING) || mode == MPOL_BIND || mode == MPOL_PREFERRED_MANY;
}

/* Which nodes `mode` may be given. *mode: preferring no node is preferring the own. */
static bool nodes_fit(u32 *mode, u32 flags, u32 nodes)
{
	bool placed = flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES);

	if (*mode == MPOL_DEFAULT)
		return !nodes;
	if (*mode == MPOL_PREFERRED && !nodes)
		*mode = MPOL_LOCAL;
	if (*mode == MPOL_LOCAL)
		return !nodes && !placed;
	/* Relative ones are folded onto those that there are. */
	return flags & MPOL_F_RELATIVE_NODES ? nodes : nodes & NODE_BITS;
}

/* The policy of these arguments, or -errno. `nodes` is checked after `flags`, as on Linux. */
static long make_policy(u32 mode_and_flags, u64 user, u64 bits)
{
	u32 mode = mode_and_flags & ~MPOL_MODE_FLAGS, flags = mode_and_flags & MPOL_MODE_FLAGS;
	u32 nodes;
	long err;

	if (mode >= MPOL_MODES || !flags_fit(mode, flags))
		return -EINVAL;
	err = load_nodes(user, bits, &nodes);
	if (err)
		return err;
	if (!nodes_fit(&mode, flags, nodes))
		return -EINVAL;
	/* Only static and relative nodes are told back as they were given. */
	if (!(flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES)))
		nodes &= NODE_BITS;
	if (mode == MPOL_DEFAULT)
		return 0;
	return (long)(mode | flags >> FLAG_SHIFT | nodes << NODES_SHIFT);
}

long sys_set_mempolicy(SYSCALL_ARGS)
{
	long policy = make_policy((u32)a0, a1, a2);

	if (policy < 0)
		return policy;
	task_current()->mempolicy = (u16)policy;
	return 0;
}

static long bind_memory(u64 start, u64 bytes, u32 policy)
{
	u64 len = ALIGN_UP(bytes, PAGE_SIZE);

	if (start + len < start)
		return -EINVAL;
	if (!len)
		return 0;
	if (start >= USER_TOP)
		return -EFAULT;
	/* The default may be given to what is not mapped throughout. */
	return mm_set_policy(thread_current()->mm, start, MIN(len, USER_TOP - start), policy,
			     !policy);
}

long sys_mbind(SYSCALL_ARGS)
{
	u32 flags = (u32)a5;
	long policy;

	/* Flags of the mode, the nodes, all else: the order in which Linux looks. */
	policy = make_policy((u32)a2, a3, a4);
	if (policy == -EFAULT)
		return policy;
	if (flags & ~(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if ((flags & MPOL_MF_MOVE_ALL) && !capable(CAP_SYS_NICE))
		return -EPERM;
	if (!IS_ALIGNED(a0, PAGE_SIZE))
		return -EINVAL;
	return policy < 0 ? policy : bind_memory(a0, a1, (u32)policy);
}

long sys_set_mempolicy_home_node(SYSCALL_ARGS)
{
	u64 len = ALIGN_UP(a1, PAGE_SIZE), end = a0 + len;
	struct mm *mm = thread_current()->mm;
	long err = -ENOENT;
	u64 at = a0;
	u32 policy;

	if (!IS_ALIGNED(a0, PAGE_SIZE) || a3 || a2 || end < a0)
		return -EINVAL;
	if (!len)
		return 0;
	/* Only policies of several nodes have a home; it can only be the one that there is. */
	while (mm_next_policy(mm, &at, end, &policy)) {
		if (!policy)
			continue;
		if (POLICY_MODE(policy) != MPOL_BIND && POLICY_MODE(policy) != MPOL_PREFERRED_MANY)
			return -EOPNOTSUPP;
		err = 0;
	}
	return err;
}

/* ---- asking ---- */

/* The node of the page at `addr`, which is faulted in. */
static long node_of_address(u64 addr)
{
	int code;

	return mm_fault_range(thread_current()->mm, ALIGN_DOWN(addr, PAGE_SIZE), PAGE_SIZE, MM_READ,
			      &code)
		       ? -EFAULT
		       : 0;
}

/* *mode: what is told of a policy, or a node with MPOL_F_NODE. */
static long ask_policy(u64 addr, u64 flags, u32 *mode, u32 *nodes)
{
	u32 policy = task_current()->mempolicy;
	u64 at = addr;

	if (flags & ~(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	*mode = 0;
	if (flags & MPOL_F_MEMS_ALLOWED) {
		*nodes = NODE_BITS;
		return flags & (MPOL_F_NODE | MPOL_F_ADDR) ? -EINVAL : 0;
	}
	if (!(flags & MPOL_F_ADDR) && addr)
		return -EINVAL;
	if ((flags & MPOL_F_ADDR) && !mm_next_policy(thread_current()->mm, &at, addr + 1, &policy))
		return -EFAULT;
	*nodes = POLICY_NODES(policy);
	if (!(flags & MPOL_F_NODE)) {
		*mode = POLICY_MODE(policy) | POLICY_FLAGS(policy);
		return 0;
	}
	if (flags & MPOL_F_ADDR)
		return node_of_address(addr);
	/* Where an interleaving task allocates next. */
	return POLICY_MODE(policy) == MPOL_INTERLEAVE ||
			       POLICY_MODE(policy) == MPOL_WEIGHTED_INTERLEAVE
		       ? 0
		       : -EINVAL;
}

long sys_get_mempolicy(SYSCALL_ARGS)
{
	u32 mode, nodes;
	long err;

	/* There is one possible node: a set of one bit is large enough. */
	if (a1 && !a2)
		return -EINVAL;
	err = ask_policy(a3, a4, &mode, &nodes);
	if (err)
		return err;
	if (a0 && user_store_u32((u32 __user *)a0, mode))
		return -EFAULT;
	return a1 ? store_nodes(a1, a2, nodes) : 0;
}

/* ---- moving ---- */

/* The space of process `pid` (0: the own), with a reference, or an error pointer. */
static struct mm *space_of(u32 pid)
{
	struct mm *mm = NULL;
	struct task *t;
	long err = -ESRCH;

	epoch_enter();
	t = pid ? task_find(pid) : task_current();
	if (t)
		err = task_may_inspect(t) ? -EINVAL : -EPERM;
	if (err == -EINVAL)
		mm = process_mm_get(t->process);
	epoch_exit();
	return mm ? mm : err_ptr(err);
}

long sys_migrate_pages(SYSCALL_ARGS)
{
	u32 from, to;
	struct mm *mm;
	long err = load_nodes(a2, a1, &from);

	if (!err)
		err = load_nodes(a3, a1, &to);
	if (err)
		return err;
	mm = space_of((u32)a0);
	if (is_err(mm))
		return ptr_err(mm);
	/* All pages are where they can be. */
	if ((to & ~(u32)NODE_BITS) && !capable(CAP_SYS_NICE))
		err = -EPERM;
	else if (!(to & NODE_BITS))
		err = -EINVAL;
	mm_put(mm);
	return err;
}

/* The node of a page, or why it has none. */
static s32 page_node(struct mm *mm, u64 addr)
{
	struct mm_page page;
	u64 at = addr;
	u32 policy;

	if (addr >= USER_TOP || !mm_next_policy(mm, &at, addr + 1, &policy))
		return -EFAULT;
	mm_look(mm, ALIGN_DOWN(addr, PAGE_SIZE), 1, &page);
	if (!page.present)
		return -ENOENT;
	return page.zero ? -EFAULT : 0;
}

/* One page of move_pages(): its status, 0 or -errno. */
static long move_page(struct mm *mm, u64 pages, u64 nodes, u64 status, u64 i)
{
	u64 addr;
	u32 node = 0;

	if (user_load_u64((const u64 __user *)pages + i, &addr))
		return -EFAULT;
	if (nodes && user_load_u32((const u32 __user *)nodes + i, &node))
		return -EFAULT;
	if (node)
		return -ENODEV;
	return user_store_u32((u32 __user *)status + i, (u32)page_node(mm, addr));
}

long sys_move_pages(SYSCALL_ARGS)
{
	u32 flags = (u32)a5;
	struct mm *mm;
	long err = 0;

	if (flags & ~(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if ((flags & MPOL_MF_MOVE_ALL) && !capable(CAP_SYS_NICE))
		return -EPERM;
	mm = space_of((u32)a0);
	if (is_err(mm))
		return ptr_err(mm);
	for (u64 i = 0; i < a1 && !err; i++) {
		err = move_page(mm, a2, a3, a4, i);
		if (i % 64 == 63)
			kernel_relax();
		/* As on Linux only death ends it. */
		if (atomic_load_relaxed(&thread_current()->work) & THREAD_WORK_KILL)
			err = -EINTR;
	}
	mm_put(mm);
	return err;
}
