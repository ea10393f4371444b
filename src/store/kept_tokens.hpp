// SPDX-License-Identifier: Apache-2.0
// The names of refresh tokens that lie with the host (auth::TokenStore), and what is to become of them. None is sent before its name is written down here, and
// none is forgotten here before the host has removed it.
#pragma once

#include <vector>

#include "store/sql.hpp"

namespace amzsync::store {

/// A token is about to be sent under this name, which is new. From here on no older version writes: it would take names for tokens.
void send_token(Tx& tx, UserNo user, std::string_view name);
/// The user's connection holds this one now; those that it held before are dropped. False: it was taken for lost, and removed.
bool hold_token(Tx& tx, UserNo user, std::string_view name);
/// Nobody needs this one.
void drop_token(Tx& tx, UserNo user, std::string_view name);
/// The user's connection holds none any more.
void drop_tokens(Tx& tx, UserNo user);

struct KeptToken {
  UserNo user;
  std::string name;
};
/// Those that the host is to remove: dropped, or sent before `sent_before` by somebody who has died since.
std::vector<KeptToken> tokens_to_remove(Tx& tx, Instant sent_before, int limit);
/// The host has removed it.
void forget_token(Tx& tx, UserNo user, std::string_view name);
/// Whether the host still has a token of the user's.
bool has_kept_tokens(Tx& tx, UserNo user);

}  // namespace amzsync::store
