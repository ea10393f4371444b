// SPDX-License-Identifier: Apache-2.0
#include "sync/manager.hpp"

#include <algorithm>

#include "base/duty.hpp"
#include "base/memory.hpp"
#include "store/archive.hpp"
#include "store/changes.hpp"
#include "store/connections.hpp"
#include "store/journal.hpp"
#include "store/report_jobs.hpp"
#include "store/report_rows.hpp"
#include "sync/endings.hpp"
#include "sync/expiry.hpp"
#include "sync/schedule.hpp"

namespace amzsync::sync {
namespace {

constexpr Duration kHeartbeat = std::chrono::seconds(5);
constexpr Duration kTidyEvery = std::chrono::hours(1);
constexpr int kDueAtOnce = 100;
constexpr std::int64_t kCallsOfATurn = 200;
constexpr Duration kTimeOfATurn = std::chrono::minutes(10);       // of one that mostly waits, for reports that Amazon is making
constexpr Duration kStalledAfter = std::chrono::minutes(45);      // the longest waits of a run that is well are for a plan of one call in ten minutes
constexpr Duration kDeafAfter = std::chrono::milliseconds(700);    // to a cancel, which every wait of a run that is well hears at once
constexpr Duration kKeepEngines = std::chrono::hours(24 * 14);   // longer than any of them is without tidying up
constexpr Duration kKeepNotifications = std::chrono::hours(24 * 14);   // as long as Amazon's queue may repeat one
constexpr int kTrimAtOnce = 5'000;
constexpr int kPiecesAtOnce = 50;                        // of half a megabyte
constexpr Duration kKeepPreviews = std::chrono::hours(24 * 200);   // a fee can be claimed for ninety days
constexpr Duration kKeepJobs = std::chrono::hours(24 * 30);
constexpr Duration kKeepChanges = std::chrono::hours(24 * 90);   // a reader who was away for longer begins anew

}  // namespace

void Manager::start() {
  insist([this] { duties_.spawn(repeat(services_.clock, kHeartbeat, closing_.token(), services_.log, [this] { return keep_house(); })); });
  insist([this] { duties_.spawn(repeat(services_.clock, kTidyEvery, closing_.token(), services_.log, [this] { return tidy_and_tell(); })); });
}

void Manager::wake() noexcept {
  if (closing_.reason() != CancelReason::none) return;
  if (claiming_) {
    claim_again_ = true;
    return;
  }
  claiming_ = true;
  try {
    duties_.spawn(claim_all());
  } catch (const std::bad_alloc&) {
    claiming_ = false;
    look_again_ = true;
  }
}

Async<void> Manager::claim_all() {
  try {
    co_await claim_while_there_are();
  } catch (...) {
    services_.log.warn("Looking for syncs to run failed", {{"error", error_of(std::current_exception()).message}});
    look_again_ = true;
  }
  claiming_ = false;
}

Async<void> Manager::claim_while_there_are() {
  do {
    claim_again_ = look_again_ = false;
    auto looked = co_await look_around();
    if (!looked) {
      services_.log.warn("Looking for syncs to run failed", {{"error", looked.error().message}});
      look_again_ = true;
      break;
    }
    if (looked->cancelled) {
      auto end = [this](store::Tx& tx) -> Result<int> { return end_cancelled(services_, tx); };
      auto ended = co_await services_.store.write(store::Urgency::normal, std::move(end));
      if (!ended) services_.log.warn("Ending cancelled syncs failed", {{"error", ended.error().message}});
      if (!ended) look_again_ = true;
    }
    bool more = looked->claimable;
    int taken = 0;
    while (more && closing_.reason() == CancelReason::none && static_cast<int>(active_.size()) < services_.settings.max_active_runs) {
      auto claim = [this](store::Tx& tx) -> Result<std::optional<store::ClaimedRun>> { return claim_one(tx); };
      auto claimed = co_await services_.store.write(store::Urgency::normal, std::move(claim));
      if (!claimed) services_.log.warn("Taking a sync up failed", {{"error", claimed.error().message}});
      if (!claimed) look_again_ = true;
      more = claimed && *claimed;
      if (more) runs_.spawn(work_on(std::move(**claimed)));
      // Taking many up takes a while, in which somebody may want one of them ended.
      constexpr int kLookEvery = 16;
      if (more && ++taken % kLookEvery == 0) (void)co_await look_around();   // a failure is met again at once
    }
  } while (claim_again_ && closing_.reason() == CancelReason::none);
}

std::optional<store::ClaimedRun> Manager::claim_one(store::Tx& tx) {
  for (;;) {
    auto claimed = store::claim(tx, services_.me, store::kRunLease, services_.settings.region_name());
    if (!claimed || !claimed->given_up) return claimed;
    if (const auto run = store::RunTx::enter(tx, claimed->fence)) give_up(services_, *run, claimed->replay);
  }
}

/// A read, so that being woken by every commit costs no write: hears of cancellations and pauses; what there is that nobody performs.
Async<Result<store::Unheld>> Manager::look_around() {
  struct News {
    store::Unheld unheld;
    std::vector<RunNo> cancelled, paused;
    bool cancelled_elsewhere = false;
  };
  auto look = [me = services_.me, region = services_.settings.region_name()](store::Tx& tx) -> Result<News> {
    return News{store::look_for_unheld(tx, me, region), store::cancel_requests(tx, me), store::pause_requests(tx, me), !store::holders_of_cancelled(tx, me).empty()};
  };
  AMZ_CO_TRY(news, co_await services_.store.read(std::move(look)));
  for (const RunNo run : news.cancelled)
    if (const auto found = active_.find(run.value); found != active_.end() && found->second.cancel.reason() == CancelReason::none) {
      found->second.stop(services_.clock, CancelReason::by_user);
      duties_.spawn(end_if_deaf());
    }
  for (const RunNo run : news.paused)
    if (const auto found = active_.find(run.value); found != active_.end()) found->second.stop(services_.clock, CancelReason::paused);
  // Every engine sees to it: the one that was asked may be gone by then.
  if (news.cancelled_elsewhere && !ending_) {
    ending_ = true;
    insist([this] { duties_.spawn(end_of_others()); });
  }
  co_return news.unheld;
}

Async<void> Manager::work_on(store::ClaimedRun run) {
  const std::int64_t number = run.fence.run.value;
  const store::Fence fence = run.fence;
  if (run.first_claim) {
    services_.log.info("Starting sync for user: " + run.user_id.text());
    services_.log.info("Sync started successfully", {{"syncId", run.id.text()}});
  } else {
    services_.log.info("Sync taken over", {{"userId", run.user_id.text()}, {"syncId", run.id.text()}});
  }
  // One that we lost without noticing and hold again: the former worker must not go on beside this one.
  if (const auto former = active_.find(number); former != active_.end()) former->second.stop(services_.clock, CancelReason::lease_lost);
  const auto meter = std::make_shared<spapi::Meter>(services_.clock, run.calls);
  Active& active = active_.insert_or_assign(number, Active{fence, run.replay, {}, {}, meter, {}}).first->second;
  const CancelToken token = active.cancel.token(), turn = active.turn.token();
  TurnEnd end;
  try {
    if (listening_ == 0) listening_ = hub_.add([this] { wake(); });
    if (closing_.reason() != CancelReason::none) active.stop(services_.clock, CancelReason::engine_closing);
    end = co_await perform(services_, std::move(run), token, turn, meter);
  } catch (...) {
    services_.log.error("A sync was let go of", {{"run", number}, {"error", error_of(std::current_exception()).message}});
  }
  // It may be held anew already, by a second claim of ours.
  if (performed(fence)) active_.erase(number);
  if (active_.empty() && listening_ != 0) hub_.remove(std::exchange(listening_, 0));
  const CancelReason reason = turn.reason();
  if (!end.over && reason != CancelReason::lease_lost && reason != CancelReason::stalled) {
    // One whose end could not be stored is taken up again, but not at once: what the store lacks it may lack a little longer.
    const bool in_order = reason == CancelReason::engine_closing || reason == CancelReason::paused || reason == CancelReason::turn_over;
    to_let_go_.push_back({fence, {meter->calls(), meter->total()}, in_order});
    if (in_order) co_await let_go();
  }
  if (end.follow_up || static_cast<int>(active_.size()) + 1 >= services_.settings.max_active_runs) wake();
}

/// Whoever cancels is told of the end within a second, whatever the run is waiting for.
Async<void> Manager::end_if_deaf() {
  co_await services_.clock.sleep_for(kDeafAfter, closing_.token());
  if (closing_.reason() != CancelReason::none) co_return;
  auto ended = co_await end_stalled();
  if (!ended) services_.log.warn("Ending a cancelled sync failed", {{"error", ended.error().message}});
}

Async<void> Manager::end_of_others() {
  try {
    co_await end_unheard(services_, closing_.token());
  } catch (...) {
    services_.log.warn("Ending a cancelled sync failed", {{"error", error_of(std::current_exception()).message}});
  }
  ending_ = false;
}

/// Runs that this engine holds no more than by name; kept until the store has taken note of it.
Async<void> Manager::let_go() {
  while (!to_let_go_.empty()) {
    const LetGo which = to_let_go_.front();
    auto release = [this, which](store::Tx& tx) -> Status {
      store::release(tx, which.fence, which.calls, which.in_order);
      end_cancelled(services_, tx);   // it may have been cancelled meanwhile, and has no worker to hear of it now
      return Done{};
    };
    to_let_go_.pop_front();
    auto released = co_await services_.store.write(store::Urgency::normal, std::move(release));
    if (released) continue;
    to_let_go_.push_back(which);
    break;
  }
  wake();
}

Async<void> Manager::keep_house() {
  const CancelToken closing = closing_.token();
  // First: what follows may wait for long reads.
  auto renewed = co_await renew_leases();
  if (!renewed) services_.log.warn("Keeping the leases failed", {{"error", renewed.error().message}});
  if (something_is_due()) {
    for (auto duty : {&Manager::refresh_outlook, &Manager::bury_the_dead, &Manager::free_forgotten, &Manager::trigger_due}) {
      auto done = co_await (this->*duty)();
      if (closing.cancelled()) co_return;
      if (done) continue;
      services_.log.warn("Keeping the syncs failed", {{"error", done.error().message}});
      break;   // each of them stands on the one before
    }
    wake();
  }
  auto turns = co_await take_turns();
  if (!turns) services_.log.warn("Letting syncs take turns failed", {{"error", turns.error().message}});
  if (!active_.empty() && !services_.store.has_room())
    for (auto& [number, active] : active_) active.stop(services_.clock, CancelReason::no_room);
  auto ended = co_await end_stalled();
  if (!ended) services_.log.warn("Ending syncs that do nothing any more failed", {{"error", ended.error().message}});
  if (!to_let_go_.empty()) co_await let_go();
  auto kept = co_await services_.throttle.maintain(false);
  if (!kept) services_.log.warn("Keeping the usage plans failed", {{"error", kept.error().message}});
}

/// Beside the keeping of the leases, which must not wait until a long table is trimmed.
Async<void> Manager::tidy_and_tell() {
  auto tidied = co_await tidy();
  if (!tidied) services_.log.warn("Trimming old events failed", {{"error", tidied.error().message}});
  auto told = co_await tell_what_expires(services_, closing_.token());
  if (!told) services_.log.warn("Telling what expires soon failed", {{"error", told.error().message}});
}

bool Manager::something_is_due() {
  if (look_again_ || !outlook_ || services_.store.change_counter() != outlook_->counter) return true;
  const Instant now = services_.clock.now();
  if (outlook_->next_sync && *outlook_->next_sync <= now) return true;
  if (outlook_->next_lease_end && *outlook_->next_lease_end <= now) return true;
  for (const EngineNo engine : outlook_->others)
    if (!services_.store.engine_may_live(engine)) return true;
  return false;
}

Async<Status> Manager::refresh_outlook() {
  Outlook outlook;
  outlook.counter = services_.store.change_counter();   // before looking: what comes meanwhile is looked at again
  auto look = [me = services_.me, scheduled = services_.settings.sync_every > Duration::zero(), region = services_.settings.region_name(), outlook](store::Tx& tx) mutable -> Result<Outlook> {
    outlook.others = store::other_engines(tx, me);
    outlook.next_sync = store::next_planned_sync(tx, scheduled, region);
    outlook.next_lease_end = store::next_lease_end(tx);
    outlook.own_lapsed = store::holds_lapsed(tx, me);
    return outlook;
  };
  auto seen = co_await services_.store.read(std::move(look));
  if (!seen) co_return seen.error();
  outlook_ = std::move(*seen);
  co_return Done{};
}

/// The run that is performed here under this very fence; a run that was lost and taken up again has another.
Manager::Active* Manager::performed(const store::Fence& fence) {
  const auto found = active_.find(fence.run.value);
  return found != active_.end() && found->second.fence.token == fence.token ? &found->second : nullptr;
}

Async<Status> Manager::renew_leases() {
  if (active_.empty()) co_return Done{};
  std::vector<store::Fence> fences;
  for (const auto& [number, active] : active_) fences.push_back(active.fence);
  struct News {
    std::vector<store::Fence> lost, cancelled;
  };
  auto renew = [fences = std::move(fences)](store::Tx& tx) -> Result<News> {
    News news;
    for (const store::Fence& fence : fences) {
      const auto pulse = store::renew(tx, fence, store::kRunLease);
      if (!pulse && pulse.code() == Code::fenced) {
        news.lost.push_back(fence);
      } else if (pulse && pulse->cancel_requested) {
        news.cancelled.push_back(fence);
      }
    }
    return news;
  };
  auto news = co_await services_.store.write(store::Urgency::normal, std::move(renew));
  if (!news) co_return news.error();
  for (const store::Fence& fence : news->lost)
    if (Active* active = performed(fence)) active->stop(services_.clock, CancelReason::lease_lost);
  for (const store::Fence& fence : news->cancelled)
    if (Active* active = performed(fence)) active->stop(services_.clock, CancelReason::by_user);
  co_return Done{};
}

/// A run that this engine is said to hold, and whose lease ends all the same, is not performed here.
Async<Status> Manager::free_forgotten() {
  if (!outlook_->own_lapsed) co_return Done{};
  auto free = [this](store::Tx& tx) -> Status {
    store::free_lapsed(tx, services_.me);
    end_cancelled(services_, tx);
    return Done{};
  };
  AMZ_CO_CHECK(co_await renew_leases());
  auto freed = co_await services_.store.write(store::Urgency::normal, std::move(free));
  co_return freed;
}

Async<Status> Manager::bury_the_dead() {
  std::vector<EngineNo> dead;
  for (const EngineNo engine : outlook_->others)
    if (!services_.store.engine_may_live(engine)) dead.push_back(engine);
  if (dead.empty()) co_return Done{};
  auto bury = [this, dead](store::Tx& tx) -> Status {
    for (const EngineNo engine : dead) store::bury_engine(tx, engine);
    end_cancelled(services_, tx);
    return Done{};
  };
  auto buried = co_await services_.store.write(store::Urgency::normal, std::move(bury));
  co_return buried;
}

Async<Status> Manager::trigger_due() {
  if (!outlook_->next_sync || *outlook_->next_sync > services_.clock.now()) co_return Done{};
  auto trigger = [this](store::Tx& tx) -> Result<int> {
    int triggered = 0;
    for (const store::DueSync& due : store::take_due_syncs(tx, services_.settings.sync_every > Duration::zero(), kDueAtOnce, services_.settings.region_name())) {
      const store::Cause cause = due.notified ? store::Cause::notification : store::Cause::schedule;
      store::TriggerRequest request{due.user, cause, SyncId("sync_" + services_.entropy.uuid7(tx.now())), wanted(services_.settings, due.asked), due.notified};
      if (store::trigger(tx, request)) ++triggered;
    }
    return triggered;
  };
  auto triggered = co_await services_.store.write(store::Urgency::normal, std::move(trigger));
  if (!triggered) co_return triggered.error();
  if (*triggered > 0) wake();
  co_return Done{};
}

/// Where more runs wait than may be performed, those that had many calls since they were taken up, or long waits, make room for as many. They go on from where they are
/// when all who had fewer were served.
Async<Status> Manager::take_turns() {
  if (active_.empty() || static_cast<int>(active_.size()) < services_.settings.max_active_runs) co_return Done{};
  auto count = [most = static_cast<int>(active_.size()), region = services_.settings.region_name()](store::Tx& tx) -> Result<std::int64_t> { return store::waiting_runs(tx, most, region); };
  AMZ_CO_TRY(waiting, co_await services_.store.read(std::move(count)));
  std::vector<Active*> longest;
  for (auto& [number, active] : active_)
    if ((active.meter->calls() >= kCallsOfATurn || active.meter->age() >= kTimeOfATurn) && active.turn.reason() == CancelReason::none) longest.push_back(&active);
  std::sort(longest.begin(), longest.end(), [](const Active* a, const Active* b) { return a->meter->calls() > b->meter->calls(); });
  if (static_cast<std::int64_t>(longest.size()) > waiting) longest.resize(static_cast<std::size_t>(waiting));
  for (Active* active : longest) active->turn.cancel(CancelReason::turn_over);
  co_return Done{};
}

/// A run that does nothing any more, although every wait of its has an end, or that does not hear that it was cancelled, must not keep its user from syncing.
Async<Status> Manager::end_stalled() {
  std::vector<store::Fence> stalled;
  const Steady now = services_.clock.steady();
  for (const auto& [number, active] : active_) {
    const bool deaf = active.cancel.reason() == CancelReason::by_user && now - active.stopped_at >= kDeafAfter;
    if (deaf || active.meter->idle() >= kStalledAfter) stalled.push_back(active.fence);
  }
  for (const store::Fence& fence : stalled) {
    Active* active = performed(fence);
    if (!active) continue;
    auto end = [this, fence, replay = active->replay](store::Tx& tx) -> Status {
      AMZ_TRY(run, store::RunTx::enter(tx, fence));
      give_up(services_, run, replay);
      return Done{};
    };
    auto ended = co_await services_.store.write(store::Urgency::normal, std::move(end));
    if (!ended && ended.code() != Code::fenced) co_return ended;
    services_.log.error("A sync stood still and was ended", {{"run", fence.run.value}});
    if (Active* still = performed(fence)) {
      still->stop(services_.clock, CancelReason::stalled);
      active_.erase(fence.run.value);
    }
    wake();
  }
  co_return Done{};
}

Async<Status> Manager::tidy() {
  for (;;) {
    auto trim = [me = services_.me, keep = services_.settings.keep_journal, period = services_.settings.sync_every](store::Tx& tx) -> Result<std::int64_t> {
      store::note_engine(tx, me, tx.now() - kKeepEngines);
      store::trim_consents(tx, tx.now() - std::chrono::hours(24));
      store::trim_notifications(tx, tx.now() - kKeepNotifications);
      if (period > Duration::zero()) store::plan_unplanned(tx, period, longest_plan(period));
      store::hasten_notified(tx);
      store::shorten_holds(tx);
      return store::trim_journal(tx, tx.now() - keep, kTrimAtOnce);
    };
    auto trimmed = co_await services_.store.write(store::Urgency::normal, std::move(trim));
    if (!trimmed) co_return trimmed.error();
    if (*trimmed < kTrimAtOnce || closing_.reason() != CancelReason::none) break;
  }
  while (closing_.reason() == CancelReason::none) {
    auto trim = [](store::Tx& tx) -> Result<std::int64_t> { return store::trim_changes(tx, tx.now() - kKeepChanges, kTrimAtOnce); };
    auto trimmed = co_await services_.store.write(store::Urgency::normal, std::move(trim));
    if (!trimmed) co_return trimmed.error();
    if (*trimmed < kTrimAtOnce) break;
  }
  while (closing_.reason() == CancelReason::none) {
    auto trim = [keep = services_.settings.keep_archive](store::Tx& tx) -> Result<std::int64_t> {
      store::trim_report_jobs(tx, tx.now() - kKeepJobs);
      store::trim_report_history(tx, tx.now() - kKeepPreviews);
      return store::trim_archive(tx, tx.now() - keep, kPiecesAtOnce);
    };
    auto trimmed = co_await services_.store.write(store::Urgency::normal, std::move(trim));
    if (!trimmed) co_return trimmed.error();
    if (*trimmed == 0) break;
  }
  co_return Done{};
}

Async<void> Manager::stop() {
  closing_.cancel(CancelReason::engine_closing);
  for (auto& [number, active] : active_) active.stop(services_.clock, CancelReason::engine_closing);
  co_await duties_.all_ended();
  // A claim that was under way has spawned its run by now, and that run knows that the engine closes.
  co_await runs_.all_ended();
}

}  // namespace amzsync::sync
