/*
 * Memory policies on one node: what is refused, what is kept, and where pages are.
 */
#include "tests/syscall/harness.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PAGE 4096L

static unsigned long node_set(unsigned long bits)
{
	return bits;
}

static long set_policy(int mode, unsigned long nodes)
{
	unsigned long set = node_set(nodes);

	return sys3(SYS_set_mempolicy, mode, &set, 64);
}

/* The mode; *nodes: its set. */
static int policy(const void *addr, int flags, unsigned long *nodes)
{
	int mode = -1;

	*nodes = ~0UL;
	CHECK_EQ(sys5(SYS_get_mempolicy, &mode, nodes, 64, addr, flags), 0);
	return mode;
}

static int task_policies(void)
{
	unsigned long nodes, many[4] = {~0UL, ~0UL, ~0UL, ~0UL};

	CHECK_EQ(policy(NULL, 0, &nodes), MPOL_DEFAULT);
	CHECK_EQ(nodes, 0);
	CHECK_EQ(policy(NULL, MPOL_F_MEMS_ALLOWED, &nodes), 0);
	CHECK_EQ(nodes, 1);
	CHECK_EQ(set_policy(MPOL_BIND, 1), 0);
	CHECK_EQ(policy(NULL, 0, &nodes), MPOL_BIND);
	CHECK_EQ(nodes, 1);
	/* A larger set is filled with zeroes. */
	CHECK_EQ(sys5(SYS_get_mempolicy, 0, many, 256, 0, 0), 0);
	CHECK(many[0] == 1 && many[1] == 0 && many[2] == 0 && many[3] == 0);
	CHECK_EQ(sys5(SYS_get_mempolicy, 0, many, 64, 0, MPOL_F_NODE), -EINVAL);
	CHECK_EQ(set_policy(MPOL_INTERLEAVE, 1), 0);
	CHECK_EQ(policy(NULL, MPOL_F_NODE, &nodes), 0);
	CHECK_EQ(set_policy(MPOL_PREFERRED, 0), 0);
	CHECK_EQ(policy(NULL, 0, &nodes), MPOL_LOCAL);
	CHECK_EQ(nodes, 0);
	/* Static and relative nodes are told as they were given. */
	CHECK_EQ(set_policy(MPOL_BIND | MPOL_F_STATIC_NODES, 3), 0);
	CHECK_EQ(policy(NULL, 0, &nodes), MPOL_BIND | MPOL_F_STATIC_NODES);
	CHECK_EQ(nodes, 3);
	CHECK_EQ(set_policy(MPOL_INTERLEAVE | MPOL_F_RELATIVE_NODES, 2), 0);
	CHECK_EQ(policy(NULL, 0, &nodes), MPOL_INTERLEAVE | MPOL_F_RELATIVE_NODES);
	CHECK_EQ(nodes, 2);
	/* Children have it too. */
	if (fork() == 0)
		_exit(policy(NULL, 0, &nodes) == (MPOL_INTERLEAVE | MPOL_F_RELATIVE_NODES) ? 0 : 1);
	CHECK(wait((int *)many) > 0);
	CHECK_EQ((int)many[0], 0);
	CHECK_EQ(set_policy(MPOL_BIND, 3), 0);
	CHECK_EQ(policy(NULL, 0, &nodes), MPOL_BIND);
	CHECK_EQ(nodes, 1);
	return 0;
}

TEST(policies_of_tasks_are_kept)
{
	CHECK_EQ(child_status(task_policies), 0);
}

TEST(policies_that_are_refused)
{
	unsigned long nodes;

	CHECK_EQ(set_policy(MPOL_BIND, 0), -EINVAL);
	CHECK_EQ(set_policy(MPOL_BIND, 2), -EINVAL);
	CHECK_EQ(set_policy(MPOL_BIND, 0x10), -EINVAL);
	CHECK_EQ(set_policy(MPOL_DEFAULT, 1), -EINVAL);
	CHECK_EQ(set_policy(MPOL_LOCAL, 1), -EINVAL);
	CHECK_EQ(set_policy(MPOL_PREFERRED | MPOL_F_STATIC_NODES, 0), -EINVAL);
	CHECK_EQ(set_policy(MPOL_BIND | MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES, 1), -EINVAL);
	CHECK_EQ(set_policy(MPOL_INTERLEAVE | MPOL_F_NUMA_BALANCING, 1), -EINVAL);
	CHECK_EQ(set_policy(99, 1), -EINVAL);
	CHECK_EQ(sys5(SYS_get_mempolicy, &nodes, &nodes, 0, 0, 0), -EINVAL);
	CHECK_EQ(policy(NULL, 0, &nodes), MPOL_DEFAULT);
}

