/* Shared memory: every call, command and flag. */
#include <linux/futex.h>
#include <setjmp.h>

#include "tests/syscall/ipc/ipc.h"

static int shm_new(size_t size)
{
	int id = (int)shmget_(IPC_PRIVATE, size, IPC_CREAT | 0600);

	CHECK(id >= 0);
	return id;
}

static void shm_end(int id)
{
	CHECK_EQ(shmctl_(id, IPC_RMID, 0), 0);
}

static struct shmid_ds shm_stat(int id)
{
	struct shmid_ds ds;

	memset(&ds, 0xee, sizeof(ds));
	CHECK_EQ(shmctl_(id, IPC_STAT, &ds), 0);
	return ds;
}

TEST(shmget_errors)
{
	int key = fresh_key(), id = (int)shmget_(key, 8192, IPC_CREAT | 0600);

	CHECK(id >= 0);
	CHECK_EQ(shmget_(fresh_key(), 4096, 0600), -ENOENT);
	CHECK_EQ(shmget_(IPC_PRIVATE, 0, IPC_CREAT | 0600), -EINVAL);
	CHECK_EQ(shmget_(fresh_key(), 0, IPC_CREAT | 0600), -EINVAL);
	CHECK_EQ(shmget_(IPC_PRIVATE, ~0UL, 0600), -EINVAL);
	CHECK_EQ(shmget_(key, 8193, 0600), -EINVAL);
	CHECK_EQ(shmget_(key, 8192, IPC_CREAT | IPC_EXCL | 0600), -EEXIST);
	CHECK_EQ(shmget_(key, 9999, IPC_CREAT | IPC_EXCL | 0600), -EEXIST);
	CHECK_EQ(shmget_(key, 0, 0), id);
	CHECK_EQ(shmget_(key, 1, IPC_EXCL), id);
	CHECK_EQ(shmget_(key, 4096, IPC_CREAT | 0777), id); /* root may */
	CHECK_EQ(shmget_(IPC_PRIVATE, 1UL << 50, 0600), -ENOMEM);
	CHECK_EQ(shmget_(IPC_PRIVATE, PAGE, SHM_HUGETLB | 0600), -ENOMEM);
	CHECK_EQ(shmget_(IPC_PRIVATE, PAGE, SHM_HUGETLB | 21 << 26 | 0600), -ENOMEM);
	CHECK_EQ(shmget_(IPC_PRIVATE, PAGE, SHM_HUGETLB | 19 << 26 | 0600), -EINVAL);
	shm_end(id);
	CHECK_EQ(shmget_(key, 4096, 0600), -ENOENT);
}

TEST(shmget_noreserve_promises_more_than_there_is)
{
	int id = (int)shmget_(IPC_PRIVATE, 1UL << 36, SHM_NORESERVE | 0600);

	CHECK(id >= 0);
	CHECK_EQ(shm_stat(id).shm_segsz, 1UL << 36);
	shm_end(id);
}

TEST(shm_stat_fields)
{
	time_t now = time(NULL);
	int key = fresh_key(), id = (int)shmget_(key, 5000, IPC_CREAT | 0640);
	struct shmid_ds ds = shm_stat(id);
	char *at;

	CHECK_EQ(ds.shm_perm.__key, key);
	CHECK_EQ(ds.shm_perm.mode, 0640);
	CHECK_EQ(ds.shm_perm.uid, 0);
	CHECK_EQ(ds.shm_perm.cgid, 0);
	CHECK_EQ(ds.shm_segsz, 5000);
	CHECK_EQ(ds.shm_nattch, 0);
	CHECK_EQ(ds.shm_cpid, getpid());
	CHECK_EQ(ds.shm_lpid, 0);
	CHECK_EQ(ds.shm_atime, 0);
	CHECK_EQ(ds.shm_dtime, 0);
	CHECK(ds.shm_ctime >= now - 1 && ds.shm_ctime <= now + 5);
	at = (char *)shmat_(id, NULL, 0);
	ds = shm_stat(id);
	CHECK_EQ(ds.shm_nattch, 1);
	CHECK_EQ(ds.shm_lpid, getpid());
	CHECK(ds.shm_atime >= now - 1);
	CHECK_EQ(ds.shm_dtime, 0);
	CHECK_EQ(shmdt_(at), 0);
	ds = shm_stat(id);
	CHECK_EQ(ds.shm_nattch, 0);
	CHECK(ds.shm_dtime >= now - 1);
	shm_end(id);
}

