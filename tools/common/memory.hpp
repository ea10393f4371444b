// SPDX-License-Identifier: Apache-2.0
// What a program that embeds the library may decide about its memory, and the library may not, since it is the whole process's.
#pragma once

#include <malloc.h>

namespace amzsync_tools {

/// What one thread has freed serves the others. glibc gives every thread memory of its own, up to eight parts for each core; with two a sync peaks 11 MB
/// lower and takes as long (bench/memory.py). Before the first thread starts.
inline void share_memory_between_threads() noexcept {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 2);
#endif
}

}  // namespace amzsync_tools
