// SPDX-License-Identifier: Apache-2.0
#include "engine.hpp"

#include <asio/post.hpp>

#include "auth/rotation.hpp"
#include "base/duty.hpp"
#include "base/json_writer.hpp"
#include "base/memory.hpp"
#include "store/app_secrets.hpp"
#include "store/documents.hpp"
#include "store/users.hpp"
#include "sync/doctor.hpp"
#include "sync/measures.hpp"
#include "sync/endings.hpp"

namespace amzsync {
namespace {

constexpr Duration kAdoptEvery = std::chrono::seconds(15);   // longer than an exchange may take, so none is disturbed

constexpr Duration kLookAgainAfter = std::chrono::seconds(1);

}  // namespace

Engine::Engine(EngineSettings settings, EngineParts parts)
    : parts_(std::move(parts)),
      settings_(std::move(settings)),
      store_(parts_.store, parts_.clock, tally_),
      tasks_(parts_.loop, parts_.log),
      vault_(settings_.master_keys, parts_.entropy),
      lwa_(parts_.sign_in, parts_.clock, parts_.entropy, settings_.app, settings_.lwa_endpoint),
      refresh_tokens_(vault_, parts_.token_store, store_, parts_.clock, parts_.entropy, life_.token(), parts_.log),
      tokens_(tasks_, life_.token(), store_, lwa_, vault_, refresh_tokens_, parts_.clock, parts_.me, parts_.log),
      throttle_(store_, parts_.clock, parts_.me),
      client_(parts_.transport, tokens_, throttle_, parts_.clock, parts_.entropy, parts_.work, tally_, settings_.app.client_id, settings_.spapi),
      hub_(tasks_, store_, parts_.clock, life_.token()),
      dispatcher_(parts_.dispatcher, store_),
      services_{tasks_, parts_.work, store_, lwa_, refresh_tokens_, tokens_, throttle_, client_, parts_.clock, parts_.entropy, parts_.log, settings_.sync, parts_.me, tally_},
      manager_(services_, hub_),
      triggers_(services_, settings_.app_settings, vault_, manager_, life_.token()),
      erasures_(services_, manager_, life_.token()) {
  // Before anybody can subscribe: whoever opened the engine does so at once, while the loop is still to come to `start`.
  dispatcher_.on_listening([this] { on_loop(&Engine::listen_or_not); });
  dispatcher_.on_trouble([this] { on_loop(&Engine::look_again); });
}

/// For what nobody would ask for again.
void Engine::on_loop(void (Engine::*step)()) noexcept {
  insist([this, step] { asio::post(parts_.loop, [this, step] { insist([this, step] { (this->*step)(); }); }); });
}

void Engine::start() {
  // From the writer's thread to the loop, then to whoever listens.
  store_.on_commit([this] { on_loop(&Engine::on_commit); });
  hub_.on_change([this] { on_change(); });
  manager_.start();
  erasures_.start();
  insist([this] { tasks_.spawn(repeat(parts_.clock, kAdoptEvery, life_.token(), parts_.log, [this] { return adopt_codes(); })); });
}

void Engine::on_commit() { hub_.committed(); }

void Engine::listen_or_not() {
  const bool anybody = dispatcher_.anybody_listens();
  if (anybody && listening_ == 0) listening_ = hub_.add([this] { dispatcher_.poke(); });
  if (!anybody && listening_ != 0) hub_.remove(std::exchange(listening_, 0));
}

void Engine::look_again() {
  if (life_.token().cancelled() || looks_again_) return;
  auto later = [](Engine& engine) -> Async<void> {
    try {
      co_await engine.parts_.clock.sleep_for(kLookAgainAfter, engine.life_.token());
    } catch (const std::bad_alloc&) {
      // At once, then.
    }
    engine.looks_again_ = false;
    engine.dispatcher_.poke();
  };
  auto look = later(*this);
  looks_again_ = true;
  try {
    tasks_.spawn(std::move(look));
  } catch (...) {
    looks_again_ = false;
    throw;
  }
}

void Engine::on_change() {
  dispatcher_.poke();
  manager_.wake();
}

Async<void> Engine::adopt_codes() {
  co_await triggers_.adopt_codes(kAdoptEvery);
  co_await refresh_tokens_.tidy();
}

Async<void> Engine::stop() {
  break_off();
  co_await manager_.stop();
  co_await tasks_.all_ended();
  (void)co_await throttle_.maintain(true);
  auto goodbye = [me = parts_.me](store::Tx& tx) -> Status {
    store::close_engine(tx, me);
    return Done{};
  };
  (void)co_await store_.write(store::Urgency::normal, std::move(goodbye));
}

Async<Status> Engine::check() {
  auto find = [](store::Tx& tx) -> Result<std::optional<store::Connection>> { return store::newest_connection(tx); };
  AMZ_CO_TRY(connection, co_await store_.read(std::move(find)));
  if (connection) {
    const auto token = vault_.open(auth::SecretKind::refresh_token, connection->user, connection->sealed_refresh_token);
    if (!token) co_return token.error();
  }
  auto grant = co_await lwa_.grantless("sellingpartnerapi::notifications", std::chrono::seconds(9), life_.token());
  // An application that may not have that scope was still recognised.
  if (!grant && grant.code() != Code::request_rejected && grant.code() != Code::invalid_grant) co_return grant.error();
  AMZ_CO_TRY(told, co_await client_.reach(life_.token()));
  (void)told;   // the time there
  co_return Done{};
}

Async<Result<std::string>> Engine::recoveries(UserId user, bool by_month) {
  auto load = [user, by_month, settings = settings_.sync](store::Tx& tx) -> Result<sync::RecoveriesFacts> {
    return sync::recoveries_facts(tx, store::find_user(tx, user), settings, by_month);
  };
  AMZ_CO_TRY(facts, co_await store_.read(std::move(load)));
  std::optional<sync::RecoveriesTrigger> trigger;
  if (facts.recoveries.totals.empty()) {
    auto decided = co_await triggers_.on_empty_recoveries(user);
    if (!decided) co_return decided.error();
    trigger = std::move(*decided);
  }
  co_return sync::recoveries_document(facts, trigger, by_month);
}

Async<Status> Engine::cancel(UserId user, SyncId id, std::string by) {
  auto ask = [this, user, id, by](store::Tx& tx) -> Result<store::CancelOutcome> {
    const auto number = store::find_user(tx, user);
    if (!number) return store::CancelOutcome{};
    const store::CancelOutcome outcome = store::request_cancel(tx, *number, id, by);
    sync::end_cancelled(services_, tx);
    return outcome;
  };
  AMZ_CO_TRY(outcome, co_await store_.write(store::Urgency::trigger, std::move(ask)));
  if (!outcome.found) co_return Error(Code::not_found, "There is no such sync.");
  if (outcome.was_over) co_return Code::sync_over;
  parts_.log.info("Cancelling a sync", {{"userId", user.text()}, {"syncId", id.text()}, {"by", by}});
  manager_.wake();
  co_return Done{};
}

Async<Status> Engine::disconnect(UserId user, std::string by) {
  auto forget = [this, user, by](store::Tx& tx) -> Result<bool> {
    const auto number = store::find_user(tx, user);
    return number && sync::disconnect(services_, tx, *number, by);
  };
  AMZ_CO_TRY(was_connected, co_await store_.write(store::Urgency::trigger, std::move(forget)));
  if (!was_connected) co_return Code::not_connected;
  parts_.log.info("Amazon account disconnected", {{"userId", user.text()}});
  tasks_.spawn(refresh_tokens_.tidy());
  manager_.wake();
  co_return Done{};
}

Async<Result<std::string>> Engine::erase(UserId user, std::string by) { return erasures_.erase(std::move(user), std::move(by)); }

Async<Status> Engine::pause(std::optional<UserId> user, std::string by) {
  auto ask = [user, by](store::Tx& tx) -> Result<bool> {
    const auto number = user ? store::find_user(tx, *user) : std::nullopt;
    if (user && !number) return Error(Code::not_found, "There is no such user.");
    return store::pause(tx, number, by);
  };
  AMZ_CO_TRY(news, co_await store_.write(store::Urgency::trigger, std::move(ask)));
  if (news) parts_.log.info("Syncing is paused", {{"userId", user ? user->text() : "*"}, {"by", by}});
  manager_.wake();
  co_return Done{};
}

Async<Status> Engine::resume(std::optional<UserId> user, std::string by) {
  auto ask = [user, by](store::Tx& tx) -> Result<bool> {
    const auto number = user ? store::find_user(tx, *user) : std::nullopt;
    if (user && !number) return Error(Code::not_found, "There is no such user.");
    return store::resume(tx, number, by);
  };
  AMZ_CO_TRY(news, co_await store_.write(store::Urgency::trigger, std::move(ask)));
  if (news) parts_.log.info("Syncing is resumed", {{"userId", user ? user->text() : "*"}, {"by", by}});
  manager_.wake();
  co_return Done{};
}

Async<Status> Engine::set_client_secret(Secret secret) {
  if (secret.empty()) co_return Error(Code::invalid_argument, "The client secret is empty.");
  lwa_.set_secret(std::move(secret));
  parts_.log.info("The application has a new client secret", {{"clientId", lwa_.client_id()}});
  // Whoever failed for want of it is synced now, or after the sync that is about to.
  for (UserNo last{0};;) {
    auto some = [this, last](store::Tx& tx) -> Result<UserNo> {
      constexpr int kAtOnce = 100;
      const auto users = store::users_failed_with(tx, lwa_.client_id(), Code::app_credentials_invalid, last, kAtOnce);
      for (const UserNo user : users) (void)store::trigger(tx, {user, store::Cause::schedule, triggers_.new_sync_id(), {}, true, std::string(services_.settings.region_name())});   // who left meanwhile is not synced
      return users.empty() ? UserNo{0} : users.back();
    };
    AMZ_CO_TRY(next, co_await store_.write(store::Urgency::normal, std::move(some)));
    if (next.value == 0) break;
    last = next;
  }
  manager_.wake();
  co_return Done{};
}

Async<Result<std::string>> Engine::rotate_key() {
  AMZ_CO_TRY(done, co_await auth::seal_anew(store_, vault_, parts_.log));
  if (done.restored > 0) manager_.wake();   // they are due
  JsonWriter json;
  json.begin_object().field("key", done.key).field("secrets", done.secrets).field("resealed", done.resealed).field("restored", done.restored).key("unreadable").begin_array();
  for (const UserId& user : done.unreadable) json.value(user.text());
  json.end_array().end_object();
  co_return json.text();
}

Async<Result<std::string>> Engine::examine() { return sync::examine(services_, vault_, settings_.app_settings, life_.token()); }

Result<std::string> Engine::consent_frontend(std::string_view state) {
  return store_.read_now([&](store::Tx& tx) -> Result<std::string> {
    auto url = sync::consent_frontend(tx, state);
    if (!url) return Code::not_found;
    return std::move(*url);
  });
}

Result<std::string> Engine::run_document(const UserId& user, const SyncId& id) {
  return store_.read_now([&](store::Tx& tx) -> Result<std::string> {
    const auto number = store::find_user(tx, user);
    auto document = number ? store::run_document(tx, *number, id) : std::nullopt;
    if (!document) return Error(Code::not_found, "There is no such sync.");
    return std::move(*document);
  });
}

Result<std::string> Engine::measures_document() {
  const Tally::Sums sums = tally_.sums();
  const bool room = store_.has_room();
  return store_.read_now([&](store::Tx& tx) -> Result<std::string> { return sync::measures_document(tx, parts_.me, room, sums); });
}

Result<std::string> Engine::status_document(const UserId& user) {
  return store_.read_now([&](store::Tx& tx) -> Result<std::string> { return store::status_document(tx, store::find_user(tx, user)); });
}

Result<std::string> Engine::history_document(const UserId& user, int limit, std::int64_t offset) {
  if (limit < 1 || limit > 100) return Error(Code::invalid_argument, "limit must be from 1 to 100.");
  if (offset < 0) return Error(Code::invalid_argument, "offset must not be negative.");
  return store_.read_aside([&](store::Tx& tx) -> Result<std::string> { return store::history_document(tx, store::find_user(tx, user), limit, offset); });
}

Result<std::string> Engine::connection_document(const UserId& user) {
  return store_.read_now([&](store::Tx& tx) -> Result<std::string> { return sync::connection_document(tx, store::find_user(tx, user)); });
}

Result<std::string> Engine::findings_document(const UserId& user, const detect::Query& query) {
  return store_.read_aside([&](store::Tx& tx) -> Result<std::string> { return detect::results_document(tx, store::find_user(tx, user), query); });
}

Result<std::string> Engine::finding_statistics_document(const UserId& user) {
  return store_.read_aside([&](store::Tx& tx) -> Result<std::string> { return detect::statistics_document(tx, store::find_user(tx, user)); });
}

Result<std::string> Engine::explain_document(const UserId& user, std::string_view what) {
  return store_.read_aside(
      [&](store::Tx& tx) -> Result<std::string> { return detect::explain(tx, store::find_user(tx, user), what, sync::policy_of(settings_.sync), settings_.sync.region, settings_.sync.finances); });
}

Async<Result<std::string>> Engine::set_finding_state(UserId user, std::string id, std::string state, std::string case_id) {
  auto write = [user, id, state, case_id](store::Tx& tx) -> Result<std::string> { return detect::set_state(tx, store::find_user(tx, user), id, state, case_id); };
  auto written = co_await store_.write(store::Urgency::trigger, std::move(write));
  co_return written;
}

Async<Result<std::int64_t>> Engine::supply(UserId user, std::string kind, std::string rows) {
  auto write = [user, kind, rows](store::Tx& tx) -> Result<std::int64_t> { return detect::supply(tx, store::ensure_user(tx, user), kind, rows); };
  auto written = co_await store_.write(store::Urgency::trigger, std::move(write));
  co_return written;
}

Result<std::string> Engine::connected_document(const UserId& user, std::int64_t last_event_id, bool replay_gap) {
  return store_.read_now(
      [&](store::Tx& tx) -> Result<std::string> { return sync::connected_document(tx, store::find_user(tx, user), last_event_id, replay_gap); });
}

}  // namespace amzsync