static long bind_pages(char *p, long pages, int mode, unsigned long nodes, int flags)
{
	return sys6(SYS_mbind, p, pages * PAGE, mode, &nodes, 64, flags);
}

TEST(policies_of_mappings_are_kept)
{
	char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long nodes;
	int node = -1;

	CHECK_EQ(bind_pages(p + PAGE, 2, MPOL_DEFAULT, 0, 0), 0);
	CHECK_EQ(bind_pages(p + 2 * PAGE, 2, MPOL_BIND, 1, MPOL_MF_STRICT | MPOL_MF_MOVE), 0);
	CHECK_EQ(policy(p + PAGE, MPOL_F_ADDR, &nodes), MPOL_DEFAULT);
	CHECK_EQ(nodes, 0);
	CHECK_EQ(policy(p + 3 * PAGE + 5, MPOL_F_ADDR, &nodes), MPOL_BIND);
	CHECK_EQ(nodes, 1);
	CHECK_EQ(policy(p + 4 * PAGE, MPOL_F_ADDR, &nodes), MPOL_DEFAULT);
	CHECK_EQ(sys5(SYS_get_mempolicy, &node, 0, 0, p, MPOL_F_ADDR | MPOL_F_NODE), 0);
	CHECK_EQ(node, 0);
	CHECK_EQ(sys4(SYS_set_mempolicy_home_node, p, 8 * PAGE, 0, 0), 0);
	CHECK_EQ(sys4(SYS_set_mempolicy_home_node, p, 2 * PAGE, 0, 0), -ENOENT);
	CHECK_EQ(bind_pages(p, 8, MPOL_INTERLEAVE, 1, 0), 0);
	CHECK_EQ(sys4(SYS_set_mempolicy_home_node, p, 8 * PAGE, 0, 0), -EOPNOTSUPP);
	/* A hole is refused, but for the default. */
	CHECK_EQ(munmap(p + 5 * PAGE, PAGE), 0);
	CHECK_EQ(bind_pages(p, 8, MPOL_BIND, 1, 0), -EFAULT);
	CHECK_EQ(policy(p, MPOL_F_ADDR, &nodes), MPOL_INTERLEAVE);
	CHECK_EQ(bind_pages(p, 8, MPOL_DEFAULT, 0, 0), 0);
	CHECK_EQ(policy(p, MPOL_F_ADDR, &nodes), MPOL_DEFAULT);
	CHECK_EQ(bind_pages(p + 5 * PAGE, 1, MPOL_DEFAULT, 0, 0), -EFAULT);
	CHECK_EQ(bind_pages(p + 1, 1, MPOL_BIND, 1, 0), -EINVAL);
	CHECK_EQ(bind_pages(p, 1, MPOL_BIND, 1, 8), -EINVAL);
	CHECK_EQ(sys5(SYS_get_mempolicy, &node, 0, 0, p + 5 * PAGE, MPOL_F_ADDR), -EFAULT);
	munmap(p, 8 * PAGE);
}

TEST(where_pages_are)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *untouched = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	void *pages[] = {p, p + PAGE, untouched, (void *)8};
	int status[4] = {77, 77, 77, 77}, nodes[4] = {0, 0, 0, 0};

	madvise(p, 4 * PAGE, MADV_NOHUGEPAGE);
	p[0] = 1;
	CHECK(*(volatile char *)(p + PAGE) == 0);
	CHECK_EQ(sys6(SYS_move_pages, 0, 4, pages, 0, status, 0), 0);
	CHECK_EQ(status[0], 0);
	CHECK_EQ(status[1], -EFAULT); /* zeroes of everybody */
	CHECK_EQ(status[2], -ENOENT);
	CHECK_EQ(status[3], -EFAULT);
	status[0] = 77;
	CHECK_EQ(sys6(SYS_move_pages, getpid(), 4, pages, nodes, status, MPOL_MF_MOVE), 0);
	CHECK_EQ(status[0], 0);
	CHECK_EQ(status[2], -ENOENT);
	nodes[1] = 1;
	CHECK_EQ(sys6(SYS_move_pages, 0, 4, pages, nodes, status, MPOL_MF_MOVE), -ENODEV);
	CHECK_EQ(sys6(SYS_move_pages, 0, 1, pages, nodes, status, 8), -EINVAL);
	munmap(p, 4 * PAGE);
	munmap(untouched, PAGE);
}

TEST(migrating_to_where_all_is)
{
	unsigned long here = 1, there = 2;

	CHECK_EQ(sys4(SYS_migrate_pages, 0, 64, &here, &here), 0);
	CHECK_EQ(sys4(SYS_migrate_pages, 0, 64, &here, &there), -EINVAL);
	CHECK_EQ(sys4(SYS_migrate_pages, 0x3fffff, 64, &here, &here), -ESRCH);
}
