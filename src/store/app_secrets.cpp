// SPDX-License-Identifier: Apache-2.0
#include "store/app_secrets.hpp"

namespace amzsync::store {

void note_app_secret(Tx& tx, std::string_view app_id, const Hash128& fingerprint) {
  tx.run("INSERT INTO app_secrets(app_id, fingerprint, first_used_at) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING", app_id, fingerprint, tx.now());
}

std::optional<Instant> take_expiring_secret(Tx& tx, std::string_view app_id, const Hash128& fingerprint, std::int64_t days_left, Instant before) {
  const auto first = tx.integer(
      "UPDATE app_secrets SET expiry_told=?3 WHERE app_id=?1 AND fingerprint=?2 AND first_used_at<=?4 AND (expiry_told IS NULL OR expiry_told>?3) RETURNING first_used_at", app_id, fingerprint,
      days_left, before);
  return first ? std::optional(from_us(*first)) : std::nullopt;
}

std::vector<UserNo> connected_users(Tx& tx, UserNo after, int limit) {
  std::vector<UserNo> users;
  Rows r = tx.rows("SELECT user_no FROM connections WHERE state='connected' AND user_no>?1 ORDER BY user_no LIMIT ?2", after, limit);
  while (r.next()) users.push_back(r.id<UserNo>(0));
  return users;
}

std::vector<UserNo> users_failed_with(Tx& tx, Code code, int limit) {
  std::vector<UserNo> users;
  Rows r = tx.rows(
      "SELECT c.user_no FROM connections c WHERE c.state='connected' AND (SELECT coalesce(r.error_code, '') FROM runs r WHERE r.user_no=c.user_no ORDER BY r.run_no DESC LIMIT 1)=?1 "
      "ORDER BY c.user_no LIMIT ?2",
      code_name(code), limit);
  while (r.next()) users.push_back(r.id<UserNo>(0));
  return users;
}

}  // namespace amzsync::store
