#include "drivers/dt.h"

#include "abi/errno.h"

#include <libfdt.h>
#include <string.h>

static const void *fdt; /* [I] after boot */

int dt_init(const void *blob)
{
	if (fdt_check_header(blob))
		return -EINVAL;
	fdt = blob;
	return 0;
}

int dt_find(int after, const char *name)
{
	return fdt_node_offset_by_compatible(fdt, after, name);
}

int dt_path(const char *path)
{
	return fdt_path_offset(fdt, path);
}

int dt_phandle_node(u32 phandle)
{
	return fdt_node_offset_by_phandle(fdt, phandle);
}

const void *dt_property(int node, const char *name, u32 *length)
{
	int len;
	const void *value = fdt_getprop(fdt, node, name, &len);

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
	int parent = fdt_parent_offset(fdt, node);
	int address_cells = fdt_address_cells(fdt, parent), size_cells = fdt_size_cells(fdt, parent);
	u32 stride = (u32)(address_cells + size_cells), length;
	const fdt32_t *reg = dt_property(node, "reg", &length);

	if (!reg || address_cells < 0 || size_cells < 0 || (i + 1) * stride * 4 > length)
		return false;
	reg += i * stride;
	*address = fdt_cells(reg, address_cells);
	*size = fdt_cells(reg + address_cells, size_cells);
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
	int node, child;

	fdt_for_each_subnode(node, fdt, dt_path("/cpus")) {
		const char *type = dt_property(node, "device_type", NULL);
		const char *status = dt_property(node, "status", NULL);

		if (!type || strcmp(type, "cpu") || (status && !strcmp(status, "disabled")))
			continue;
		if (i--)
			continue;
		child = fdt_subnode_offset(fdt, node, "interrupt-controller");
		*intc = child < 0 ? 0 : fdt_get_phandle(fdt, child);
		return dt_cell(node, "reg", 0, hartid);
	}
	return false;
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
	int node;

	fdt_for_each_subnode(node, fdt, dt_path("/cpus")) {
		const char *isa = dt_property(node, "riscv,isa", NULL);

		if (isa)
			return isa;
	}
	return "rv64imac";
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
