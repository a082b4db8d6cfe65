/*
 * /dev/null, zero, full, random and urandom.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/random/random.h"
#include "kernel/sync/hart.h"
#include "lib/types.h"

#define RANDOM_CHUNK 256U
#define ZERO_CHUNK   (64UL << 10)

static long null_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	(void)f;
	(void)it;
	(void)pos;
	(void)nonblock;
	return 0;
}

static long null_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	(void)f;
	(void)pos;
	(void)nonblock;
	return (long)it->count;
}

static long full_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	(void)f;
	(void)it;
	(void)pos;
	(void)nonblock;
	return -ENOSPC;
}

static long zero_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	u64 done = 0;

	(void)f;
	(void)pos;
	(void)nonblock;
	while (it->count) {
		u64 n = MIN(it->count, ZERO_CHUNK);
		long got = iov_zero(it, n);

		if (got < 0)
			return done ? (long)done : got;
		done += (u64)got;
		if ((u64)got < n)
			break;
		relax_hook();
	}
	return (long)done;
}

static long random_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	u8 chunk[RANDOM_CHUNK];
	u64 done = 0;

	(void)f;
	(void)pos;
	(void)nonblock;
	while (it->count) {
		u64 n = MIN(it->count, sizeof(chunk));
		long got;

		random_bytes(chunk, n);
		got = iov_copy_out(it, chunk, n);
		if (got < 0)
			return done ? (long)done : got;
		done += (u64)got;
		if ((u64)got < n)
			break;
		if (done % ZERO_CHUNK == 0)
			relax_hook();
	}
	return (long)done;
}

static long random_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	u8 chunk[RANDOM_CHUNK];
	u64 done = 0;

	(void)f;
	(void)pos;
	(void)nonblock;
	while (it->count) {
		long got = iov_copy_in(chunk, it, sizeof(chunk));

		if (got <= 0)
			return done ? (long)done : got;
		random_add_entropy(chunk, (size_t)got);
		done += (u64)got;
	}
	return (long)done;
}

/* Any position will do: these files have no contents to be at. */
static long memory_seek(struct file *f, s64 offset, int whence)
{
	(void)offset;
	(void)whence;
	f->pos = 0;
	return 0;
}

static const struct file_ops null_ops = {
	.name = "null",
	.nowait = true,
	.read = null_read,
	.write = null_write,
	.seek = memory_seek,
	.stat = fs_file_stat,
};

static const struct file_ops zero_ops = {
	.name = "zero",
	.nowait = true,
	.read = zero_read,
	.write = null_write,
	.seek = memory_seek,
	.stat = fs_file_stat,
};

static const struct file_ops full_ops = {
	.name = "full",
	.read = zero_read,
	.write = full_write,
	.seek = memory_seek,
	.stat = fs_file_stat,
};

static const struct file_ops random_ops = {
	.name = "random",
	.nowait = true,
	.read = random_read,
	.write = random_write,
	.seek = memory_seek,
	.stat = fs_file_stat,
};

int dev_memory_init(void)
{
	static const struct {
		const char *name;
		u32 minor;
		const struct file_ops *ops;
	} table[] = {
		{"null", 3, &null_ops},	    {"zero", 5, &zero_ops},	 {"full", 7, &full_ops},
		{"random", 8, &random_ops}, {"urandom", 9, &random_ops},
	};
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(table) && !err; i++)
		err = devfs_register(table[i].name, 1, table[i].minor, 0666, table[i].ops, NULL);
	return err;
}
