// SPDX-License-Identifier: Apache-2.0
// What each payout was made of. Amazon makes one document for each settlement, lists it for ninety days, and never changes it. Its first row
// sums up: dates, total and currency stand there alone; the `amount`s of the rows below add up to the total (facts 3.5).
#include "spapi/reports/datasets.hpp"

namespace amzsync::spapi {
namespace {

using enum CellKind;
using enum CellRole;

constexpr ReportColumn kColumns[]{
    {"settlement_id", "settlementid", text, identity, true, true},
    {"line", "", row_number, identity},
    {"started_at", "settlementstartdate", instant, content, false, true},
    {"ended_at", "settlementenddate", instant, content, true, true},
    {"deposited_at", "depositdate", instant, content, false, true},
    {"total_amount_micros", "totalamount", amount, content, true},
    {"currency", "currency", currency, content, true, true},
    {"transaction_type", "transactiontype", text, content},
    {"order_id", "orderid", text, content},
    {"adjustment_id", "adjustmentid", text, content},
    {"shipment_id", "shipmentid", text, content},
    {"marketplace_name", "marketplacename", text, content},
    {"amount_type", "amounttype", text, content},
    {"amount_description", "amountdescription", text, content},
    {"amount_micros", "amount", amount, content, true},
    {"fulfillment_id", "fulfillmentid", text, content},
    {"posted_at", "posteddatetime|posteddate", instant, content},
    {"order_item_id", "orderitemcode", text, content},
    {"sku", "sku", text, content},
    {"quantity", "quantitypurchased", integer, content},
    {"promotion_id", "promotionid", text, content},
};

}  // namespace

constinit const ReportDataset kSettlements{.stream = "settlements", .report_type = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2", .columns = kColumns, .day_column = "ended_at", .options = {},
                              .listed = true, .part = "settlement_id", .personal = {}};

}  // namespace amzsync::spapi
