#include "drivers/console.h"

static struct console *consoles[CONSOLE_PORTS]; /* [I] after drivers_init() */

struct console *console_find(enum console_port port)
{
	return consoles[port];
}

void console_register(enum console_port port, struct console *c)
{
	consoles[port] = c;
}
