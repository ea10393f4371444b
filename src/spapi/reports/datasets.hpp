// SPDX-License-Identifier: Apache-2.0
// The reports that are read. Amazon publishes no schema for these files; columns are as observed in real ones (facts 3.5).
#pragma once

#include "spapi/report_dataset.hpp"

namespace amzsync::spapi {

extern const ReportDataset kReimbursements;   ///< GET_FBA_REIMBURSEMENTS_DATA: the claims paid, with reasons
extern const ReportDataset kLedger;           ///< GET_LEDGER_DETAIL_VIEW_DATA: every movement of every unit
extern const ReportDataset kLedgerSummary;    ///< GET_LEDGER_SUMMARY_VIEW_DATA: balances by month
extern const ReportDataset kReturns;          ///< GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA
extern const ReportDataset kFeePreview;       ///< GET_FBA_ESTIMATED_FBA_FEES_TXT_DATA
extern const ReportDataset kStorageFees;      ///< GET_FBA_STORAGE_FEE_CHARGES_DATA
extern const ReportDataset kManagedInventory; ///< GET_FBA_MYI_UNSUPPRESSED_INVENTORY_DATA: every SKU, to compare the stock with
extern const ReportDataset kRemovals;         ///< GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA
extern const ReportDataset kSettlements;      ///< GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2: what each payout was made of; listed only

/// The table that holds a dataset's rows.
store::ReportTable table_of(const ReportDataset& dataset);

}  // namespace amzsync::spapi
