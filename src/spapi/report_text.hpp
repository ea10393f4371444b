// SPDX-License-Identifier: Apache-2.0
// Amazon's flat files as rows of cells, piece by piece (facts 3.4): tabs between cells, a header line first, in one of two dialects.
// Most files quote nothing and hold unbalanced quotes inside titles; files whose header begins with a quote are quoted throughout, and a
// quote in them that nothing closes is text. Pure logic.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/charset.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace amzsync::spapi {
using namespace base;

/// Cuts bytes into rows of cells. The bytes are in any of the three charsets: none has a tab or a line break inside a character.
class TableReader {
 public:
  /// A row's cells as bytes, and the whole line; borrowed for the call. Its error ends the reading.
  using RowFn = std::function<Status(std::span<const std::string_view> cells, std::string_view line)>;

  Status push(std::string_view bytes, const RowFn& row);
  Status finish(const RowFn& row);
  /// Whether what is given now is a last line that nothing ends: of a file that was cut it is a part of a row.
  bool is_unended() const noexcept { return unended_; }

 private:
  /// How a text of the quoted dialect could be cut: every quote in its place, some out of place, or the last one not closed.
  enum class Quotes : std::uint8_t { clean, loose, open };
  Status take(std::string_view line, bool last, const RowFn& row);
  Status single(std::string_view line, const RowFn& row);
  Status give(std::string_view text, const RowFn& row);
  Quotes cut_by_quotes(std::string_view text);
  void cut_by_tabs(std::string_view text);

  std::string rest_;               // a line that is not complete yet
  std::vector<std::string> open_;  // lines of a row whose quotes are not closed yet
  bool first_ = true;
  bool unended_ = false;
  bool quoted_ = false;
  std::size_t width_ = 0;          // cells of the header
  std::vector<std::string> unquoted_;
  std::vector<std::string_view> cells_;
};

/// A column's name as every spelling of it has: small letters and digits only ("Event Type", "event-type" → "eventtype").
std::string column_key(std::string_view header);

/// Days and instants in every form that the reports use: ISO 8601 with any offset, `2026-03-14 08:49:04 UTC`, `MM/DD/YYYY`,
/// `dd.mm.yyyy`, `YYYY-MM`, `MM/YYYY`. A day stands for its first moment in UTC.
std::optional<Instant> parse_report_time(std::string_view text) noexcept;

}  // namespace amzsync::spapi
