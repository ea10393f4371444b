// SPDX-License-Identifier: Apache-2.0
// When a connection is synced next by itself: after the period, or sooner after a failure that may pass.
#pragma once

#include <algorithm>

#include "store/connections.hpp"
#include "store/runs.hpp"
#include "sync/services.hpp"

namespace amzsync::sync {

/// How a run ended, as far as the next one depends on it.
struct RunVerdict {
  store::RunStatus status = store::RunStatus::completed;
  std::optional<Code> error;                      ///< the code of its error
  std::int64_t failures_before = 0;               ///< runs on end that failed so
  std::optional<Instant> reports_paused_until;    ///< when the first report that failed may be asked for again
};

struct NextSync {
  std::optional<Instant> at;      ///< nullopt: not by itself
  std::int64_t failures = 0;      ///< on end, this run included
};

/// A failure is tried again after minutes, then less and less often, until the usual period is reached; how soon depends on what failed. What can't pass by
/// itself waits for the usual period. A tenth of jitter each way, so that sellers who connected together drift apart.
NextSync next_sync(const SyncSettings& settings, Instant now, const RunVerdict& verdict, Entropy& entropy);

/// No plan is farther off than this.
constexpr Duration longest_plan(Duration period) { return std::max<Duration>(period + period / 5, store::kUntilAnyRunEnds) + kClocksDiffer; }

/// The same for a run that ends in this transaction.
void plan_next(Services& services, const store::RunTx& run, store::RunEnd& end);

}  // namespace amzsync::sync
