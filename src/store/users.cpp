// SPDX-License-Identifier: Apache-2.0
#include "store/users.hpp"

namespace amzsync::store {

std::optional<UserNo> find_user(Tx& tx, const UserId& user) {
  const auto number = tx.integer("SELECT user_no FROM users WHERE user_id=?1", user);
  return number ? std::optional(UserNo{*number}) : std::nullopt;
}

UserNo ensure_user(Tx& tx, const UserId& user) {
  if (const auto found = find_user(tx, user)) return *found;
  const auto number = tx.take_numbers("user", 1);
  tx.run("INSERT INTO users(user_no, user_id, created_at) VALUES(?1, ?2, ?3) ON CONFLICT (user_id) DO NOTHING", number, user, tx.now());
  return find_user(tx, user).value_or(UserNo{});
}

bool is_user(Tx& tx, UserNo user) { return tx.integer("SELECT 1 FROM users WHERE user_no=?1 AND erased_at IS NULL", user).has_value(); }

UserId user_id_of(Tx& tx, UserNo user) { return UserId(tx.text("SELECT user_id FROM users WHERE user_no=?1", user).value_or("")); }

}  // namespace amzsync::store
