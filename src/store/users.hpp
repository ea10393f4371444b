// SPDX-License-Identifier: Apache-2.0
// Users, and with them the scope of everything else: every other function of this folder takes the number found here.
#pragma once

#include "store/sql.hpp"

namespace amzsync::store {

/// The user's number, given now if this user was never seen.
UserNo ensure_user(Tx& tx, const UserId& user);
/// nullopt for a user who was never seen.
std::optional<UserNo> find_user(Tx& tx, const UserId& user);
/// False for one who was erased, or is being erased.
bool is_user(Tx& tx, UserNo user);
/// The host's name of a user; for log lines and events.
UserId user_id_of(Tx& tx, UserNo user);

}  // namespace amzsync::store
