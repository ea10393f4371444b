// SPDX-License-Identifier: Apache-2.0
// What sales of an SKU were mostly charged lately: the only thing to hold a fee against where neither a rate card nor a preview of Amazon's is known.
#pragma once

#include <array>
#include <unordered_map>

#include "detect/orders.hpp"

namespace amzsync::detect {

/// Charges of one SKU of the last 180 days, a fee and a rate for each sale; each day's count from the next day on. Sales come in the order of their days.
class RecentCharges {
 public:
  enum class Kind : std::uint8_t { fulfilment, referral };
  using Values = std::array<std::optional<std::int64_t>, 2>;   // by kind

  void begin(Day day);
  /// The most frequent value before the day, the least of several; nullopt: fewer than ten are known, or less than half of them lie within one percent of it, so
  /// that nothing was usual.
  std::optional<std::int64_t> usual(Kind kind) const;
  void add(Day day, const Values& values);

 private:
  // Small, for there is one for each sale of half a year.
  static constexpr std::uint16_t kNone = 0xFFFF;
  struct Sale {
    std::uint16_t day;
    std::array<std::uint16_t, 2> value;   // its place in seen_; kNone: it has none
  };
  struct Seen {
    std::int64_t value = 0;
    std::int32_t counted = 0, held = 0;   // how many sales of it are counted; how many there are at all: with none the place is free
  };
  void count(const Sale& sale, std::int32_t change);
  std::uint16_t place_of(std::vector<Seen>& seen, std::int64_t value);

  std::array<std::vector<Seen>, 2> seen_;
  std::array<std::int32_t, 2> all_{};     // counted
  std::vector<Sale> sales_;               // by day
  std::size_t first_ = 0, next_ = 0;      // those between are counted
};

class UsualCharges {
 public:
  /// Tells a sale what was usual before it, and learns from it. Sales come in the order of their days.
  void see(MoneyItem& sale);

 private:
  std::unordered_map<Name, RecentCharges, NameHasher> skus_;
};

}  // namespace amzsync::detect
