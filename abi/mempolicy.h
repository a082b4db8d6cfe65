/*
 * Memory policies: set_mempolicy(2), mbind(2), get_mempolicy(2), move_pages(2).
 */
#ifndef ABI_MEMPOLICY_H
#define ABI_MEMPOLICY_H

#define MPOL_DEFAULT		 0
#define MPOL_PREFERRED		 1
#define MPOL_BIND		 2
#define MPOL_INTERLEAVE		 3
#define MPOL_LOCAL		 4
#define MPOL_PREFERRED_MANY	 5
#define MPOL_WEIGHTED_INTERLEAVE 6
#define MPOL_MODES		 7

#define MPOL_F_STATIC_NODES   0x8000U
#define MPOL_F_RELATIVE_NODES 0x4000U
#define MPOL_F_NUMA_BALANCING 0x2000U
#define MPOL_MODE_FLAGS	      (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING)

#define MPOL_F_NODE	    1UL
#define MPOL_F_ADDR	    2UL
#define MPOL_F_MEMS_ALLOWED 4UL

#define MPOL_MF_STRICT	 1U
#define MPOL_MF_MOVE	 2U
#define MPOL_MF_MOVE_ALL 4U

#endif
