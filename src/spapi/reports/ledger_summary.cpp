// SPDX-License-Identifier: Apache-2.0
// Balances by month and country. The two options are spelt differently at Amazon: aggregate, aggregated (facts 3.5).
#include "spapi/reports/datasets.hpp"

namespace amzsync::spapi {
namespace {

using enum CellKind;
using enum CellRole;

constexpr ReportColumn kColumns[]{
    {"period", "date", CellKind::day, identity, true},
    {"fnsku", "fnsku", text, identity, true},
    {"asin", "asin", text, identity},
    {"msku", "msku|sku", text, identity},
    {"title", "title|productname", text, content},
    {"disposition", "disposition", text, identity},
    {"starting_balance", "startingwarehousebalance", integer, content, true},
    {"in_transit", "intransitbetweenwarehouses", integer, content},
    {"receipts", "receipts", integer, content},
    {"customer_shipments", "customershipments", integer, content},
    {"customer_returns", "customerreturns", integer, content},
    {"vendor_returns", "vendorreturns", integer, content},
    {"warehouse_transfers", "warehousetransferinout|warehousetransfer", integer, content},
    {"found", "found", integer, content},
    {"lost", "lost", integer, content},
    {"damaged", "damaged", integer, content},
    {"disposed", "disposed", integer, content},
    {"other_events", "otherevents", integer, content},
    {"ending_balance", "endingwarehousebalance", integer, content},
    {"unknown_events", "unknownevents", integer, content},
    {"location", "location", text, identity},
    {"store", "store", text, content},
};
constexpr ReportOption kOptions[]{{"aggregateByLocation", "COUNTRY"}, {"aggregatedByTimePeriod", "MONTHLY"}};

}  // namespace

constinit const ReportDataset kLedgerSummary{.stream = "ledger_summary", .report_type = "GET_LEDGER_SUMMARY_VIEW_DATA", .columns = kColumns, .day_column = "period", .options = kOptions,
                              .widest_days = 540, .read_again_days = 75, .whole_months = true, .personal = {}};

}  // namespace amzsync::spapi
