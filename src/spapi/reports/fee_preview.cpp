// SPDX-License-Identifier: Apache-2.0
// What Amazon expects to charge for each SKU now: a snapshot, made anew every 72 hours at most. "--" stands for no value. European files have
// fee columns with country suffixes, which stay in `detail`.
#include "spapi/reports/datasets.hpp"

namespace amzsync::spapi {
namespace {

using enum CellKind;
using enum CellRole;

constexpr ReportColumn kColumns[]{
    {"sku", "sku", text, identity, true},
    {"fnsku", "fnsku", text, content},
    {"asin", "asin", text, content},
    {"amazon_store", "amazonstore", text, identity},
    {"product_name", "productname", text, content},
    {"product_group", "productgroup", text, content},
    {"brand", "brand", text, content},
    {"fulfilled_by", "fulfilledby", text, content},
    {"your_price_micros", "yourprice", amount, content},
    {"sales_price_micros", "salesprice", amount, content},
    {"longest_side", "longestside", decimal, content},
    {"median_side", "medianside", decimal, content},
    {"shortest_side", "shortestside", decimal, content},
    {"length_and_girth", "lengthandgirth", decimal, content},
    {"unit_of_dimension", "unitofdimension", text, content},
    {"item_package_weight", "itempackageweight", decimal, content},
    {"unit_of_weight", "unitofweight", text, content},
    {"product_size_tier", "productsizetier|productsizeweightband", text, content},
    {"currency", "currency", currency, content, true},
    {"estimated_fee_total_micros", "estimatedfeetotal", amount, content},
    {"estimated_referral_fee_micros", "estimatedreferralfeeperunit", amount, content},
    {"estimated_variable_closing_fee_micros", "estimatedvariableclosingfee", amount, content},
    {"expected_fulfillment_fee_micros", "expectedfulfillmentfeeperunit|expecteddomesticfulfilmentfeeperunit", amount, content},
};

/// A charge is held against what Amazon expected at its time.
constexpr std::string_view kKept[]{"sku", "fnsku", "asin", "amazon_store", "currency", "expected_fulfillment_fee_micros", "estimated_referral_fee_micros", "sales_price_micros", "your_price_micros", "product_size_tier"};

}  // namespace

constinit const ReportDataset kFeePreview{.stream = "fee_preview", .report_type = "GET_FBA_ESTIMATED_FBA_FEES_TXT_DATA", .columns = kColumns, .day_column = "", .options = {},
                              .cadence = std::chrono::hours(72), .history = "fee_preview_history", .kept = kKept, .personal = {}};

}  // namespace amzsync::spapi
