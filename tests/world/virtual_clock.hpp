// SPDX-License-Identifier: Apache-2.0
// Time that moves only when it is told to: to the next thing that somebody waits for.
#pragma once

#include <map>

#include "base/clock.hpp"

namespace world {

using namespace amzsync::base;   // NOLINT: vocabulary

class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(Instant start) : wall_(start) {}

  Instant now() const override { return wall_ + jump_; }
  /// As it would be had nobody set it: Amazon's.
  Instant true_now() const { return wall_; }
  Steady steady() const override { return steady_; }
  std::unique_ptr<Timer> call_at(Steady at, std::function<void()> fire) override;

  /// When the next timer is due; nullopt: nobody waits.
  std::optional<Steady> next() const;
  /// Moves to `at` and fires what is due, in order.
  void move_to(Steady at);
  /// Somebody sets the wall clock; the steady one goes on.
  void jump(Duration by) { jump_ += by; }
  /// Back to the true time.
  void set_right() { jump_ = {}; }

 private:
  using Key = std::pair<Steady, std::uint64_t>;
  class Entry final : public Timer {
   public:
    Entry(VirtualClock& clock, Key key) : clock_(clock), key_(key) {}
    ~Entry() override { clock_.timers_.erase(key_); }

   private:
    VirtualClock& clock_;
    Key key_;
  };
  Instant wall_;
  Duration jump_{};
  Steady steady_{};
  std::uint64_t number_ = 0;
  std::map<Key, std::function<void()>> timers_;
};

}  // namespace world
