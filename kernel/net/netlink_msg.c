/*
 * Netlink's messages: building, taking apart, acknowledgements, dumps.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/netlink.h"
#include "kernel/sync/atomic.h"

#define PIECE_MIN 3776U	 /* fits into what programs have at least: a page */
#define PIECE_MAX 32448U /* and what iproute2 has */

/* ---- building ---- */

int nl_buf_alloc(struct nl_buf *b, u32 size)
{
	*b = (struct nl_buf){.data = kmalloc(size), .size = size};
	return b->data ? 0 : -ENOBUFS;
}

void nl_buf_free(struct nl_buf *b)
{
	kfree(b->data);
}

/* `len` bytes and padding at the end of the buffer, or NULL. */
static u8 *reserve(struct nl_buf *b, u32 len)
{
	u32 whole = ABI_NL_ALIGN(len);
	u8 *at = b->data + b->len;

	if (b->full || whole > b->size - b->len) {
		b->full = true;
		return NULL;
	}
	memset(at + len, 0, whole - len);
	b->len += whole;
	return at;
}

void nl_begin(struct nl_buf *b, u16 type, u16 flags, u32 portid, u32 seq, const void *body, u32 len)
{
	struct abi_nlmsghdr head = {
		.nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = seq, .nlmsg_pid = portid};
	u8 *at;

	b->start = b->len;
	b->full = false;
	at = reserve(b, (u32)sizeof(head) + len);
	if (!at)
		return;
	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), body, len);
}

int nl_end(struct nl_buf *b)
{
	u32 len = b->len - b->start;

	if (b->full) {
		b->len = b->start;
		return -EMSGSIZE;
	}
	memcpy(b->data + b->start, &len, sizeof(len)); /* nlmsg_len is the first field */
	return 0;
}

void nl_put(struct nl_buf *b, u16 type, const void *data, u32 len)
{
	struct abi_nlattr head = {(u16)(sizeof(head) + len), type};
	u8 *at = reserve(b, head.nla_len);

	if (!at)
		return;
	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), data, len);
}

void nl_put_string(struct nl_buf *b, u16 type, const char *text)
{
	nl_put(b, type, text, (u32)strlen(text) + 1);
}

u32 nl_nest(struct nl_buf *b, u16 type)
{
	u32 at = b->len;

	nl_put(b, type, NULL, 0);
	return at;
}

void nl_nest_end(struct nl_buf *b, u32 nest)
{
	u16 len = (u16)(b->len - nest);

	if (!b->full)
		memcpy(b->data + nest, &len, sizeof(len)); /* nla_len is the first field */
}

/* ---- taking apart ---- */

int nl_parse(struct nl_request *r, u32 fixed, struct nl_attrs *a)
{
	u32 pos = ABI_NL_ALIGN(fixed);

	memset(a->at, 0, a->nr * sizeof(a->at[0]));
	if (r->len < fixed)
		return -EINVAL;
	while (pos < r->len && r->len - pos >= sizeof(struct abi_nlattr)) {
		const struct abi_nlattr *at = (const struct abi_nlattr *)(r->body + pos);
		u32 type = at->nla_type & ABI_NLA_TYPE_MASK;

		/* What is left over is ignored, as Linux does for the old requests. */
		if (at->nla_len < sizeof(*at) || at->nla_len > r->len - pos)
			break;
		if (type < a->nr)
			a->at[type] = at;
		pos += ABI_NL_ALIGN(at->nla_len);
	}
	return 0;
}

int nl_get_u32(struct nl_request *r, const struct nl_attrs *a, u32 type, u32 *out)
{
	const struct abi_nlattr *at = a->at[type];

	if (!at)
		return 0;
	if (nl_data_len(at) < sizeof(*out)) {
		r->bad = at;
		return nl_refuse(r, -ERANGE, "Attribute failed policy validation");
	}
	memcpy(out, nl_data(at), sizeof(*out));
	return 0;
}

bool nl_strict(const struct nl_request *r)
{
	return atomic_load_relaxed(&r->from->options) & NL_F_STRICT;
}

/* ---- answers ---- */

int nl_reply(struct nl_request *r, struct nl_buf *b, int err)
{
	if (!err)
		err = netlink_deliver(r->from, b->data, b->len, 0, 0);
	nl_buf_free(b);
	return err;
}

