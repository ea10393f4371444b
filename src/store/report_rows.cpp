// SPDX-License-Identifier: Apache-2.0
#include "store/report_rows.hpp"

#include <algorithm>

#include "store/changes.hpp"

namespace amzsync::store {
namespace {

/// ?1 user, ?2 day, ?3 identity, ?4 occurrence, ?5 content, ?6 detail, ?7 run, ?8… columns.
constexpr int kFirstColumn = 8;

std::string insert_sql(const ReportTable& table) {
  std::string names = "user_no, day, identity, occurrence, content, detail, run_no", places = "?1, ?2, ?3, ?4, ?5, ?6, ?7";
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    names += ", " + std::string(table.columns[i]);
    places += ", ?" + std::to_string(kFirstColumn + static_cast<int>(i));
  }
  return "INSERT INTO " + std::string(table.name) + "(" + names + ") VALUES(" + places + ") ON CONFLICT (user_no, day, identity, occurrence) DO NOTHING RETURNING row_id";
}

/// The same places; ?4 is the row's number.
std::string update_sql(const ReportTable& table) {
  std::string sets = "content=?5, detail=?6, run_no=?7";
  for (std::size_t i = 0; i < table.columns.size(); ++i) sets += ", " + std::string(table.columns[i]) + "=?" + std::to_string(kFirstColumn + static_cast<int>(i));
  // A row that says so already is not written.
  std::string differs = "content IS DISTINCT FROM ?5 OR detail IS DISTINCT FROM ?6";
  for (std::size_t i = 0; i < table.columns.size(); ++i) differs += " OR " + std::string(table.columns[i]) + " IS DISTINCT FROM ?" + std::to_string(kFirstColumn + static_cast<int>(i));
  return "UPDATE " + std::string(table.name) + " SET " + sets + " WHERE row_id=?4 AND user_no=?1 AND day=?2 AND identity=?3 AND (" + differs + ") RETURNING row_id";
}

void bind_report_value(Statement& s, int place, const ReportValue& value) {
  std::visit(
      [&](const auto& v) {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::monostate>) {
          s.bind_null(place, SqlType::any);
        } else {
          bind_value(s, place, v);
        }
      },
      value);
}

}  // namespace

std::vector<StoredRow> stored_rows(Tx& tx, UserNo user, const ReportTable& table, std::span<const Day> days, const std::set<std::string>* parts) {
  std::vector<StoredRow> rows;
  const std::string sql = "SELECT row_id, identity, content, occurrence" + (parts ? ", " + std::string(table.part) : std::string()) + " FROM " + std::string(table.name) + " WHERE user_no=?1 AND day=?2";
  for (const Day day : days) {
    Rows r = tx.rows(sql, user, day);
    while (r.next())
      if (!parts || parts->contains(r.text(4))) rows.push_back({r.integer(0), day, Hash128::from(r.view(1)), Hash128::from(r.view(2)), static_cast<std::uint32_t>(r.integer(3))});
  }
  return rows;
}

namespace {

/// What a row says is kept before it is written over by something else (?3), or goes.
std::string keep_sql(const ReportTable& table) {
  std::string columns, values;
  for (const std::string_view column : table.kept) {
    columns += ", " + std::string(column);
    values += ", t." + std::string(column);
  }
  const std::string name(table.name);
  return "INSERT INTO " + std::string(table.history) + "(user_no, row_id, since_at, until_at" + columns + ") SELECT t.user_no, t.row_id, coalesce(r.started_at, c.read_at), c.read_at" + values + " FROM " + name +
         " t JOIN cells c ON c.user_no=t.user_no AND c.stream='" + name + "' AND c.day=t.day LEFT JOIN runs r ON r.run_no=t.run_no WHERE t.user_no=?1 AND t.row_id=?2 AND t.content<>?3 AND c.read_at IS NOT NULL "
         "ON CONFLICT (user_no, row_id, until_at) DO NOTHING";
}

}  // namespace

