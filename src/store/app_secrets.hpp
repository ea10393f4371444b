// SPDX-License-Identifier: Apache-2.0
// When each client secret of the application was first used here. Amazon ends a secret 180 days after it was made (facts 1.3), and tells no client
// when that was; the first use is the earliest that can be known.
#pragma once

#include <vector>

#include "store/sql.hpp"

namespace amzsync::store {

/// Remembers a secret, by its fingerprint, when it is seen for the first time.
void note_app_secret(Tx& tx, std::string_view app_id, const Hash128& fingerprint);
/// When it was first used; nullopt: never.
std::optional<Instant> secret_first_used(Tx& tx, std::string_view app_id, const Hash128& fingerprint);
/// Takes some of the application's connected users who were not yet warned of this secret's end with so few days left; none: all were. Who was warned with fewer than `fewest` was so by a clock
/// that was ahead.
std::vector<UserNo> take_users_to_warn(Tx& tx, std::string_view app_id, const Hash128& fingerprint, std::int64_t days_left, std::int64_t fewest, int limit);
/// Whether nobody has written of it yet, with so few days left, where operators read; from now on somebody has.
bool take_operators_warning(Tx& tx, std::string_view app_id, const Hash128& fingerprint, std::int64_t days_left, std::int64_t fewest);
/// The application's connected users after `after`, in the order of their numbers, whose last sync that asked Amazon ended with this error, or is not over and has met it.
std::vector<UserNo> users_failed_with(Tx& tx, std::string_view app_id, Code code, UserNo after, int limit);

}  // namespace amzsync::store