/* struct nlmsgerr is the error and the header of the request, or all of it. */
static void acknowledge(struct nl_request *r, int err)
{
	u32 options = atomic_load_relaxed(&r->from->options);
	bool capped = !err || (options & NL_F_CAP_ACK);
	bool tell = (options & NL_F_EXT_ACK) && err && (r->why || r->bad);
	u32 copied = capped ? (u32)sizeof(*r->head) : r->head->nlmsg_len;
	u16 flags = (u16)((capped ? NLM_F_CAPPED : 0) | (tell ? NLM_F_ACK_TLVS : 0));
	struct nl_buf b;
	u8 *at;

	if (nl_buf_alloc(&b, copied + 256))
		return;
	nl_begin(&b, NLMSG_ERROR, flags, r->portid, r->head->nlmsg_seq, &err, sizeof(err));
	at = reserve(&b, copied);
	if (at)
		memcpy(at, r->head, copied);
	if (tell && r->why)
		nl_put_string(&b, NLMSGERR_ATTR_MSG, r->why);
	if (tell && r->bad)
		nl_put_u32(&b, NLMSGERR_ATTR_OFFS, (u32)((const u8 *)r->bad - (const u8 *)r->head));
	nl_reply(r, &b, nl_end(&b));
}

void netlink_requests(struct netlink_sock *n, const u8 *data, u32 len)
{
	while (len >= sizeof(struct abi_nlmsghdr)) {
		const struct abi_nlmsghdr *head = (const struct abi_nlmsghdr *)data;
		struct nl_request r = {.head = head,
				       .body = data + sizeof(*head),
				       .from = n,
				       .portid = atomic_load_relaxed(&n->portid)};
		u32 whole;
		int err = 0;

		if (head->nlmsg_len < sizeof(*head) || head->nlmsg_len > len)
			return;
		r.len = head->nlmsg_len - (u32)sizeof(*head);
		if ((head->nlmsg_flags & NLM_F_REQUEST) && head->nlmsg_type >= NLMSG_MIN_TYPE)
			err = n->protocol->request(&r);
		if (err != NL_DUMPING && (err || (head->nlmsg_flags & NLM_F_ACK)))
			acknowledge(&r, err);
		whole = MIN(ABI_NL_ALIGN(head->nlmsg_len), len);
		data += whole;
		len -= whole;
	}
}

/* ---- dumps ---- */

/* NLMSG_DONE: the dump's result. */
static int put_done(struct nl_dump *d, struct nl_buf *b, bool tell)
{
	u16 flags = d->flags | (tell ? NLM_F_ACK_TLVS : 0);

	nl_begin(b, NLMSG_DONE, flags, d->portid, d->seq, &d->result, sizeof(d->result));
	if (tell)
		nl_put_string(b, NLMSGERR_ATTR_MSG, d->why);
	return nl_end(b);
}

void netlink_dump_step(struct netlink_sock *n)
{
	struct nl_dump *d = &n->dump;
	struct nl_buf b;
	int err = 0;

	if (nl_buf_alloc(&b, MIN(MAX(atomic_load_relaxed(&n->max_recv), PIECE_MIN), PIECE_MAX))) {
		atomic_store_relaxed(&n->dumping, false);
		socket_fail(&n->s, ENOBUFS);
		return;
	}
	if (!d->all_filled) {
		err = d->fill(d, &b);
		d->all_filled = err != -EMSGSIZE || !b.len;
		d->result = err;
	}
	if (d->all_filled &&
	    !put_done(d, &b, d->why && (atomic_load_relaxed(&n->options) & NL_F_EXT_ACK)))
		atomic_store_relaxed(&n->dumping, false);
	netlink_deliver(n, b.data, b.len, 0, 0);
	nl_buf_free(&b);
}

int nl_dump_start(struct nl_request *r, const struct nl_dump *d)
{
	struct netlink_sock *n = r->from;
	int err = NL_DUMPING;

	mutex_lock(&n->dump_lock);
	if (n->dumping) {
		err = -EBUSY;
	} else {
		n->dump = *d;
		n->dump.portid = r->portid;
		n->dump.seq = r->head->nlmsg_seq;
		n->dump.flags |= NLM_F_MULTI;
		atomic_store_relaxed(&n->dumping, true);
		netlink_dump_step(n);
	}
	mutex_unlock(&n->dump_lock);
	return err;
}

int nl_dump_fail(struct nl_request *r, int err)
{
	struct nl_dump d = {.all_filled = true, .result = err, .why = r->why};

	return nl_dump_start(r, &d);
}
