/*
 * Atomics for the model checker (included by atomic.h with -DATOMIC_MODEL): each operation is a
 * call into the explorer of tests/model, which may switch threads there and answers loads with any
 * value that the memory model allows. The call site is passed along, so that a test can weaken one
 * fence or operation at a time and see whether that is noticed.
 */
#ifndef KERNEL_SYNC_ATOMIC_MODEL_H
#define KERNEL_SYNC_ATOMIC_MODEL_H

#include "lib/types.h"

enum model_order { MODEL_RELAXED, MODEL_ACQUIRE, MODEL_RELEASE, MODEL_FULL };
enum model_op { MODEL_XCHG, MODEL_ADD, MODEL_OR, MODEL_AND };

/* How a test breaks a site. */
enum model_weakness {
	MODEL_INTACT,
	MODEL_TSO, /* a full fence or operation no longer keeps an earlier store before a later load */
	MODEL_GONE, /* a fence vanishes, an operation becomes relaxed */
};

/* One atomic operation or fence of the source; static inline functions have one in each file. */
struct model_site {
	const char *file;
	int line;
	enum model_order order;
	bool rmw; /* atomic read-modify-write: full barriers by default, not by choice */
	enum model_weakness weakness;
	u32 tried;   /* bit per enum model_weakness that some test tried */
	u32 noticed; /* bit per enum model_weakness that made some test fail */
	u64 hits;    /* executions of the site */
} __cacheline_aligned;

u64 model_load(const volatile void *p, size_t size, struct model_site *site);
void model_store(volatile void *p, size_t size, u64 v, struct model_site *site);
u64 model_rmw(volatile void *p, size_t size, enum model_op op, u64 v, struct model_site *site);
bool model_cas(volatile void *p, size_t size, u64 old, u64 v, struct model_site *site);
void model_fence(struct model_site *site);
void model_relax(void);

#define MODEL_SITE_OF(o, is_rmw)                                                                   \
	({                                                                                         \
		static struct model_site site_ __attribute__((section("model_sites"))) = {         \
			__FILE__, __LINE__, (o), (is_rmw), MODEL_INTACT, 0, 0, 0};                 \
		&site_;                                                                            \
	})
#define MODEL_SITE(o)	     MODEL_SITE_OF(o, false)
#define MODEL_LOAD(p, o)     ((__typeof__(*(p)))model_load((p), sizeof(*(p)), MODEL_SITE(o)))
#define MODEL_STORE(p, v, o) model_store((p), sizeof(*(p)), (u64)(v), MODEL_SITE(o))
#define MODEL_RMW(p, op, v, o)                                                                     \
	({ (__typeof__(*(p)))model_rmw((p), sizeof(*(p)), op, (u64)(v), MODEL_SITE_OF(o, true)); })

#define fence_full()		       model_fence(MODEL_SITE(MODEL_FULL))
#define fence_acquire()		       model_fence(MODEL_SITE(MODEL_ACQUIRE))
#define fence_release()		       model_fence(MODEL_SITE(MODEL_RELEASE))
#define cpu_relax()		       model_relax()
#define atomic_load_relaxed(p)	       MODEL_LOAD(p, MODEL_RELAXED)
#define atomic_load_acquire(p)	       MODEL_LOAD(p, MODEL_ACQUIRE)
#define atomic_store_relaxed(p, v)     MODEL_STORE(p, v, MODEL_RELAXED)
#define atomic_store_release(p, v)     MODEL_STORE(p, v, MODEL_RELEASE)
#define atomic_xchg(p, v)	       MODEL_RMW(p, MODEL_XCHG, v, MODEL_FULL)
#define atomic_fetch_add(p, v)	       MODEL_RMW(p, MODEL_ADD, v, MODEL_FULL)
#define atomic_fetch_add_relaxed(p, v) MODEL_RMW(p, MODEL_ADD, v, MODEL_RELAXED)
#define atomic_fetch_or(p, v)	       MODEL_RMW(p, MODEL_OR, v, MODEL_FULL)
#define atomic_fetch_and(p, v)	       MODEL_RMW(p, MODEL_AND, v, MODEL_FULL)
#define atomic_cas(p, old, new)                                                                    \
	model_cas((p), sizeof(*(p)), (u64)(old), (u64)(new), MODEL_SITE_OF(MODEL_FULL, true))

#endif
