// SPDX-License-Identifier: Apache-2.0
#include "store/sealed.hpp"

namespace amzsync::store {

std::vector<Connection> sealed_connections(Tx& tx, UserNo after, int limit) {
  std::vector<UserNo> users;
  Rows r = tx.rows("SELECT user_no FROM connections WHERE user_no>?1 AND refresh_token IS NOT NULL ORDER BY user_no LIMIT ?2", after, limit);
  while (r.next()) users.push_back(r.id<UserNo>(0));
  std::vector<Connection> connections;
  for (const UserNo user : users)
    if (auto c = find_connection(tx, user)) connections.push_back(std::move(*c));
  return connections;
}

bool reseal_refresh_token(Tx& tx, UserNo user, std::int64_t generation, std::string_view sealed) {
  return tx.run("UPDATE connections SET refresh_token=?3 WHERE user_no=?1 AND generation=?2 AND refresh_token IS NOT NULL", user, generation, Blob{sealed}) == 1;
}

void reseal_access_token(Tx& tx, UserNo user, const std::optional<std::string>& sealed) {
  if (sealed) {
    tx.run("UPDATE connections SET access_token=?2 WHERE user_no=?1 AND access_token IS NOT NULL", user, Blob{*sealed});
  } else {
    tx.run("UPDATE connections SET access_token=NULL, access_expires_at=NULL WHERE user_no=?1", user);
  }
}

void reseal_code(Tx& tx, const Sha256& state_hash, std::string_view sealed) {
  const std::string_view hash(reinterpret_cast<const char*>(state_hash.data()), state_hash.size());
  tx.run("UPDATE consents SET code=?2 WHERE state_hash=?1 AND code IS NOT NULL", Blob{hash}, Blob{sealed});
}

bool restore_unreadable(Tx& tx, const Connection& c) {
  return tx.run("UPDATE connections SET state='connected', state_reason='', next_sync_at=?3, updated_at=?3 WHERE user_no=?1 AND generation=?2 AND state='needs_reauth' AND state_reason=?4",
                c.user, c.generation, tx.now(), code_name(Code::key_unknown)) == 1;
}

}  // namespace amzsync::store
