/* Samples as text: see samples.c. */
#ifndef TOOLS_TRACE_SAMPLES_H
#define TOOLS_TRACE_SAMPLES_H

#include "tools/trace/dump.h"

#include <stdio.h>

void samples_print(const struct dump *dump, FILE *out);

#endif
