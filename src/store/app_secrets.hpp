// SPDX-License-Identifier: Apache-2.0
// When each client secret of the application was first used here. Amazon ends a secret 180 days after it was made (facts 1.3), and tells no client
// when that was; the first use is the earliest that can be known.
#pragma once

#include <vector>

#include "store/sql.hpp"

namespace amzsync::store {

/// Remembers a secret, by its fingerprint, when it is seen for the first time.
void note_app_secret(Tx& tx, std::string_view app_id, const Hash128& fingerprint);
/// When it was first used, if that is longer ago than `before` and was not told with so few days left yet.
std::optional<Instant> take_expiring_secret(Tx& tx, std::string_view app_id, const Hash128& fingerprint, std::int64_t days_left, Instant before);
/// Connected users after `after`, in the order of their numbers.
std::vector<UserNo> connected_users(Tx& tx, UserNo after, int limit);
/// Connected users whose last sync ended with this error.
std::vector<UserNo> users_failed_with(Tx& tx, Code code, int limit);

}  // namespace amzsync::store
