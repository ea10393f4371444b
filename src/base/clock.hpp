// SPDX-License-Identifier: Apache-2.0
// The only source of time and the only way to wait for it. Asio timers exist in clock.cpp alone (a test checks it).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/async.hpp"
#include "base/cancel.hpp"
#include "base/time.hpp"

namespace amzsync::base {

/// A seam: the real clock, or the tests' virtual one that moves only when nothing else can.
/// `now` and `steady` may be asked from any thread; timers belong to the loop.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual Steady steady() const = 0;

  /// Calls `fire` on the loop at or after `at`, once, unless its handle is dropped before.
  class Timer {
   public:
    virtual ~Timer() = default;
  };
  virtual std::unique_ptr<Timer> call_at(Steady at, std::function<void()> fire) = 0;

  /// Done at the time, or at once when the token is (or gets) cancelled; ask the token which it was.
  Async<void> sleep_until(Steady at, CancelToken cancel);
  Async<void> sleep_for(Duration span, CancelToken cancel);

  /// Blocks the calling thread: for the threads of an adapter that waits for its database. No virtual time passes meanwhile.
  virtual void block_for(Duration span) const { (void)span; }
};

/// The machine's clocks, with timers on the given loop. The loop must outlive it.
std::unique_ptr<Clock> make_system_clock(Executor loop);

}  // namespace amzsync::base
