// SPDX-License-Identifier: Apache-2.0
// The C header alone, as strict C++17.
#include <amzsync/amzsync.h>
