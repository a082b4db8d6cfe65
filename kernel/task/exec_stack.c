/*
 * What a new program finds on its stack, from the top down: 8 zero bytes, the name it was executed
 * by, environment and argument strings, 16 random bytes, padding, the auxiliary vector, envp[]
 * NULL, argv[] NULL, argc at the (16-byte aligned) stack pointer. Source: the System V ABI, and
 * what Linux's exec puts there.
 */
#include "kernel/task/exec.h"

#include "abi/auxv.h"
#include "abi/errno.h"
#include "abi/rseq.h"
#include "abi/signal.h"
#include "abi/time.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/random/random.h"
#include "kernel/task/isa.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/task.h"
#include "kernel/task/vector.h"

#include <string.h>

static u64 hwcap; /* [I] */

void exec_set_isa(const char *isa)
{
	isa_string = isa;
	hwcap = isa_hwcap(isa);
}

struct stack_build {
	u64 sp;	     /* lowest address used */
	u64 strings; /* where the copies of args->buf begin */
	u64 execfn;
	u64 random;
};

static int push(struct stack_build *b, const void *data, size_t n)
{
	b->sp -= n;
	return copy_to_user((void __user *)b->sp, data, n);
}

static int push_strings(struct stack_build *b, const struct exec_args *args, const char *path)
{
	u8 random[16];
	u64 end = 0;

	random_bytes(random, sizeof(random));
	if (push(b, &end, sizeof(end)) || push(b, path, strlen(path) + 1))
		return -EFAULT;
	b->execfn = b->sp;
	if (push(b, args->buf, args->len))
		return -EFAULT;
	b->strings = b->sp;
	b->sp = ALIGN_DOWN(b->sp, 16);
	if (push(b, random, sizeof(random)))
		return -EFAULT;
	b->random = b->sp;
	return 0;
}

struct auxv_builder {
	u64 *words;
	u32 n;
};

static void aux(struct auxv_builder *v, u64 type, u64 value)
{
	v->words[v->n++] = type;
	v->words[v->n++] = value;
}

/* Words written to layout->auxv. */
static u32 build_auxv(const struct stack_build *b, const struct exec_image *image,
		      struct process_layout *layout)
{
	struct auxv_builder v = {.words = layout->auxv};
	const struct cred *cred = cred_current();

	aux(&v, AT_SYSINFO_EHDR, layout->vdso);
	aux(&v, AT_HWCAP, hwcap & ~task_vector_hidden_hwcap());
	aux(&v, AT_PAGESZ, PAGE_SIZE);
	aux(&v, AT_CLKTCK, USER_HZ);
	aux(&v, AT_PHDR, image->elf.phdr ? image->base + image->elf.phdr : 0);
	aux(&v, AT_PHENT, sizeof(struct elf64_phdr));
	aux(&v, AT_PHNUM, image->elf.nr_phdrs);
	aux(&v, AT_BASE, image->interp_base);
	aux(&v, AT_FLAGS, 0);
	aux(&v, AT_ENTRY, image->base + image->elf.entry);
	aux(&v, AT_UID, cred->uid);
	aux(&v, AT_EUID, cred->euid);
	aux(&v, AT_GID, cred->gid);
	aux(&v, AT_EGID, cred->egid);
	aux(&v, AT_SECURE, image->secure);
	aux(&v, AT_RANDOM, b->random);
	aux(&v, AT_HWCAP2, 0);
	aux(&v, AT_RSEQ_FEATURE_SIZE, RSEQ_FEATURE_SIZE);
	aux(&v, AT_RSEQ_ALIGN, RSEQ_ALIGN);
	aux(&v, AT_EXECFN, b->execfn);
	aux(&v, AT_MINSIGSTKSZ, signal_frame_size(task_vector_record_max()));
	aux(&v, AT_NULL, 0);
	return v.n;
}

/*
 * argc, argv[] NULL, envp[] NULL, auxv into `words`; strings lie one behind another from
 * b->strings.
 */
static void fill_pointers(u64 *words, const struct stack_build *b, const struct exec_args *args,
			  struct process_layout *layout, u32 nr_auxv)
{
	const char *s = args->buf;
	u32 i;

	*words++ = args->argc;
	layout->arg_start = b->strings;
	for (i = 0; i < args->argc; i++, s += strlen(s) + 1)
		*words++ = b->strings + (u64)(s - args->buf);
	*words++ = 0;
	layout->arg_end = layout->env_start = b->strings + (u64)(s - args->buf);
	for (i = 0; i < args->envc; i++, s += strlen(s) + 1)
		*words++ = b->strings + (u64)(s - args->buf);
	*words++ = 0;
	layout->env_end = b->strings + (u64)(s - args->buf);
	memcpy(words, layout->auxv, nr_auxv * sizeof(u64));
}

long exec_build_stack(u64 top, const struct exec_args *args, const char *path,
		      const struct exec_image *image, struct process_layout *layout)
{
	struct stack_build b = {.sp = top};
	u32 nr_auxv, nr_words;
	u64 *words;
	long ret;

	if (push_strings(&b, args, path))
		return -EFAULT;
	nr_auxv = build_auxv(&b, image, layout);
	nr_words = 1 + args->argc + 1 + args->envc + 1 + nr_auxv;
	words = kmalloc(nr_words * sizeof(u64));
	if (!words)
		return -ENOMEM;
	fill_pointers(words, &b, args, layout, nr_auxv);
	b.sp = ALIGN_DOWN(b.sp - nr_words * sizeof(u64), 16);
	ret = copy_to_user((void __user *)b.sp, words, nr_words * sizeof(u64));
	kfree(words);
	layout->start_stack = b.sp;
	return ret ? ret : (long)b.sp;
}
