/*
 * Character devices that programs' standard streams and terminals are made of. Drivers fill these; kernel/fs uses them.
 */
#ifndef DRIVERS_CONSOLE_H
#define DRIVERS_CONSOLE_H

#include "lib/types.h"

enum console_port { CONSOLE_UART, CONSOLE_IN, CONSOLE_OUT, CONSOLE_ERR, CONSOLE_PORTS };

struct console {
	const char *name;
	void *priv;
	/* Writes all n bytes; may wait. Returns n or -errno. Context: no spin lock held. */
	long (*write)(struct console *c, const char *buf, size_t n);
	/* Never waits: bytes read, 0 if there is nothing now, -ENODATA at the end of input. */
	long (*read)(struct console *c, char *buf, size_t n);
	bool (*readable)(struct console *c); /* read would not return 0 */
	/* Set by kernel/fs: readable may have become true. No driver lock is held; may be interrupt context. */
	void (*notify)(struct console *c);
	void *notify_arg;
};

/* NULL if the machine has none. */
struct console *console_find(enum console_port port);
/* Drivers, at boot. */
void console_register(enum console_port port, struct console *c);

#endif
