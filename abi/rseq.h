/*
 * Restartable sequences: what a thread shares with the kernel.
 */
#ifndef ABI_RSEQ_H
#define ABI_RSEQ_H

#include "lib/types.h"

#define RSEQ_FLAG_UNREGISTER	  1
#define RSEQ_CPU_ID_UNINITIALIZED (~0U)

struct abi_rseq {
	u32 cpu_id_start;
	u32 cpu_id;
	u64 rseq_cs; /* struct abi_rseq_cs of the section that runs, or 0 */
	u32 flags;
	u32 node_id;
	u32 mm_cid;
	u32 pad;
};
static_assert(sizeof(struct abi_rseq) == 32, "struct rseq");

#define RSEQ_SIZE_FIRST	  32U /* the smallest that may be registered */
#define RSEQ_ALIGN	  32U
#define RSEQ_FEATURE_SIZE 28U /* AT_RSEQ_FEATURE_SIZE: up to and with mm_cid */

struct abi_rseq_cs {
	u32 version;
	u32 flags;
	u64 start_ip;
	u64 post_commit_offset;
	u64 abort_ip;
};
static_assert(sizeof(struct abi_rseq_cs) == 32, "struct rseq_cs");

#endif
