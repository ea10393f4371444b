// SPDX-License-Identifier: Apache-2.0
// Reads what lies in the archive anew, with the decoders of today and without one call to Amazon: the rows of each day as its newest
// document tells them. What a later reading told whose document is no longer kept stays as it is.
#pragma once

#include "sync/streams.hpp"

namespace amzsync::sync {

/// nullopt: nothing of that stream is in the archive.
Async<std::optional<StreamResult>> replay_stream(RunContext& run, const Stream& stream);

}  // namespace amzsync::sync
