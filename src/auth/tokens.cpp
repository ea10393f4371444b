// SPDX-License-Identifier: Apache-2.0
#include "auth/tokens.hpp"

#include "base/json_writer.hpp"
#include "base/memory.hpp"
#include "store/journal.hpp"
#include "store/sealed.hpp"

namespace amzsync::auth {
namespace {

constexpr Duration kEarly = std::chrono::minutes(5);            // refreshed that long before it expires
constexpr Duration kRefreshTime = std::chrono::seconds(30);     // in all; a user who waits leaves earlier
constexpr Duration kRefreshLease = kRefreshTime + std::chrono::seconds(5);
constexpr Duration kWait = kRefreshLease + kRefreshTime;         // a run's: somebody else's refresh may have died with its process
constexpr Duration kLookAgain = std::chrono::milliseconds(250); // whether another process's refresh has ended

}  // namespace

Async<Result<store::Connection>> Tokens::load(UserNo user) {
  auto work = [user](store::Tx& tx) -> Result<store::Connection> {
    const auto connection = store::find_connection(tx, user);
    if (!connection || connection->state == store::ConnectionState::pending || connection->state == store::ConnectionState::disconnected) return Code::not_connected;
    if (connection->state == store::ConnectionState::needs_reauth) return store::must_agree_anew(connection->state_reason);
    return *connection;
  };
  auto connection = co_await store_.read(std::move(work));
  co_return connection;
}

std::optional<AccessToken> Tokens::usable(const store::Connection& c, Instant obtained_after) const {
  if (c.sealed_access_token.empty() || !c.access_expires_at || !c.access_obtained_at) return std::nullopt;
  if (*c.access_expires_at - kEarly <= clock_.now() || *c.access_obtained_at < obtained_after || is_to_come(*c.access_obtained_at, clock_.now())) return std::nullopt;
  auto token = vault_.open(SecretKind::access_token, c.user, c.sealed_access_token);
  if (!token) return std::nullopt;
  const auto refused = rejected_.find({c.user, c.generation});
  if (refused != rejected_.end() && refused->second.token.reveal() == token->reveal()) return std::nullopt;
  return AccessToken{std::move(*token), c.user, c.generation, *c.access_obtained_at};
}

Async<Result<AccessToken>> Tokens::access_token(UserNo user, CancelToken cancel) {
  auto token = co_await obtain(user, Instant::min(), kWait, cancel);
  co_return token;
}

Async<Result<AccessToken>> Tokens::verify(UserNo user, Duration age, Duration within) {
  auto token = co_await obtain(user, clock_.now() - age, within, CancelToken());
  co_return token;
}

Async<Result<AccessToken>> Tokens::obtain(UserNo user, Instant obtained_after, Duration within, CancelToken cancel) {
  std::optional<std::int64_t> failed_generation;
  for (;;) {
    AMZ_CO_TRY(connection, co_await load(user));
    // The seller may have authorised anew while the old token was being refused: then that one is tried.
    if (connection.generation == failed_generation) co_return Code::needs_reauth;
    if (auto cached = usable(connection, obtained_after)) co_return std::move(*cached);
    const std::int64_t generation = connection.generation;
    auto token = co_await refreshed(connection, within, cancel);
    if (token || token.code() != Code::needs_reauth) co_return token;
    failed_generation = generation;
  }
}

void Tokens::reject(const AccessToken& token) { rejected_.insert_or_assign(Key{token.user, token.generation}, token); }

Async<Result<AccessToken>> Tokens::refreshed(store::Connection connection, Duration within, CancelToken cancel) {
  struct Wait {
    Completion<Result<AccessToken>> done;
    CancelToken::Registration cancel;
    std::unique_ptr<Clock::Timer> timer;
    void end(Result<AccessToken> result) noexcept {
      if (done) done(std::move(result));
    }
  };
  if (cancel.cancelled()) co_return Code::cancelled;
  const auto wait = std::make_shared<Wait>();
  const Key key{connection.user, connection.generation};
  auto join = [&, wait](Completion<Result<AccessToken>> done) {
    // A waiter leaves when it is cancelled or out of time; the refresh goes on, because others may wait for it too.
    wait->done = std::move(done);
    wait->cancel = cancel.on_cancel([wait] { wait->end(Code::cancelled); });
    wait->timer = clock_.call_at(clock_.steady() + within, [wait] { wait->end(Code::amazon_unavailable); });
    const bool first = !refreshing_.contains(key);
    try {
      refreshing_[key].push_back([wait](const Result<AccessToken>& result) { wait->end(result); });
      if (first) tasks_.spawn(refresh_for_all(connection));
    } catch (...) {
      if (first) refreshing_.erase(key);
      throw;
    }
  };
  auto token = co_await await_completion<Result<AccessToken>>(std::move(join));
  wait->timer.reset();
  wait->cancel.reset();
  co_return token;
}

Async<void> Tokens::refresh_for_all(store::Connection connection) {
  const Key key{connection.user, connection.generation};
  Result<AccessToken> token(Code::no_memory);
  try {
    token = co_await refresh_or_await(connection);
  } catch (...) {
    token = error_of(std::current_exception());
  }
  const auto waiting = refreshing_.extract(key);
  if (token) rejected_.erase(key);
  if (!waiting) co_return;
  for (const Waiter& waiter : waiting.mapped()) insist([&] { waiter(token); });
}

Async<Result<AccessToken>> Tokens::refresh_or_await(store::Connection connection) {
  const Steady until = clock_.steady() + kWait;
  for (;;) {
    auto hold = [connection, me = me_](store::Tx& tx) -> Result<bool> { return store::hold_refresh(tx, connection.user, connection.generation, me, kRefreshLease); };
    AMZ_CO_TRY(held, co_await store_.write(store::Urgency::normal, std::move(hold)));
    // What another process fetched between our looking and our asking is as good.
    auto now = co_await load(connection.user);
    if (!now) co_return now.error();
    const bool newer = now->access_obtained_at != connection.access_obtained_at;
    if (auto fresh = newer ? usable(*now, Instant::min()) : std::nullopt) {
      if (held) co_await let_go_of_refresh(connection.user);
      co_return std::move(*fresh);
    }
    if (held) {
      auto token = co_await refresh(connection);
      if (!token) co_await let_go_of_refresh(connection.user);   // a token that was stored has let go of it
      co_return token;
    }
    if (now->generation != connection.generation || clock_.steady() >= until) co_return Code::amazon_unavailable;
    co_await clock_.sleep_for(kLookAgain, life_);
    if (life_.cancelled()) co_return Code::cancelled;
  }
}

Async<void> Tokens::let_go_of_refresh(UserNo user) {
  auto end = [user, me = me_](store::Tx& tx) -> Status {
    store::end_refresh(tx, user, me);
    return Done{};
  };
  (void)co_await store_.write(store::Urgency::normal, std::move(end));   // it lapses by itself too
}

Async<Result<AccessToken>> Tokens::refresh(store::Connection connection) {
  auto opened = co_await refresh_tokens_.find(connection.user, connection.sealed_refresh_token);
  const Secret token = opened ? std::move(*opened) : Secret();
  Result<TokenGrant> grant = opened ? Result<TokenGrant>(Code::internal) : Result<TokenGrant>(opened.error());
  if (opened) {
    Secret given = token;
    grant = co_await lwa_.refresh(std::move(given), kRefreshTime, life_);
  }

  // A token that Amazon took back, or that no key opens, needs the seller; anything else may pass.
  if (!grant && (grant.code() == Code::needs_reauth || grant.code() == Code::key_unknown)) {
    const Error reason = grant.error();
    auto mark = [connection, reason](store::Tx& tx) -> Result<bool> {
      const bool marked = store::mark_needs_reauth(tx, connection, reason);
      if (marked) {
        JsonWriter payload;
        payload.begin_object().field("reason", reason.name()).field("message", reason.message).field("timestamp", tx.now()).end_object();
        store::append_event(tx, connection.user, "connection.needs_reauth", payload.text());
      }
      return marked;
    };
    auto marked = co_await store_.write(store::Urgency::normal, std::move(mark));
    if (marked && *marked) log_.warn("Amazon connection needs a new authorisation", {{"reason", reason.name()}});
    co_return reason;
  }
  if (!grant) co_return grant.error();

  const std::string sealed = vault_.seal(SecretKind::access_token, connection.user, grant->access_token);
  // A token that an older master key had sealed moves under the new one when it is used, and one that is to lie with the host moves there.
  RefreshTokens::Kept anew;
  if (!refresh_tokens_.is_in_place(connection.user, connection.sealed_refresh_token)) {
    Secret moved = token;
    auto kept = co_await refresh_tokens_.keep(connection.user, std::move(moved));
    if (kept) anew = std::move(*kept);   // else the next time
  }
  const Instant obtained = grant->obtained_at;
  const Instant expires = grant->expires_at;
  auto keep = [connection, sealed, anew, obtained, expires](store::Tx& tx) -> Result<bool> {
    if (!anew.sealed.empty() && store::reseal_refresh_token(tx, connection.user, connection.generation, anew.sealed)) AMZ_CHECK(anew.hold(tx));
    return store::store_access_token(tx, connection.user, connection.generation, sealed, obtained, expires);
  };
  auto kept = co_await store_.write(store::Urgency::normal, std::move(keep));
  if (!kept) co_return kept.error();
  co_return AccessToken{std::move(grant->access_token), connection.user, connection.generation, obtained};
}

}  // namespace amzsync::auth
