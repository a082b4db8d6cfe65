/*
 * Moving bytes between open files without user memory: splice, tee, sendfile, copy_file_range.
 */
#ifndef KERNEL_FILE_SPLICE_H
#define KERNEL_FILE_SPLICE_H

#include "kernel/file/file.h"

/* Where a transfer reads or writes: *pos is advanced; NULL: a stream. */
struct splice_end {
	struct file *file;
	u64 *pos;
	bool nonblock;
};

/*
 * Up to `len` bytes, but at most what one turn of both files gives. Bytes, 0 at the end of `in`, or
 * -errno. Context: may sleep, no lock held.
 */
long splice_from_pipe(struct splice_end *in, struct splice_end *out, u64 len);
long splice_to_pipe(struct splice_end *in, struct splice_end *out, u64 len);
/* tee: as splice_from_pipe() to a pipe, and the bytes stay in `in`. */
long splice_tee(struct splice_end *in, struct splice_end *out, u64 len);
/* sendfile, copy_file_range: `in` has positions. Goes on until `len`, the end, or an error. */
long splice_copy(struct splice_end *in, struct splice_end *out, u64 len);

#endif
