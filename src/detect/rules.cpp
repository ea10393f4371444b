// SPDX-License-Identifier: Apache-2.0
#include "detect/rules.hpp"

namespace amzsync::detect {

std::span<const Rule> rules() {
  using enum Source;
  static const std::vector<Rule> list{
      {"reimbursement_reversal_unsupported", 1, Claim::unspecified, 14, {{reimbursements, 0}, {Source::ledger, 30}, {returns, 30}}, &reimbursement_reversal_unsupported},
      {"lost_warehouse", 1, Claim::fc_ops, 15, {{Source::ledger, 30}, {reimbursements, 0}}, &lost_warehouse},
      {"damaged_warehouse", 1, Claim::fc_ops, 15, {{Source::ledger, 30}, {reimbursements, 0}}, &damaged_warehouse},
      {"lost_in_fc_transfer", 1, Claim::transfer, 60, {{Source::ledger, 30}, {ledger_summary, 0}, {reimbursements, 0}}, &lost_in_fc_transfer},
      {"inbound_shortage", 1, Claim::inbound, 30, {{inbound, 0}, {Source::ledger, 30}, {reimbursements, 0}}, &inbound_shortage},
      {"damaged_inbound", 1, Claim::inbound, 30, {{Source::ledger, 30}, {reimbursements, 0}}, &damaged_inbound},
      {"order_lost_in_delivery", 1, Claim::customer_return, 60, {{money, 0}, {returns, 30}, {reimbursements, 0}}, &order_lost_in_delivery},
      {"return_damage_unpaid", 1, Claim::customer_return, 30, {{returns, 30}, {reimbursements, 0}, {money, 0}}, &return_damage_unpaid},
      {"return_not_received", 1, Claim::customer_return, 60, {{money, 0}, {returns, 30}, {reimbursements, 0}}, &return_not_received},
      {"return_not_restocked", 2, Claim::fc_ops, 30, {{returns, 0}, {Source::ledger, 30}, {reimbursements, 0}}, &return_not_restocked},
      {"refund_exceeds_charge", 1, Claim::refund_excess, 14, {{money, 0}, {reimbursements, 0}}, &refund_exceeds_charge},
      {"reimbursement_underpaid", 1, Claim::unspecified, 0, {{reimbursements, 0}}, &reimbursement_underpaid},
      {"duplicate_fee_charge", 1, Claim::duplicate_fee, 14, {{money, 0}}, &duplicate_fee_charge},
      {"fulfilment_fee_overcharge", 1, Claim::fee_dim, 0, {{money, 0}}, &fulfilment_fee_overcharge, fee_preview},
      {"storage_fee_overcharge", 1, Claim::fee_dim, 0, {{storage_fees, 0}}, &of_tables<&storage_fee_overcharge>},
      {"referral_fee_overcharge", 1, Claim::fee_referral, 0, {{money, 0}}, &referral_fee_overcharge, fee_preview},
      {"refund_commission_credit_missing", 1, Claim::fee_referral, 14, {{money, 0}}, &refund_commission_credit_missing},
      {"removal_disposed_instead_of_returned", 2, Claim::removal_other, 14, {{removals, 0}, {reimbursements, 0}}, &of_tables<&removal_disposed_instead_of_returned>},
      {"removal_lost", 2, Claim::removal_lost, 15, {{removal_shipments, 0}, {removals, 30}, {reimbursements, 0}}, &of_tables<&removal_lost>},
      {"disposed_without_request", 1, Claim::fc_ops, 15, {{Source::ledger, 30}, {removals, 30}, {reimbursements, 0}}, &disposed_without_request},
  };
  return list;
}

const Rule* find_rule(std::string_view id) {
  for (const Rule& rule : rules())
    if (rule.id == id) return &rule;
  return nullptr;
}

}  // namespace amzsync::detect
