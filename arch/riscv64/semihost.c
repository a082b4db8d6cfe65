/* The few semihosting operations in use; see semihost.h. */
#include "arch/riscv64/semihost.h"

#include <string.h>

/* The mode number of fopen's "wb". */
#define SEMIHOST_MODE_WB 5

int semihost_open(const char *path)
{
	u64 args[3] = {(u64)path, SEMIHOST_MODE_WB, strlen(path)};

	return (int)semihost_call(SEMIHOST_OPEN, args);
}

int semihost_write(int fd, const void *data, u64 size)
{
	u64 args[3] = {(u64)fd, (u64)data, size};

	/* The result is the number of bytes not written. */
	return semihost_call(SEMIHOST_WRITE, args) ? -1 : 0;
}

int semihost_close(int fd)
{
	u64 args[1] = {(u64)fd};

	return semihost_call(SEMIHOST_CLOSE, args) ? -1 : 0;
}
