/*
 * Budgets: how many pages the files of one tmpfs may have, counted without a line that all harts
 * write.
 *
 * A hart takes pages out of the budget by the batch and keeps what it does not use yet as its stock,
 * in a line of its own; what is given back goes there too. Only when the budget is used up is the
 * stock of other harts taken, so a budget is refused not a page too early, and never exceeded:
 * `taken` is the pages in use and those in stocks.
 */
#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"

#define STOCK_BATCH 32UL
#define STOCK_MAX   (2 * STOCK_BATCH)

/* `pages` more are taken, if the limit allows. */
static bool budget_take(struct vm_budget *b, u64 pages)
{
	u64 taken = atomic_fetch_add(&b->taken, pages) + pages;

	if (taken <= atomic_load_relaxed(&b->limit))
		return true;
	atomic_fetch_add(&b->taken, -pages);
	return false;
}

static bool stock_use(struct vm_stock *stock)
{
	u64 pages = atomic_load_relaxed(&stock->pages);

	while (pages) {
		if (atomic_cas(&stock->pages, pages, pages - 1))
			return true;
		pages = atomic_load_relaxed(&stock->pages);
	}
	return false;
}

int vm_budget_charge(struct vm_budget *b)
{
	struct vm_stock *own = &b->stock[cpu_id()];

	if (stock_use(own))
		return 0;
	if (budget_take(b, STOCK_BATCH)) {
		atomic_fetch_add(&own->pages, STOCK_BATCH - 1);
		return 0;
	}
	if (budget_take(b, 1))
		return 0;
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		if (stock_use(&b->stock[cpu]))
			return 0;
	}
	return -ENOSPC;
}

void vm_budget_uncharge(struct vm_budget *b)
{
	struct vm_stock *own = &b->stock[cpu_id()];
	u64 pages = atomic_fetch_add(&own->pages, 1UL) + 1;

	if (pages >= STOCK_MAX && atomic_cas(&own->pages, pages, pages - STOCK_BATCH))
		atomic_fetch_add(&b->taken, -STOCK_BATCH);
}

u64 vm_budget_used(struct vm_budget *b)
{
	u64 stock = 0, taken = atomic_load_relaxed(&b->taken);

	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		stock += atomic_load_relaxed(&b->stock[cpu].pages);
	return taken > stock ? taken - stock : 0;
}

bool vm_budget_resize(struct vm_budget *b, u64 pages)
{
	if (pages < vm_budget_used(b))
		return false;
	atomic_store_relaxed(&b->limit, pages);
	return true;
}

struct vm_budget *vm_budget_create(u64 pages)
{
	struct vm_budget *b = kzalloc(sizeof(*b) + nr_cpus * sizeof(b->stock[0]));

	if (b)
		b->limit = pages;
	return b;
}
