// SPDX-License-Identifier: Apache-2.0
#include "sync/schedule.hpp"

#include <algorithm>

#include "store/connections.hpp"
#include "store/report_jobs.hpp"

namespace amzsync::sync {
namespace {

/// How long after a first failure of that kind it is worth trying again; nullopt: it does not pass by itself.
std::optional<Duration> first_pause(Code code) noexcept {
  if (code_retry(code) != Retry::later) return std::nullopt;
  switch (code) {
    case Code::store_busy:
    case Code::store_full:
    case Code::store_unavailable: return std::chrono::minutes(1);    // the host's own, and often mended at once
    case Code::throttled: return std::chrono::minutes(15);           // a plan of one call a minute needs as long to fill
    case Code::report_failed: return std::chrono::hours(1);
    default: return std::chrono::minutes(5);
  }
}

}  // namespace

NextSync next_sync(const SyncSettings& settings, Instant now, const RunVerdict& verdict, Entropy& entropy) {
  NextSync next;
  const bool failed = verdict.status == store::RunStatus::failed || verdict.status == store::RunStatus::partial;
  const auto pause = failed && verdict.error ? first_pause(*verdict.error) : std::nullopt;
  if (pause) next.failures = verdict.failures_before + 1;
  const Duration period = settings.sync_every;
  if (period <= Duration::zero()) return next;
  Duration wait = period;
  if (pause) {
    wait = *pause;
    // Asked again before Amazon's pause is over it could only fail again.
    if (*verdict.error == Code::report_failed && verdict.reports_paused_until && *verdict.reports_paused_until > now) wait = *verdict.reports_paused_until - now + std::chrono::minutes(1);
    for (std::int64_t n = 1; n < next.failures && wait < period; ++n) wait *= 2;
    wait = std::min(wait, period);
  }
  next.at = now + wait + entropy.below(wait / 5);
  if (!pause) *next.at -= wait / 10;   // never before a pause is over
  return next;
}

void plan_next(Services& services, const store::RunTx& run, store::RunEnd& end) {
  RunVerdict verdict{end.status, end.error ? std::optional(end.error->code) : std::nullopt, 0, store::first_cool_down_end(run.tx(), run.user())};
  if (const auto connection = store::find_connection(run.tx(), run.user())) verdict.failures_before = connection->failed_syncs;
  const NextSync next = next_sync(services.settings, run.tx().now(), verdict, services.entropy);
  end.next_sync_at = next.at;
  end.of_recoveries = tells_of_recoveries(services.settings, store::asked_of(run.tx(), run.run()));
  end.failed_syncs = next.failures;
}

}  // namespace amzsync::sync
