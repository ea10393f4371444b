// SPDX-License-Identifier: Apache-2.0
// Reads the stock of every marketplace: a complete walk of pages each, back to back because Amazon's page token lives 30 s.
#pragma once

#include "sync/streams.hpp"

namespace amzsync::sync {

Async<StreamResult> read_inventory(RunContext& run);

}  // namespace amzsync::sync
