// SPDX-License-Identifier: Apache-2.0
#include "sync/triggers.hpp"

#include <algorithm>

#include "base/crypto.hpp"
#include "net/http.hpp"
#include "spapi/notifications.hpp"
#include "spapi/report_dataset.hpp"
#include "store/journal.hpp"
#include "store/recoveries.hpp"
#include "store/users.hpp"
#include "sync/streams.hpp"

namespace amzsync::sync {
namespace {

constexpr Duration kConsentLife = std::chrono::minutes(10);
constexpr Duration kCodeLife = std::chrono::minutes(5);
constexpr Duration kExchangeTime = std::chrono::seconds(45);    // for Amazon's answer to a code
constexpr Duration kOwnerSilence = std::chrono::seconds(90);    // after that the engine whose a code is, and which brings it anew as long as Amazon is silent, is taken for lost
constexpr Duration kBetweenTries = std::chrono::seconds(1);     // to store, of which each waits for the database itself
constexpr Duration kLastAnswer = std::chrono::seconds(9);       // of Amazon's, while the engine closes
constexpr Duration kLastTries = std::chrono::seconds(40);       // to store, then
constexpr Duration kCallbackTime = std::chrono::seconds(9);     // for Amazon's answer to a refresh token
constexpr Duration kAnswerTime = std::chrono::milliseconds(9500);   // the browser is answered within 10 s
constexpr Duration kBypassTime = std::chrono::seconds(2);
constexpr Duration kBypassFresh = std::chrono::hours(1);
constexpr Duration kFirstEmptyPause = std::chrono::minutes(15);
constexpr Duration kLongestEmptyPause = std::chrono::hours(24);
constexpr Duration kAfterFailure = std::chrono::minutes(1);
constexpr Duration kNotifiedApart = std::chrono::minutes(5);     // syncs by notifications; what comes in between is read together

/// Names that stand for nobody in particular; a bypass of theirs must not sync somebody's account.
bool is_reserved(const UserId& user) { return user.text() == "default-user" || user.text() == "demo-user"; }

Sha256 hash_of(std::string_view state) { return sha256("amzsync consent state/" + std::string(state)); }

/// Whether it is a place of Amazon's: amazon.<tld> or a name under it, for the countries of the marketplace table.
bool is_amazon_host(std::string_view origin) {
  constexpr std::string_view kScheme = "https://";
  if (!origin.starts_with(kScheme)) return false;
  const std::string_view host = origin.substr(kScheme.size());
  return std::any_of(spapi::marketplaces().begin(), spapi::marketplaces().end(), [&](const spapi::Marketplace& m) {
    return host == m.site || (host.size() > m.site.size() && host.ends_with(m.site) && host[host.size() - m.site.size() - 1] == '.');
  });
}

/// While Amazon is silent a code stays, and is tried again as long as it lives (adopt_codes). So does one that was left over, where the secret of who brings it is out of date.
bool stays_good(const Error& refused, bool left_over) { return refused.code == Code::amazon_unavailable || refused.code == Code::cancelled || (left_over && refused.code == Code::app_credentials_invalid); }

/// A code that is used twice may cost what its first use gave (RFC 6749, 4.1.2).
class Exchanging {
 public:
  Exchanging(std::set<Sha256>& all, const Sha256& which) : all_(all), which_(which) { all_.insert(which_); }
  Exchanging(const Exchanging&) = delete;
  Exchanging& operator=(const Exchanging&) = delete;
  ~Exchanging() { all_.erase(which_); }

