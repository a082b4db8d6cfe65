/*
 * Starting the drivers.
 */
#ifndef DRIVERS_DRIVERS_H
#define DRIVERS_DRIVERS_H

/* Boot hart, after dt_init(): output for the log, polled. Does nothing on a machine without a UART. */
void uart_early_init(void);
/* Boot hart, after irq_init() and harts_start(): UART input, real-time clock, virtio devices. May sleep: no. */
void drivers_init(void);

/* Each returns quietly when its device is absent. */
void uart_init(void);
void virtio_init(void);

#endif
