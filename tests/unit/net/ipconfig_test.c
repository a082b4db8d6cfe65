/* The boot argument ip=: what Linux's documentation says, and what is none of that. */
#include "kernel/net/ipconfig.h"

#include "tests/unit/unit.h"

static u32 v4(u8 a, u8 b, u8 c, u8 d)
{
	return (u32)a | (u32)b << 8 | (u32)c << 16 | (u32)d << 24;
}

TEST(all_fields)
{
	struct ipconfig c;

	CHECK(ipconfig_parse("10.0.2.15:10.0.2.1:10.0.2.2:255.255.255.0:host:eth1:off:8.8.8.8", &c));
	CHECK(c.address == v4(10, 0, 2, 15) && c.gateway == v4(10, 0, 2, 2) && c.prefix == 24);
	CHECK(!strcmp(c.device, "eth1") && !c.dhcp);
}

TEST(fields_may_be_empty_or_left_out)
{
	struct ipconfig c;

	CHECK(ipconfig_parse("192.168.1.2::", &c));
	CHECK(c.address == v4(192, 168, 1, 2) && !c.gateway && c.prefix == 24 && !c.device[0]);
	CHECK(ipconfig_parse("172.16.0.1:", &c) && c.prefix == 16);
	CHECK(ipconfig_parse("10.1.1.1:", &c) && c.prefix == 8);
	CHECK(ipconfig_parse("10.1.1.1::::::", &c) && c.prefix == 8);
	CHECK(ipconfig_parse("10.1.1.1:::255.255.255.255", &c) && c.prefix == 32);
	CHECK(ipconfig_parse("10.1.1.1:::0.0.0.0", &c) && c.prefix == 0);
}

TEST(autoconf)
{
	struct ipconfig c;

	CHECK(ipconfig_parse("dhcp", &c) && c.dhcp);
	CHECK(ipconfig_parse("on", &c) && c.dhcp);
	CHECK(ipconfig_parse("off", &c) && !c.dhcp && !c.address);
	CHECK(ipconfig_parse(":::::eth0:dhcp", &c) && c.dhcp && !strcmp(c.device, "eth0"));
	CHECK(ipconfig_parse("10.0.0.1::::::dhcp", &c) && !c.dhcp);
}

TEST(what_is_wrong)
{
	static const char *const wrong[] = {
		"",
		"nonsense",
		"10.0.2.15",
		"10.0.2:",
		"10.0.2.256:",
		"10.0.2.1.5:",
		"10..2.15:",
		".1.2.3:",
		"10.0.2.:",
		"10.0.2.15:::255.0.255.0",
		"10.0.2.15:::24",
		"10.0.2.15::gateway",
		"a.b.c.d:",
		"10.0.2.15:::::a-name-that-is-too-long",
		"10.0.2.15::::::sometimes",
		"4294967297.0.0.1:",
	};
	struct ipconfig c;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		CHECK(!ipconfig_parse(wrong[i], &c));
}
