// SPDX-License-Identifier: Apache-2.0
#include "detect/order_units.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>

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

std::vector<ChargedTwice> charged_twice(const OrderItem& item, Part fee) {
  std::map<std::string_view, std::vector<const MoneyItem*>> by_line;   // of an order two lines may hold one SKU
  for (const MoneyItem& sale : item.sales) by_line[sale.item].push_back(&sale);
  std::vector<ChargedTwice> all;
  for (auto& [line, sales] : by_line) {
    std::int64_t sold = 0, charged = 0, unit_fee = 0;
    bool equal = true, usable = true;
    std::optional<Day> last;              // of a charge that is of no sale
    for (const MoneyItem* sale : sales) {
      const std::int64_t units = sale->quantity.value_or(0);
      usable &= !sale->mixed && sale->posted && sale->currency == sales.front()->currency && units > 0;
      if (!usable) break;
      const bool has_principal = sale->tells(Part::principal) && (*sale)[Part::principal].value != 0;
      if (has_principal) sold += units;
      if ((*sale)[fee].value >= 0) continue;
      charged += units;
      const std::int64_t each = -(*sale)[fee].value / units;
      equal &= unit_fee == 0 || unit_fee == each;
      unit_fee = each;
      if (!has_principal) last = std::max(last.value_or(*sale->posted), *sale->posted);
    }
    if (usable && sold > 0 && charged > sold && equal && last) all.push_back({line, std::move(sales), Micros{(charged - sold) * unit_fee}, *last});
  }
  return all;
}

std::optional<OrderUnits> order_units(const Case& c, const OrderItem& item) {
  OrderUnits u;
  std::optional<Currency> currency;
  const bool by_amazon = std::any_of(item.sales.begin(), item.sales.end(), [](const MoneyItem& sale) { return sale.by_amazon.value_or(sale.tells(Part::fulfilment)); });
  if (!by_amazon) return std::nullopt;
  for (const MoneyItem& sale : item.sales) {
    if (sale.mixed || !sale.by_amazon.value_or(true) || (currency && sale.currency != currency)) return std::nullopt;
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
    if (u.refunds.empty() || u.refunds.back().day != *refund.posted) u.refunds.push_back({*refund.posted, 0});
    u.refunds.back().units += units;
    u.commission_credited.value += std::max<std::int64_t>(0, refund[Part::commission].value);
    u.credited_units += units;
  }
  return u;
}

}  // namespace amzsync::detect
