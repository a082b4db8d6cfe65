#include "tools/trace/proto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };

static void pb_reserve(struct pb *pb, size_t more)
{
	if (pb->len + more <= pb->cap)
		return;
	pb->cap = MAX(pb->cap * 2, pb->len + more + 256);
	pb->data = realloc(pb->data, pb->cap);
	if (!pb->data) {
		fprintf(stderr, "convert: out of memory\n");
		exit(1);
	}
}

void pb_free(struct pb *pb)
{
	free(pb->data);
	*pb = (struct pb){0};
}

static size_t varint_size(u64 value)
{
	size_t size = 1;

	while (value >>= 7)
		size++;
	return size;
}

static void varint_store(u8 *to, u64 value)
{
	for (; value >= 0x80; value >>= 7)
		*to++ = (u8)value | 0x80;
	*to = (u8)value;
}

void pb_varint(struct pb *pb, u64 value)
{
	size_t size = varint_size(value);

	pb_reserve(pb, size);
	varint_store(pb->data + pb->len, value);
	pb->len += size;
}

static void pb_tag(struct pb *pb, u32 field, enum wire_type type)
{
	pb_varint(pb, (u64)field << 3 | type);
}

void pb_u64(struct pb *pb, u32 field, u64 value)
{
	pb_tag(pb, field, WIRE_VARINT);
	pb_varint(pb, value);
}

void pb_fixed64(struct pb *pb, u32 field, u64 value)
{
	pb_tag(pb, field, WIRE_FIXED64);
	pb_reserve(pb, 8);
	for (int i = 0; i < 8; i++)
		pb->data[pb->len++] = (u8)(value >> 8 * i);
}

void pb_raw(struct pb *pb, const void *data, size_t len)
{
	pb_reserve(pb, len);
	if (len)
		memcpy(pb->data + pb->len, data, len);
	pb->len += len;
}

void pb_bytes(struct pb *pb, u32 field, const void *data, size_t len)
{
	pb_tag(pb, field, WIRE_BYTES);
	pb_varint(pb, len);
	pb_raw(pb, data, len);
}

void pb_string(struct pb *pb, u32 field, const char *text)
{
	pb_bytes(pb, field, text, strlen(text));
}

size_t pb_begin(struct pb *pb, u32 field)
{
	pb_tag(pb, field, WIRE_BYTES);
	pb_varint(pb, 0);
	return pb->len;
}

void pb_end(struct pb *pb, size_t mark)
{
	size_t len = pb->len - mark;
	size_t more = varint_size(len) - 1;

	pb_reserve(pb, more);
	if (more)
		memmove(pb->data + mark + more, pb->data + mark, len);
	varint_store(pb->data + mark - 1, len);
	pb->len += more;
}
