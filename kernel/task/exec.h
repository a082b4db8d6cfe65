/*
 * exec's parts: arguments (exec_args.c), images (exec_load.c), the new stack (exec_stack.c), the
 * switch-over (exec.c).
 */
#ifndef KERNEL_TASK_EXEC_H
#define KERNEL_TASK_EXEC_H

#include "lib/elf.h"
#include "lib/types.h"

struct file;
struct mm;
struct process_layout;

/*
 * Longest string, and all strings with their pointers: Linux's limits with its default stack limit.
 */
#define EXEC_STRING_MAX (128UL << 10)
#define EXEC_ARGS_MAX	(2UL << 20)

/* Copies of argv and then env: NUL-terminated strings one behind another. */
struct exec_args {
	char *buf;
	size_t len;
	size_t capacity;
	u32 argc;
	u32 envc;
};

void exec_args_free(struct exec_args *args);
/*
 * Appends one string of `len` bytes without NUL. 0, -E2BIG, -ENOMEM. The caller counts it into argc
 * or envc.
 */
int exec_args_add(struct exec_args *args, const char *string, size_t len);
/*
 * Appends the strings of a NULL-terminated user vector; *count gets their number. 0, -E2BIG,
 * -ENOMEM, -EFAULT.
 */
int exec_args_add_user(struct exec_args *args, u64 vector, u32 *count);
/* "#!": argv becomes interpreter, [option,] path, argv[1]... */
int exec_args_script(struct exec_args *args, const char *interp, const char *option,
		     const char *path);

/* Where the images of a new program lie. */
struct exec_image {
	struct elf_image elf;
	u64 base;		 /* added to the file's addresses */
	struct elf_image interp; /* no segments: none */
	u64 interp_base;
	u64 entry;   /* first instruction: the interpreter's or the program's */
	bool secure; /* it has rights that its caller had not */
};

/*
 * Maps `f` and its interpreter into `mm`, which need not be the current space. 0 or -errno. May
 * sleep.
 */
int exec_load(struct mm *mm, struct file *f, struct exec_image *image);
/*
 * Zeroes the bytes behind file contents in each last page. Context: the new space is current. 0 or
 * -EFAULT.
 */
int exec_zero_tails(const struct exec_image *image);

/*
 * Writes strings, auxiliary vector and pointers to the new stack, fills `layout`, returns the stack
 * pointer or -errno. Context: the new space is current.
 */
long exec_build_stack(u64 top, const struct exec_args *args, const char *path,
		      const struct exec_image *image, struct process_layout *layout);
/* Boot only. 0 or -ENOMEM. */
int exec_init(void);
/* Device tree ISA string -> AT_HWCAP. */
void exec_set_isa(const char *isa);

#endif
