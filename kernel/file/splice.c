/*
 * Transfers go through a kernel buffer: the pages of a pipe belong to its ring, so a splice is a read
 * and a write without the trip through user memory. What matters is that nothing is lost: bytes are
 * taken out of a pipe only when the other file has taken them, or are put back in front.
 *
 * Cost: two copies in the kernel for each byte, by chunks of 64 KiB.
 */
#include "kernel/file/splice.h"

#include "abi/errno.h"
#include "kernel/file/pipe.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/hart.h"

#define SPLICE_CHUNK (64UL << 10)

static long splice_write(struct splice_end *out, char *buf, size_t n)
{
	struct iov_segment seg;
	struct iov_iter it;
	u64 none = 0;

	if (!out->file->ops->write)
		return -EINVAL;
	iov_iter_kernel(&it, &seg, buf, n);
	return out->file->ops->write(out->file, &it, out->pos ? out->pos : &none, out->nonblock);
}

static long splice_read(struct splice_end *in, char *buf, size_t n)
{
	struct iov_segment seg;
	struct iov_iter it;
	u64 none = 0;

	if (!in->file->ops->read)
		return -EINVAL;
	iov_iter_kernel(&it, &seg, buf, n);
	if (pipe_of_file(in->file))
		return pipe_read_packets(pipe_of_file(in->file), &it, in->nonblock, true);
	return in->file->ops->read(in->file, &it, in->pos ? in->pos : &none, in->nonblock);
}

long splice_from_pipe(struct splice_end *in, struct splice_end *out, u64 len)
{
	char *buf = kmalloc(SPLICE_CHUNK);
	long got, done = 0;

	if (!buf)
		return -ENOMEM;
	got = splice_read(in, buf, MIN(len, SPLICE_CHUNK));
	if (got > 0) {
		done = splice_write(out, buf, (size_t)got);
		if (done < got)
			pipe_unread(pipe_of_file(in->file), buf + MAX(done, 0L),
				    (size_t)(got - MAX(done, 0L)));
	}
	kfree(buf);
	return got > 0 ? done : got;
}

/*
 * What has been read goes in, even if another writer was faster and a signal comes: only a fatal one, or the last reader's end, leaves
 * some of it out.
 */
static long splice_fill(struct file *pipe, char *buf, size_t n)
{
	struct splice_end out = {.file = pipe, .nonblock = true};
	size_t done = 0;
	long put = 0;

	while (done < n) {
		put = pipe_wait_room(pipe_of_file(pipe), false, PARK_KILLABLE);
		if (put > 0)
			put = splice_write(&out, buf + done, MIN(n - done, (size_t)put));
		if (put > 0)
			done += (size_t)put;
		else if (put && put != -EAGAIN)
			break;
	}
	return done ? (long)done : put;
}

long splice_to_pipe(struct splice_end *in, struct splice_end *out, u64 len)
{
	long room = pipe_wait_room(pipe_of_file(out->file), out->nonblock, PARK_INTERRUPTIBLE);
	u64 start = in->pos ? *in->pos : 0;
	char *buf;
	long got;

	if (room < 0)
		return room;
	buf = kmalloc(SPLICE_CHUNK);
	if (!buf)
		return -ENOMEM;
	got = splice_read(in, buf, MIN(MIN(len, (u64)room), SPLICE_CHUNK));
	if (got > 0) {
		got = splice_fill(out->file, buf, (size_t)got);
		if (in->pos)
			*in->pos = start + (u64)MAX(got, 0L);
	}
	kfree(buf);
	return got;
}

long splice_tee(struct splice_end *in, struct splice_end *out, u64 len)
{
	long room = pipe_wait_room(pipe_of_file(out->file), out->nonblock, PARK_INTERRUPTIBLE);
	char *buf;
	long got;

	if (room < 0)
		return room;
	buf = kmalloc(SPLICE_CHUNK);
	if (!buf)
		return -ENOMEM;
	got = pipe_peek(in->file, buf, MIN(MIN(len, (u64)room), SPLICE_CHUNK), in->nonblock);
	if (got > 0)
		got = splice_write(out, buf, (size_t)got);
	kfree(buf);
	return got;
}

long splice_copy(struct splice_end *in, struct splice_end *out, u64 len)
{
	char *buf = kmalloc(SPLICE_CHUNK);
	u64 done = 0;
	long got = 0;

	if (!buf)
		return -ENOMEM;
	while (done < len) {
		u64 start = *in->pos;
		long put;

		got = splice_read(in, buf, MIN(len - done, SPLICE_CHUNK));
		if (got <= 0)
			break;
		put = splice_write(out, buf, (size_t)got);
		/* What was not taken stays to be read. */
		*in->pos = start + (u64)MAX(put, 0L);
		if (put <= 0) {
			got = put;
			break;
		}
		done += (u64)put;
		if (put < got)
			break;
		relax_hook();
	}
	kfree(buf);
	return done ? (long)done : got;
}