Counts write_report_rows(const RunTx& run, const ReportTable& table, std::span<const RowChange> changes, std::optional<RunNo> told_by) {
  Tx& tx = run.tx();
  Counts counts;
  const std::string insert = insert_sql(table), update = update_sql(table);
  ChangeLog log(tx, run.user(), table.name);
  std::vector<std::optional<std::int64_t>> written(changes.size());   // the row's number; none: it was there, or said so already
  for (std::size_t n = 0; n < changes.size(); ++n) {
    const RowChange& change = changes[n];
    const ReportRow& row = *change.row;
    if (change.replaces && !table.history.empty()) tx.post(keep_sql(table), run.user(), *change.replaces, row.content);
    Statement& s = tx.statement(change.replaces ? update : insert);
    bind_value(s, 1, run.user());
    bind_value(s, 2, row.day);
    bind_value(s, 3, row.identity);
    bind_value(s, 4, change.replaces ? *change.replaces : static_cast<std::int64_t>(change.occurrence));
    bind_value(s, 5, row.content);
    bind_value(s, 6, row.detail);
    bind_value(s, 7, told_by.value_or(run.run()));
    for (std::size_t i = 0; i < row.values.size(); ++i) bind_report_value(s, kFirstColumn + static_cast<int>(i), row.values[i]);
    s.post([&written, n](std::optional<std::int64_t> number) { written[n] = number; });
  }
  tx.settle();
  for (std::size_t n = 0; n < changes.size(); ++n) {
    if (!written[n]) continue;
    log.put(*written[n]);
    ++(changes[n].replaces ? counts.changed : counts.added);
    for (const Fault& fault : changes[n].row->faults)
      if (quarantine(run, table.name, changes[n].row->day, std::nullopt, fault, changes[n].row->identity)) ++counts.rejected;
  }
  log.write();
  return counts;
}

namespace {

Counts remove_rows(const RunTx& run, const ReportTable& table, std::span<const std::int64_t> gone) {
  Counts counts;
  const std::string remove = "DELETE FROM " + std::string(table.name) + " WHERE row_id=?1 AND user_no=?2";
  ChangeLog log(run.tx(), run.user(), table.name);
  for (const std::int64_t row : gone) {
    if (!table.history.empty()) run.tx().post(keep_sql(table), run.user(), row, Hash128{});
    if (run.tx().run(remove, row, run.user()) > 0) {
      log.gone(row);
      ++counts.removed;
    }
  }
  log.write();
  return counts;
}

/// What stands of a day once a document has been read: where several documents tell of one, all of them.
ReportDay as_stored(const RunTx& run, const ReportTable& table, const ReportDay& day) {
  if (table.part.empty()) return day;
  return {day.day, run.tx().integer("SELECT count(*) FROM " + std::string(table.name) + " WHERE user_no=?1 AND day=?2", run.user(), day.day).value_or(0), {}};
}

}  // namespace

Counts close_report_days(const RunTx& run, const ReportTable& table, std::span<const ReportDay> days, std::span<const std::int64_t> gone, Day settle_before, Instant read_until, ToldBy by) {
  Tx& tx = run.tx();
  const Counts counts = remove_rows(run, table, gone);
  for (const ReportDay& told : days) {
    const ReportDay day = as_stored(run, table, told);
    tx.run(
        "INSERT INTO cells(user_no, stream, day, state, row_count, digest, read_until, first_read_at, read_at, changed_at, by_word) VALUES(?1, ?2, ?3, CASE WHEN ?9=2 THEN 'assumed' ELSE 'provisional' END, ?5, ?6, ?7, ?8, ?8, ?8, ?9) "
        "ON CONFLICT (user_no, stream, day) DO UPDATE SET state=CASE WHEN excluded.by_word=2 THEN 'assumed' WHEN cells.digest=excluded.digest AND ?3<?4 THEN 'settled' ELSE 'provisional' END, row_count=excluded.row_count, digest=excluded.digest, read_until=excluded.read_until, "
        "first_read_at=coalesce(cells.first_read_at, excluded.first_read_at), read_at=excluded.read_at, "
        "changed_at=CASE WHEN cells.digest=excluded.digest THEN cells.changed_at ELSE excluded.changed_at END, "
        "by_word=CASE WHEN excluded.by_word=0 THEN 0 WHEN cells.digest IS NULL THEN excluded.by_word WHEN excluded.by_word=1 THEN cells.by_word WHEN cells.by_word IN (0, 3) THEN 3 ELSE 2 END",
        run.user(), table.name, day.day, settle_before, day.count, day.digest, day.day == kSnapshotDay ? read_until : std::min(read_until, Instant(day.day + std::chrono::days(1))),
        tx.now(), static_cast<std::int64_t>(by));
  }
  return counts;
}

