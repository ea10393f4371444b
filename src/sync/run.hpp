// SPDX-License-Identifier: Apache-2.0
// One run from its claim to its end: validate, read the streams, detect, finish.
#pragma once

#include "store/runs.hpp"
#include "sync/services.hpp"

namespace amzsync::sync {

/// `turn` is cancelled with `cancel`, and where others wait for a turn: then the run lets go as soon as no work is lost by it.
/// Never fails: whatever goes wrong becomes the run's end, or (lease lost, engine closing, paused, another one's turn) nothing, because then the run is
/// not ours to end. The follow-up run's id, if the end queued one, so that it starts at once.
Async<std::optional<SyncId>> perform(Services& services, store::ClaimedRun claimed, CancelToken cancel, CancelToken turn, std::shared_ptr<spapi::Meter> meter);

}  // namespace amzsync::sync
