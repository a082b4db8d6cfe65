/* The Internet checksum against its definition, at every alignment and length. */
#include <stdlib.h>

#include "kernel/net/inet.h"
#include "tests/unit/unit.h"

static u16 plain(const u8 *p, size_t len)
{
	u32 sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? (u32)p[i] << 8 : p[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

TEST(every_alignment_and_length)
{
	u8 *data = aligned_alloc(16, 256);

	srand(1);
	for (size_t i = 0; i < 256; i++)
		data[i] = (u8)rand();
	for (size_t at = 0; at < 16; at++)
		for (size_t len = 0; len < 200; len++)
			CHECK(inet_sum_fold(inet_sum(0, data + at, len)) == plain(data + at, len));
	free(data);
}

TEST(carries)
{
	static u8 ones[4096];

	memset(ones, 0xff, sizeof(ones));
	for (size_t len = 0; len < sizeof(ones); len++)
		CHECK(inet_sum_fold(inet_sum(0, ones, len)) == plain(ones, len));
	CHECK(inet_sum_fold(inet_sum(0xffffffff, ones, 64)) == 0);
}

TEST(carried_on)
{
	static u8 data[100];

	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i * 7);
	for (size_t cut = 0; cut < sizeof(data); cut += 2)
		CHECK(inet_sum_fold(inet_sum(inet_sum(0, data, cut), data + cut,
					     sizeof(data) - cut)) == plain(data, sizeof(data)));
}
