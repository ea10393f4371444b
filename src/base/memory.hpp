// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace amzsync::base {

/// Gives the system back what was freed. After a large piece of work, before another one on other threads: the C library keeps what a thread has freed for
/// that thread. Takes milliseconds. Any thread.
void give_memory_back() noexcept;

}  // namespace amzsync::base
