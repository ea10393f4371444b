// SPDX-License-Identifier: Apache-2.0
// When an exchange is worth repeating, how long to wait first, and when to stop. Three separate answers.
#pragma once

#include "base/entropy.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace amzsync::net {
using namespace base;

enum class Outcome : std::uint8_t {
  success,    ///< 2xx
  throttled,  ///< 429
  transient,  ///< 408, 425, 5xx, or no answer at all
  denied,     ///< 401, 403
  rejected    ///< every other answer; the same request would get it again
};

/// The one table.
Outcome classify(int http_status) noexcept;
/// For an exchange that ended without an answer.
Outcome classify(const Error& error) noexcept;

/// Exponential with full jitter: the n-th wait is spread evenly over (0, min(cap, base·2^n)].
struct Backoff {
  Duration base = std::chrono::seconds(1);
  Duration cap = std::chrono::seconds(60);
  Duration wait(int attempt, Entropy& entropy) const;
};

/// How much trouble one run accepts before it gives up on Amazon for now. Without it, every stream and slice of a run
/// would retry on its own for hours while Amazon is down.
class RetryBudget {
 public:
  explicit RetryBudget(int retries) : left_(retries) {}
  /// False when nothing is left.
  bool take() noexcept { return left_ > 0 ? (--left_, true) : false; }
  bool spent() const noexcept { return left_ <= 0; }
  /// A success gives a little back, so that a long run outlives scattered trouble.
  void reward() noexcept;

 private:
  int left_;
  int successes_ = 0;
};

}  // namespace amzsync::net
