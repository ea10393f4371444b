// SPDX-License-Identifier: Apache-2.0
#include "store/kept_tokens.hpp"

namespace amzsync::store {

void send_token(Tx& tx, UserNo user, std::string_view name) {
  tx.run("UPDATE meta SET value='18' WHERE key='min_writer' AND CAST(value AS INTEGER)<18");
  tx.run("INSERT INTO kept_tokens(name, user_no, state, created_at) VALUES (?1, ?2, 'sent', ?3)", name, user, tx.now());
}

bool hold_token(Tx& tx, UserNo user, std::string_view name) {
  tx.run("UPDATE kept_tokens SET state='dropped' WHERE user_no=?1 AND state='held' AND name<>?2", user, name);
  return tx.run("UPDATE kept_tokens SET state='held' WHERE user_no=?1 AND name=?2 AND state<>'dropped'", user, name) == 1;
}

void drop_token(Tx& tx, UserNo user, std::string_view name) { tx.run("UPDATE kept_tokens SET state='dropped' WHERE user_no=?1 AND name=?2", user, name); }

void drop_tokens(Tx& tx, UserNo user) { tx.run("UPDATE kept_tokens SET state='dropped' WHERE user_no=?1 AND state='held'", user); }

std::vector<KeptToken> tokens_to_remove(Tx& tx, Instant sent_before, int limit) {
  std::vector<KeptToken> tokens;
  Rows r = tx.rows("SELECT user_no, name FROM kept_tokens WHERE state<>'held' AND (state='dropped' OR created_at<?1) ORDER BY created_at LIMIT ?2", sent_before, limit);
  while (r.next()) tokens.push_back({UserNo{r.integer(0)}, r.text(1)});
  return tokens;
}

void forget_token(Tx& tx, UserNo user, std::string_view name) { tx.run("DELETE FROM kept_tokens WHERE user_no=?1 AND name=?2", user, name); }

bool has_kept_tokens(Tx& tx, UserNo user) { return tx.integer("SELECT 1 FROM kept_tokens WHERE user_no=?1 LIMIT 1", user).has_value(); }

}  // namespace amzsync::store
