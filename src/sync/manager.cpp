// SPDX-License-Identifier: Apache-2.0
#include "sync/manager.hpp"

#include "store/archive.hpp"
#include "store/changes.hpp"
#include "store/connections.hpp"
#include "store/journal.hpp"
#include "store/report_jobs.hpp"

namespace amzsync::sync {
namespace {

constexpr Duration kLease = std::chrono::seconds(30);
constexpr Duration kHeartbeat = std::chrono::seconds(5);
constexpr Duration kTidyEvery = std::chrono::hours(1);
constexpr int kDueAtOnce = 100;
constexpr int kTrimAtOnce = 5'000;
constexpr int kPiecesAtOnce = 50;                        // of half a megabyte
constexpr Duration kKeepJobs = std::chrono::hours(24 * 30);
constexpr Duration kKeepChanges = std::chrono::hours(24 * 90);   // a reader who was away for longer begins anew

}  // namespace

void Manager::start() { duties_.spawn(keep_house()); }

void Manager::wake() {
  if (closing_.reason() != CancelReason::none) return;
  if (claiming_) {
    claim_again_ = true;
    return;
  }
  claiming_ = true;
  duties_.spawn(claim_all());
}

Async<void> Manager::claim_all() {
  do {
    claim_again_ = false;
    auto looked = co_await look_around();
    if (!looked) {
      services_.log.warn("Looking for syncs to run failed", {{"error", looked.error().message}});
      break;
    }
    bool more = *looked;
    while (more && closing_.reason() == CancelReason::none && static_cast<int>(active_.size()) < services_.settings.max_active_runs) {
      auto claim = [me = services_.me](store::Tx& tx) -> Result<std::optional<store::ClaimedRun>> { return store::claim(tx, me, kLease); };
      auto claimed = co_await services_.store.write(store::Urgency::normal, std::move(claim));
      if (!claimed) services_.log.warn("Taking a sync up failed", {{"error", claimed.error().message}});
      more = claimed && *claimed;
      if (more) runs_.spawn(work_on(std::move(**claimed)));
    }
  } while (claim_again_ && closing_.reason() == CancelReason::none);
  claiming_ = false;
}

/// A read, so that being woken by every commit costs no write: hears of cancellations; whether there is a run to claim.
Async<Result<bool>> Manager::look_around() {
  struct News {
    bool claimable = false;
    std::vector<RunNo> cancelled;
  };
  auto look = [me = services_.me](store::Tx& tx) -> Result<News> { return News{store::anything_to_claim(tx), store::cancel_requests(tx, me)}; };
  AMZ_CO_TRY(news, co_await services_.store.read(std::move(look)));
  for (const RunNo run : news.cancelled)
    if (const auto found = active_.find(run.value); found != active_.end()) found->second.cancel.cancel(CancelReason::by_user);
  co_return news.claimable;
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
  Active& active = active_.insert_or_assign(number, Active{fence, {}}).first->second;
  const CancelToken token = active.cancel.token();
  if (listening_ == 0) listening_ = hub_.add([this] { wake(); });
  if (closing_.reason() != CancelReason::none) active.cancel.cancel(CancelReason::engine_closing);
  auto follow_up = co_await perform(services_, std::move(run), token);
  active_.erase(number);
  if (active_.empty()) hub_.remove(std::exchange(listening_, 0));
  if (token.reason() == CancelReason::engine_closing) {
    auto let_go = [fence](store::Tx& tx) -> Status {
      store::release(tx, fence);
      return Done{};
    };
    (void)co_await services_.store.write(store::Urgency::normal, std::move(let_go));
    co_return;
  }
  if (follow_up || static_cast<int>(active_.size()) + 1 >= services_.settings.max_active_runs) wake();
}

Async<void> Manager::keep_house() {
  const CancelToken closing = closing_.token();
  std::optional<Steady> tidied;
  while (!closing.cancelled()) {
    if (something_is_due()) {
      for (auto duty : {&Manager::refresh_outlook, &Manager::bury_the_dead, &Manager::trigger_due}) {
        auto done = co_await (this->*duty)();
        if (!done) services_.log.warn("Keeping the syncs failed", {{"error", done.error().message}});
        if (closing.cancelled()) co_return;
      }
      wake();
    }
    auto renewed = co_await renew_leases();
    if (!renewed) services_.log.warn("Keeping the leases failed", {{"error", renewed.error().message}});
    auto kept = co_await services_.throttle.maintain(false);
    if (!kept) services_.log.warn("Keeping the usage plans failed", {{"error", kept.error().message}});
    if (!tidied || services_.clock.steady() - *tidied >= kTidyEvery) {
      tidied = services_.clock.steady();
      auto tidy_up = co_await tidy();
      if (!tidy_up) services_.log.warn("Trimming old events failed", {{"error", tidy_up.error().message}});
    }
    co_await services_.clock.sleep_for(kHeartbeat, closing);
  }
}

bool Manager::something_is_due() {
  if (!outlook_ || services_.store.change_counter() != outlook_->counter) return true;
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
  auto look = [me = services_.me, outlook](store::Tx& tx) mutable -> Result<Outlook> {
    outlook.others = store::other_engines(tx, me);
    outlook.next_sync = store::next_planned_sync(tx);
    outlook.next_lease_end = store::next_lease_end(tx, me);
    return outlook;
  };
  auto seen = co_await services_.store.read(std::move(look));
  if (!seen) co_return seen.error();
  outlook_ = std::move(*seen);
  co_return Done{};
}

Async<Status> Manager::renew_leases() {
  if (active_.empty()) co_return Done{};
  std::vector<store::Fence> fences;
  for (const auto& [number, active] : active_) fences.push_back(active.fence);
  struct News {
    std::vector<std::int64_t> lost, cancelled;
  };
  auto renew = [fences = std::move(fences)](store::Tx& tx) -> Result<News> {
    News news;
    for (const store::Fence& fence : fences) {
      const auto pulse = store::renew(tx, fence, kLease);
      if (!pulse && pulse.code() == Code::fenced) {
        news.lost.push_back(fence.run.value);
      } else if (pulse && pulse->cancel_requested) {
        news.cancelled.push_back(fence.run.value);
      }
    }
    return news;
  };
  auto news = co_await services_.store.write(store::Urgency::normal, std::move(renew));
  if (!news) co_return news.error();
  for (const std::int64_t number : news->lost)
    if (const auto found = active_.find(number); found != active_.end()) found->second.cancel.cancel(CancelReason::lease_lost);
  for (const std::int64_t number : news->cancelled)
    if (const auto found = active_.find(number); found != active_.end()) found->second.cancel.cancel(CancelReason::by_user);
  co_return Done{};
}

Async<Status> Manager::bury_the_dead() {
  std::vector<EngineNo> dead;
  for (const EngineNo engine : outlook_->others)
    if (!services_.store.engine_may_live(engine)) dead.push_back(engine);
  if (dead.empty()) co_return Done{};
  auto bury = [dead](store::Tx& tx) -> Status {
    for (const EngineNo engine : dead) store::bury_engine(tx, engine);
    return Done{};
  };
  auto buried = co_await services_.store.write(store::Urgency::normal, std::move(bury));
  co_return buried;
}

Async<Status> Manager::trigger_due() {
  if (services_.settings.sync_every <= Duration::zero() || !outlook_->next_sync || *outlook_->next_sync > services_.clock.now()) co_return Done{};
  auto trigger = [this](store::Tx& tx) -> Result<int> {
    int triggered = 0;
    for (const UserNo user : store::users_due_for_sync(tx, kDueAtOnce)) {
      const auto connection = store::find_connection(tx, user);
      if (!connection) continue;
      // Cleared here, set again at the end of the run, so that a failing trigger can't be due for ever.
      store::plan_next_sync(tx, connection->number, std::nullopt);
      store::TriggerRequest request{user, store::Cause::schedule, SyncId("sync_" + services_.entropy.uuid7(tx.now())), "", false};
      if (store::trigger(tx, request)) ++triggered;
    }
    return triggered;
  };
  auto triggered = co_await services_.store.write(store::Urgency::normal, std::move(trigger));
  if (!triggered) co_return triggered.error();
  if (*triggered > 0) wake();
  co_return Done{};
}

Async<Status> Manager::tidy() {
  for (;;) {
    auto trim = [keep = services_.settings.keep_journal](store::Tx& tx) -> Result<std::int64_t> {
      store::trim_consents(tx, tx.now() - std::chrono::hours(24));
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
  for (auto& [number, active] : active_) active.cancel.cancel(CancelReason::engine_closing);
  co_await duties_.all_ended();
  // A claim that was under way has spawned its run by now, and that run knows that the engine closes.
  co_await runs_.all_ended();
}

}  // namespace amzsync::sync
