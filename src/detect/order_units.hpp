// SPDX-License-Identifier: Apache-2.0
// Of one SKU of one order: how many units were sold, how many were refunded as units and not as a price adjustment, and what one was worth.
#pragma once

#include "detect/case.hpp"

namespace amzsync::detect {

struct OrderUnits {
  std::int64_t sold = 0, refunded = 0;
  std::optional<Currency> currency;
  std::string_view country;               ///< never empty
  /// For `units` of them: principal less Amazon's fees, and the principal less the commission that was given back.
  std::optional<Micros> net(std::int64_t units) const;
  std::optional<Micros> high(std::int64_t units) const;

  Micros principal, promotion, commission, fulfilment, commission_credited;
  std::int64_t credited_units = 0;
  /// When how many of the units were refunded, the first first.
  struct Refund {
    Day day;
    std::int64_t units;
  };
  std::vector<Refund> refunds;
};

/// A fee of one line of an order that was charged for more units than were sold.
struct ChargedTwice {
  std::string_view line;                  ///< Amazon's number of it; empty: not told
  std::vector<const MoneyItem*> sales;
  Micros over;                            ///< too much, whatever was given back since
  Day last{};
};
std::vector<ChargedTwice> charged_twice(const OrderItem& item, Part fee);

/// nullopt: the money tells no sale that something can be concluded from.
std::optional<OrderUnits> order_units(const Case& c, const OrderItem& item);

/// Orders of other shops, which Amazon only ships (S01-…): what it owes for those it does not say (facts 1.6).
inline bool is_of_other_shop(std::string_view order) { return order.size() > 3 && order[0] == 'S' && order[1] >= '0' && order[1] <= '9'; }

/// Whether a row of an order is about this item.
inline bool same_product(const OrderItem& item, Name sku, Name asin) {
  return sku == item.sku || (!asin.empty() && asin == item.asin) || (sku.empty() && asin.empty());
}

}  // namespace amzsync::detect
