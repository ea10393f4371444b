// SPDX-License-Identifier: Apache-2.0
// A stream that falls silent: it used to show rows nearly every day, and for a while shows none. That may be true, or a fault of Amazon's, of
// an authorisation or of ours, and must not pass for "there is nothing".
#pragma once

#include "store/runs.hpp"

namespace amzsync::store {

/// Looks at a stream that was just read whole. When it has fallen silent against its own history, it is marked, and `dataset.silent` tells so
/// once; when it shows rows again, the mark goes.
void watch_silence(const RunTx& run, std::string_view stream);

/// Since which day a stream has been silent.
std::optional<Day> silent_since(Tx& tx, UserNo user, std::string_view stream);

}  // namespace amzsync::store
