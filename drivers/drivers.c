#include "drivers/drivers.h"
#include "drivers/rtc.h"

void drivers_init(void)
{
	uart_init();
	rtc_init();
	virtio_init();
}
