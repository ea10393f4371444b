// SPDX-License-Identifier: Apache-2.0
// The figures that operators watch: what this engine has done, and what the database says of all.
#pragma once

#include <string>

#include "base/tally.hpp"
#include "store/sql.hpp"

namespace amzsync::sync {
using namespace base;

/// {room, paused, runs, connections, calls, rows, findings, writes}: docs/http.md has each as a metric. `room`: whether the store's disk has some to spare.
std::string measures_document(store::Tx& tx, EngineNo me, bool room, const Tally::Sums& sums);

}  // namespace amzsync::sync
