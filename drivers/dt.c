/*
 * libfdt finds everything by walking the blob from its start, which costs milliseconds at boot and grows with the third power of the
 * harts in a search for each one's interrupt controller. So one walk makes a table of the nodes; a node's handle is its index.
 */
#include "drivers/dt.h"

#include "abi/errno.h"
#include "arch/riscv64/cpu.h"

#include <libfdt.h>
#include <string.h>

#define MAX_NODES 512 /* 64 harts have about 250 */
#define MAX_DEPTH 8

struct dt_node {
	int offset;	   /* in the blob */
	int parent;	   /* -1: the root */
	u32 phandle;	   /* 0: none */
	u32 address_cells; /* of the children's reg */
	u32 size_cells;
	const char *compatible; /* list of strings; NULL: none */
	u32 compatible_length;
};

static const void *fdt; /* [I] after boot, like all of this */
static struct dt_node nodes[MAX_NODES];
static int nr_nodes;
static struct {
	int node;
	u32 intc; /* phandle of its interrupt controller, a child */
} harts[MAX_CPUS];
static u32 nr_harts;

static void dt_read_node(struct dt_node *n, int offset, int parent)
{
	int property;

	*n = (struct dt_node){.offset = offset, .parent = parent, .address_cells = 2, .size_cells = 1};
	fdt_for_each_property_offset(property, fdt, offset)
	{
		const char *name;
		int length;
		const void *value = fdt_getprop_by_offset(fdt, property, &name, &length);

		if (!value || length < 4)
			continue;
		if (!strcmp(name, "phandle")) {
			n->phandle = fdt32_ld(value);
		} else if (!strcmp(name, "#address-cells")) {
			n->address_cells = fdt32_ld(value);
		} else if (!strcmp(name, "#size-cells")) {
			n->size_cells = fdt32_ld(value);
		} else if (!strcmp(name, "compatible")) {
			n->compatible = value;
			n->compatible_length = (u32)length;
		}
	}
}

static bool dt_compatible(int node, const char *name)
{
	const struct dt_node *n = &nodes[node];

	return n->compatible &&
	       fdt_stringlist_contains(n->compatible, (int)n->compatible_length, name);
}

/* A hart comes before its interrupt controller. */
static void dt_note_hart(int node)
{
	const char *type = dt_property(node, "device_type", NULL);
	const char *status = dt_property(node, "status", NULL);

	if (type && !strcmp(type, "cpu") && (!status || strcmp(status, "disabled")) &&
	    nr_harts < MAX_CPUS)
		harts[nr_harts++].node = node;
	else if (nr_harts && nodes[node].parent == harts[nr_harts - 1].node &&
		 dt_compatible(node, "riscv,cpu-intc"))
		harts[nr_harts - 1].intc = nodes[node].phandle;
}

int dt_init(const void *blob)
{
	int open[MAX_DEPTH], depth = 0, offset = 0;

	if (fdt_check_header(blob))
		return -EINVAL;
	fdt = blob;
	do {
		if (depth >= MAX_DEPTH || nr_nodes == MAX_NODES)
			return -EINVAL;
		dt_read_node(&nodes[nr_nodes], offset, depth ? open[depth - 1] : -1);
		open[depth] = nr_nodes++;
		dt_note_hart(nr_nodes - 1);
		offset = fdt_next_node(fdt, offset, &depth);
	} while (offset >= 0 && depth >= 0);
	return offset < 0 && offset != -FDT_ERR_NOTFOUND ? -EINVAL : 0;
}

int dt_find(int after, const char *name)
{
	for (int node = after + 1; node < nr_nodes; node++) {
		if (dt_compatible(node, name))
			return node;
	}
	return -1;
}

int dt_path(const char *path)
{
	int offset = fdt_path_offset(fdt, path);

	for (int node = 0; offset >= 0 && node < nr_nodes; node++) {
		if (nodes[node].offset == offset)
			return node;
	}
	return -1;
}

int dt_phandle_node(u32 phandle)
{
	for (int node = 0; phandle && node < nr_nodes; node++) {
		if (nodes[node].phandle == phandle)
			return node;
	}
	return -1;
}

const void *dt_property(int node, const char *name, u32 *length)
{
	int len = 0;
	const void *value = node < 0 ? NULL : fdt_getprop(fdt, nodes[node].offset, name, &len);

	if (length)
		*length = value ? (u32)len : 0;
	return value;
}

static u64 fdt_cells(const fdt32_t *cells, int count)
{
	u64 value = 0;

	while (count-- > 0)
		value = value << 32 | fdt32_to_cpu(*cells++);
	return value;
}

bool dt_reg(int node, u32 i, u64 *address, u64 *size)
{
	u32 length, stride;
	const fdt32_t *reg = dt_property(node, "reg", &length);
	const struct dt_node *parent;

	if (!reg || nodes[node].parent < 0)
		return false;
	parent = &nodes[nodes[node].parent];
	stride = parent->address_cells + parent->size_cells;
	if ((i + 1) * stride * 4 > length)
		return false;
	reg += i * stride;
	*address = fdt_cells(reg, (int)parent->address_cells);
	*size = fdt_cells(reg + parent->address_cells, (int)parent->size_cells);
	return true;
}

bool dt_cell(int node, const char *property, u32 i, u32 *value)
{
	u32 length;
	const fdt32_t *cells = dt_property(node, property, &length);

	if (!cells || (i + 1) * 4 > length)
		return false;
	*value = fdt32_to_cpu(cells[i]);
	return true;
}

bool dt_hart(u32 i, u32 *hartid, u32 *intc)
{
	if (i >= nr_harts)
		return false;
	*intc = harts[i].intc;
	return dt_cell(harts[i].node, "reg", 0, hartid);
}

const char *dt_bootargs(void)
{
	const char *args = dt_property(dt_path("/chosen"), "bootargs", NULL);

	return args ? args : "";
}

bool dt_initrd(u64 *start, u64 *end)
{
	int chosen = dt_path("/chosen");
	u32 start_length, end_length;
	const fdt32_t *s = dt_property(chosen, "linux,initrd-start", &start_length);
	const fdt32_t *e = dt_property(chosen, "linux,initrd-end", &end_length);

	if (!s || !e)
		return false;
	*start = fdt_cells(s, (int)start_length / 4);
	*end = fdt_cells(e, (int)end_length / 4);
	return *end > *start;
}

u64 dt_timebase(void)
{
	u32 freq;

	return dt_cell(dt_path("/cpus"), "timebase-frequency", 0, &freq) ? freq : 10000000;
}

const char *dt_isa(void)
{
	const char *isa = nr_harts ? dt_property(harts[0].node, "riscv,isa", NULL) : NULL;

	return isa ? isa : "rv64imac";
}

u32 dt_zicboz_bytes(void)
{
	u32 bytes;

	if (!nr_harts || !dt_cell(harts[0].node, "riscv,cboz-block-size", 0, &bytes))
		return 0;
	return bytes & (bytes - 1) ? 0 : bytes;
}

const void *dt_rng_seed(u32 *length)
{
	return dt_property(dt_path("/chosen"), "rng-seed", length);
}

const void *dt_blob(u64 *size)
{
	*size = fdt_totalsize(fdt);
	return fdt;
}
