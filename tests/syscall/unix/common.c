#include "tests/syscall/unix/unix.h"

void pair(int type, int e[2])
{
	CHECK_EQ(socketpair(AF_UNIX, type, 0, e), 0);
}

void both_close(int e[2])
{
	close(e[0]);
	close(e[1]);
}

ssize_t send_fds(int s, const char *data, size_t n, const int *fds, size_t nr)
{
	char control[CMSG_SPACE(8 * sizeof(int))] = {0};
	struct iovec v = {(char *)data, n};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = CMSG_SPACE(nr * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(c), fds, nr * sizeof(int));
	return sendmsg(s, &m, 0);
}

ssize_t recv_fd(int s, char *data, size_t n, int *fd, int *flags)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec v = {data, n};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = CMSG_LEN(sizeof(int))};
	ssize_t got = recvmsg(s, &m, 0);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	*fd = c && c->cmsg_type == SCM_RIGHTS ? *(int *)CMSG_DATA(c) : -1;
	*flags = m.msg_flags;
	return got;
}
