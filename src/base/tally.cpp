// SPDX-License-Identifier: Apache-2.0
#include "base/tally.hpp"

#include <algorithm>

namespace amzsync::base {

void Tally::Times::add(Duration took) noexcept {
  ++times[static_cast<std::size_t>(std::lower_bound(kUpTo.begin(), kUpTo.end(), took) - kUpTo.begin())];
  sum += took;
}

Tally::Sums Tally::sums() const {
  const std::lock_guard lock(mutex_);
  return sums_;
}

}  // namespace amzsync::base
