#include "kernel/task/exec.h"

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"

#include <string.h>

void exec_args_free(struct exec_args *args)
{
	kfree(args->buf);
	*args = (struct exec_args){0};
}

/* Room for `n` more bytes. */
static int exec_args_reserve(struct exec_args *args, size_t n)
{
	size_t need = args->len + n;
	size_t capacity = MAX(args->capacity, PAGE_SIZE);
	char *buf;

	if (need > EXEC_ARGS_MAX)
		return -E2BIG;
	if (need <= args->capacity)
		return 0;
	while (capacity < need)
		capacity *= 2;
	buf = kmalloc(capacity);
	if (!buf)
		return -ENOMEM;
	memcpy(buf, args->buf, args->len);
	kfree(args->buf);
	args->buf = buf;
	args->capacity = capacity;
	return 0;
}

int exec_args_add(struct exec_args *args, const char *string, size_t len)
{
	int err = len < EXEC_STRING_MAX ? exec_args_reserve(args, len + 1) : -E2BIG;

	if (err)
		return err;
	memcpy(args->buf + args->len, string, len);
	args->buf[args->len + len] = '\0';
	args->len += len + 1;
	return 0;
}

/* Copies one user string to the end, growing the buffer until it fits. */
static int exec_args_add_user_string(struct exec_args *args, const char __user *string)
{
	size_t room = 256;
	long len;
	int err;

	for (;; room *= 4) {
		room = MIN(room, EXEC_STRING_MAX);
		err = exec_args_reserve(args, room);
		if (err)
			return err;
		len = strncpy_from_user(args->buf + args->len, string, room);
		if (len >= 0)
			break;
		if (len != -ENAMETOOLONG)
			return (int)len;
		if (room == EXEC_STRING_MAX)
			return -E2BIG;
	}
	args->len += (size_t)len + 1;
	return 0;
}

int exec_args_add_user(struct exec_args *args, u64 vector, u32 *count)
{
	u64 string;
	int err;

	*count = 0;
	if (!vector)
		return 0;
	for (;; (*count)++) {
		if (user_load_u64((const u64 __user *)vector + *count, &string))
			return -EFAULT;
		if (!string)
			return 0;
		if (args->len + *count * sizeof(u64) > EXEC_ARGS_MAX)
			return -E2BIG;
		err = exec_args_add_user_string(args, (const char __user *)string);
		if (err)
			return err;
	}
}

int exec_args_script(struct exec_args *args, const char *interp, const char *option, const char *path)
{
	size_t first = args->argc ? strlen(args->buf) + 1 : 0;
	struct exec_args new = {.argc = 2 + (option ? 1 : 0), .envc = args->envc};
	int err = exec_args_add(&new, interp, strlen(interp));

	if (!err && option)
		err = exec_args_add(&new, option, strlen(option));
	if (!err)
		err = exec_args_add(&new, path, strlen(path));
	if (!err)
		err = exec_args_reserve(&new, args->len - first);
	if (err) {
		exec_args_free(&new);
		return err;
	}
	memcpy(new.buf + new.len, args->buf + first, args->len - first);
	new.len += args->len - first;
	if (args->argc > 1)
		new.argc += args->argc - 1;
	kfree(args->buf);
	*args = new;
	return 0;
}
