// SPDX-License-Identifier: Apache-2.0
#include "sync/progress.hpp"

#include <algorithm>

namespace amzsync::sync {
namespace {

constexpr Duration kTurn = std::chrono::seconds(1);

}  // namespace

Async<Status> Progress::reach(Milestone m, std::string detail) {
  reached_ = std::max(reached_, m.progress);
  detail_ = detail;
  if (m.progress == kFetchingInventory.progress) fetching_since_ = services_.clock.steady();
  auto write = [fence = fence_, m, detail = std::move(detail)](store::Tx& tx) -> Status {
    AMZ_TRY(run, store::RunTx::enter(tx, fence));
    store::milestone(run, m.progress, m.message, m.phase, detail);
    return Done{};
  };
  auto written = co_await services_.store.write(store::Urgency::normal, std::move(write));
  co_return written;
}

void Progress::set_units(std::string_view stream, std::int64_t done, std::int64_t known) {
  Units& units = streams_[std::string(stream)];
  units.done = done;
  units.known = std::max(known, done);
}

void Progress::set_waiting(std::string_view stream, std::optional<Instant> until) { streams_[std::string(stream)].waiting_until = until; }

store::PassingState Progress::state() const {
  store::PassingState s;
  s.progress = reached_;
  s.detail = detail_;
  s.phase = reached_ < kProcessing.progress ? "fetching" : "processing";
  double share = 0;
  std::int64_t known_streams = 0;
  for (const auto& [name, units] : streams_) {
    if (units.known > 0) {
      share += static_cast<double>(units.done) / static_cast<double>(units.known);
      ++known_streams;
    }
    s.waiting.emplace_back(name, units.waiting_until);
  }
  if (reached_ == kFetchingInventory.progress && known_streams > 0) {
    share /= static_cast<double>(known_streams);
    constexpr int kSpan = kProcessing.progress - kFetchingInventory.progress - 1;  // 60 itself is a milestone
    s.progress += static_cast<int>(share * kSpan);
    const Duration spent = services_.clock.steady() - fetching_since_.value_or(services_.clock.steady());
    // Time so far per unit done; throttled waiting is in it, because that is where the time goes.
    if (share > 0.02) s.eta_seconds = std::chrono::duration_cast<std::chrono::seconds>(spent * (1.0 / share - 1.0)).count();
  }
  return s;
}

std::optional<store::PassingState> Progress::due() {
  const Steady now = services_.clock.steady();
  if (last_told_ && now - *last_told_ < kTurn) return std::nullopt;
  last_told_ = now;
  return state();
}

Async<Status> Progress::tell() {
  const auto passing = due();
  if (!passing) co_return Done{};
  auto write = [fence = fence_, s = *passing](store::Tx& tx) -> Status {
    AMZ_TRY(run, store::RunTx::enter(tx, fence));
    store::pass_progress(run, s);
    return Done{};
  };
  auto written = co_await services_.store.write(store::Urgency::normal, std::move(write));
  co_return written;
}

}  // namespace amzsync::sync
