// SPDX-License-Identifier: Apache-2.0
// What a month's storage cost, by product and fulfilment centre; charged in the middle of the next month. Header spellings vary.
#include "spapi/reports/datasets.hpp"

namespace amzsync::spapi {
namespace {

using enum CellKind;
using enum CellRole;

constexpr ReportColumn kColumns[]{
    {"month", "monthofcharge", CellKind::day, identity, true},
    {"asin", "asin", text, identity},
    {"fnsku", "fnsku", text, identity, true},
    {"fulfillment_center", "fulfillmentcenter", text, identity},
    {"country_code", "countrycode", text, content},
    {"product_name", "productname", text, content},
    {"longest_side", "longestside", decimal, content},
    {"median_side", "medianside", decimal, content},
    {"shortest_side", "shortestside", decimal, content},
    {"measurement_units", "measurementunits", text, content},
    {"weight", "weight", decimal, content},
    {"weight_units", "weightunits", text, content},
    {"item_volume", "itemvolume", decimal, content},
    {"volume_units", "volumeunits", text, content},
    {"product_size_tier", "productsizetier", text, content},
    {"average_quantity_on_hand", "averagequantityonhand", decimal, content},
    {"average_quantity_pending_removal", "averagequantitypendingremoval", decimal, content},
    {"total_item_volume", "estimatedtotalitemvolume|totalitemvolume", decimal, content},
    {"storage_rate_micros", "storagerate|baserate", amount, content},
    {"currency", "currency", currency, content, true},
    {"monthly_fee_micros", "estimatedmonthlystoragefee", amount, content, true},
    {"dangerous_goods_type", "dangerousgoodsstoragetype", text, content},
    {"eligible_for_discount", "eligibleforinventorydiscount|eligiblefordiscount", text, content},
    {"qualifies_for_discount", "qualifiesforinventorydiscount|qualifiedfordiscount", text, content},
    {"incentive_fee_micros", "totalincentivefeeamount", amount, content},
};

}  // namespace

constinit const ReportDataset kStorageFees{.stream = "storage_fees", .report_type = "GET_FBA_STORAGE_FEE_CHARGES_DATA", .columns = kColumns, .day_column = "month", .options = {},
                              .widest_days = 540, .read_again_days = 75, .whole_months = true, .personal = {}};

}  // namespace amzsync::spapi
