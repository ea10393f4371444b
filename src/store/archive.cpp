// SPDX-License-Identifier: Apache-2.0
#include "store/archive.hpp"

namespace amzsync::store {
namespace {

std::int64_t piece_id(std::int64_t number, std::int64_t piece) noexcept { return number * kPiecesPerDocument + piece; }

constexpr std::string_view kColumns = "archive_no, user_no, stream, from_day, until_day, content_type, marketplace, read_until, pieces, run_no, at, rows_from, rows_until";
ArchivedDocument read_document(const Rows& r) {
  return {r.integer(0), r.id<UserNo>(1), r.text(2), day_from(r.integer(3)), day_from(r.integer(4)), r.text(5), r.text(6), r.instant(7), r.integer(8), r.id<RunNo>(9), r.instant(10), r.maybe_days(11, 12)};
}

}  // namespace

std::int64_t begin_archive(const RunTx& run, const ArchivedDocument& d) {
  return run.tx()
      .integer(
          "INSERT INTO archive(user_no, stream, run_no, from_day, until_day, content_type, marketplace, read_until, at, rows_from, rows_until) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING archive_no",
          run.user(), d.stream, run.run(), d.from, d.until, d.content_type, d.marketplace, d.read_until, run.tx().now(), d.rows ? std::optional(d.rows->from) : std::nullopt, d.rows ? std::optional(d.rows->until) : std::nullopt)
      .value_or(0);
}

void append_archive(const RunTx& run, std::int64_t number, std::int64_t piece, std::string_view bytes) {
  run.tx().run("INSERT INTO archive_pieces(piece_id, bytes /*!, user_no */) VALUES(?1, ?2 /*!, ?3 */)", piece_id(number, piece), Blob{bytes}, run.user());
}

void archive_whole(const RunTx& run, std::int64_t number, std::int64_t pieces, std::string_view content_type) {
  run.tx().run("UPDATE archive SET pieces=?2, content_type=?3, whole=1 WHERE archive_no=?1 AND user_no=?4", number, pieces, content_type, run.user());
}

void forget_archived(const RunTx& run, std::int64_t number) { run.tx().run("UPDATE archive SET whole=0, at=0 WHERE user_no=?1 AND archive_no=?2", run.user(), number); }

std::optional<ArchivedDocument> find_archived(Tx& tx, UserNo user, std::int64_t number) {
  static const std::string sql = "SELECT " + std::string(kColumns) + " FROM archive WHERE user_no=?1 AND archive_no=?2 AND whole=1";
  Rows r = tx.rows(sql, user, number);
  if (!r.next()) return std::nullopt;
  return read_document(r);
}

std::optional<std::string> archived_piece(Tx& tx, UserNo user, std::int64_t number, std::int64_t piece) {
  return tx.text("SELECT bytes FROM archive_pieces WHERE piece_id=?1 /*! AND user_no=?2 */", piece_id(number, piece), user);
}

std::vector<ArchivedDocument> archived_documents(Tx& tx, UserNo user, std::string_view stream) {
  static const std::string sql = "SELECT " + std::string(kColumns) + " FROM archive WHERE user_no=?1 AND (?2='' OR stream=?2) AND whole=1 ORDER BY archive_no";
  std::vector<ArchivedDocument> documents;
  Rows r = tx.rows(sql, user, stream);
  while (r.next()) documents.push_back(read_document(r));
  return documents;
}

std::int64_t trim_archive(Tx& tx, Instant before, int limit) {
  std::int64_t old = 0;
  UserNo user;
  {
    Rows r = tx.rows("SELECT archive_no, user_no FROM archive WHERE (at<?1 OR (whole=0 AND at<?2)) AND archive_no NOT IN (SELECT archive_no FROM report_jobs WHERE state<>'over') LIMIT 1", before,
                     tx.now() - std::chrono::hours(24));
    if (!r.next()) return 0;
    old = r.integer(0);
    user = r.id<UserNo>(1);
  }
  const auto removed = tx.run(
      "DELETE FROM archive_pieces WHERE piece_id IN (SELECT piece_id FROM archive_pieces WHERE piece_id>=?1 AND piece_id<?2 /*! AND user_no=?4 */ LIMIT ?3) /*! AND user_no=?4 */",
      piece_id(old, 0), piece_id(old + 1, 0), limit, user);
  if (removed < limit) tx.run("DELETE FROM archive WHERE archive_no=?1 AND user_no=?2", old, user);
  return removed + 1;
}

}  // namespace amzsync::store
