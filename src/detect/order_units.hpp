// SPDX-License-Identifier: Apache-2.0
// Of one SKU of one order: how many units were sold, how many were refunded as units and not as a price adjustment, and what one was worth.
#pragma once

#include "detect/case.hpp"

namespace amzsync::detect {

struct OrderUnits {
  std::int64_t sold = 0, refunded = 0;
  Day refunded_on{};                      ///< of the refund that completed the last unit; meaningless where none was
  std::optional<Currency> currency;
  std::string_view country;               ///< never empty
  /// For `units` of them: principal less Amazon's fees, and the principal less the commission that was given back.
  std::optional<Micros> net(std::int64_t units) const;
  std::optional<Micros> high(std::int64_t units) const;

  Micros principal, promotion, commission, fulfilment, commission_credited;
  std::int64_t credited_units = 0;
};

/// nullopt: the money tells no sale that something can be concluded from.
std::optional<OrderUnits> order_units(const Case& c, const OrderItem& item);

/// Whether a row of an order is about this item.
inline bool same_product(const OrderItem& item, Name sku, Name asin) {
  return sku == item.sku || (!asin.empty() && asin == item.asin) || (sku.empty() && asin.empty());
}

}  // namespace amzsync::detect
