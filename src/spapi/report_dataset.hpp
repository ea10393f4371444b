// SPDX-License-Identifier: Apache-2.0
// What one kind of report holds and how it is asked for. A dataset is a table of columns (one file under src/spapi/reports) and an
// entry in the list of streams; how it is fetched, read and stored is the same for all.
#pragma once

#include <span>
#include <string_view>

#include "spapi/report_text.hpp"
#include "store/report_rows.hpp"

namespace amzsync::spapi {

enum class CellKind : std::uint8_t {
  text,
  currency,  ///< three capital letters, however the file spells them; what is none stays as it is
  integer,
  amount,    ///< micros; the currency stands in a column of its own
  decimal,   ///< kept as the text of the number: weights and sizes, which are no money
  instant,   ///< microseconds
  day,       ///< days
  row_number ///< of the row in the file, from 1; the file has no such column
};

enum class CellRole : std::uint8_t {
  identity,  ///< one of those that make a row the row it is
  content    ///< may change while the row stays
};

struct ReportColumn {
  std::string_view name;      ///< of the table's column
  std::string_view headers;   ///< column keys in the file, the first that is there, with '|' between
  CellKind kind = CellKind::text;
  CellRole role = CellRole::content;
  bool required = false;      ///< a file without this column is no such report
  bool carried = false;       ///< stands once, and in later rows is empty: those have the value of the row above
};

struct ReportOption {
  std::string_view name, value;
};

struct ReportDataset {
  std::string_view stream;        ///< also the table's name
  std::string_view report_type;   ///< of Reports 2021-06-30
  std::span<const ReportColumn> columns;
  std::string_view day_column;    ///< column whose day is a row's cell; empty: a snapshot, all of it one cell
  std::span<const ReportOption> options{};

  int widest_days = 31;           ///< one request
  int read_again_days = 75;       ///< days younger than that are read anew each time
  Duration cadence = std::chrono::hours(24);  ///< Amazon makes it no more often
  /// Days asked for on both sides of those that are stored, where the file's days are local ones: the days at the edge of a
  /// request may be short.
  int edge_days = 0;
  Duration patience = std::chrono::hours(4);   ///< one that was not made by then is given up: reports were seen that never end
  bool whole_months = false;      ///< windows begin on the first of a month
  /// Amazon makes it by itself and it can't be asked for: the list of reports tells of it, one document at a time.
  bool listed = false;
  /// Column that all rows of one document share and no other document has, where days are shared by several documents. Such a document
  /// replaces its own rows only.
  std::string_view part{};
  /// A table that keeps what rows said before they changed or went, and the columns that it keeps. Empty: none does.
  std::string_view history{};
  std::span<const std::string_view> kept{};
  /// Personal columns, by key; never stored. The document of such a report goes once it was read.
  std::span<const std::string_view> personal{};
};

/// One row on its way into the table.
struct DecodedRow {
  store::ReportRow row;
  bool readable = true;           ///< false: only its faults are to be kept
};

/// Turns rows of cells into rows of a dataset's table, by the file's own header.
class RowDecoder {
 public:
  RowDecoder(const ReportDataset& dataset, Charset charset) : dataset_(dataset), charset_(charset) {}

  /// The header line. Errors: bad_answer when a required column is missing (then the document is no such report: Amazon puts error
  /// texts in its place); the sentence holds the line.
  Status header(std::span<const std::string_view> cells, std::string_view line);
  /// Rows of other days can't be: their dates were misread, or it is another report.
  void expect(DayRange days) { expected_ = days; }
  /// `unended`: nothing ends its line. Where it is not as wide as the header then, the file was cut inside it.
  DecodedRow decode(std::span<const std::string_view> cells, bool unended = false);
  /// Whether the file has columns that are personal, so that it is not to be kept.
  bool tells_persons() const noexcept { return tells_persons_; }
  /// What is kept of a row that is not stored, as JSON. Where a file has personal columns and the row is not as wide as its header, nobody knows which of its
  /// cells hold what a buyer wrote.
  std::string kept_of(std::span<const std::string_view> cells) const;

 private:
  /// What becomes of a column of the file.
  struct FileColumn {
    enum class Use : std::uint8_t { column, rest, personal };
    std::string key;
    Use use = Use::rest;
  };
  std::string rest_of(std::span<const std::string_view> cells, bool all) const;

  const ReportDataset& dataset_;
  Charset charset_;
  std::vector<FileColumn> file_columns_;
  std::vector<std::vector<std::size_t>> places_;   // of each of the dataset's columns in the file, the first that holds something counts; empty: absent
  std::vector<std::string> carried_;       // what each carried column said last
  std::int64_t rows_ = 0;
  bool tells_persons_ = false;
  bool persons_inside_ = false;            // a personal column stands before another one: a row that is too wide may show it in that one's place
  std::optional<DayRange> expected_;
};

}  // namespace amzsync::spapi
