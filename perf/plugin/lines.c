/*
 * The line table: physical page number -> 64 lines, made when first touched.
 *
 * A line's state is the set of harts whose copy is valid and whether anybody wrote it. The common
 * access changes nothing (the hart has a copy; for a store, the only one) and is decided by one
 * relaxed load; all else takes the line's spin lock.
 */
#define _GNU_SOURCE
#include "perf/plugin/lines.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE_SHIFT     12
#define LINE_SHIFT     6
#define LINES_PER_PAGE (1 << (PAGE_SHIFT - LINE_SHIFT))
#define MAX_PADDR      (1ull << 37)
#define NR_PAGES       (MAX_PADDR >> PAGE_SHIFT)
#define REPORTED_LINES 64

struct line {
	_Atomic uint64_t copies; /* [a] harts with a valid copy; changed under .lock */
	atomic_flag lock;
	atomic_bool written; /* [a] some hart wrote it; changed under .lock */
	uint32_t reads;	     /* [L:lock] moves in window .window */
	uint32_t writes;     /* [L:lock] */
	uint64_t window;     /* [L:lock] the window that .reads and .writes belong to */
	uint64_t vaddr;	     /* [L:lock] of the last move */
	uint64_t read_pc;    /* [L:lock] instruction of the last move by a read */
	uint64_t write_pc;   /* [L:lock] and by a write */
};

struct page {
	struct line lines[LINES_PER_PAGE];
};

struct moved {
	struct line *line;
	uint64_t paddr;
};

static _Atomic(struct page *) *pages; /* [I] NR_PAGES entries, each [a] */

/* The lines that moved in the open window. */
static struct {
	pthread_mutex_t lock;
	_Atomic uint64_t window; /* [a] number of the open window, 0: none */
	uint64_t last;		 /* [L:lock] number of the last window */
	struct moved *list;	 /* [L:lock] */
	size_t used, size;	 /* [L:lock] */
} moved = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool lines_init(void)
{
	void *memory = mmap(NULL, NR_PAGES * sizeof(*pages), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	pages = memory == MAP_FAILED ? NULL : memory;
	return pages;
}

static struct line *find_line(uint64_t paddr)
{
	_Atomic(struct page *) *slot = &pages[paddr >> PAGE_SHIFT];
	struct page *page = atomic_load(slot);

	if (!page) {
		struct page *fresh = calloc(1, sizeof(*fresh));

		if (!fresh)
			abort();
		if (atomic_compare_exchange_strong(slot, &page, fresh))
			page = fresh;
		else
			free(fresh);
	}
	return &page->lines[(paddr >> LINE_SHIFT) % LINES_PER_PAGE];
}

static void line_lock(struct line *line)
{
	while (atomic_flag_test_and_set_explicit(&line->lock, memory_order_acquire))
		sched_yield();
}

static void line_unlock(struct line *line)
{
	atomic_flag_clear_explicit(&line->lock, memory_order_release);
}

/* First move of @line in this window: put it on the list. Lock order: line, then moved. */
static void list_line(struct line *line, uint64_t paddr)
{
	pthread_mutex_lock(&moved.lock);
	if (moved.used == moved.size) {
		moved.size = moved.size ? 2 * moved.size : 1024;
		moved.list = realloc(moved.list, moved.size * sizeof(*moved.list));
		if (!moved.list)
			abort();
	}
	moved.list[moved.used++] = (struct moved){line, paddr & -(1ull << LINE_SHIFT)};
	pthread_mutex_unlock(&moved.lock);
}

/* With line->lock held. */
static void note_move(struct line *line, uint64_t paddr, bool store, uint64_t vaddr, uint64_t pc)
{
	uint64_t window = atomic_load(&moved.window);

	if (!window)
		return;
	if (line->window != window) {
		line->window = window;
		line->reads = line->writes = 0;
		line->read_pc = line->write_pc = 0;
		list_line(line, paddr);
	}
	line->vaddr = vaddr;
	if (store) {
		line->writes++;
		line->write_pc = pc;
	} else {
		line->reads++;
		line->read_pc = pc;
	}
}

enum lines_move lines_access(unsigned int hart, uint64_t paddr, bool store, uint64_t vaddr,
			     uint64_t pc)
{
	uint64_t self = 1ull << hart, copies;
	struct line *line;
	bool moves;

	if (paddr >= MAX_PADDR)
		return LINES_NONE;
	line = find_line(paddr);
	copies = atomic_load_explicit(&line->copies, memory_order_relaxed);
	if (store ? copies == self && atomic_load_explicit(&line->written, memory_order_relaxed)
		  : (copies & self) != 0)
		return LINES_NONE;

	line_lock(line);
	copies = atomic_load(&line->copies);
	if (store) {
		moves = (copies & ~self) != 0;
		atomic_store(&line->copies, self);
		atomic_store(&line->written, true);
	} else {
		moves = !(copies & self) && atomic_load(&line->written);
		atomic_store(&line->copies, copies | self);
	}
	if (moves)
		note_move(line, paddr, store, vaddr, pc);
	line_unlock(line);
	return !moves ? LINES_NONE : store ? LINES_WRITE : LINES_READ;
}

void lines_window_begin(void)
{
	pthread_mutex_lock(&moved.lock);
	moved.used = 0;
	atomic_store(&moved.window, ++moved.last);
	pthread_mutex_unlock(&moved.lock);
}

static int more_moves_first(const void *a, const void *b)
{
	const struct line *x = ((const struct moved *)a)->line;
	const struct line *y = ((const struct moved *)b)->line;
	uint64_t moves_x = (uint64_t)x->reads + x->writes, moves_y = (uint64_t)y->reads + y->writes;

	return (moves_x < moves_y) - (moves_x > moves_y);
}

static void print_line(FILE *out, const struct moved *entry, bool first)
{
	const struct line *line = entry->line;

	fprintf(out,
		"%s\n{\"paddr\":\"0x%llx\",\"vaddr\":\"0x%llx\",\"moves\":%llu,\"reads\":%u,"
		"\"writes\":%u,\"read_pc\":\"0x%llx\",\"write_pc\":\"0x%llx\"}",
		first ? "" : ",", (unsigned long long)entry->paddr, (unsigned long long)line->vaddr,
		(unsigned long long)line->reads + line->writes, line->reads, line->writes,
		(unsigned long long)line->read_pc, (unsigned long long)line->write_pc);
}

/*
 * A hart that saw the window open may still add a move while the list is sorted: a torn report of
 * that line at worst, since the list itself only changes under its lock.
 */
void lines_window_end(FILE *out)
{
	pthread_mutex_lock(&moved.lock);
	atomic_store(&moved.window, 0);
	qsort(moved.list, moved.used, sizeof(*moved.list), more_moves_first);
	fputc('[', out);
	for (size_t i = 0; i < moved.used && i < REPORTED_LINES; i++)
		print_line(out, &moved.list[i], i == 0);
	fputc(']', out);
	pthread_mutex_unlock(&moved.lock);
}
