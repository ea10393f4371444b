// SPDX-License-Identifier: Apache-2.0
// The whole of detection as one pure function: tables, the ledger, orders, policy and a day in, findings out. The same input, in whatever order its rows and
// orders stand, gives the same output.
#pragma once

#include "detect/finding.hpp"
#include "detect/policy.hpp"
#include "detect/rules.hpp"

namespace amzsync::detect {

/// How a rule as a whole stands: it can see everything that it concludes from, or why not.
struct RuleState {
  std::string_view rule;
  std::string blocked;                    ///< empty: it can
};

struct Detection {
  std::vector<Finding> findings;          ///< by rule, variant and subject
  std::vector<RuleState> rules;           ///< every one of them
};

class Detector {
 public:
  /// `tables`, `ledger` (looked through) and `policy` must outlive it; `today`: local to the home marketplace. With `verdicts` also why rows that could be claims are none, all of them or
  /// those that are `told_of`. One thread at a time. `stopped` is asked now and then, on the thread that calls.
  Detector(const Tables& tables, const Ledger& ledger, const Policy& policy, Day today, std::vector<Verdict>* verdicts = nullptr, std::function<bool(RowRef)> told_of = {}, std::function<bool()> stopped = {});

  /// Every product that has rows in the ledger, once, in the order of the FNSKU's text, its rows in order of (day, row). Before the orders.
  void see(std::span<const LedgerRow> product);
  /// Every order once, whole, in any order.
  void see(Order order);
  /// After the last one: a rule after another comes to its end. False: all have, or it was stopped.
  bool end_next();
  bool ended() const { return states_.size() == judges_.size(); }
  /// How the rules stand that have ended.
  const std::vector<RuleState>& states() const { return states_; }
  /// What was found since the last call, in no order. It stands: nothing that comes later changes it.
  std::vector<Finding> take();

 private:
  std::function<bool()> stopped_;
  void see(const Product& product, std::span<const LedgerRow> rows);

  Case case_;
  std::set<Name> seen_;                   // products
  std::vector<RuleState> states_;
  std::vector<std::unique_ptr<Judge>> judges_;   // by the list of the rules
};

/// The same, of rows and orders that are at hand.
Detection detect(const Tables& tables, std::vector<LedgerRow> ledger, std::vector<Order> orders, const Policy& policy, Day today, std::vector<Verdict>* verdicts = nullptr);

}  // namespace amzsync::detect
