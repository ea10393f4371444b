// SPDX-License-Identifier: Apache-2.0
#include "detect/usual.hpp"

#include <algorithm>

namespace amzsync::detect {
namespace {

constexpr std::int32_t kDays = 180;
constexpr std::size_t kEnough = 10;

}  // namespace

std::optional<std::int64_t> Recent::usual(Day day) {
  const auto today = static_cast<std::int32_t>(to_number(day));
  for (; next_ < seen_.size() && seen_[next_].day < today; ++next_) ++counts_[seen_[next_].value].second;
  for (; first_ < next_ && seen_[first_].day < today - kDays; ++first_) --counts_[seen_[first_].value].second;
  if (first_ > 64 && first_ * 2 > seen_.size()) {
    seen_.erase(seen_.begin(), seen_.begin() + static_cast<std::ptrdiff_t>(first_));
    next_ -= first_;
    first_ = 0;
  }
  if (next_ - first_ < kEnough) return std::nullopt;
  return std::max_element(counts_.begin(), counts_.end(), [](const auto& a, const auto& b) { return a.second != b.second ? a.second < b.second : a.first > b.first; })->first;
}

void Recent::add(Day day, std::int64_t value) {
  auto known = std::find_if(counts_.begin(), counts_.end(), [&](const auto& c) { return c.first == value; });
  if (known == counts_.end()) known = counts_.insert(counts_.end(), {value, 0});
  seen_.push_back({static_cast<std::int32_t>(to_number(day)), static_cast<std::uint32_t>(known - counts_.begin())});
}

void UsualCharges::see(MoneyItem& sale) {
  if (sale.kind != MoneyKind::sale || !sale.posted) return;
  OfSku& sku = skus_[sale.sku];
  sale.usual_fulfilment = sku.fulfilment.usual(*sale.posted);
  sale.usual_referral = sku.referral.usual(*sale.posted);
  const std::int64_t units = sale.quantity.value_or(0), fee = -sale[Part::fulfilment].value;
  if (units > 0 && fee > 0) sku.fulfilment.add(*sale.posted, fee / units);
  if (const auto rate = sale.referral_rate(); rate && !sale.mixed) sku.referral.add(*sale.posted, *rate);
}

}  // namespace amzsync::detect
