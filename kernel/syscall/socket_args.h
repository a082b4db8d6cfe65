/*
 * Arguments that the socket calls share.
 */
#ifndef KERNEL_SYSCALL_SOCKET_ARGS_H
#define KERNEL_SYSCALL_SOCKET_ARGS_H

#include "kernel/file/file.h"
#include "lib/types.h"

struct sock_name;
struct socket;

/* 0, -EBADF or -ENOTSOCK; on success fd_return(r) is due. */
int socket_arg_get(u64 fd, struct fd_ref *r, struct socket **s);
/* An address from the user: 0, -EINVAL (length), -EFAULT. */
int name_arg_get(struct sock_name *name, u64 addr, u64 len);
/* And to the user, cut to the int at `len_addr`, which becomes the whole length. */
int name_arg_put(const struct sock_name *name, u64 addr, u64 len_addr);

#endif
