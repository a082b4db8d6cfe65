/*
 * Control messages: written to the receiver's buffer one by one, read from a kernel copy.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/socket.h"

int cmsg_put(struct sock_msg *m, int level, int type, const void *data, u64 len)
{
	struct abi_cmsghdr head = {sizeof(head) + len, level, type};
	struct cmsg_sink *c = m->sink;
	u64 whole, copy;

	if (!c || c->left < sizeof(head)) {
		m->out_flags |= MSG_CTRUNC;
		return 0;
	}
	if (head.cmsg_len > c->left) {
		m->out_flags |= MSG_CTRUNC;
		head.cmsg_len = c->left;
	}
	copy = head.cmsg_len - sizeof(head);
	if (copy_to_user((void __user *)(uintptr_t)c->user, &head, sizeof(head)) ||
	    copy_to_user((void __user *)(uintptr_t)(c->user + sizeof(head)), data, copy))
		return -EFAULT;
	whole = MIN(ABI_CMSG_ALIGN(head.cmsg_len), c->left);
	c->user += whole;
	c->left -= whole;
	c->used += whole;
	return 0;
}

bool cmsg_next(const struct cmsg_source *c, u64 *pos, struct abi_cmsghdr *head, const void **data,
	       int *err)
{
	*err = 0;
	if (!c || c->len - *pos < sizeof(*head))
		return false;
	memcpy(head, c->buf + *pos, sizeof(*head));
	if (head->cmsg_len < sizeof(*head) || head->cmsg_len > c->len - *pos) {
		*err = -EINVAL;
		return false;
	}
	*data = c->buf + *pos + sizeof(*head);
	*pos = MIN(*pos + ABI_CMSG_ALIGN(head->cmsg_len), c->len);
	head->cmsg_len -= sizeof(*head); /* bytes of data */
	return true;
}
