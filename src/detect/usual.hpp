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
  static constexpr std::int64_t kMost = (1LL << 39) - 1;   // half a million of any currency
  static constexpr std::int64_t kMostSales = (1LL << 23) - 1;
  struct Sale {
    std::uint16_t day;
    std::array<std::uint16_t, 2> value;   // its place in seen_; kNone: it has none
  };
  struct Seen {
    std::int64_t value : 40 = 0;
    std::int64_t count : 24 = 0;          // with none the place is free
  };
  void count(const Values& values);
  void forget(const Sale& sale);
  static std::uint16_t place_of(std::vector<Seen>& seen, std::int64_t value);

  std::array<std::vector<Seen>, 2> seen_;
  std::array<std::int32_t, 2> all_{};
  std::vector<Sale> sales_;               // by day; those before first_ are forgotten
  std::size_t first_ = 0;
  std::int64_t day_ = 0;                  // that of the sales that count from the next day on
  std::vector<Values> of_day_;
};

class UsualCharges {
 public:
  /// Tells a sale what was usual before it, and learns from it. Sales come in the order of their days.
  void see(MoneyItem& sale);

 private:
  std::unordered_map<Name, RecentCharges, NameHasher> skus_;
};

}  // namespace amzsync::detect
