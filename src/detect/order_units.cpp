// SPDX-License-Identifier: Apache-2.0
#include "detect/order_units.hpp"

#include <algorithm>
#include <cstdlib>

namespace amzsync::detect {
namespace {

/// A refund of less than 95 % of a unit's principal is a price adjustment, whatever quantity it carries (facts 7.4). Of several units, how many: a whole
/// number within 2 %.
std::int64_t units_in(std::int64_t refunded, std::int64_t per_unit, std::int64_t sold) {
  if (per_unit <= 0 || refunded <= 0) return 0;
  const std::int64_t units = std::max<std::int64_t>(1, (refunded + per_unit / 2) / per_unit);
  const std::int64_t off = std::llabs(refunded - units * per_unit);
  const bool whole = off * 50 <= units * per_unit || (units == 1 && refunded * 100 >= per_unit * 95 && refunded <= per_unit);
  return whole ? std::min(units, sold) : 0;
}

}  // namespace

std::optional<Micros> OrderUnits::net(std::int64_t units) const {
  if (!currency || sold <= 0) return std::nullopt;
  return share_of({principal.value + commission.value + fulfilment.value}, units, sold, *currency);
}

std::optional<Micros> OrderUnits::high(std::int64_t units) const {
  if (!currency || sold <= 0) return std::nullopt;
  const Micros gross = share_of(principal, units, sold, *currency);
  if (credited_units <= 0) return gross;
  return Micros{gross.value - share_of(commission_credited, units, credited_units, *currency).value};
}

std::optional<OrderUnits> order_units(const Case& c, const OrderItem& item) {
  OrderUnits u;
  std::optional<Currency> currency;
  for (const MoneyItem& sale : item.sales) {
    if (sale.mixed || !sale.by_amazon || (currency && sale.currency != currency)) return std::nullopt;
    currency = sale.currency;
    if (!sale.country.empty()) u.country = sale.country;
    const bool sold_here = sale.tells(Part::principal) && sale[Part::principal].value != 0;
    u.sold += sold_here ? sale.quantity.value_or(0) : 0;
    u.principal.value += sale[Part::principal].value;
    u.promotion.value += sale[Part::promotion].value;
    u.commission.value += sale[Part::commission].value;
    u.fulfilment.value += sale[Part::fulfilment].value;
  }
  if (u.country.empty()) u.country = c.tables.home;
  u.currency = currency;
  if (u.sold <= 0 || u.principal.value <= 0 || !currency) return std::nullopt;
  const std::int64_t per_unit = u.principal.value / u.sold, less_promotion = (u.principal.value + u.promotion.value) / u.sold;
  for (const MoneyItem& refund : item.refunds) {
    if (refund.mixed || !refund.posted) continue;
    if (refund.currency != currency) return std::nullopt;
    const std::int64_t back = -refund[Part::principal].value;
    std::int64_t units = units_in(back, per_unit, u.sold);
    if (units == 0 && less_promotion != per_unit) units = units_in(back, less_promotion, u.sold);
    if (units == 0) continue;
    // A quantity that the refund carries bounds it; for more units than it pays for it is a price adjustment of all of them (facts 7.4).
    if (refund.quantity && *refund.quantity > 0) {
      if (units < std::min(*refund.quantity, u.sold)) continue;
      units = std::min(units, *refund.quantity);
    }
    if (u.refunded >= u.sold) continue;   // the same unit a second time, such as a guarantee claim
    units = std::min(units, u.sold - u.refunded);
    u.refunded += units;
    u.refunded_on = *refund.posted;
    u.commission_credited.value += std::max<std::int64_t>(0, refund[Part::commission].value);
    u.credited_units += units;
  }
  return u;
}

}  // namespace amzsync::detect
