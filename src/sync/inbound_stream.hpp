// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sync/streams.hpp"

namespace amzsync::sync {

/// Shipments to Amazon and their items (Fulfillment Inbound v0), by marketplace: what was updated since the last reading, and now and then
/// everything.
Async<StreamResult> read_inbound(RunContext& run);

}  // namespace amzsync::sync
