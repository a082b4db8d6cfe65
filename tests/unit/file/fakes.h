/*
 * Switches of the fakes.
 */
#ifndef TESTS_UNIT_FILE_FAKES_H
#define TESTS_UNIT_FILE_FAKES_H

#include "lib/types.h"

extern u64 fake_user_limit; /* user copies fail from this address on */

#endif
