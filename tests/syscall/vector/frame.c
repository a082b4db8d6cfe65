/*
 * Vectors in a signal's frame: the record behind the floating-point state. Handlers run for an ebreak, for a system call would take the
 * registers.
 */
#include "tests/syscall/vector/vector.h"

#include <signal.h>
#include <sys/auxv.h>
#include <ucontext.h>

#define V_MAGIC		  0x53465457
#define RECORDS_OFFSET	  (256 + 520) /* in the mcontext */
#define FRAME_BEFORE	  1088	      /* of a program without vectors */
#define EBREAK		  "1: .option push; .option norvc; ebreak; .option pop\n"
#define INSTRUCTION_BYTES 4

struct header {
	uint32_t magic, size;
};
struct record {
	struct header header;
	long vstart, vl, vtype, vcsr, vlenb;
	uint8_t *registers;
	uint8_t bytes[];
};

static struct vectors before, during, after, change;
static bool handled, as_expected;
static void (*act)(struct record *r, ucontext_t *uc);

static struct record *records(ucontext_t *uc)
{
	return (struct record *)((char *)&uc->uc_mcontext + RECORDS_OFFSET);
}

/* No system call in here. */
static void on_trap(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	uc->uc_mcontext.__gregs[REG_PC] += INSTRUCTION_BYTES;
	handled = true;
	act(records(uc), uc);
}

static void catch_trap(void (*what)(struct record *r, ucontext_t *uc))
{
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

	act = what;
	handled = as_expected = false;
	CHECK_EQ(sigaction(SIGTRAP, &action, NULL), 0);
}

static size_t record_size(void)
{
	return sizeof(struct record) + (size_t)vector_bytes();
}

static bool is_end(const struct header *h)
{
	return h->magic == 0 && h->size == 0;
}

static void clobber(struct record *r, ucontext_t *uc)
{
	const struct header *end = (struct header *)((char *)r + record_size());
	const uint32_t *reserved = (uint32_t *)r - 1;

	(void)uc;
	as_expected = *reserved == 0 && r->header.magic == V_MAGIC &&
		      r->header.size == record_size() && r->registers == r->bytes &&
		      r->vlenb * 32 == vector_bytes() && is_end(end) && r->vl == before.vl &&
		      r->vtype == before.vtype && r->vcsr == before.vcsr && !r->vstart;
	for (long i = 0; i < vector_bytes(); i++)
		as_expected &= r->bytes[i] == before.bytes[i];
	vectors_put(&during);
}

TEST(frame_has_them_and_gives_them_back)
{
	vectors_make(&before, 1);
	vectors_make(&during, 2);
	catch_trap(clobber);
	vectors_put(&before);
	__asm__ volatile(EBREAK ::: "memory");
	vectors_get(&after);
	CHECK(handled && as_expected);
	CHECK(vectors_equal(&after, &before));
}

static void keep(struct record *r, ucontext_t *uc)
{
	(void)r;
	(void)uc;
	vectors_get(&during);
}

TEST(handler_begins_with_the_contents_of_the_program)
{
	vectors_make(&before, 3);
	catch_trap(keep);
	vectors_put(&before);
	__asm__ volatile(EBREAK ::: "memory");
	CHECK(handled);
	/* Linux leaves another vl and vtype behind, of its own. */
	during.vl = before.vl;
	during.vtype = before.vtype;
	CHECK(vectors_equal(&during, &before));
}

static void replace(struct record *r, ucontext_t *uc)
{
	(void)uc;
	r->vl = change.vl;
	r->vtype = change.vtype;
	r->vcsr = change.vcsr;
	r->registers = change.bytes;
}

TEST(handler_may_replace_them)
{
	vectors_make(&before, 4);
	vectors_make(&change, 5);
	change.vl = 2;
	change.vtype = VTYPE_E8_M1;
	catch_trap(replace);
	vectors_put(&before);
	__asm__ volatile(EBREAK ::: "memory");
	vectors_get(&after);
	CHECK(handled);
	CHECK(vectors_equal(&after, &change));
}

static void nonsense(struct record *r, ucontext_t *uc)
{
	(void)uc;
	r->vl = 1L << 40;
	r->vtype = 0x1234567;
	r->vstart = -1;
	r->vcsr = -1;
	r->vlenb = 12345;
}

/* The hardware keeps what it can. */
TEST(handler_may_put_nonsense)
{
	vectors_make(&before, 6);
	catch_trap(nonsense);
	vectors_put(&before);
	__asm__ volatile(EBREAK ::: "memory");
	vectors_get(&after);
	CHECK(handled);
	CHECK(after.vtype == VTYPE_INVALID && after.vl == 0 && after.vcsr == 7);
}

