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
  auto write = [fence = fence_, m, detail = std::move(detail)](store::Tx& tx) -> Status {
    AMZ_TRY(run, store::RunTx::enter(tx, fence));
    store::milestone(run, m.progress, m.message, m.phase, detail);
    return Done{};
  };
  auto written = co_await services_.store.write(store::Urgency::normal, std::move(write));
  if (written) told_ = std::max(told_, m.progress);
  co_return written;
}

void Progress::set_units(std::string_view stream, std::int64_t done, std::int64_t known) {
  const auto [at, first] = streams_.try_emplace(std::string(stream));
  Units& units = at->second;
  known = std::max(known, done);
  if (units.known == 0) {
    units.since = services_.clock.steady();
    units.done_at_first = done;
    units.known_at_first = known;
  } else if (known > units.known) {
    grown_ = at->first;
  }
  units.done = done;
  units.known = known;
}

void Progress::set_waiting(std::string_view stream, std::optional<Instant> until) {
  std::optional<Instant>& known = streams_[std::string(stream)].waiting_until;
  untold_ = untold_ || known != until;
  known = until;
}

std::int64_t& Progress::to_come(const std::string& account, const spapi::Operation& operation) {
  for (ToCome& c : calls_)
    if (c.operation.name == operation.name && c.account == account) return c.calls;
  return calls_.emplace_back(ToCome{account, operation}).calls;
}

store::PassingState Progress::state() const {
  store::PassingState s;
  s.progress = told_ < reached_ ? reached_ - 1 : reached_;   // what passes may be stored before a milestone that is on its way, and must leave it to be told
  s.detail = detail_;
  s.calls = meter_.total();
  if (!grown_.empty()) s.detail += (detail_.empty() ? "" : "; ") + growth();
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
  if (told_ >= reached_ && reached_ == kFetchingInventory.progress && known_streams > 0) {
    share /= static_cast<double>(known_streams);
    constexpr int kSpan = kProcessing.progress - kFetchingInventory.progress - 1;  // 60 itself is a milestone
    s.progress += static_cast<int>(share * kSpan);
  }
  if (reached_ <= kFetchingInventory.progress) s.eta_seconds = eta_seconds();
  return s;
}

/// More work than was known at first is said, and not hidden in a bar that stands still.
std::string Progress::growth() const {
  const Units& units = streams_.find(grown_)->second;
  return grown_ + " turns out larger: " + std::to_string(units.known) + " pieces, " + std::to_string(units.known_at_first) + " were known at first";
}

/// The streams are read side by side, so the slowest decides. Time so far per piece done: waiting for Amazon's plans is in it, because that is where the time
/// goes; a wait that is known to come is the least that is left, and so is the time that a plan takes for the calls that are known to come.
std::optional<std::int64_t> Progress::eta_seconds() const {
  Duration longest{};
  for (const auto& [name, units] : streams_) {
    Duration left{};
    if (const std::int64_t made = units.done - units.done_at_first; made > 0 && units.done < units.known)
      left = Duration(static_cast<std::int64_t>(static_cast<double>((services_.clock.steady() - units.since).count()) / static_cast<double>(made) * static_cast<double>(units.known - units.done)));
    if (units.waiting_until) left = std::max<Duration>(left, *units.waiting_until - services_.clock.now());
    longest = std::max(longest, left);
  }
  for (const ToCome& c : calls_)
    if (c.calls > 0) longest = std::max(longest, services_.client.time_for(c.account, c.operation, c.calls));
  if (longest <= Duration::zero()) return std::nullopt;
  return std::chrono::ceil<std::chrono::seconds>(longest).count();
}

std::optional<store::PassingState> Progress::due() {
  const Steady now = services_.clock.steady();
  if (last_told_ && now - *last_told_ < kTurn) return std::nullopt;
  last_told_ = now;
  untold_ = false;
  return state();
}

Async<void> Progress::tell() {
  if (telling_) co_return;
  telling_ = true;
  struct Turn {
    bool& taken;
    ~Turn() { taken = false; }
  } const turn{telling_};
  const CancelToken over = over_.token();
  while (untold_ && !over.cancelled()) {
    if (last_told_) co_await services_.clock.sleep_for(std::max(Duration::zero(), *last_told_ + kTurn - services_.clock.steady()), over);
    if (!untold_ || over.cancelled()) co_return;   // a page was stored meanwhile, and this along with it
    const auto passing = due();
    if (!passing) continue;
    auto write = [fence = fence_, s = *passing](store::Tx& tx) -> Status {
      AMZ_TRY(run, store::RunTx::enter(tx, fence));
      store::pass_progress(run, s);
      return Done{};
    };
    if (!co_await services_.store.write(store::Urgency::normal, std::move(write))) co_return;   // a run that lost its lease learns it at its next page
  }
}

}  // namespace amzsync::sync
