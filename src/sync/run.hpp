// SPDX-License-Identifier: Apache-2.0
// One run from its claim to its end: validate, read the streams, detect, finish.
#pragma once

#include "store/runs.hpp"
#include "sync/services.hpp"

namespace amzsync::sync {

/// Never fails: whatever goes wrong becomes the run's end, or (lease lost, engine closing) nothing, because then the run is
/// not ours to end. The follow-up run's id, if the end queued one, so that it starts at once.
Async<std::optional<SyncId>> perform(Services& services, store::ClaimedRun claimed, CancelToken cancel);

}  // namespace amzsync::sync
