// SPDX-License-Identifier: Apache-2.0
#include "detect/ledger.hpp"

#include <algorithm>

namespace amzsync::detect {
namespace {

using std::chrono::days;

constexpr days kAroundReturns(30);        // no rule looks further from a customer's return

}  // namespace

Ledger::Ledger(const Tables& tables) : tables_(tables) {
  for (const InboundShipment& s : tables.inbound_shipments) shipments_.insert(s.id);
  for (const ReturnRow& r : tables.returns) return_days_.push_back(r.day);
  std::sort(return_days_.begin(), return_days_.end());
  return_days_.erase(std::unique(return_days_.begin(), return_days_.end()), return_days_.end());
}

void Ledger::add(const LedgerRow& row) {
  if (of_amazon(tables_.names, row)) {
    if (row.movement == Movement::adjustment && row.reason == 'F' && row.quantity > 0) found_[row.asin].push_back(row);
  } else {
    products_.insert(row.fnsku);
    if (!row.asin.empty()) hear(asin_by_fnsku_, row.fnsku, row, row.asin);
    if (!row.msku.empty()) {
      std::vector<Label>& labels = labels_[row.msku];
      auto label = std::find_if(labels.begin(), labels.end(), [&](const Label& l) { return l.fnsku == row.fnsku; });
      if (label == labels.end()) label = labels.insert(labels.end(), {row.fnsku, row.day, row.day, row.row});
      label->first = std::min(label->first, row.day);
      if (std::tie(label->last, label->last_row) < std::tie(row.day, row.row)) label->last = row.day, label->last_row = row.row;
      hear(sku_by_fnsku_, row.fnsku, row, row.msku);
      if (!row.asin.empty()) hear(asin_by_sku_, row.msku, row, row.asin);
    }
  }
  if (const Name shipment = row.movement == Movement::receipt ? tables_.names.find(row.reference) : Name{}; shipments_.contains(shipment)) {
    const auto [place, fresh] = receipts_.try_emplace({shipment, row.fnsku}, Receipts{0, row.day, row.day, row.row, row.asin});
    Receipts& r = place->second;
    r.units += row.quantity;
    r.first = std::min(r.first, row.day);
    r.last = std::max(r.last, row.day);
    if (r.asin.empty()) r.asin = row.asin;
    r.row = std::min(r.row, row.row);
  }
  if (row.movement == Movement::customer_return && row.quantity != 0) {
    const auto near = std::lower_bound(return_days_.begin(), return_days_.end(), row.day - kAroundReturns);
    if (near != return_days_.end() && *near <= row.day + kAroundReturns) returns_[row.asin].push_back({row.row, row.day, row.fnsku, row.center, row.quantity, row.disposition == Disposition::sellable});
  }
}

void Ledger::end() {
  const auto earlier = [](const auto& a, const auto& b) { return std::tie(a.day, a.row) < std::tie(b.day, b.row); };
  for (auto& [asin, rows] : found_) std::sort(rows.begin(), rows.end(), earlier);
  for (auto& [asin, rows] : returns_) {
    std::sort(rows.begin(), rows.end(), earlier);
    // Booked by mistake: a row of the other sign takes the nearest before it back.
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::size_t k = i; k-- > 0 && rows[i].units < 0;) {
        if (rows[k].fnsku != rows[i].fnsku || rows[k].sellable != rows[i].sellable || rows[k].units <= 0) continue;
        const std::int32_t same = std::min(rows[k].units, -rows[i].units);
        rows[k].units -= same;
        rows[i].units += same;
      }
    std::erase_if(rows, [](const BookedReturn& r) { return r.units <= 0; });
  }
}

const Receipts* Ledger::receipts(Name shipment, Name fnsku) const {
  const auto found = receipts_.find({shipment, fnsku});
  return found == receipts_.end() ? nullptr : &found->second;
}

void Ledger::hear(ByName& all, Name of, const LedgerRow& row, Name what) {
  const auto [place, fresh] = all.try_emplace(of, Said{row.day, row.row, what});
  if (Said& newest = place->second; !fresh && std::tie(newest.day, newest.row) < std::tie(row.day, row.row)) newest = {row.day, row.row, what};
}

Name Ledger::fnsku_of(Name sku, std::optional<Day> day) const {
  const auto known = labels_.find(sku);
  if (known == labels_.end()) return {};
  const Label* best = nullptr;
  // Rows of before the day, the newest of them; else what is told first after it.
  for (const Label& l : known->second) {
    const bool before = !day || l.first <= *day;
    const bool best_before = best && (!day || best->first <= *day);
    if (!best || (before && !best_before)) {
      best = &l;
    } else if (before == best_before) {
      const auto at = [&](const Label& x) { return day ? std::min(x.last, *day) : x.last; };
      if (before ? std::make_tuple(at(*best), best->last_row) < std::make_tuple(at(l), l.last_row) : l.first < best->first) best = &l;
    }
  }
  return best->fnsku;
}

Name Ledger::said(const ByName& all, Name of) {
  const auto found = all.find(of);
  return found == all.end() ? Name{} : found->second.what;
}

}  // namespace amzsync::detect
