// SPDX-License-Identifier: Apache-2.0
// The rules, each one function. Numbers, bases, maturities and windows: detection 3. They run in the order of this list, so that a unit that
// two of them could claim is claimed by the first.
#pragma once

#include <span>

#include "detect/case.hpp"

namespace amzsync::detect {

std::span<const Rule> rules();
const Rule* find_rule(std::string_view id);

// rules_reversals.cpp
void reimbursement_reversal_unsupported(Case&, const Rule&);   // 11
void reimbursement_underpaid(Case&, const Rule&);              // 10
// rules_warehouse.cpp
void lost_warehouse(Case&, const Rule&);                       // 1
void damaged_warehouse(Case&, const Rule&);                    // 2
void lost_in_fc_transfer(Case&, const Rule&);                  // 3
void disposed_without_request(Case&, const Rule&);             // 19
// rules_inbound.cpp
void inbound_shortage(Case&, const Rule&);                     // 4
void damaged_inbound(Case&, const Rule&);                      // 5
// rules_orders.cpp
void order_lost_in_delivery(Case&, const Rule&);               // 12
void return_damage_unpaid(Case&, const Rule&);                 // 8
void return_not_received(Case&, const Rule&);                  // 6
void return_not_restocked(Case&, const Rule&);                 // 7
// rules_refunds.cpp
void refund_exceeds_charge(Case&, const Rule&);                // 9
void refund_commission_credit_missing(Case&, const Rule&);     // 17
// rules_fees.cpp
void duplicate_fee_charge(Case&, const Rule&);                 // 15
void fulfilment_fee_overcharge(Case&, const Rule&);            // 13
void storage_fee_overcharge(Case&, const Rule&);               // 14
void referral_fee_overcharge(Case&, const Rule&);              // 16
// rules_removals.cpp
void removal_disposed_instead_of_returned(Case&, const Rule&); // 20
void removal_lost(Case&, const Rule&);                         // 18

}  // namespace amzsync::detect
