/*
 * Cache lines that move between harts.
 *
 * Every hart has an infinite cache of 64-byte lines; only sharing moves a line:
 *   a read moves it if another hart wrote it since this hart last accessed it;
 *   a write moves it if another hart read or wrote it since this hart last wrote it.
 * First touches and lines that everybody only reads never count. (The definition of mtrace,
 * Clements et al., "The Scalable Commutativity Rule", SOSP 2013.)
 *
 * Accesses that a plugin does not see are not counted: page-table walks, cbo.zero, devices' DMA.
 * A callback runs after its access, so two harts that race for a line may be seen in the other
 * order: a move more or less in thousands.
 */
#ifndef PERF_PLUGIN_LINES_H
#define PERF_PLUGIN_LINES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define LINES_MAX_HARTS 64

enum lines_move { LINES_NONE, LINES_READ, LINES_WRITE };

/* lines_init() - make the table. Return: false if there is no memory for it. */
bool lines_init(void);

/*
 * lines_access() - hart @hart loads from or stores to @paddr.
 * @vaddr, @pc: where and by which instruction, kept for the report of a line that moves.
 * Context: any virtual CPU's thread.
 */
enum lines_move lines_access(unsigned int hart, uint64_t paddr, bool store, uint64_t vaddr,
			     uint64_t pc);

/* lines_window_begin() - list the lines that move from now on. */
void lines_window_begin(void);

/* lines_window_end() - stop, and print those that moved most as a JSON array to @out. */
void lines_window_end(FILE *out);

#endif
