// SPDX-License-Identifier: Apache-2.0
#include "detect/usual.hpp"

#include <algorithm>
#include <cstdlib>

namespace amzsync::detect {
namespace {

constexpr std::int64_t kDays = 180;
constexpr std::int32_t kEnough = 10;

}  // namespace

void RecentCharges::count(const Sale& sale, std::int32_t change) {
  for (std::size_t kind = 0; kind < 2; ++kind) {
    if (sale.value[kind] == kNone) continue;
    Seen& seen = seen_[kind][sale.value[kind]];
    seen.counted += change;
    if (change < 0) --seen.held;
    all_[kind] += change;
  }
}

void RecentCharges::begin(Day day) {
  const std::int64_t today = to_number(day);
  for (; next_ < sales_.size() && sales_[next_].day < today; ++next_) count(sales_[next_], 1);
  for (; first_ < next_ && sales_[first_].day < today - kDays; ++first_) count(sales_[first_], -1);
  // There are many SKUs, so what is past gives its room back early.
  if (first_ * 4 <= sales_.size()) return;
  sales_.erase(sales_.begin(), sales_.begin() + static_cast<std::ptrdiff_t>(first_));
  next_ -= first_;
  first_ = 0;
}

std::optional<std::int64_t> RecentCharges::usual(Kind kind) const {
  const auto of = static_cast<std::size_t>(kind);
  if (all_[of] < kEnough) return std::nullopt;
  const auto& seen = seen_[of];
  const Seen& most = *std::max_element(seen.begin(), seen.end(), [](const Seen& a, const Seen& b) { return a.counted != b.counted ? a.counted < b.counted : a.value > b.value; });
  std::int32_t near = 0;
  for (const Seen& s : seen)
    if (std::abs(s.value - most.value) * 100 <= most.value) near += s.counted;
  return near * 2 >= all_[of] ? std::optional(most.value) : std::nullopt;
}

std::uint16_t RecentCharges::place_of(std::vector<Seen>& seen, std::int64_t value) {
  auto place = std::find_if(seen.begin(), seen.end(), [&](const Seen& s) { return s.held > 0 && s.value == value; });
  if (place == seen.end()) {
    place = std::find_if(seen.begin(), seen.end(), [](const Seen& s) { return s.held == 0; });
    if (place == seen.end()) {
      if (seen.size() == kNone) return kNone;   // tens of thousands of different charges: nothing is usual anyway
      if (seen.size() == seen.capacity()) seen.reserve(seen.size() + seen.size() / 4 + 4);
      place = seen.insert(seen.end(), Seen{});
    }
    place->value = value;
  }
  ++place->held;
  return static_cast<std::uint16_t>(place - seen.begin());
}

void RecentCharges::add(Day day, const Values& values) {
  const std::int64_t number = to_number(day);
  if (number < 0 || number > 0xFFFF) return;   // before 1970, or after 2149
  Sale sale{static_cast<std::uint16_t>(number), {kNone, kNone}};
  for (std::size_t kind = 0; kind < 2; ++kind)
    if (values[kind]) sale.value[kind] = place_of(seen_[kind], *values[kind]);
  if (sale.value[0] == kNone && sale.value[1] == kNone) return;
  if (sales_.size() == sales_.capacity()) sales_.reserve(sales_.size() + sales_.size() / 4 + 8);
  sales_.push_back(sale);
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
