// SPDX-License-Identifier: Apache-2.0
// What a program that embeds the library may decide about its memory, and the library may not, since it is the whole process's.
#pragma once

#include <malloc.h>
#include <sys/prctl.h>

namespace amzsync_tools {

/// What one thread has freed serves the others. glibc gives every thread memory of its own, up to eight parts for each core; with two a sync peaks 11 MB
/// lower and takes as long (bench/memory.py). Before the first thread starts.
inline void share_memory_between_threads() noexcept {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 2);
#endif
}

/// Tokens and keys are in memory, so none of it goes into a core dump, nor to another process of the same user that attaches to this one. The administrator
/// still may attach. Before any secret is read.
inline void keep_memory_to_itself() noexcept { ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

}  // namespace amzsync_tools
