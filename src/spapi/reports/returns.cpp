// SPDX-License-Identifier: Apache-2.0
// Units that came back and were processed; Amazon fills in older days later (detection 2.4). Buyers' comments are not kept.
#include "spapi/reports/datasets.hpp"

namespace amzsync::spapi {
namespace {

using enum CellKind;
using enum CellRole;

constexpr ReportColumn kColumns[]{
    {"returned_at", "returndate", instant, identity, true},
    {"order_id", "orderid", text, identity, true},
    {"sku", "sku", text, identity, true},
    {"asin", "asin", text, identity},
    {"fnsku", "fnsku", text, identity},
    {"product_name", "productname", text, content},
    {"quantity", "quantity", integer, identity, true},
    {"fulfillment_center", "fulfillmentcenterid|fulfillmentcenter", text, identity},
    {"detailed_disposition", "detaileddisposition", text, content},
    {"reason", "reason", text, identity},
    {"status", "status", text, content},
    {"license_plate_number", "licenseplatenumber", text, identity},
};
constexpr std::string_view kPersonal[]{"customercomments", "buyername", "buyeremail"};

}  // namespace

constinit const ReportDataset kReturns{.stream = "returns", .report_type = "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA", .columns = kColumns, .day_column = "returned_at", .options = {},
                              .widest_days = 60, .read_again_days = 62, .personal = kPersonal};

}  // namespace amzsync::spapi
