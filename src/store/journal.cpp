// SPDX-License-Identifier: Apache-2.0
#include "store/journal.hpp"

namespace amzsync::store {

std::int64_t append_event(Tx& tx, UserNo user, std::string_view type, std::string_view payload) {
  const auto seq = tx.integer("UPDATE users SET journal_seq = journal_seq + 1 WHERE user_no=?1 RETURNING journal_seq", user).value_or(0);
  tx.run("INSERT INTO journal(user_no, seq, type, payload, at) VALUES(?1, ?2, ?3, ?4, ?5)", user, seq, type, payload, tx.now());
  return seq;
}

bool was_told(Tx& tx, UserNo user, std::string_view type, std::string_view sync_id) {
  return tx.integer("SELECT 1 FROM journal WHERE user_no=?1 AND type=?2 AND payload LIKE ?3 LIMIT 1", user, type, "{\"syncId\":\"" + std::string(sync_id) + "\"%").has_value();
}

JournalRange journal_range(Tx& tx, UserNo user) {
  JournalRange range;
  range.newest = tx.integer("SELECT journal_seq FROM users WHERE user_no=?1", user).value_or(0);
  range.oldest = tx.integer("SELECT min(seq) FROM journal WHERE user_no=?1", user).value_or(range.newest + 1);
  return range;
}

std::vector<Event> events_after(Tx& tx, UserNo user, std::int64_t after, int limit) {
  std::vector<Event> events;
  Rows r = tx.rows("SELECT seq, type, payload FROM journal WHERE user_no=?1 AND seq>?2 ORDER BY seq LIMIT ?3", user, after, limit);
  while (r.next()) events.push_back({r.integer(0), r.text(1), r.text(2)});
  return events;
}

std::vector<PlacedEvent> all_events_after(Tx& tx, std::int64_t place, int limit) {
  std::vector<PlacedEvent> events;
  Rows r = tx.rows(
      "SELECT j.journal_no, u.user_id, j.seq, j.type, j.payload, j.at, j.user_no FROM journal j JOIN users u ON u.user_no = j.user_no "
      "WHERE j.journal_no>?1 AND j.journal_no<=?3 ORDER BY j.journal_no LIMIT ?2",
      place, limit, tx.settled_place());
  while (r.next()) events.push_back({r.integer(0), r.id<UserId>(1), r.id<UserNo>(6), {r.integer(2), r.text(3), r.text(4)}, r.instant(5)});
  return events;
}

std::int64_t place_at(Tx& tx, Instant at) { return tx.integer("SELECT journal_no FROM journal WHERE at<=?1 ORDER BY journal_no DESC LIMIT 1", at).value_or(0); }

std::int64_t newest_place(Tx& tx) { return tx.integer("SELECT max(journal_no) FROM journal WHERE journal_no<=?1", tx.settled_place()).value_or(0); }

std::vector<PassingProgress> passing_progress_after(Tx& tx, std::optional<UserNo> user, std::int64_t version) {
  std::vector<PassingProgress> all;
  const std::int64_t settled = tx.settled_place();
  constexpr std::string_view kOfAll = "SELECT p.version, u.user_id, p.payload FROM run_progress p JOIN users u ON u.user_no = p.user_no WHERE p.version>?1 AND p.version<=?2 ORDER BY p.version";
  constexpr std::string_view kOfOne = "SELECT p.version, u.user_id, p.payload FROM run_progress p JOIN users u ON u.user_no = p.user_no WHERE p.version>?1 AND p.version<=?2 AND p.user_no=?3 ORDER BY p.version";
  Rows r = user ? tx.rows(kOfOne, version, settled, *user) : tx.rows(kOfAll, version, settled);
  while (r.next()) all.push_back({r.integer(0), r.id<UserId>(1), r.text(2)});
  return all;
}

std::int64_t newest_progress_version(Tx& tx) { return tx.integer("SELECT max(version) FROM run_progress WHERE version<=?1", tx.settled_place()).value_or(0); }

std::int64_t trim_journal(Tx& tx, Instant before, int limit) {
  return tx.run("DELETE FROM journal WHERE journal_no IN (SELECT journal_no FROM journal WHERE at<?1 ORDER BY journal_no LIMIT ?2)", before, limit);
}

}  // namespace amzsync::store
