// SPDX-License-Identifier: Apache-2.0
#include "sync/endings.hpp"

#include "store/connections.hpp"
#include "store/kept_tokens.hpp"
#include "sync/schedule.hpp"

namespace amzsync::sync {
namespace {

constexpr Duration kPatience = std::chrono::milliseconds(700), kMargin = std::chrono::milliseconds(50);   // with whoever performs a run that is to be cancelled
constexpr Duration kAfterFailure = std::chrono::seconds(5);

void end(Services& services, const store::RunTx& run, store::RunStatus status, const std::optional<Error>& error, bool replay) {
  store::RunEnd how;
  how.status = status;
  how.error = error;
  how.replay = replay;
  how.follow_up_id = SyncId("sync_" + services.entropy.uuid7(run.tx().now()));
  plan_next(services, run, how);
  store::finish(run, how);
}

}  // namespace

int end_cancelled(Services& services, store::Tx& tx, Instant unheard_since) {
  int ended = 0;
  // One whose host is known to be dead need not wait until its lease is over.
  for (const EngineNo holder : store::holders_of_cancelled(tx, services.me))
    if (!services.store.engine_may_live(holder)) store::bury_engine(tx, holder);
  for (const store::CancelledRun& cancelled : store::take_cancelled(tx, services.me, unheard_since)) {
    const auto run = store::RunTx::enter(tx, cancelled.fence);
    if (!run) continue;
    end(services, *run, store::RunStatus::cancelled, std::nullopt, cancelled.replay);
    ++ended;
  }
  return ended;
}

Async<void> end_unheard(Services& services, CancelToken life) {
  co_await services.clock.sleep_for(kPatience + kMargin, life);
  while (!life.cancelled()) {
    auto look = [me = services.me](store::Tx& tx) -> Result<bool> { return !store::holders_of_cancelled(tx, me).empty(); };
    auto held = co_await services.store.read(std::move(look));
    if (held && !*held) co_return;
    auto end = [&services](store::Tx& tx) -> Result<int> { return end_cancelled(services, tx, tx.now() - kPatience); };
    auto ended = co_await services.store.write(store::Urgency::trigger, std::move(end));
    if (!ended) services.log.warn("Ending a cancelled sync failed", {{"error", ended.error().message}});
    co_await services.clock.sleep_for(ended ? kPatience + kMargin : kAfterFailure, life);
  }
}

bool disconnect(Services& services, store::Tx& tx, UserNo user, std::string_view by) {
  // A connection of before tokens were told apart: this is the last moment at which its can be.
  if (const auto known = store::find_connection(tx, user); known && known->token_print.empty() && !known->sealed_refresh_token.empty())
    if (const auto print = services.refresh_tokens.print_of(user, known->sealed_refresh_token)) store::note_token_print(tx, user, *print);
  const bool was_connected = store::disconnect(tx, user);
  store::drop_tokens(tx, user);
  const bool was_under_way = store::supersede_consents(tx, user, std::nullopt) > 0;
  // After the disconnection, so that no run follows the cancelled one.
  if (const auto active = store::active_run(tx, user)) store::request_cancel(tx, user, active->id, by);
  end_cancelled(services, tx);
  return was_connected || was_under_way;
}

void give_up(Services& services, const store::RunTx& run, bool replay) { end(services, run, store::RunStatus::failed, Error(Code::stalled), replay); }

}  // namespace amzsync::sync
