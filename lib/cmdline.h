/*
 * Boot arguments: words of the form key or key=value, separated by white space. The last of several equal keys counts.
 */
#ifndef LIB_CMDLINE_H
#define LIB_CMDLINE_H

#include "lib/types.h"

/* `line` stays in use. */
void cmdline_init(const char *line);
/* The value of `key` ("" for a bare word) copied and NUL-terminated; false if absent or longer than size - 1. */
bool cmdline_get(const char *key, char *value, size_t size);
/* A decimal number with an optional suffix K, M or G; `fallback` if absent or not a number. */
u64 cmdline_get_u64(const char *key, u64 fallback);
/* on/off, 1/0, or a bare word (on); `fallback` if absent or something else. */
bool cmdline_get_bool(const char *key, bool fallback);

#endif
