/*
 * A protobuf writer: what the Perfetto format needs and no more. A message is built in one growing buffer; a nested
 * message is opened with one byte for its length, and closing it makes room when the length needs more.
 */
#ifndef TOOLS_TRACE_PROTO_H
#define TOOLS_TRACE_PROTO_H

#include "lib/types.h"

struct pb {
	u8 *data;
	size_t len;
	size_t cap;
};

void pb_free(struct pb *pb);

/* A bare varint, as packed repeated fields hold it. Negative values: cast to u64, ten bytes. */
void pb_varint(struct pb *pb, u64 value);

void pb_u64(struct pb *pb, u32 field, u64 value);
void pb_fixed64(struct pb *pb, u32 field, u64 value);
void pb_bytes(struct pb *pb, u32 field, const void *data, size_t len);
void pb_string(struct pb *pb, u32 field, const char *text);

/* Fields already encoded elsewhere. */
void pb_raw(struct pb *pb, const void *data, size_t len);

/* Opens a nested message; pb_end() wants the returned mark. They nest. */
size_t pb_begin(struct pb *pb, u32 field);
void pb_end(struct pb *pb, size_t mark);

#endif
