// SPDX-License-Identifier: Apache-2.0
// An access token for a connection, whenever one is needed: from memory, from the store, or by one refresh that everybody who
// asks meanwhile waits for, in other processes too. There are no ambient credentials: a connection's calls go out with its own token or not at all.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "auth/lwa.hpp"
#include "auth/refresh_tokens.hpp"
#include "auth/vault.hpp"
#include "base/log.hpp"
#include "store/connections.hpp"
#include "store/store.hpp"

namespace amzsync::auth {

struct AccessToken {
  Secret token;
  UserNo user;
  std::int64_t generation = 0;  ///< the authorisation it stems from
  Instant obtained_at{};
};

class Tokens {
 public:
  /// `life` ends with the engine.
  Tokens(Tasks& tasks, CancelToken life, store::Store& store, LwaClient& lwa, const Vault& vault, RefreshTokens& refresh_tokens, Clock& clock, EngineNo me, Log log)
      : tasks_(tasks), life_(std::move(life)), store_(store), lwa_(lwa), vault_(vault), refresh_tokens_(refresh_tokens), clock_(clock), me_(me), log_(std::move(log)) {}

  /// Errors: not_connected, needs_reauth (the connection is marked so, unless it was authorised anew meanwhile),
  /// app_credentials_invalid, amazon_unavailable, key_unknown, store_unavailable (also the host's token store), cancelled. Loop thread.
  Async<Result<AccessToken>> access_token(UserNo user, CancelToken cancel);

  /// Amazon says that this token has expired or is worthless: the next caller gets another one.
  void reject(const AccessToken& token);

  /// A token obtained within `age`, or one from a single refresh that may take `within`; for the check of an existing
  /// connection. Errors as above.
  Async<Result<AccessToken>> verify(UserNo user, Duration age, Duration within);

 private:
  // An authorisation: a user's number is never given again, a connection's may be.
  using Key = std::pair<UserNo, std::int64_t>;  // user, generation
  using Waiter = std::function<void(const Result<AccessToken>&)>;

  Async<Result<AccessToken>> obtain(UserNo user, Instant obtained_after, Duration within, CancelToken cancel);
  Async<Result<store::Connection>> load(UserNo user);
  std::optional<AccessToken> usable(const store::Connection& connection, Instant obtained_after) const;
  /// Joins the refresh that is under way for this authorisation, or starts it.
  Async<Result<AccessToken>> refreshed(store::Connection connection, Duration within, CancelToken cancel);
  Async<void> refresh_for_all(store::Connection connection);
  /// The refresh itself, or the token that another process's refresh brought.
  Async<Result<AccessToken>> refresh_or_await(store::Connection connection);
  Async<Result<AccessToken>> refresh(store::Connection connection);
  Async<void> let_go_of_refresh(UserNo user);

  Tasks& tasks_;
  CancelToken life_;
  store::Store& store_;
  LwaClient& lwa_;
  const Vault& vault_;
  RefreshTokens& refresh_tokens_;
  Clock& clock_;
  EngineNo me_;
  Log log_;
  std::map<Key, std::vector<Waiter>> refreshing_;
  std::map<Key, AccessToken> rejected_;   // the last one refused, so that the stored copy of it is not used again
};

}  // namespace amzsync::auth
