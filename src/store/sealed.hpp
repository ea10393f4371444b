// SPDX-License-Identifier: Apache-2.0
// Sealed secrets where they lie, for the change of the master key.
#pragma once

#include <vector>

#include "store/connections.hpp"

namespace amzsync::store {

/// Connections of users after `after` that hold a refresh token, in the order of the users' numbers.
std::vector<Connection> sealed_connections(Tx& tx, UserNo after, int limit);
/// Only if nobody authorised anew meanwhile; false when somebody did.
bool reseal_refresh_token(Tx& tx, UserNo user, std::int64_t generation, std::string_view sealed);
/// nullopt: it is forgotten.
void reseal_access_token(Tx& tx, UserNo user, const std::optional<std::string>& sealed);
void reseal_code(Tx& tx, const Sha256& state_hash, std::string_view sealed);
/// Connected again, and to be synced soon, if it was left for no other reason than that no key opened its token. False: it was not.
bool restore_unreadable(Tx& tx, const Connection& connection);

}  // namespace amzsync::store
