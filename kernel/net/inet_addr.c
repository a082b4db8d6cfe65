/*
 * The addresses that have names.
 */
#include "kernel/net/inet.h"

const struct inet_addr inet_any_v4 = {.b = {[10] = 0xff, [11] = 0xff}};
const struct inet_addr inet_any_v6 = {.d = {0, 0}};
const struct inet_addr inet_loopback_v4 = {.b = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
const struct inet_addr inet_loopback_v6 = {.b = {[15] = 1}};
