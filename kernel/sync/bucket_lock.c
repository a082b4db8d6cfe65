#include "kernel/sync/bucket_lock.h"

#if defined(BUCKET_LOCK_MCS) || defined(BUCKET_LOCK_CLH)
PERCPU(struct bucket_node[BUCKET_NODES], bucket_nodes); /* [c] */
#endif
