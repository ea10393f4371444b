// SPDX-License-Identifier: Apache-2.0
// One reimbursement id covers several lines, and the file is the same for every marketplace of the account (facts 3.5, detection 2.3), so a
// line is the id with what it is about, and its number among equals.
#include "spapi/reports/datasets.hpp"

namespace amzsync::spapi {
namespace {

using enum CellKind;
using enum CellRole;

constexpr ReportColumn kColumns[]{
    {"approved_at", "approvaldate", instant, identity, true},
    {"reimbursement_id", "reimbursementid", text, identity, true},
    {"case_id", "caseid", text, content},
    {"order_id", "amazonorderid", text, identity},
    {"reason", "reason", text, identity},
    {"sku", "sku", text, identity},
    {"fnsku", "fnsku", text, identity},
    {"asin", "asin", text, content},
    {"product_name", "productname", text, content},
    {"condition", "condition", text, content},
    {"currency", "currencyunit|currency", currency, content, true},
    {"amount_per_unit_micros", "amountperunit", amount, content},
    {"amount_micros", "amounttotal", amount, content, true},
    {"quantity_cash", "quantityreimbursedcash", integer, content},
    {"quantity_inventory", "quantityreimbursedinventory", integer, content},
    {"quantity_total", "quantityreimbursedtotal", integer, content},
    {"original_reimbursement_id", "originalreimbursementid", text, content},
    {"original_reimbursement_type", "originalreimbursementtype", text, content},
};

}  // namespace

// A row may come five days after its approval, and several cases are merged later.
constinit const ReportDataset kReimbursements{.stream = "reimbursements", .report_type = "GET_FBA_REIMBURSEMENTS_DATA", .columns = kColumns, .day_column = "approved_at", .options = {},
                              .widest_days = 60, .read_again_days = 45, .personal = {}};

}  // namespace amzsync::spapi
