/* SPDX-License-Identifier: Apache-2.0
 * The C header alone, as strict C11. */
#include <amzsync/amzsync.h>

int header_c11_is_not_empty;
