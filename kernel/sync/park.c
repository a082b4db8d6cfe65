/*
 * The table through which everything below the scheduler blocks and wakes: see park.h.
 */
#include "kernel/sync/park.h"

struct park_ops park_ops;
