// SPDX-License-Identifier: Apache-2.0
#include "store/app_secrets.hpp"

namespace amzsync::store {

void note_app_secret(Tx& tx, std::string_view app_id, const Hash128& fingerprint) {
  tx.run("INSERT INTO app_secrets(app_id, fingerprint, first_used_at) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING", app_id, fingerprint, tx.now());
}

std::optional<Instant> secret_first_used(Tx& tx, std::string_view app_id, const Hash128& fingerprint) {
  const auto at = tx.integer("SELECT first_used_at FROM app_secrets WHERE app_id=?1 AND fingerprint=?2", app_id, fingerprint);
  return at ? std::optional(from_us(*at)) : std::nullopt;
}

std::vector<UserNo> take_users_to_warn(Tx& tx, std::string_view app_id, const Hash128& fingerprint, std::int64_t days_left, std::int64_t fewest, int limit) {
  std::vector<UserNo> users;
  Rows r = tx.rows(
      "UPDATE connections SET secret_told=?1, secret_told_days=?2 WHERE connection_no IN (SELECT connection_no FROM connections WHERE state='connected' AND app_id=?5 AND "
      "(secret_told IS NULL OR secret_told<>?1 OR secret_told_days>?2 OR secret_told_days<?4) ORDER BY connection_no LIMIT ?3) RETURNING user_no",
      fingerprint, days_left, limit, fewest, app_id);
  while (r.next()) users.push_back(r.id<UserNo>(0));
  return users;
}

bool take_operators_warning(Tx& tx, std::string_view app_id, const Hash128& fingerprint, std::int64_t days_left, std::int64_t fewest) {
  return tx.run("UPDATE app_secrets SET expiry_told=?3 WHERE app_id=?1 AND fingerprint=?2 AND (expiry_told IS NULL OR expiry_told>?3 OR expiry_told<?4)", app_id, fingerprint, days_left, fewest) > 0;
}

std::vector<UserNo> users_failed_with(Tx& tx, std::string_view app_id, Code code, UserNo after, int limit) {
  std::vector<UserNo> users;
  Rows r = tx.rows(
      "SELECT c.user_no FROM connections c WHERE c.state='connected' AND c.app_id=?4 AND c.user_no>?2 AND "
      "((SELECT coalesce(r.error_code, '') FROM runs r WHERE r.user_no=c.user_no AND r.cause<>'replay' ORDER BY r.run_no DESC LIMIT 1)=?1 OR "
      "EXISTS (SELECT 1 FROM runs r JOIN run_streams s ON s.run_no=r.run_no WHERE r.user_no=c.user_no AND r.status IN ('queued', 'in_progress', 'detecting') AND s.error LIKE ?5)) ORDER BY c.user_no LIMIT ?3",
      code_name(code), after, limit, app_id, "%\"" + std::string(code_name(code)) + "\"%");
  while (r.next()) users.push_back(r.id<UserNo>(0));
  return users;
}

}  // namespace amzsync::store
