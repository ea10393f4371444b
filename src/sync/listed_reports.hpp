// SPDX-License-Identifier: Apache-2.0
// Reads reports that can't be asked for: Amazon makes them by itself and lists them for ninety days (facts 3.4, R14). Each is a job of its
// own, known by its report's id, and is read once.
#pragma once

#include "spapi/report_dataset.hpp"
#include "sync/streams.hpp"

namespace amzsync::sync {

Async<StreamResult> read_listed_reports(RunContext& run, const spapi::ReportDataset& dataset);

}  // namespace amzsync::sync
