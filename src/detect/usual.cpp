// SPDX-License-Identifier: Apache-2.0
#include "detect/usual.hpp"

#include <algorithm>
#include <cstdlib>

namespace amzsync::detect {
namespace {

constexpr std::int64_t kDays = 180;
constexpr std::int32_t kEnough = 10;

}  // namespace

void RecentCharges::begin(Day day) {
  const std::int64_t today = to_number(day);
  if (today > day_) {
    for (const Values& values : of_day_) count(values);
    of_day_.clear();
    day_ = today;
  }
  for (; first_ < sales_.size() && sales_[first_].day < today - kDays; ++first_) forget(sales_[first_]);
  // There are many SKUs, so what is past gives its room back early.
  if (first_ * 4 <= sales_.size()) return;
  sales_.erase(sales_.begin(), sales_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
}

void RecentCharges::count(const Values& values) {
  Sale sale{static_cast<std::uint16_t>(day_), {kNone, kNone}};
  for (std::size_t kind = 0; kind < 2; ++kind) {
    if (values[kind]) sale.value[kind] = place_of(seen_[kind], *values[kind]);
    if (sale.value[kind] == kNone) continue;
    ++seen_[kind][sale.value[kind]].count;
    ++all_[kind];
  }
  if (sale.value[0] == kNone && sale.value[1] == kNone) return;
  if (sales_.size() == sales_.capacity()) sales_.reserve(sales_.size() + sales_.size() / 4 + 8);
  sales_.push_back(sale);
}

void RecentCharges::forget(const Sale& sale) {
  for (std::size_t kind = 0; kind < 2; ++kind) {
    if (sale.value[kind] == kNone) continue;
    --seen_[kind][sale.value[kind]].count;
    --all_[kind];
  }
}

std::optional<std::int64_t> RecentCharges::usual(Kind kind) const {
  const auto of = static_cast<std::size_t>(kind);
  if (all_[of] < kEnough) return std::nullopt;
  const auto& seen = seen_[of];
  const Seen& most = *std::max_element(seen.begin(), seen.end(), [](const Seen& a, const Seen& b) { return a.count != b.count ? a.count < b.count : a.value > b.value; });
  std::int64_t near = 0;
  const std::int64_t value = most.value;
  for (const Seen& s : seen)
    if (std::abs(s.value - value) * 100 <= value) near += s.count;
  return near * 2 >= all_[of] ? std::optional(value) : std::nullopt;
}

std::uint16_t RecentCharges::place_of(std::vector<Seen>& seen, std::int64_t value) {
  if (value < 0 || value > kMost) return kNone;
  auto place = std::find_if(seen.begin(), seen.end(), [&](const Seen& s) { return s.count > 0 && s.value == value; });
  if (place == seen.end()) {
    place = std::find_if(seen.begin(), seen.end(), [](const Seen& s) { return s.count == 0; });
    if (place == seen.end()) {
      if (seen.size() == kNone) return kNone;   // tens of thousands of different charges: nothing is usual anyway
      if (seen.size() == seen.capacity()) seen.reserve(seen.size() + seen.size() / 4 + 4);
      place = seen.insert(seen.end(), Seen{});
    }
    place->value = value & kMost;
  }
  if (place->count == kMostSales) return kNone;
  return static_cast<std::uint16_t>(place - seen.begin());
}

void RecentCharges::add(Day day, const Values& values) {
  const std::int64_t number = to_number(day);
  if (number < 0 || number > 0xFFFF) return;   // before 1970, or after 2149
  begin(day);
  of_day_.push_back(values);
}

void UsualCharges::see(MoneyItem& sale) {
  if (sale.kind != MoneyKind::sale || !sale.posted) return;
  RecentCharges& recent = skus_[sale.sku];
  recent.begin(*sale.posted);
  sale.usual_fulfilment = recent.usual(RecentCharges::Kind::fulfilment);
  sale.usual_referral = recent.usual(RecentCharges::Kind::referral);
  RecentCharges::Values charged;
  const std::int64_t units = sale.quantity.value_or(0), fee = -sale[Part::fulfilment].value;
  if (units > 0 && fee > 0) charged[0] = fee / units;
  if (!sale.mixed) charged[1] = sale.referral_rate();
  recent.add(*sale.posted, charged);
}

}  // namespace amzsync::detect
