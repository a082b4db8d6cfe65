/* SipHash-2-4 against the vectors of its authors: key and message are the bytes 0, 1, 2... */
#include "lib/siphash.h"
#include "tests/unit/unit.h"

#include <string.h>

static u64 hash_of(size_t n)
{
	u64 key[2];
	u8 bytes[64];

	for (u32 i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)i;
	memcpy(key, bytes, sizeof(key));
	return siphash24(key, bytes, n);
}

TEST(vectors)
{
	CHECK(hash_of(0) == 0x726fdb47dd0e0e31UL);
	CHECK(hash_of(15) == 0xa129ca6149be45e5UL);
}

TEST(each_byte_counts)
{
	const u64 key[2] = {1, 2};
	u8 bytes[36] = {0};
	u64 before = siphash24(key, bytes, sizeof(bytes));

	for (u32 i = 0; i < sizeof(bytes); i++) {
		bytes[i] ^= 1;
		CHECK(siphash24(key, bytes, sizeof(bytes)) != before);
		bytes[i] ^= 1;
	}
}
