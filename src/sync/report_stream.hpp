// SPDX-License-Identifier: Apache-2.0
// Reads a dataset that Amazon gives as reports: plans which days to ask for, has each report made, waits for it, takes its document
// into the archive, and from there into its table. Every step is durable before the next, so a run that goes on elsewhere asks for
// nothing twice.
#pragma once

#include "spapi/report_dataset.hpp"
#include "sync/streams.hpp"

namespace amzsync::sync {

Async<StreamResult> read_report(RunContext& run, const spapi::ReportDataset& dataset);

}  // namespace amzsync::sync
