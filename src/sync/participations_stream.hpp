// SPDX-License-Identifier: Apache-2.0
// Reads the seller's marketplaces, which also proves that the connection works. At most once a day: the plan gives one call
// a minute and the list hardly ever changes.
#pragma once

#include "sync/streams.hpp"

namespace amzsync::sync {

/// Also fills `run.marketplaces`, from the store where Amazon was not asked.
Async<StreamResult> read_participations(RunContext& run);

}  // namespace amzsync::sync
