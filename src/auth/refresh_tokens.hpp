// SPDX-License-Identifier: Apache-2.0
// Refresh tokens, wherever they lie: sealed in the database, or with the host. What the database holds is sealed in both cases: the token, or the name that the
// host has it under. Loop thread, unless it says otherwise.
#pragma once

#include "auth/token_store.hpp"
#include "auth/vault.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "store/store.hpp"

namespace amzsync::auth {

class RefreshTokens {
 public:
  /// `host`: nullptr, the tokens lie in the database.
  RefreshTokens(const Vault& vault, TokenStore* host, store::Store& store, Clock& clock, Entropy& entropy, CancelToken life, Log log)
      : vault_(vault), host_(host), store_(store), clock_(clock), entropy_(entropy), life_(std::move(life)), log_(std::move(log)) {}

  /// What the database is to hold of a token.
  struct Kept {
    UserNo user;
    std::string sealed;
    std::string name;     ///< with the host; empty: it lies in the database
    /// In the transaction that stores `sealed` in the user's connection. Errors: store_unavailable (it was taken for lost).
    Status hold(store::Tx& tx) const;
  };
  /// Brings a token to where it is to lie, before the connection is stored. What is never held is removed again. Errors: store_*.
  Async<Result<Kept>> keep(UserNo user, Secret token);
  /// Nobody will hold it.
  Async<void> let_go(Kept kept);

  /// Errors: key_unknown, needs_reauth (the host has it no more), store_unavailable.
  Async<Result<Secret>> find(UserNo user, std::string sealed);
  /// Whether `sealed` is this token. Any thread.
  bool is_same(UserNo user, std::string_view sealed, const Secret& token) const;
  /// Tells a token apart, and nothing else of it.
  static std::string print_of(const Secret& token);
  /// The same of a sealed one; nullopt: no key opens it.
  std::optional<std::string> print_of(UserNo user, std::string_view sealed) const;
  /// Whether it lies where tokens are to lie now. Any thread.
  bool is_in_place(UserNo user, std::string_view sealed) const;

  /// Has the host remove what nobody needs any more.
  Async<void> tidy();
  /// Whether nothing of a user's lies with the host any more, after `tidy`.
  Async<Result<bool>> is_rid_of(UserNo user);

 private:
  const Vault& vault_;
  TokenStore* host_;
  store::Store& store_;
  Clock& clock_;
  Entropy& entropy_;
  CancelToken life_;
  Log log_;
  bool tidying_ = false;
};

}  // namespace amzsync::auth
