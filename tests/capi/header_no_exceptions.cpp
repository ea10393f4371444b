// SPDX-License-Identifier: Apache-2.0
// The C++ header alone, for programs without exceptions and without run-time types.
#include <amzsync/amzsync.hpp>
