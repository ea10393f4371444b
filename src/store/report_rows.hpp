// SPDX-License-Identifier: Apache-2.0
// Rows of reports. Every report has a table of its own; how rows are told apart, replaced and counted is the same for all: a row
// belongs to a day (its cell), is the row it is by its identity and its number among equals within that day, and a day that was
// read whole is replaced as a difference.
#pragma once

#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/crypto.hpp"
#include "store/money_rows.hpp"
#include "store/runs.hpp"

namespace amzsync::store {

/// The cell of what has no days: a snapshot is replaced as a whole.
constexpr Day kSnapshotDay{};

using ReportValue = std::variant<std::monostate, std::int64_t, std::string>;

/// A table of the schema that holds a report: its name, and its columns beside those that every such table has.
struct ReportTable {
  std::string_view name;                  ///< also the stream's
  std::vector<std::string_view> columns;
  /// A column: rows that have the same value there came in one document, and no other document tells of them. Empty: days are told whole.
  std::string_view part{};
  /// Where what a row said is kept when it changes or goes, with the times between which it was told, and which columns of it.
  std::string_view history{};
  std::span<const std::string_view> kept{};
};

struct ReportRow {
  Day day{};
  Hash128 identity;                       ///< of what does not change
  Hash128 content;                        ///< of everything
  std::vector<ReportValue> values;        ///< in the order of the table's columns
  std::string detail;                     ///< JSON of the file's other columns
  std::vector<Fault> faults;
};

/// A stored row, as far as a comparison needs it.
struct StoredRow {
  std::int64_t row_id = 0;
  Day day{};
  Hash128 identity, content;
  std::uint32_t occurrence = 0;
};
/// Rows of the given days (sorted), in no order; with `parts` of those alone.
std::vector<StoredRow> stored_rows(Tx& tx, UserNo user, const ReportTable& table, std::span<const Day> days, const std::set<std::string>* parts = nullptr);

/// A row that came in the report of other days than its own, which has a report too.
struct Stray {
  Day day{};
  Hash128 identity, content;
  std::uint32_t occurrence = 0, equal = 0;   ///< how many of its identity, and of its content, the document shows before it
  Fault fault;
  Hash128 about;   ///< for quarantine
};
/// Keeps those in quarantine that are not stored as they are, or not as often as the document shows them.
Counts keep_strays(const RunTx& run, const ReportTable& table, std::span<const Stray> strays);
/// Takes those out of it that their own day's report has told since, be it as something else, and off the counts of this run, if they are in them.
void settle_strays(const RunTx& run, const ReportTable& table);

/// A row that is new, or differs from the stored one that it takes the place of.
struct RowChange {
  const ReportRow* row = nullptr;
  std::uint32_t occurrence = 0;
  std::optional<std::int64_t> replaces;   ///< row_id
};
/// `told_by`: the run that told them, where it is not this one.
Counts write_report_rows(const RunTx& run, const ReportTable& table, std::span<const RowChange> changes, std::optional<RunNo> told_by = std::nullopt);

/// What a complete document showed of one day.
struct ReportDay {
  Day day{};
  std::int64_t count = 0;
  Hash128 digest;                         ///< order-free sum over its rows
};
/// Ends the reading of days: rows that the document did not show go, digest and coverage are written. Days before `settle_before` are
/// settled if they are found as they were.
Counts close_report_days(const RunTx& run, const ReportTable& table, std::span<const ReportDay> days, std::span<const std::int64_t> gone, Day settle_before, Instant read_until, ToldBy by = ToldBy::rows);

/// Of such days, those that are empty for want of a report and were not told so before `sure_if_told_before`: to be asked for once more.
void assume_empty(const RunTx& run, const ReportTable& table, std::span<const ReportDay> days, Instant sure_if_told_before);

/// The same of days that were read before, from the document of that reading: when it was, and how settled they are, stays.
Counts recount_report_days(const RunTx& run, const ReportTable& table, std::span<const ReportDay> days, std::span<const std::int64_t> gone);

/// Writes rows of which a listing tells only those that changed: each takes the place of the one of its identity, and none goes.
Counts upsert_report_rows(const RunTx& run, const ReportTable& table, std::span<const ReportRow> rows);
/// Such rows as an earlier run was told them, decoded anew: written where they differ. What a later run wrote stays.
Counts rewrite_report_rows(const RunTx& run, const ReportTable& table, std::span<const ReportRow> rows, RunNo told_by);

/// Forgets what rows said that was last told before then.
void trim_report_history(Tx& tx, Instant before);

std::int64_t report_row_count(Tx& tx, UserNo user, const ReportTable& table);

}  // namespace amzsync::store
