// SPDX-License-Identifier: Apache-2.0
#include "world/virtual_clock.hpp"

#include "support/allocations.hpp"

namespace world {

std::unique_ptr<Clock::Timer> VirtualClock::call_at(Steady at, std::function<void()> fire) {
  const support::Sheltered ours;
  const Key key{std::max(at, steady_), number_++};
  timers_.emplace(key, std::move(fire));
  return std::make_unique<Entry>(*this, key);
}

std::optional<Steady> VirtualClock::next() const { return timers_.empty() ? std::nullopt : std::optional(timers_.begin()->first.first); }

void VirtualClock::move_to(Steady at) {
  if (at > steady_) {
    wall_ += at - steady_;
    steady_ = at;
  }
  while (!timers_.empty() && timers_.begin()->first.first <= steady_) {
    const auto fire = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());   // its handle may be dropped by what it does
    fire();
  }
}

}  // namespace world