void assume_empty(const RunTx& run, const ReportTable& table, std::span<const ReportDay> days, Instant sure_if_told_before) {
  for (const ReportDay& day : days)
    run.tx().run("UPDATE cells SET state='assumed' WHERE user_no=?1 AND stream=?2 AND day=?3 AND row_count=0 AND first_read_at>=?4", run.user(), table.name, day.day, sure_if_told_before);
}

Counts recount_report_days(const RunTx& run, const ReportTable& table, std::span<const ReportDay> days, std::span<const std::int64_t> gone) {
  const Counts counts = remove_rows(run, table, gone);
  for (const ReportDay& told : days) {
    const ReportDay day = as_stored(run, table, told);
    run.tx().run("UPDATE cells SET row_count=?4, digest=?5 WHERE user_no=?1 AND stream=?2 AND day=?3 AND digest IS NOT NULL", run.user(), table.name, day.day, day.count, day.digest);
  }
  return counts;
}

Counts upsert_report_rows(const RunTx& run, const ReportTable& table, std::span<const ReportRow> rows) {
  Counts counts;
  const std::string find = "SELECT row_id, content FROM " + std::string(table.name) + " WHERE user_no=?1 AND day=?2 AND identity=?3 AND occurrence=0";
  std::vector<RowChange> changes;
  for (const ReportRow& row : rows) {
    ++counts.fetched;
    RowChange change{&row, 0, std::nullopt};
    Rows r = run.tx().rows(find, run.user(), row.day, row.identity);
    if (r.next()) {
      if (r.view(1) == row.content.view()) {
        ++counts.unchanged;
        continue;
      }
      change.replaces = r.integer(0);
    }
    changes.push_back(change);
  }
  counts += write_report_rows(run, table, changes);
  return counts;
}

Counts rewrite_report_rows(const RunTx& run, const ReportTable& table, std::span<const ReportRow> rows, RunNo told_by) {
  Counts counts;
  const std::string find = "SELECT row_id, run_no FROM " + std::string(table.name) + " WHERE user_no=?1 AND day=?2 AND identity=?3 AND occurrence=0";
  std::vector<RowChange> changes;
  for (const ReportRow& row : rows) {
    ++counts.fetched;
    RowChange change{&row, 0, std::nullopt};
    Rows r = run.tx().rows(find, run.user(), row.day, row.identity);
    if (r.next()) {
      if (r.integer(1) > told_by.value) continue;
      change.replaces = r.integer(0);
    }
    changes.push_back(change);
  }
  counts += write_report_rows(run, table, changes, told_by);
  counts.unchanged = counts.fetched - counts.added - counts.changed;
  return counts;
}

Counts keep_strays(const RunTx& run, const ReportTable& table, std::span<const Stray> strays) {
  Counts counts;
  const std::string find = "SELECT count(*) FROM " + std::string(table.name) + " WHERE user_no=?1 AND day=?2 AND identity=?3 AND content=?4";
  for (const Stray& stray : strays) {
    if (run.tx().integer(find, run.user(), stray.day, stray.identity, stray.content).value_or(0) > stray.equal) continue;
    if (!quarantine(run, table.name, stray.day, std::nullopt, stray.fault, stray.about, StrayOf{stray.identity, stray.occurrence})) continue;
    ++counts.fetched;
    ++counts.rejected;
  }
  return counts;
}

void settle_strays(const RunTx& run, const ReportTable& table) {
  const std::string name(table.name);
  std::int64_t of_run = 0;
  Rows r = run.tx().rows("DELETE FROM quarantine WHERE user_no=?1 AND stream=?2 AND identity IS NOT NULL AND (SELECT count(*) FROM " + name +
                             " t WHERE t.user_no=?1 AND t.day=quarantine.day AND t.identity=quarantine.identity)>occurrence AND EXISTS (SELECT 1 FROM cells c WHERE c.user_no=?1 AND c.stream=?2 AND c.day=quarantine.day AND c.read_at>=quarantine.at) RETURNING run_no",
                         run.user(), table.name);
  while (r.next()) of_run += r.integer(0) == run.run().value ? 1 : 0;
  Counts less;
  less.fetched = less.rejected = -of_run;
  if (of_run > 0) add_counts(run, table.name, less);
}

void trim_report_history(Tx& tx, Instant before) { tx.run("DELETE FROM fee_preview_history WHERE until_at<?1", before); }

std::int64_t report_row_count(Tx& tx, UserNo user, const ReportTable& table) {
  return tx.integer("SELECT count(*) FROM " + std::string(table.name) + " WHERE user_no=?1", user).value_or(0);
}

}  // namespace amzsync::store
