/*
 * What Concurrency Kit's configure script would write for our machines.
 *
 * RISC-V has a relaxed memory order (RVWMO): every ck_pr_fence_* must become a fence. On the host the
 * compiler's built-ins replace CK's assembly, so that host tests run what ThreadSanitizer can see, and the
 * relaxed order is kept there too: a fence too many on x86 costs nothing that a test measures.
 */
#ifndef CK_MD_H
#define CK_MD_H

#define CK_MD_RMO
#define CK_MD_CACHELINE 64
#define CK_MD_PAGESIZE	4096
#define CK_MD_POINTER_PACK_DISABLE
#define CK_PR_DISABLE_DOUBLE

#ifndef __riscv
#define CK_USE_CC_BUILTINS 1
#endif

#endif
