// SPDX-License-Identifier: Apache-2.0
// What an engine does for as long as it lives.
#pragma once

#include <thread>

#include "base/async.hpp"
#include "base/clock.hpp"

namespace amzsync::base {

/// Does `round` (a function that makes an Async<void>) again and again, `every` apart, until `end` is cancelled. What escapes from a round is logged, and ends that round alone.
template <class Round>
Async<void> repeat(Clock& clock, Duration every, CancelToken end, Log log, Round round) {
  while (!end.cancelled()) {
    try {
      co_await round();
    } catch (...) {
      log.error("A duty of the engine failed, and is done again", {{"error", error_of(std::current_exception()).message}});
    }
    try {
      co_await clock.sleep_for(every, end);
    } catch (const std::bad_alloc&) {
      std::this_thread::yield();
    }
  }
}

}  // namespace amzsync::base
