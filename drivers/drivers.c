#include "drivers/drivers.h"

void drivers_init(void)
{
	uart_init();
	rtc_init();
	virtio_init();
}
