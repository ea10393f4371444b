// SPDX-License-Identifier: Apache-2.0
#include "detect/orders.hpp"

#include <algorithm>

namespace amzsync::detect {

void MoneyItem::put(Part part, Micros amount) noexcept {
  Micros& sum = amounts[static_cast<std::size_t>(part)];
  const auto added = base::add(sum, amount);
  if (added) {
    sum = *added;
  } else {
    mixed = true;
  }
  told = static_cast<std::uint16_t>(told | 1U << static_cast<unsigned>(part));
}

std::int64_t MoneyItem::referral_basis(bool with_promotion) const noexcept {
  const MoneyItem& m = *this;
  return m[Part::principal].value + m[Part::shipping].value + m[Part::gift_wrap].value + (with_promotion ? m[Part::promotion].value : 0);
}

std::optional<std::int64_t> MoneyItem::referral_rate() const noexcept {
  constexpr std::int64_t kShare = 10'000;
  const std::int64_t basis = referral_basis(true), fee = -(*this)[Part::commission].value;
  if (basis <= 0 || fee <= 0) return std::nullopt;
  return (static_cast<std::int64_t>(static_cast<__int128>(fee) * kShare * 10 / basis) + 5) / 10;
}

void OrderBook::add(std::string_view order, MoneyItem item) {
  if (order.empty()) return;
  auto place = orders_.find(order);
  if (place == orders_.end()) place = orders_.emplace(std::string(order), std::map<Name, OrderItem>()).first;
  OrderItem& of = place->second[item.sku];
  of.sku = item.sku;
  if (of.asin.empty()) of.asin = item.asin;
  (item.kind == MoneyKind::sale ? of.sales : of.refunds).push_back(std::move(item));
}

std::vector<Order> OrderBook::take() {
  std::vector<Order> orders;
  orders.reserve(orders_.size());
  const auto earlier = [](const MoneyItem& a, const MoneyItem& b) { return std::tie(a.posted, a.row) < std::tie(b.posted, b.row); };
  for (auto& [id, items] : orders_) {
    Order order{.id = id, .name = names_.find(id), .items = {}};
    for (auto& [sku, item] : items) {
      std::sort(item.sales.begin(), item.sales.end(), earlier);
      std::sort(item.refunds.begin(), item.refunds.end(), earlier);
      order.items.push_back(std::move(item));
    }
    std::sort(order.items.begin(), order.items.end(), [&](const OrderItem& a, const OrderItem& b) { return names_.text(a.sku) < names_.text(b.sku); });
    orders.push_back(std::move(order));
  }
  orders_.clear();
  return orders;
}

}  // namespace amzsync::detect