 private:
  std::set<Sha256>& all_;
  const Sha256 which_;
};

}  // namespace

std::optional<std::string> consent_frontend(store::Tx& tx, std::string_view state) {
  const auto found = store::peek_consent(tx, hash_of(state));
  return found ? std::optional(found->consent.frontend_url) : std::nullopt;
}

std::string Triggers::region() const { return std::string(services_.settings.region_name()); }

SyncId Triggers::new_sync_id() { return SyncId("sync_" + services_.entropy.uuid7(services_.clock.now())); }

std::string Triggers::consent_url(const std::string& marketplace, const std::string& state) const {
  const spapi::Marketplace* known = spapi::find_marketplace(marketplace);
  const spapi::Marketplace& where = known ? *known : spapi::default_marketplace(services_.settings.region);
  const std::string base = app_.consent_endpoint.empty() ? "https://" + std::string(where.seller_central) : app_.consent_endpoint;
  std::vector<net::QueryParam> query{{"application_id", app_.application_id}, {"state", state}, {"redirect_uri", app_.redirect_uri}};
  if (app_.draft) query.push_back({"version", "beta"});
  return base + "/apps/authorize/consent" + net::query_string(query);
}

Async<Result<ConsentLink>> Triggers::start_consent(UserId user, std::string frontend_url, std::string marketplace) {
  // An application that only stores refresh tokens which came another way has no need of these two.
  if (app_.application_id.empty() || app_.redirect_uri.empty())
    co_return Error(Code::setting_invalid, "The application's id and its redirect URI must both be set before sellers can be sent to Amazon.");
  if (!marketplace.empty()) {
    const spapi::Marketplace* known = spapi::find_marketplace(marketplace);
    if (!known) co_return Error(Code::invalid_argument, "The marketplace is not one of Amazon's; give its id or its country.");
    if (known->region != services_.settings.region)
      co_return Error(Code::invalid_argument, "The marketplace " + std::string(known->country) + " is not in the region that this application is set up for.");
    marketplace = std::string(known->id);
  }
  ConsentLink link;
  link.state = hex(services_.entropy.bytes(32));
  link.url = consent_url(marketplace, link.state);
  auto open = [this, hash = hash_of(link.state), user = std::move(user), frontend_url = std::move(frontend_url), marketplace](store::Tx& tx) -> Status {
    const store::Consent consent{store::ensure_user(tx, user), region(), frontend_url, app_.redirect_uri, marketplace};
    store::open_consent(tx, hash, consent, tx.now() + kConsentLife);
    return Done{};
  };
  auto opened = co_await services_.store.write(store::Urgency::trigger, std::move(open));
  if (!opened) co_return opened.error();
  co_return link;
}

Async<Result<ConsentLink>> Triggers::start_appstore_login(UserId user, std::string frontend_url, std::string callback_uri, std::string amazon_state) {
  const std::string origin = net::origin_of(callback_uri);
  const bool ours = !app_.consent_endpoint.empty() && origin == net::origin_of(app_.consent_endpoint);
  if (amazon_state.empty() || (!ours && !is_amazon_host(origin))) co_return Error(Code::invalid_argument, "amazon_callback_uri is no address of Amazon's, or amazon_state is missing.");
  auto link = co_await start_consent(std::move(user), std::move(frontend_url), "");
  if (!link) co_return link;
  callback_uri.resize(std::min(callback_uri.find('#'), callback_uri.size()));   // what follows never reaches Amazon
  std::vector<net::QueryParam> query{{"amazon_state", amazon_state}, {"state", link->state}, {"redirect_uri", app_.redirect_uri}};
  if (app_.draft && callback_uri.find("version=beta") == std::string::npos) query.push_back({"version", "beta"});
  const std::string more = net::query_string(query);
  link->url = callback_uri + (callback_uri.find('?') == std::string::npos ? more : "&" + more.substr(1));
  co_return link;
}

Async<std::variant<CallbackOutcome, CallbackFailure>> Triggers::on_oauth_callback(OAuthCallback callback) {
  using Answer = std::variant<CallbackOutcome, CallbackFailure>;
  const Sha256 hash = hash_of(callback.state);
  struct Taken {
    store::ConsumedConsent consent;
    UserId owner;
    std::optional<Error> refused;
  };
  // The code is kept, sealed, in the transaction that uses the state up: a crash from here on loses no consent.
  auto take = [this, hash, &callback](store::Tx& tx) -> Result<Taken> {
    const auto found = store::peek_consent(tx, hash);
    if (!found) return Code::invalid_state;
    Taken taken{*found, store::user_id_of(tx, found->consent.user), std::nullopt};
    if (!found->usable) {
      taken.refused = Error(Code::invalid_state);
    } else if (callback.user && *callback.user != taken.owner) {
      taken.refused = Error(Code::state_user_mismatch);
    } else if (callback.code.empty()) {
      taken.refused = Error(callback.error.empty() ? Code::missing_code : Code::consent_denied);
    } else {
      const std::string sealed = vault_.seal(auth::SecretKind::authorisation_code, found->consent.user, callback.code);
      const auto consumed = store::consume_consent(tx, hash, SellerId(callback.seller_id), sealed, services_.me);
      if (!consumed || !consumed->usable) taken.refused = Error(Code::invalid_state);
    }
    return taken;
  };
  auto taken = co_await services_.store.write(store::Urgency::trigger, std::move(take));
  if (!taken) co_return Answer(CallbackFailure{taken.error(), ""});
  const store::Consent consent = taken->consent.consent;
  if (taken->refused) co_return Answer(CallbackFailure{*taken->refused, consent.frontend_url});

  Brought brought{hash, consent, SellerId(callback.seller_id), std::move(callback.code), taken->owner};
  auto run = co_await exchanged(std::move(brought));
  if (!run) {
    services_.log.warn("Failed to trigger automatic sync after Amazon connection", {{"userId", taken->owner.text()}, {"error", run.error().message}, {"code", run.error().name()}});
    co_return Answer(CallbackFailure{run.error(), consent.frontend_url});
  }
  co_return Answer(CallbackOutcome{taken->owner, consent.frontend_url, run->id, !run->attached});
}

/// Who waits for an exchange, which goes on without them too.
struct Triggers::Waiter {
  Completion<Result<store::TriggerOutcome>> done;
  std::unique_ptr<Clock::Timer> timer;
  Error so_far = Error(Code::amazon_unavailable);   // what keeps it from its end
  void end(Result<store::TriggerOutcome> result) noexcept {
    if (done) done(std::move(result));
  }
};

/// What Amazon gives for a code it gives once, so neither the end of the browser's patience nor the engine's close breaks an exchange off.
Async<Result<store::TriggerOutcome>> Triggers::exchanged(Brought brought) {
  const auto waiter = std::make_shared<Waiter>();
  auto begin = [this, waiter, brought = std::move(brought)](Completion<Result<store::TriggerOutcome>> done) mutable {
    waiter->done = std::move(done);
    waiter->timer = services_.clock.call_at(services_.clock.steady() + kAnswerTime, [waiter] { waiter->end(waiter->so_far); });
    services_.tasks.spawn(exchange(std::move(brought), waiter));
  };
  auto outcome = co_await await_completion<Result<store::TriggerOutcome>>(std::move(begin));
  waiter->timer.reset();
  co_return outcome;
}

Async<void> Triggers::exchange(Brought brought, std::shared_ptr<Waiter> waiter) {
  Result<store::TriggerOutcome> outcome(Code::no_memory);
  try {
    const Exchanging here(exchanging_, brought.state_hash);
    outcome = co_await bring(brought, *waiter);
  } catch (...) {
    outcome = error_of(std::current_exception());
  }
  if (outcome) {
    manager_.wake();
    const std::string user = brought.owner.text();
    if (brought.left_over()) {
      services_.log.info("Exchanged an authorisation code that was left over", {{"syncId", outcome->id.text()}});
    } else if (outcome->attached) {
      services_.log.info("Sync already in progress, skipping automatic trigger", {{"userId", user}});
    } else {
      services_.log.info("Triggered automatic sync after Amazon OAuth callback", {{"userId", user}, {"syncId", outcome->id.text()}});
    }
  }
  waiter->end(std::move(outcome));
}

Async<Result<store::TriggerOutcome>> Triggers::bring(Brought& brought, Waiter& waiter) {
  // A close waits for Amazon too, though not as long.
  CancelSource enough;
  std::unique_ptr<Clock::Timer> soon;
  const auto wait_less = [&] { soon = services_.clock.call_at(services_.clock.steady() + kLastAnswer, [&enough] { enough.cancel(CancelReason::engine_closing); }); };
  if (life_.cancelled()) wait_less();
  const auto closing = life_.on_cancel(wait_less);
  auto grant = co_await services_.lwa.exchange_code(std::move(brought.code), brought.consent.redirect_uri, kExchangeTime, enough.token());
  if (!grant) {
    const Error error = grant.error();
    if (stays_good(error, brought.left_over())) co_return error;
    const bool lost = co_await refuse(brought.state_hash, brought.consent.user, error);
    if (lost && brought.left_over()) tell_lost(brought.consent.user, error);
    co_return error;
  }
  // What was given for it is kept until the database takes it, however long that is.
  waiter.so_far = Error(Code::store_busy);
  Result<store::TriggerOutcome> stored(Code::store_busy);
  std::optional<Steady> end;
  for (;;) {
    if (life_.cancelled() && !end) end = services_.clock.steady() + kLastTries;
    GrantOrigin from{brought.consent.region, brought.consent.marketplace, brought.seller, brought.state_hash, 0};
    auth::TokenGrant granted = *grant;
    stored = co_await store_grant(brought.consent.user, std::move(from), std::move(granted));
    if (stored || code_retry(stored.code()) != Retry::later || (end && services_.clock.steady() >= *end)) break;
    waiter.so_far = stored.error();
    co_await services_.clock.sleep_for(kBetweenTries, CancelToken());
  }
  if (!stored && code_retry(stored.code()) == Retry::later) {
    services_.log.error("An authorisation is lost: the database did not take it before the end", {{"userNo", brought.consent.user.value}, {"error", stored.error().message}});
  } else if (!stored) {
    const bool lost = co_await refuse(brought.state_hash, brought.consent.user, stored.error());
    if (lost && brought.left_over()) tell_lost(brought.consent.user, stored.error());
  }
  co_return stored;
}

void Triggers::tell_lost(UserNo user, const Error& why) const {
  services_.log.warn("An authorisation code that was left over is lost", {{"userNo", user.value}, {"error", why.message}, {"code", why.name()}});
}

Async<bool> Triggers::refuse(Sha256 hash, UserNo user, Error reason) {
  auto close = [hash, user, reason](store::Tx& tx) -> Result<bool> {
    if (!store::close_consent(tx, hash, reason.name())) return false;
    store::give_up_pending(tx, user, store::ConnectionState::disconnected, reason);
    return true;
  };
  const auto closed = co_await services_.store.write(store::Urgency::trigger, std::move(close));
  co_return closed && *closed;
}

/// Connection and run in one transaction: there is no moment at which a crash could keep the one and lose the other.
Async<Result<store::TriggerOutcome>> Triggers::store_grant(UserNo user, GrantOrigin from, auth::TokenGrant grant) {
  store::Authorisation a;
  a.user = user;
  a.region = std::move(from.region);
  a.marketplace = std::move(from.marketplace);
  a.seller = std::move(from.seller);
  a.app_id = services_.lwa.client_id();
  Secret given = grant.refresh_token;
  AMZ_CO_TRY(kept, co_await services_.refresh_tokens.keep(user, std::move(given)));
  a.sealed_refresh_token = kept.sealed;
  a.token_print = auth::RefreshTokens::print_of(grant.refresh_token);
  a.by_consent = from.state_hash.has_value();
  a.sealed_access_token = vault_.seal(auth::SecretKind::access_token, user, grant.access_token);
  a.access_obtained_at = grant.obtained_at;
  a.access_expires_at = grant.expires_at;
  a.history_from = history_begins(services_.settings, services_.clock.now());
  a.allow_shared_seller = services_.settings.allow_shared_seller;
  auto connect = [this, kept, a = std::move(a), token = grant.refresh_token, state_hash = from.state_hash, since = from.since, id = new_sync_id()](store::Tx& tx) mutable -> Result<store::TriggerOutcome> {
    // Who was erased meanwhile is not connected again by what was under way.
    if (!store::is_user(tx, a.user)) return Error(Code::not_found, "There is no such user any more.");
    if (state_hash && store::is_superseded(tx, *state_hash)) return Error(Code::invalid_state, "The account was disconnected, or authorised anew, while this authorisation was under way.");
    const auto known = store::find_connection(tx, a.user);
    if (!state_hash && known && known->state == store::ConnectionState::disconnected && known->generation != since)
      return Error(Code::invalid_state, "The account was disconnected while this authorisation was under way.");
    if (known) a.is_known_token = known->token_print == a.token_print || (!known->sealed_refresh_token.empty() && services_.refresh_tokens.is_same(a.user, known->sealed_refresh_token, token));
    AMZ_TRY(connection, store::store_authorisation(tx, a));
    AMZ_CHECK(kept.hold(tx));
    store::supersede_consents(tx, a.user, state_hash);
    if (state_hash) store::close_consent(tx, *state_hash, "connected");
    return store::trigger(tx, {a.user, store::Cause::oauth_callback, id, {}, true, a.region});
  };
  auto outcome = co_await services_.store.write(store::Urgency::trigger, std::move(connect));
  // What the new token took the place of, or the new one itself, is of no use to anybody.
  services_.tasks.spawn(outcome ? services_.refresh_tokens.tidy() : services_.refresh_tokens.let_go(std::move(kept)));
  co_return outcome;
}

Async<Result<store::TriggerOutcome>> Triggers::connect_with_refresh_token(UserId user, Secret refresh_token, std::string seller_id) {
  struct Before {
    std::optional<UserNo> user;
    std::int64_t generation = 0;
  };
  auto look = [user](store::Tx& tx) -> Result<Before> {
    Before before{store::find_user(tx, user)};
    const auto connection = before.user ? store::find_connection(tx, *before.user) : std::nullopt;
    if (connection) before.generation = connection->generation;
    return before;
  };
  AMZ_CO_TRY(before, co_await services_.store.read(std::move(look)));
  auto grant = co_await services_.lwa.refresh(refresh_token, kCallbackTime, life_);
  if (!grant) co_return grant.code() == Code::needs_reauth ? Error(Code::invalid_grant, "Amazon refused the refresh token.") : grant.error();
  grant->refresh_token = std::move(refresh_token);
  auto find = [user, before](store::Tx& tx) -> Result<UserNo> { return before.user ? *before.user : store::ensure_user(tx, user); };   // one who was erased meanwhile is not made anew
  AMZ_CO_TRY(number, co_await services_.store.write(store::Urgency::trigger, std::move(find)));
  GrantOrigin from{region(), "", SellerId(std::move(seller_id)), std::nullopt, before.generation};
  auto run = co_await store_grant(number, std::move(from), std::move(*grant));
  if (run) manager_.wake();
  co_return run;
}

Async<Result<store::TriggerOutcome>> Triggers::trigger(UserId user, store::Cause cause, std::string streams, bool covers_new) {
  auto ask = [this, user = std::move(user), cause, streams = std::move(streams), covers_new, id = new_sync_id()](store::Tx& tx) -> Result<store::TriggerOutcome> {
    const auto number = store::find_user(tx, user);
    if (!number) return Code::not_connected;
    return store::trigger(tx, {*number, cause, id, wanted(services_.settings, streams), covers_new, region()});
  };
  auto outcome = co_await services_.store.write(store::Urgency::trigger, std::move(ask));
  co_return outcome;
}

Async<Result<ExistingOutcome>> Triggers::use_existing_connection(UserId user) {
  auto find = [user](store::Tx& tx) -> Result<UserNo> {
    const auto number = store::find_user(tx, user);
    if (!number) return Code::not_connected;
    return *number;
  };
  auto number = co_await services_.store.read(std::move(find));
  Result<auth::AccessToken> token = number ? Result<auth::AccessToken>(Code::internal) : Result<auth::AccessToken>(number.error());
  if (number) token = co_await services_.tokens.verify(*number, kBypassFresh, kBypassTime);
  ExistingOutcome outcome;
  outcome.verified = token.ok();
  // Amazon's silence is no reason to keep a seller who is connected from syncing; everything else is.
  Result<store::TriggerOutcome> run(Code::internal);
  if (token || token.code() == Code::amazon_unavailable) {
    if (is_reserved(user)) co_return outcome;
    run = co_await trigger(user, store::Cause::bypass, "", false);
  } else {
    // A token that no key opens is as good as none: the seller can agree anew.
    run = token.code() == Code::key_unknown ? store::must_agree_anew(token.error().name()) : token.error();
  }
  if (!run) {
    services_.log.warn("Failed to trigger automatic sync after bypass", {{"userId", user.text()}, {"error", run.error().message}, {"code", run.error().name()}});
    co_return run.error();
  }
  outcome.sync_id = run->id;
  outcome.triggered = !run->attached;
  if (run->attached) {
    services_.log.info("Sync already in progress, skipping automatic trigger", {{"userId", user.text()}});
  } else {
    services_.log.info("Triggered automatic sync after bypass", {{"userId", user.text()}, {"syncId", run->id.text()}});
  }
  manager_.wake();
  co_return outcome;
}

Async<Result<RecoveriesTrigger>> Triggers::on_empty_recoveries(UserId user) {
  auto decide = [this, user](store::Tx& tx) -> Result<RecoveriesTrigger> {
    RecoveriesTrigger answer;
    answer.needs_sync = true;
    const auto number = store::find_user(tx, user);
    const auto connection = number ? store::find_connection(tx, *number) : std::nullopt;
    if (!connection || connection->state == store::ConnectionState::pending || connection->state == store::ConnectionState::disconnected) {
      answer.reason = code_name(Code::not_connected);
      return answer;
    }
    if (connection->state == store::ConnectionState::needs_reauth) {
      answer.reason = code_name(Code::needs_reauth);
      return answer;
    }
    if (store::pause_of(tx, *number)) {
      answer.reason = code_name(Code::paused);
      return answer;
    }
    if (connection->region != region()) {
      answer.reason = code_name(Code::wrong_region);
      return answer;
    }
    const auto of = [&settings = services_.settings](std::string_view asked) { return tells_of_recoveries(settings, asked); };
    // "None" is said of what could be read, and only when all could.
    const auto none_found = [&] { return store::has_unreadable_money(tx, *number) ? code_name(Code::rows_quarantined) : kNoneFound; };
    if (!of("")) {
      // No usual sync of this engine's tells more of it.
      answer.reason = connection->empty_syncs > 0 ? none_found() : kMoneyNotSynced;
      answer.needs_sync = false;
      return answer;
    }
    if (const auto active = store::active_run(tx, *number)) {
      answer.reason = code_name(Code::sync_in_progress);
      answer.sync_id = active->id;
      return answer;
    }
    // Runs of other streams say nothing of recoveries.
    if (const auto last = store::last_run(tx, *number, of); last && !is_to_come(last->completed_at, tx.now())) {
      Duration empty_pause = kFirstEmptyPause;
      for (std::int64_t n = 1; n < connection->empty_syncs && empty_pause < kLongestEmptyPause; ++n) empty_pause *= 2;
      empty_pause = std::min(empty_pause, kLongestEmptyPause);
      if (last->status == store::RunStatus::cancelled) {
        answer.next_try = last->completed_at + empty_pause;
        answer.reason = code_name(Code::cancelled);
      } else if (connection->empty_syncs > 0 && last->status != store::RunStatus::failed) {
        // The money was read whole, and there was nothing of the kind.
        answer.next_try = last->completed_at + empty_pause;
        answer.reason = none_found();
        answer.needs_sync = false;
      } else if (!last->error_code.empty()) {
        answer.reason = last->error_code;
        // A failure that needs a person ends by that person's act: a new authorisation, or a manual start.
        if (last->retry != Retry::later && last->completed_at >= connection->authorised_at.value_or(Instant::min())) return answer;
        answer.next_try = last->completed_at + kAfterFailure;
      }
      if (answer.next_try && tx.now() < *answer.next_try) return answer;
    }
    answer.needs_sync = true;
    AMZ_TRY(run, store::trigger(tx, {*number, store::Cause::recoveries, new_sync_id(), {}, false, region()}));
    answer.reason.clear();
    answer.next_try.reset();
    answer.triggered = !run.attached;
    answer.sync_id = run.id;
    return answer;
  };
  auto answer = co_await services_.store.write(store::Urgency::trigger, std::move(decide));
  if (answer && answer->triggered) {
    services_.log.info("Triggered automatic sync from recoveries endpoint", {{"userId", user.text()}, {"syncId", answer->sync_id->text()}});
    manager_.wake();
  } else if (answer && answer->reason == code_name(Code::sync_in_progress)) {
    services_.log.info("Sync already in progress, skipping automatic trigger", {{"userId", user.text()}});
  }
  co_return answer;
}

std::optional<store::TriggerOutcome> Triggers::attach(const UserId& user, const std::string& streams) {
  auto found = services_.store.read_now([&](store::Tx& tx) -> Result<std::optional<store::TriggerOutcome>> {
    const auto number = store::find_user(tx, user);
    return number ? store::attach(tx, {*number, store::Cause::manual, {}, wanted(services_.settings, streams), false, region()}) : std::nullopt;
  });
  return found ? std::move(*found) : std::nullopt;
}

Async<Result<store::TriggerOutcome>> Triggers::start(UserId user, std::string streams) {
  auto run = co_await trigger(std::move(user), store::Cause::manual, std::move(streams), false);
  if (run) manager_.wake();
  co_return run;
}

Async<Result<store::TriggerOutcome>> Triggers::replay(UserId user, std::string streams) {
  auto run = co_await trigger(std::move(user), store::Cause::replay, std::move(streams), false);
  if (run) manager_.wake();
  co_return run;
}

namespace {

/// The streams that a notification is about; empty: none.
std::string streams_of(const spapi::Notification& n, const SyncSettings& settings) {
  std::string_view stream;
  if (n.type == "TRANSACTION_UPDATE" || n.type == "ORDER_CHANGE") stream = store::money_stream_name(settings.finances);
  if (n.type == "FBA_INVENTORY_AVAILABILITY_CHANGES") stream = "inventory";
  if (n.type == "REPORT_PROCESSING_FINISHED")
    for (const Stream* s : data_streams())
      if (s->report && s->report->report_type == n.report_type) stream = s->name;
  return is_usual(settings, stream) ? std::string(stream) : std::string();
}

}  // namespace

Async<Result<std::vector<NotificationOutcome>>> Triggers::on_notification(std::optional<UserId> user, std::string message) {
  AMZ_CO_TRY(notifications, spapi::decode_notifications(message));
  auto take = [this, user, notifications = std::move(notifications)](store::Tx& tx) -> Result<std::vector<NotificationOutcome>> {
    std::vector<NotificationOutcome> outcomes;
    for (const spapi::Notification& n : notifications) {
      NotificationOutcome outcome{n.id, n.type, false, false, false, std::nullopt, std::nullopt};
      std::vector<UserNo> users = store::users_of_seller(tx, services_.settings.region_name(), n.seller);
      if (user) {
        const auto number = store::find_user(tx, *user);
        const auto connection = number ? store::find_connection(tx, *number) : std::nullopt;
        // A connection by a refresh token may not know its seller's id.
        const bool theirs = connection && connection->state == store::ConnectionState::connected && connection->region == region() && (connection->seller == n.seller || (connection->seller.empty() && !n.seller.empty()));
        users = theirs ? std::vector{*number} : std::vector<UserNo>{};
      }
      const std::string streams = streams_of(n, services_.settings);
      outcome.known = !streams.empty();
      outcome.connected = !users.empty();
      // A user's id holds no line's end.
      outcome.duplicate = outcome.connected && !store::remember_notification(tx, (user ? user->text() : std::string()) + "\n" + n.id);
      if (!outcome.duplicate && outcome.known)
        for (const UserNo whom : users) {
          outcome.planned_at = store::plan_notified_sync(tx, whom, streams, kNotifiedApart);
          if (outcome.planned_at) continue;
          // What the active run read already may be older than what this tells.
          auto run = store::trigger(tx, {whom, store::Cause::notification, new_sync_id(), wanted(services_.settings, streams), true, region()});
          if (run) outcome.sync_id = run->id;
        }
      outcomes.push_back(std::move(outcome));
    }
    // One that is nobody's is passed over beside others; alone it was sent to the wrong place.
    if (std::none_of(outcomes.begin(), outcomes.end(), [](const NotificationOutcome& o) { return o.connected; })) return Error(Code::not_found, "The notification is about a seller who is not connected here.");
    return outcomes;
  };
  auto outcomes = co_await services_.store.write(store::Urgency::trigger, std::move(take));
  if (outcomes) manager_.wake();
  co_return outcomes;
}

Async<void> Triggers::adopt_codes(Duration older_than) {
  auto find = [older_than](store::Tx& tx) -> Result<std::vector<store::OrphanedCode>> { return store::orphaned_codes(tx, tx.now() - older_than); };
  auto codes = co_await services_.store.read(std::move(find));
  if (!codes) co_return;
  for (store::OrphanedCode& orphan : *codes) {
    if (life_.cancelled()) co_return;
    if (exchanging_.contains(orphan.state_hash)) continue;
    // Its engine may have it at Amazon, or hold what Amazon gave for it, and stand still.
    const bool others = orphan.owner.value != 0 && orphan.owner != services_.me;
    if (others && !orphan.owner_closed && orphan.silence < kOwnerSilence && services_.store.engine_may_live(orphan.owner)) continue;
    auto code = vault_.open(auth::SecretKind::authorisation_code, orphan.consent.user, orphan.sealed_code);
    if (!code && orphan.age < kCodeLife) continue;   // another host may have the key
    auto claim = [orphan, old = orphan.age >= kCodeLife, me = services_.me](store::Tx& tx) -> Result<bool> {
      if (!store::claim_code(tx, orphan, me)) return false;
      if (!old) return true;
      store::close_consent(tx, orphan.state_hash, code_name(Code::invalid_grant));
      store::give_up_pending(tx, orphan.consent.user, store::ConnectionState::needs_reauth, Error(Code::invalid_grant));
      return true;
    };
    const auto claimed = co_await services_.store.write(store::Urgency::normal, std::move(claim));
    if (!claimed || !*claimed) continue;
    if (orphan.age >= kCodeLife) {
      tell_lost(orphan.consent.user, Error(Code::invalid_grant, "Amazon did not answer while the code was good."));
      continue;
    }
    Brought brought{orphan.state_hash, orphan.consent, orphan.seller, std::move(*code), {}};
    (void)co_await exchanged(std::move(brought));   // which tells what comes of it
  }
}

}  // namespace amzsync::sync
