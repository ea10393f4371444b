// SPDX-License-Identifier: Apache-2.0
// What sales of an SKU were mostly charged lately: the only thing to hold a fee against where neither a rate card nor a preview of Amazon's is known.
#pragma once

#include <unordered_map>

#include "detect/orders.hpp"

namespace amzsync::detect {

/// Of one SKU the values of the last 180 days, each day's counted from the next day on.
class Recent {
 public:
  /// The most frequent value before a day, the least of several; nullopt: fewer than ten are known.
  std::optional<std::int64_t> usual(Day day);
  void add(Day day, std::int64_t value);

 private:
  struct Seen {
    std::int32_t day;
    std::uint32_t value;                  // its place in counts_
  };
  std::vector<std::pair<std::int64_t, std::uint32_t>> counts_;
  std::vector<Seen> seen_;                // by day
  std::size_t first_ = 0, next_ = 0;      // those between are counted
};

class UsualCharges {
 public:
  /// Tells a sale what was usual before it, and learns from it. Sales come in the order of their days.
  void see(MoneyItem& sale);

 private:
  struct OfSku {
    Recent fulfilment, referral;
  };
  std::unordered_map<Name, OfSku, NameHasher> skus_;
};

}  // namespace amzsync::detect
