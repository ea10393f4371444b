// SPDX-License-Identifier: Apache-2.0
// How often one user, or one address, may ask. Any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace host {

class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  /// Requests a minute, of which all may come at once; 0: no limit.
  explicit RateLimit(std::int64_t per_minute) : each_(per_minute > 0 ? Clock::duration(std::chrono::minutes(1)) / per_minute : Clock::duration::zero()) {}

  /// Counts a request of `who`. How many seconds it came too early; nullopt: it may go on.
  std::optional<std::int64_t> refuse(const std::string& who, Clock::time_point now = Clock::now()) {
    if (each_ == Clock::duration::zero()) return std::nullopt;
    const std::lock_guard lock(mutex_);
    if (used_until_.size() >= forget_at_) forget(now);
    Clock::time_point& until = used_until_[who];
    const Clock::time_point next = std::max(until, now) + each_;
    if (const auto early = next - now - std::chrono::minutes(1); early > Clock::duration::zero()) return std::chrono::ceil<std::chrono::seconds>(early).count();
    until = next;
    return std::nullopt;
  }

 private:
  /// Those who have all of their minute again.
  void forget(Clock::time_point now) {
    std::erase_if(used_until_, [now](const auto& one) { return one.second <= now; });
    forget_at_ = std::max(kFew, used_until_.size() * 2);
  }

  static constexpr std::size_t kFew = 1'024;
  const Clock::duration each_;
  std::mutex mutex_;
  std::unordered_map<std::string, Clock::time_point> used_until_;
  std::size_t forget_at_ = kFew;
};

}  // namespace host
