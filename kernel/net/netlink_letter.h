/*
 * Letters: texts that are left with the kernel for a netlink socket, and arrive there when something else has happened. mq_notify(2)
 * lets a C library hear of a message so, as SIGEV_THREAD.
 *
 * All memory is taken when the letter is written, and the socket takes it however much waits there already: sending cannot fail. A
 * letter holds a reference on the socket's file.
 */
#ifndef KERNEL_NET_NETLINK_LETTER_H
#define KERNEL_NET_NETLINK_LETTER_H

#include "lib/types.h"

struct file;
struct netlink_letter;

/*
 * For the netlink socket `to`, its text copied; waits while that has no room, as Linux does, so that who leaves letters without reading does not
 * go on for ever. An error pointer: -ENOTSOCK, -EINVAL (a socket of another kind), -ERESTARTSYS, -ENOMEM. May sleep.
 */
struct netlink_letter *netlink_letter_write(struct file *to, const u8 *text, u32 len);
/* Delivers it with the last byte changed to `last`, and frees it. Context: no lock; may sleep. */
void netlink_letter_send(struct netlink_letter *letter, u8 last);
/* Frees one that is not to be sent. */
void netlink_letter_drop(struct netlink_letter *letter);

#endif
