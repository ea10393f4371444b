// SPDX-License-Identifier: Apache-2.0
// Nothing in a row names it, and equal rows are true movements each (facts 3.5). What Amazon reconciles later, and the title, may change
// while the row stays.
#include "spapi/reports/datasets.hpp"

namespace amzsync::spapi {
namespace {

using enum CellKind;
using enum CellRole;

constexpr ReportColumn kColumns[]{
    {"ledger_day", "date", CellKind::day, identity, true},
    {"fnsku", "fnsku", text, identity, true},
    {"asin", "asin", text, identity},
    {"msku", "msku|sku", text, identity},
    {"title", "title|productname", text, content},
    {"event_type", "eventtype", text, identity, true},
    {"reference_id", "referenceid", text, identity},
    {"quantity", "quantity", integer, identity, true},
    {"fulfillment_center", "fulfillmentcenter|fulfilmentcentre|fulfillmentcenterid", text, identity},
    {"disposition", "disposition", text, identity},
    {"reason", "reason", text, identity},
    {"country", "country", text, identity},
    {"reconciled_quantity", "reconciledquantity", integer, content},
    {"unreconciled_quantity", "unreconciledquantity", integer, content},
    {"occurred_at", "dateandtime|datetime", instant, identity},
    {"store", "store", text, content},
};

}  // namespace

// Days are the store's own, so a request is a day wider than what is taken from it.
constinit const ReportDataset kLedger{.stream = "ledger", .report_type = "GET_LEDGER_DETAIL_VIEW_DATA", .columns = kColumns, .day_column = "ledger_day", .options = {},
                              .widest_days = 29, .read_again_days = 85, .edge_days = 1, .personal = {}};

}  // namespace amzsync::spapi