static void check_taken(struct record *r, ucontext_t *uc)
{
	(void)uc;
	as_expected = r->header.magic == V_MAGIC && r->vtype == VTYPE_INVALID && r->vl == 0;
	for (long i = 0; i < vector_bytes(); i++)
		as_expected &= r->bytes[i] == 0xff;
}

TEST(frame_of_a_system_call_has_them_taken)
{
	vectors_make(&before, 7);
	catch_trap(check_taken);
	vectors_put(&before);
	raise(SIGTRAP);
	CHECK(handled && as_expected);
}

/* Often enough that a unit that was not used would have gone off. */
TEST(frame_after_many_calls_has_them_taken)
{
	vectors_make(&before, 8);
	catch_trap(check_taken);
	vectors_put(&before);
	for (int i = 0; i < 400; i++)
		getppid();
	__asm__ volatile(EBREAK ::: "memory");
	vectors_get(&after);
	CHECK(handled && as_expected);
	CHECK(vectors_taken(&after));
}

/* ---- without vectors before ---- */

static void first_in_handler(struct record *r, ucontext_t *uc)
{
	(void)uc;
	as_expected = is_end(&r->header);
	vectors_put(&during);
}

static void *trap_without(void *unused)
{
	(void)unused;
	__asm__ volatile(EBREAK ::: "memory");
	vectors_get(&after);
	return NULL;
}

TEST(first_use_in_a_handler)
{
	vectors_make(&during, 9);
	catch_trap(first_in_handler);
	thread_join(thread_start(trap_without, NULL));
	CHECK(handled && as_expected);
	CHECK(vectors_taken(&after));
}

/* ---- bad frames: each in a child, which SIGSEGV ends ---- */

static void bad_size(struct record *r, ucontext_t *uc)
{
	(void)uc;
	r->header.size += 16;
}

static void bad_magic(struct record *r, ucontext_t *uc)
{
	(void)uc;
	r->header.magic++;
}

static void bad_reserved(struct record *r, ucontext_t *uc)
{
	(void)uc;
	((uint32_t *)r)[-1] = 1;
}

static void bad_pointer(struct record *r, ucontext_t *uc)
{
	(void)uc;
	r->registers = (uint8_t *)KERNEL_ADDRESS;
}

static void bad_end(struct record *r, ucontext_t *uc)
{
	(void)uc;
	((struct header *)((char *)r + record_size()))->size = 8;
}

static int return_from_bad(void)
{
	vectors_put(&before);
	__asm__ volatile(EBREAK ::: "memory");
	return 0;
}

static void add_record(struct record *r, ucontext_t *uc)
{
	(void)uc;
	r->header = (struct header){V_MAGIC, (uint32_t)(getauxval(AT_MINSIGSTKSZ) - FRAME_BEFORE -
							sizeof(struct header))};
}

static int return_without_vectors(void)
{
	__asm__ volatile(EBREAK ::: "memory");
	return 0;
}

TEST(bad_frames_kill)
{
	void (*const bad[])(struct record *, ucontext_t *) = {bad_size, bad_magic, bad_reserved,
							      bad_pointer, bad_end};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		catch_trap(bad[i]);
		CHECK_EQ(child_status(return_from_bad), SIGSEGV);
	}
	/* A process that never used vectors: fork gives new ones. */
	catch_trap(add_record);
	CHECK_EQ(child_status(return_without_vectors), SIGSEGV);
}

/* ---- room ---- */

TEST(least_stack_is_told)
{
	unsigned long size = FRAME_BEFORE + record_size() + sizeof(struct header);

	CHECK_EQ(getauxval(AT_MINSIGSTKSZ), (size + 15) & ~15UL);
}

TEST(small_alternate_stack)
{
	unsigned long size = getauxval(AT_MINSIGSTKSZ);
	stack_t stack = {.ss_sp = malloc(65536), .ss_size = size};

	vectors_put(&before);
	/* 2048 is enough for anybody without. */
	CHECK_EQ(sys2(SYS_sigaltstack, &stack, NULL), -ENOMEM);
	stack.ss_size = size + 1 > 2048 ? size + 1 : 2048;
	CHECK_EQ(sys2(SYS_sigaltstack, &stack, NULL), 0);
	stack.ss_flags = SS_DISABLE;
	CHECK_EQ(sys2(SYS_sigaltstack, &stack, NULL), 0);
	free(stack.ss_sp);
}
