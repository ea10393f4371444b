// SPDX-License-Identifier: Apache-2.0
#include "base/memory.hpp"

#include <malloc.h>

namespace amzsync::base {

void give_memory_back() noexcept {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace amzsync::base
