// SPDX-License-Identifier: Apache-2.0
// One run from its claim to its end: validate, read the streams, detect, finish.
#pragma once

#include "store/runs.hpp"
#include "sync/services.hpp"

namespace amzsync::sync {

/// How a worker's turn at a run ended.
struct TurnEnd {
  bool over = false;                 ///< the run is; else it was let go of, is not ours to end, or its end could not be stored
  std::optional<SyncId> follow_up;   ///< queued by its end
};

/// Never fails: whatever goes wrong becomes the run's end. `turn` is cancelled with `cancel`, and where others wait for a turn: then the run lets go as
/// soon as no work is lost by it.
Async<TurnEnd> perform(Services& services, store::ClaimedRun claimed, CancelToken cancel, CancelToken turn, std::shared_ptr<spapi::Meter> meter);

}  // namespace amzsync::sync
