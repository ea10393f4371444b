// SPDX-License-Identifier: Apache-2.0
// A clock that was ahead and was put right leaves instants in the database that are still to come: what counts from them would wait for them.
#pragma once

#include "store/runs.hpp"

namespace amzsync::store {

/// Clocks of one machine step back by so much without anything amiss.
constexpr Duration kStepsBack = std::chrono::minutes(1);

/// Whether an engine, or the newest run, is noted as of a time that is still to come.
bool clock_was_ahead(Tx& tx);
/// Whether what is known of a user is. A database on another machine may tell of it, or a process that was gone before anybody saw the clock go back.
bool clock_was_ahead(Tx& tx, UserNo user);

/// Forgets all instants to come by which anything is timed: what was read then counts as not read, waits and plans are over, ages begin now. What was read stays.
void put_times_right(Tx& tx);
/// The same of the run's user alone.
void put_times_right(const RunTx& run);

}  // namespace amzsync::store
