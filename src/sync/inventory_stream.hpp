// SPDX-License-Identifier: Apache-2.0
// Reads the stock of every marketplace: a complete walk of pages each, back to back because Amazon's page token lives 30 s.
#pragma once

#include "sync/streams.hpp"

namespace amzsync::sync {

Async<StreamResult> read_inventory(RunContext& run);

/// After it, and after the report of what the seller manages: SKUs that have stock there and were shown in no marketplace are asked for by name.
/// What came of it, where there were any.
Async<std::optional<StreamResult>> read_missing_inventory(RunContext& run);

}  // namespace amzsync::sync
