// SPDX-License-Identifier: Apache-2.0
// Reads a seller's orders from the store, some at a time, each whole. In memory are only those that are being read, and of orders that several events
// tell of the numbers of those events.
#pragma once

#include <memory>

#include "detect/orders.hpp"
#include "store/money_rows.hpp"
#include "store/sql.hpp"

namespace amzsync::detect {

class OrderReader {
 public:
  /// `tables` must outlive it: it names SKUs there, and puts fees there that belong to no order. `today`: local to the home marketplace. Everything of the
  /// last 450 days is read: sales of which a refund can still be claimed, with a year to return them.
  OrderReader(UserNo user, store::MoneyStream money, Tables& tables, Day today);
  ~OrderReader();

  /// The next orders, none of them twice; sometimes none. nullopt: that was all. A call takes some hundredths of a second; each may be in a transaction of
  /// its own, so long as nobody writes the seller's money between them.
  std::optional<std::vector<Order>> next(store::Tx& tx);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace amzsync::detect