TEST(shmat_errors)
{
	int id = shm_new(2 * PAGE);
	char *at = (char *)shmat_(id, NULL, 0);

	CHECK_EQ(shmat_(-1, NULL, 0), -EINVAL);
	CHECK_EQ(shmat_(0x7fffffff, NULL, 0), -EINVAL);
	CHECK_EQ(shmat_(id, at + 1, 0), -EINVAL);
	CHECK_EQ(shmat_(id, NULL, SHM_REMAP), -EINVAL);
	CHECK_EQ(shmat_(id, at, 0), -EINVAL);	     /* taken */
	CHECK_EQ(shmat_(id, at - PAGE, 0), -EINVAL); /* would overlap */
	CHECK_EQ(shmat_(id, (char *)(1UL << 62), 0), -ENOMEM);
	CHECK_EQ(shmat_(id, (char *)-4096L, 0), -EINVAL); /* wraps */
	CHECK_EQ(shmdt_(at + 1), -EINVAL);
	CHECK_EQ(shmdt_(at + PAGE), -EINVAL);
	CHECK_EQ(shmdt_(page_read_only()), -EINVAL);
	CHECK_EQ(shmdt_(NULL), -EINVAL);
	CHECK_EQ(shmdt_(at), 0);
	CHECK_EQ(shmdt_(at), -EINVAL);
	CHECK_EQ(shm_stat(id).shm_nattch, 0);
	shm_end(id);
	CHECK_EQ(shmat_(id, NULL, 0), -EINVAL);
}

TEST(shmat_at_an_address)
{
	int id = shm_new(2 * PAGE);
	char *hole = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(hole, 4 * PAGE);
	CHECK_EQ(shmat_(id, hole + PAGE, 0), hole + PAGE);
	CHECK_EQ(shmdt_(hole + PAGE), 0);
	CHECK_EQ(shmat_(id, hole + PAGE + 100, SHM_RND), hole + PAGE);
	hole[PAGE] = 7;
	CHECK_EQ(shmdt_(hole + PAGE), 0);
	/* Remap takes the place of what is there. */
	hole = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	hole[0] = 1;
	CHECK_EQ(shmat_(id, hole, SHM_REMAP), hole);
	CHECK_EQ(hole[0], 7);
	CHECK_EQ(shmat_(id, hole, SHM_REMAP), hole);
	CHECK_EQ(shm_stat(id).shm_nattch, 1);
	CHECK_EQ(shmdt_(hole), 0);
	shm_end(id);
}

static sigjmp_buf fault_return;

static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(fault_return, 1);
}

/* Does a store to `p` fault? */
static bool store_faults(volatile char *p)
{
	struct sigaction sa = {.sa_handler = on_fault}, old;
	bool faulted = true;

	sigaction(SIGSEGV, &sa, &old);
	if (!sigsetjmp(fault_return, 1)) {
		*p = 1;
		faulted = false;
	}
	sigaction(SIGSEGV, &old, NULL);
	return faulted;
}

TEST(shmat_read_only)
{
	int id = shm_new(PAGE);
	char *rw = (char *)shmat_(id, NULL, 0), *ro = (char *)shmat_(id, NULL, SHM_RDONLY);

	rw[5] = 42;
	CHECK_EQ(ro[5], 42);
	CHECK(store_faults(ro));
	CHECK(!store_faults(rw));
	CHECK_EQ(mprotect(ro, PAGE, PROT_READ | PROT_WRITE) ? errno : 0, EACCES);
	CHECK_EQ(mprotect(rw, PAGE, PROT_READ), 0);
	CHECK_EQ(mprotect(rw, PAGE, PROT_READ | PROT_WRITE), 0);
	CHECK_EQ(shm_stat(id).shm_nattch, 2);
	CHECK_EQ(shmdt_(ro), 0);
	CHECK_EQ(shmdt_(rw), 0);
	shm_end(id);
}

TEST(shmat_executable)
{
	int id = shm_new(PAGE);
	unsigned *code = (unsigned *)shmat_(id, NULL, SHM_EXEC);

	code[0] = 0x02a00513; /* li a0, 42 */
	code[1] = 0x00008067; /* ret */
	__builtin___clear_cache((char *)code, (char *)(code + 2));
	CHECK_EQ(((int (*)(void))code)(), 42);
	CHECK_EQ(shmdt_(code), 0);
	shm_end(id);
}

