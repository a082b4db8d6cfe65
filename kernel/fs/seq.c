/*
 * Building text in a buffer that may be too small: the length goes on counting, so that the next
 * buffer is large enough.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/riscv64/cpu.h"
#include "kernel/fs/pseudo.h"

void seq_write(struct seq *s, const void *data, size_t n)
{
	if (s->len < s->size)
		memcpy(s->buf + s->len, data, MIN(n, s->size - s->len));
	s->len += n;
}

void seq_puts(struct seq *s, const char *text)
{
	seq_write(s, text, strlen(text));
}

void seq_printf(struct seq *s, const char *fmt, ...)
{
	size_t room = s->len < s->size ? s->size - s->len : 0;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(room ? s->buf + s->len : NULL, room, fmt, args);
	va_end(args);
	if (n <= 0)
		return;
	s->len += (size_t)n;
	/* Its NUL took the place of the last character: not whole, though the length fits. */
	if ((size_t)n == room)
		s->len++;
}

void seq_cpu_list(struct seq *s, u64 mask)
{
	const char *separator = "";

	for (u32 i = 0; i < 64; i++) {
		u32 last = i;

		if (!(mask & BIT(i)))
			continue;
		while (last < 63 && (mask & BIT(last + 1)))
			last++;
		seq_printf(s, last > i ? "%s%u-%u" : "%s%u", separator, i, last);
		separator = ",";
		i = last;
	}
}

void seq_cpu_mask(struct seq *s, u64 mask)
{
	u32 high = (u32)(mask >> 32), low = (u32)mask;
	u32 digits = (MIN(nr_cpus, 32U) + 3) / 4;

	if (nr_cpus > 32) {
		seq_printf(s, "%0*x,%08x", (int)(nr_cpus - 32 + 3) / 4, high, low);
		return;
	}
	seq_printf(s, "%0*x", (int)digits, low);
}
