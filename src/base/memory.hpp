// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <new>
#include <thread>

namespace amzsync::base {

/// For what must not fail: waits for the memory that it takes. `work` is begun anew until it does not throw std::bad_alloc.
template <class Work>
void insist(Work work) noexcept {
  for (;;) {
    try {
      work();
      return;
    } catch (const std::bad_alloc&) {
      std::this_thread::yield();
    }
  }
}

/// Gives the system back what was freed. After a large piece of work, before another one on other threads: the C library keeps what a thread has freed for
/// that thread. Takes milliseconds. Any thread.
void give_memory_back() noexcept;

}  // namespace amzsync::base
