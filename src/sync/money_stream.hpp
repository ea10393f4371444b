// SPDX-License-Identifier: Apache-2.0
// Reads the money: plans slices, walks each page by page, stores every page in one transaction, and closes the days of a slice
// when its walk is complete. Both finance APIs go through the same walk; they differ in how to ask and how to decode.
#pragma once

#include "sync/streams.hpp"

namespace amzsync::sync {

Async<StreamResult> read_transactions(RunContext& run);
Async<StreamResult> read_financial_events(RunContext& run);

}  // namespace amzsync::sync
