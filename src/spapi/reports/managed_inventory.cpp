// SPDX-License-Identifier: Apache-2.0
// What the seller manages at Amazon, with its stock: a snapshot of every SKU. It is there to compare the list of stock with, which is known to
// leave SKUs out (facts I3). Prices come without a currency, so they are kept as text.
#include "spapi/reports/datasets.hpp"

namespace amzsync::spapi {
namespace {

using enum CellKind;
using enum CellRole;

constexpr ReportColumn kColumns[]{
    {"sku", "sku|sellersku", text, identity, true},
    {"fnsku", "fnsku", text, content},
    {"asin", "asin", text, content},
    {"product_name", "productname", text, content},
    {"condition", "condition", text, content},
    {"your_price", "yourprice", decimal, content},
    {"mfn_listing_exists", "mfnlistingexists", text, content},
    {"mfn_fulfillable", "mfnfulfillablequantity", integer, content},
    {"afn_listing_exists", "afnlistingexists", text, content},
    {"afn_warehouse", "afnwarehousequantity", integer, content},
    {"afn_fulfillable", "afnfulfillablequantity", integer, content},
    {"afn_unsellable", "afnunsellablequantity", integer, content},
    {"afn_reserved", "afnreservedquantity", integer, content},
    {"afn_total", "afntotalquantity", integer, content, true},
    {"per_unit_volume", "perunitvolume", decimal, content},
    {"inbound_working", "afninboundworkingquantity", integer, content},
    {"inbound_shipped", "afninboundshippedquantity", integer, content},
    {"inbound_receiving", "afninboundreceivingquantity", integer, content},
    {"researching", "afnresearchingquantity", integer, content},
    {"reserved_future_supply", "afnreservedfuturesupply", integer, content},
    {"future_supply_buyable", "afnfuturesupplybuyable", integer, content},
    {"store", "store", text, content},
};

}  // namespace

constinit const ReportDataset kManagedInventory{.stream = "managed_inventory", .report_type = "GET_FBA_MYI_UNSUPPRESSED_INVENTORY_DATA", .columns = kColumns, .day_column = "", .options = {}, .patience = std::chrono::minutes(30), .personal = {}};

}  // namespace amzsync::spapi
