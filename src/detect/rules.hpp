// SPDX-License-Identifier: Apache-2.0
// The rules, each one judge, made by the function of its name. Numbers, bases, maturities and windows: detection 3. They work in the order of this
// list, so that a unit that two of them could claim is claimed by the first.
#pragma once

#include <span>

#include "detect/case.hpp"

namespace amzsync::detect {

std::span<const Rule> rules();
const Rule* find_rule(std::string_view id);

/// A rule that looks at no order, and at no product.
template <void (*judge)(Case&, const Rule&)>
std::unique_ptr<Judge> of_tables(Case& c, const Rule& rule) {
  class OfTables final : public Judge {
   public:
    using Judge::Judge;
    void end() override { judge(case_, rule_); }
  };
  return std::make_unique<OfTables>(c, rule);
}

// rules_reversals.cpp
std::unique_ptr<Judge> reimbursement_reversal_unsupported(Case&, const Rule&);     // 11
std::unique_ptr<Judge> reimbursement_underpaid(Case&, const Rule&);                // 10
// rules_warehouse.cpp
std::unique_ptr<Judge> lost_warehouse(Case&, const Rule&);                         // 1
std::unique_ptr<Judge> damaged_warehouse(Case&, const Rule&);                      // 2
std::unique_ptr<Judge> lost_in_fc_transfer(Case&, const Rule&);                    // 3
std::unique_ptr<Judge> disposed_without_request(Case&, const Rule&);               // 19
// rules_inbound.cpp
std::unique_ptr<Judge> inbound_shortage(Case&, const Rule&);                       // 4
std::unique_ptr<Judge> damaged_inbound(Case&, const Rule&);                        // 5
// rules_orders.cpp
std::unique_ptr<Judge> order_lost_in_delivery(Case&, const Rule&);                 // 12
std::unique_ptr<Judge> return_damage_unpaid(Case&, const Rule&);                   // 8
std::unique_ptr<Judge> return_not_received(Case&, const Rule&);                    // 6
std::unique_ptr<Judge> return_not_restocked(Case&, const Rule&);                   // 7
// rules_refunds.cpp
std::unique_ptr<Judge> refund_exceeds_charge(Case&, const Rule&);                  // 9
std::unique_ptr<Judge> refund_commission_credit_missing(Case&, const Rule&);       // 17
// rules_fees.cpp
std::unique_ptr<Judge> duplicate_fee_charge(Case&, const Rule&);                   // 15
std::unique_ptr<Judge> fulfilment_fee_overcharge(Case&, const Rule&);              // 13
void storage_fee_overcharge(Case&, const Rule&);                                   // 14
std::unique_ptr<Judge> referral_fee_overcharge(Case&, const Rule&);                // 16
// rules_removals.cpp
void removal_disposed_instead_of_returned(Case&, const Rule&);                     // 20
void removal_lost(Case&, const Rule&);                                             // 18

}  // namespace amzsync::detect
