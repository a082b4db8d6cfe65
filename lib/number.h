/* Decimal numbers in text that a user wrote. */
#ifndef LIB_NUMBER_H
#define LIB_NUMBER_H

#include "lib/types.h"

/* The first character of `text` that is no blank, tab or newline. */
const char *number_skip_space(const char *text);

/*
 * The number at *text, which must end at white space or at the end of the text: moves *text behind it. False, *text as it
 * was, for anything else and for what does not fit 64 bits. `is_signed`: a leading '-' is allowed, *value is an s64.
 */
bool number_parse(const char **text, bool is_signed, u64 *value);

#endif
