// SPDX-License-Identifier: Apache-2.0
// Removal and disposal orders, a line per product and disposition; quantities move until the order is complete. The report holds the orders that were last
// updated in its span, whenever they were asked for (facts: detection 7.16), so each order is a part of its own, and the newest report of it holds.
#include "spapi/reports/datasets.hpp"

namespace amzsync::spapi {
namespace {

using enum CellKind;
using enum CellRole;

constexpr ReportColumn kColumns[]{
    {"requested_at", "requestdate", instant, identity, true},
    {"order_id", "orderid", text, identity, true},
    {"order_type", "ordertype", text, content},
    {"order_source", "ordersource", text, content},
    {"order_status", "orderstatus", text, content},
    {"last_updated_at", "lastupdateddate", instant, content},
    {"sku", "sku", text, identity, true},
    {"fnsku", "fnsku", text, identity},
    {"disposition", "disposition", text, identity},
    {"requested_quantity", "requestedquantity", integer, content, true},
    {"cancelled_quantity", "cancelledquantity|canceledquantity", integer, content},
    {"disposed_quantity", "disposedquantity", integer, content},
    {"shipped_quantity", "shippedquantity", integer, content},
    {"in_process_quantity", "inprocessquantity", integer, content},
    {"removal_fee_micros", "removalfee", amount, content},
    {"currency", "currency", currency, content},
};

}  // namespace

constinit const ReportDataset kRemovals{.stream = "removals", .report_type = "GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA", .columns = kColumns, .day_column = "requested_at", .options = {},
                              .widest_days = 90, .read_again_days = 93, .cadence = std::chrono::hours(12), .part = "order_id", .personal = {}};

}  // namespace amzsync::spapi
