/* The protobuf writer against bytes worked out by hand from the encoding's rules. */
#include "tests/unit/unit.h"
#include "tools/trace/proto.h"

static bool is(struct pb *pb, const char *bytes, size_t len)
{
	bool same = pb->len == len && !memcmp(pb->data, bytes, len);

	pb_free(pb);
	return same;
}

#define IS(pb, bytes) is(pb, bytes, sizeof(bytes) - 1)

TEST(varints)
{
	struct pb pb = {0};

	pb_varint(&pb, 0);
	pb_varint(&pb, 127);
	pb_varint(&pb, 128);
	pb_varint(&pb, 300);
	CHECK(IS(&pb, "\x00\x7f\x80\x01\xac\x02"));
	pb_varint(&pb, (u64)-1);
	CHECK(IS(&pb, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
}

TEST(fields)
{
	struct pb pb = {0};

	pb_u64(&pb, 1, 150);
	pb_string(&pb, 2, "hi");
	pb_u64(&pb, 16, 1);
	CHECK(IS(&pb, "\x08\x96\x01\x12\x02hi\x80\x01\x01"));
	pb_fixed64(&pb, 47, 0x0102030405060708);
	CHECK(IS(&pb, "\xf9\x02\x08\x07\x06\x05\x04\x03\x02\x01"));
	pb_bytes(&pb, 3, NULL, 0);
	CHECK(IS(&pb, "\x1a\x00"));
}

TEST(nested_messages_of_every_length_of_length)
{
	static const size_t sizes[] = {0, 1, 127, 128, 16383, 16384, 3000000};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct pb pb = {0}, flat = {0};
		size_t outer = pb_begin(&pb, 1);
		size_t inner = pb_begin(&pb, 2);

		for (size_t k = 0; k < sizes[i]; k++)
			pb_varint(&pb, k & 127);
		pb_end(&pb, inner);
		pb_end(&pb, outer);

		/* The same from inside out. */
		struct pb content = {0}, middle = {0};

		for (size_t k = 0; k < sizes[i]; k++)
			pb_varint(&content, k & 127);
		pb_bytes(&middle, 2, content.data, content.len);
		pb_bytes(&flat, 1, middle.data, middle.len);
		CHECK(is(&pb, (char *)flat.data, flat.len));
		pb_free(&content);
		pb_free(&middle);
		pb_free(&flat);
	}
}
