// SPDX-License-Identifier: Apache-2.0
#include "detect/inquiry.hpp"

#include "detect/load.hpp"
#include "detect/local_time.hpp"

namespace amzsync::detect {

bool Inquiry::step(store::Tx& tx) {
  if (settings_.stopped && settings_.stopped()) return false;
  if (!begun_) {
    begun_ = true;
    basis_ = basis_of(tx, user_, settings_.region, settings_.money, *settings_.policy);
    unchanged_ = settings_.only_if_changed && tx.integer("SELECT count(*) FROM detections WHERE user_no=?1 AND basis=?2", user_, basis_).value_or(0) > 0;
    return !unchanged_;
  }
  if (!tables_) {
    tables_ = load_tables(tx, user_, settings_.region, settings_.money, settings_.stopped);
    return tables_.has_value();
  }
  if (!ledger_) {
    ledger_.emplace(*tables_);
    products_.emplace(user_, *tables_);
  }
  if (!detector_) {
    if (products_->look(tx, *ledger_)) return true;
    ledger_->end();
    const Day today = local_day(tx.now(), tables_->home);
    detector_.emplace(*tables_, *ledger_, *settings_.policy, today, settings_.tell_of ? &verdicts_ : nullptr, settings_.tell_of, settings_.stopped);
    orders_.emplace(user_, settings_.money, *tables_, today);
    return true;
  }
  if (const auto products = products_->next(tx)) {
    for (const auto& rows : *products) detector_->see(rows);
    return true;
  }
  if (auto orders = orders_->next(tx)) {
    for (Order& order : *orders) {
      if (on_order_) on_order_(order);
      detector_->see(std::move(order));
    }
    return true;
  }
  return detector_->end_next();
}

}  // namespace amzsync::detect