static int attach_and_count(void *arg)
{
	int id = *(int *)arg;

	return (int)shm_stat(id).shm_nattch;
}

TEST(shm_attach_counts_fork_exec_exit)
{
	int id = shm_new(PAGE), pipe_in[2];
	char *at = (char *)shmat_(id, NULL, 0);
	char *argv[] = {"sh", "-c", "read x", NULL};
	pid_t pid;

	CHECK_EQ(child_run(attach_and_count, &id), 2);
	CHECK_EQ(shm_stat(id).shm_nattch, 1);
	CHECK_EQ(pipe(pipe_in), 0);
	pid = fork();
	if (pid == 0) {
		dup2(pipe_in[0], 0);
		close(pipe_in[1]);
		execve("/bin/sh", argv, NULL);
		_exit(127);
	}
	close(pipe_in[0]);
	/* The new program has none of it. */
	WAIT_UNTIL(shm_stat(id).shm_nattch == 1);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	close(pipe_in[1]);
	child_wait(pid);
	CHECK_EQ(shmdt_(at), 0);
	shm_end(id);
}

TEST(shm_partial_munmap_counts)
{
	int id = shm_new(4 * PAGE);
	char *at = (char *)shmat_(id, NULL, 0);

	CHECK_EQ(munmap(at + PAGE, PAGE), 0);
	CHECK_EQ(shm_stat(id).shm_nattch, 2);
	at[2 * PAGE] = 1;
	CHECK_EQ(munmap(at, PAGE), 0);
	CHECK_EQ(shm_stat(id).shm_nattch, 1);
	/* The address of the attach still detaches the rest. */
	CHECK_EQ(shmdt_(at), 0);
	CHECK_EQ(shm_stat(id).shm_nattch, 0);
	at = (char *)shmat_(id, NULL, 0);
	CHECK_EQ(at[2 * PAGE], 1);
	CHECK_EQ(mprotect(at + PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(shm_stat(id).shm_nattch, 3);
	CHECK_EQ(shmdt_(at), 0);
	CHECK_EQ(shm_stat(id).shm_nattch, 0);
	shm_end(id);
}

TEST(shm_mremap_moves_the_attach)
{
	int id = shm_new(2 * PAGE);
	char *at = (char *)shmat_(id, NULL, 0), *moved;

	at[0] = 9;
	moved = mremap(at, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	CHECK(moved != MAP_FAILED);
	CHECK_EQ(moved[0], 9);
	CHECK_EQ(shm_stat(id).shm_nattch, 1);
	CHECK_EQ(shmdt_(at), -EINVAL);
	CHECK_EQ(shmdt_(moved), 0);
	CHECK_EQ(shm_stat(id).shm_nattch, 0);
	shm_end(id);
}

TEST(shm_removed_while_attached)
{
	int key = fresh_key(), id = (int)shmget_(key, PAGE, IPC_CREAT | 0600), other;
	char *at = (char *)shmat_(id, NULL, 0), *again;
	struct shmid_ds ds;

	at[0] = 3;
	shm_end(id);
	ds = shm_stat(id);
	CHECK_EQ(ds.shm_perm.mode, 0600 | SHM_DEST);
	CHECK_EQ(ds.shm_perm.__key, IPC_PRIVATE);
	CHECK_EQ(shmget_(key, PAGE, 0), -ENOENT);
	other = (int)shmget_(key, PAGE, IPC_CREAT | IPC_EXCL | 0600);
	CHECK(other >= 0 && other != id);
	again = (char *)shmat_(id, NULL, 0);
	CHECK_EQ(again[0], 3);
	shm_end(id); /* once more */
	CHECK_EQ(shmdt_(at), 0);
	CHECK_EQ(shm_stat(id).shm_nattch, 1);
	CHECK_EQ(shmdt_(again), 0);
	CHECK_EQ(shmctl_(id, IPC_STAT, &ds), -EINVAL);
	CHECK_EQ(shmctl_(id, IPC_RMID, 0), -EINVAL);
	shm_end(other);
}

TEST(shm_stale_id_finds_nothing)
{
	int id = shm_new(PAGE), next[200];
	struct shmid_ds ds;

	shm_end(id);
	for (int i = 0; i < 200; i++) {
		next[i] = shm_new(PAGE);
		CHECK(next[i] != id);
		CHECK_EQ(shmctl_(id, IPC_STAT, &ds), -EINVAL);
	}
	for (int i = 0; i < 200; i++)
		shm_end(next[i]);
}

TEST(shmctl_errors)
{
	int id = shm_new(PAGE);
	struct shmid_ds ds;

	CHECK_EQ(shmctl_(-1, IPC_STAT, &ds), -EINVAL);
	CHECK_EQ(shmctl_(id, -1, &ds), -EINVAL);
	CHECK_EQ(shmctl_(id, 99, &ds), -EINVAL);
	CHECK_EQ(shmctl_(id, IPC_STAT, page_unmapped()), -EFAULT);
	CHECK_EQ(shmctl_(id, IPC_SET, page_unmapped()), -EFAULT);
	CHECK_EQ(shmctl_(id, IPC_STAT, KERNEL_ADDRESS), -EFAULT);
	CHECK_EQ(shmctl_(0x7fffffff, IPC_STAT, &ds), -EINVAL);
	CHECK_EQ(shmctl_(0x7fffffff, IPC_SET, &ds), -EINVAL);
	CHECK_EQ(shmctl_(0x7fffffff, IPC_SET, page_unmapped()), -EFAULT);
	CHECK_EQ(shmctl_(0x7fffffff, IPC_RMID, 0), -EINVAL);
	CHECK_EQ(shmctl_(0x7fffffff, SHM_LOCK, 0), -EINVAL);
	CHECK_EQ(shmctl_(32767, SHM_STAT, &ds), -EINVAL);
	CHECK_EQ(shmctl_(32767, SHM_STAT_ANY, &ds), -EINVAL);
	CHECK_EQ(shmctl_(0, IPC_INFO, page_unmapped()), -EFAULT);
	CHECK_EQ(shmctl_(0, SHM_INFO, page_unmapped()), -EFAULT);
	ds = shm_stat(id);
	ds.shm_perm.uid = (uid_t)-1;
	CHECK_EQ(shmctl_(id, IPC_SET, &ds), -EINVAL);
	ds.shm_perm.uid = 0;
	ds.shm_perm.gid = (gid_t)-1;
	CHECK_EQ(shmctl_(id, IPC_SET, &ds), -EINVAL);
	shm_end(id);
}

TEST(shmctl_set)
{
	int id = shm_new(PAGE);
	struct shmid_ds ds = shm_stat(id);

	ds.shm_perm.uid = 1;
	ds.shm_perm.gid = 2;
	ds.shm_perm.cuid = 3;
	ds.shm_perm.mode = 07123;
	ds.shm_segsz = 1;
	CHECK_EQ(shmctl_(id, IPC_SET, &ds), 0);
	ds = shm_stat(id);
	CHECK_EQ(ds.shm_perm.uid, 1);
	CHECK_EQ(ds.shm_perm.gid, 2);
	CHECK_EQ(ds.shm_perm.cuid, 0);
	CHECK_EQ(ds.shm_perm.mode, 0123);
	CHECK_EQ(ds.shm_segsz, PAGE);
	shm_end(id);
}

TEST(shmctl_lock)
{
	int id = shm_new(PAGE);

	CHECK_EQ(shmctl_(id, SHM_LOCK, 0), 0);
	CHECK_EQ(shm_stat(id).shm_perm.mode, 0600 | SHM_LOCKED);
	CHECK_EQ(shmctl_(id, SHM_LOCK, 0), 0);
	CHECK_EQ(shmctl_(id, SHM_UNLOCK, 0), 0);
	CHECK_EQ(shm_stat(id).shm_perm.mode, 0600);
	CHECK_EQ(shmctl_(id, SHM_UNLOCK, 0), 0);
	shm_end(id);
}

TEST(shmctl_info)
{
	struct shminfo limits;
	struct shm_info info, more;
	struct shmid_ds ds;
	int id, highest, found = 0;
	char *at;

	CHECK(shmctl_(0, IPC_INFO, &limits) >= 0);
	CHECK_EQ(limits.shmmin, 1);
	CHECK_EQ(limits.shmmni, 4096);
	CHECK_EQ(limits.shmseg, 4096);
	CHECK_EQ(limits.shmmax, ~0UL - (1UL << 24));
	CHECK_EQ(limits.shmall, ~0UL - (1UL << 24));
	CHECK(shmctl_(0, SHM_INFO, &info) >= 0);
	id = shm_new(3 * PAGE);
	at = (char *)shmat_(id, NULL, 0);
	at[0] = at[PAGE] = 1;
	highest = (int)shmctl_(0, SHM_INFO, &more);
	CHECK_EQ(more.used_ids, info.used_ids + 1);
	CHECK_EQ(more.shm_tot, info.shm_tot + 3);
	CHECK_EQ(more.shm_rss, info.shm_rss + 2);
	CHECK_EQ(more.shm_swp, 0);
	for (int i = 0; i <= highest; i++) {
		found += shmctl_(i, SHM_STAT, &ds) == id;
		found += shmctl_(i, SHM_STAT_ANY, &ds) == id;
	}
	CHECK_EQ(found, 2);
	CHECK_EQ(shmdt_(at), 0);
	shm_end(id);
}

TEST(shm_in_proc)
{
	int key = fresh_key(), id = (int)shmget_(key, 5000, IPC_CREAT | 0640);
	char *at = (char *)shmat_(id, NULL, 0), line[256];
	long size, nattch, uid, mode, cpid, lpid, rss;

	at[0] = 1;
	CHECK(sysvipc_line("shm", id, line, sizeof(line)));
	CHECK_EQ(sscanf(line, "%*d %*d %lo %ld %ld %ld %ld %ld %*d %*d %*d %*d %*d %*d %ld", &mode,
			&size, &cpid, &lpid, &nattch, &uid, &rss),
		 7);
	CHECK_EQ(mode, 0640);
	CHECK_EQ(size, 5000);
	CHECK_EQ(cpid, getpid());
	CHECK_EQ(lpid, getpid());
	CHECK_EQ(nattch, 1);
	CHECK_EQ(rss, PAGE);
	CHECK_EQ(strlen(line), 169);
	CHECK_EQ(shmdt_(at), 0);
	shm_end(id);
	CHECK(!sysvipc_line("shm", id, line, sizeof(line)));
}

/* Two processes, two addresses, one futex word. */
static int wait_for_word(void *arg)
{
	int id = *(int *)arg;
	int *word = (int *)shmat_(id, NULL, 0);

	for (;;) {
		if (__atomic_load_n(word, __ATOMIC_ACQUIRE))
			return word[1];
		syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
	}
}

TEST(shm_futex_between_addresses)
{
	int id = shm_new(PAGE);
	int *word = (int *)shmat_(id, NULL, 0);
	pid_t pid = child_start(wait_for_word, &id);

	WAIT_UNTIL(child_sleeps(pid));
	word[1] = 77;
	__atomic_store_n(word, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
	CHECK_EQ(child_wait(pid), 77);
	CHECK_EQ(shmdt_(word), 0);
	shm_end(id);
}

static int make_and_leave(void *arg)
{
	*(int *)arg = shm_new(PAGE);
	return 0;
}

TEST(shm_rmid_forced)
{
	int *id = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *path = "/proc/sys/kernel/shm_rmid_forced";
	struct shmid_ds ds;
	int kept = shm_new(PAGE);
	char *at;

	CHECK_EQ(proc_number(path, 0), 0);
	CHECK_EQ(child_run(make_and_leave, id), 0);
	CHECK_EQ(shmctl_(*id, IPC_STAT, &ds), 0);
	CHECK_EQ(proc_write(path, "2"), -EINVAL);
	CHECK_EQ(proc_write(path, "1"), 0);
	CHECK_EQ(shmctl_(*id, IPC_STAT, &ds), -EINVAL); /* nobody's */
	CHECK_EQ(shmctl_(kept, IPC_STAT, &ds), 0);	/* ours */
	CHECK_EQ(child_run(make_and_leave, id), 0);
	CHECK_EQ(shmctl_(*id, IPC_STAT, &ds), -EINVAL);
	at = (char *)shmat_(kept, NULL, 0);
	CHECK_EQ(shmdt_(at), 0);
	CHECK_EQ(shmctl_(kept, IPC_STAT, &ds), -EINVAL); /* its last attach went */
	CHECK_EQ(proc_write(path, "0"), 0);
}
