// SPDX-License-Identifier: Apache-2.0
// Reads the stock of every marketplace: a complete walk of pages each, back to back because Amazon's page token lives 30 s.
#pragma once

#include "sync/streams.hpp"

namespace amzsync::sync {

Async<StreamResult> read_inventory(RunContext& run);

/// After it, and after the report of what the seller manages: SKUs that have stock there and that a marketplace's list did not show are asked for by name
/// in that marketplace; those that it does not have are not asked for again for a month. `walked`: what the stream came to before; the result takes its place.
Async<StreamResult> fill_inventory_gaps(RunContext& run, StreamResult walked);

}  // namespace amzsync::sync
