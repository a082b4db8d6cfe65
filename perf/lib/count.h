/*
 * Counted windows: marker instructions that perf/plugin sees and the machine ignores.
 *
 * A marker is the HINT `slti x0, x0, IMM`, which changes nothing on any RISC-V hart:
 *   0x5a1            count from here on (the plugin instruments nothing before it)
 *   0x600 + window   the window begins
 *   0x700 + window   the window ends
 * Only one window is open at a time; it takes in every hart, so threads may migrate in it.
 * Cost: about ten instructions a window, of the calls themselves.
 */
#ifndef PERF_LIB_COUNT_H
#define PERF_LIB_COUNT_H

#define BENCH_COUNT_ARM	    0x5a1
#define BENCH_COUNT_BEGIN   0x600
#define BENCH_COUNT_END	    0x700
#define BENCH_COUNT_WINDOWS 256

#ifndef __ASSEMBLER__

/* bench_count_arm() - make the plugin begin to count. Without the plugin nothing happens. */
void bench_count_arm(void);

/* bench_count_begin(), bench_count_end() - open, close @window (0 .. BENCH_COUNT_WINDOWS - 1). */
void bench_count_begin(int window);
void bench_count_end(int window);

#endif
#endif
