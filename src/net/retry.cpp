// SPDX-License-Identifier: Apache-2.0
#include "net/retry.hpp"

#include <algorithm>

namespace amzsync::net {

Outcome classify(int status) noexcept {
  if (status >= 200 && status < 300) return Outcome::success;
  switch (status) {
    case 429: return Outcome::throttled;
    case 401:
    case 403: return Outcome::denied;
    case 408:
    case 425: return Outcome::transient;
    default: return status >= 500 ? Outcome::transient : Outcome::rejected;
  }
}

Outcome classify(const Error& error) noexcept {
  return error.code == Code::network_error || error.code == Code::timeout ? Outcome::transient : Outcome::rejected;
}

Duration Backoff::wait(int attempt, Entropy& entropy) const {
  Duration span = base;
  for (int i = 0; i < attempt && span < cap; ++i) span *= 2;
  span = std::min(span, cap);
  return entropy.below(span) + Duration(1);
}

void RetryBudget::reward() noexcept {
  constexpr int kSuccessesPerRetry = 20;
  if (++successes_ % kSuccessesPerRetry == 0) ++left_;
}

}  // namespace amzsync::net
