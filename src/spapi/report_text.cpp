// SPDX-License-Identifier: Apache-2.0
#include "spapi/report_text.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <iterator>

namespace amzsync::spapi {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::size_t kLongestLine = 4U << 20;   // a line that is longer is no row of any report
constexpr std::size_t kMostLinesOfRow = 50;      // a row of the quoted dialect; beyond that its quote was never meant to be closed

std::string_view without_end(std::string_view line) noexcept {
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  return line;
}

std::optional<int> digits(std::string_view text) noexcept {
  if (text.empty() || text.size() > 4) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<Instant> date(std::optional<int> y, std::optional<int> m, std::optional<int> d) noexcept {
  constexpr int kFirstYear = 1990;   // a year in two digits is not guessed at
  if (!y || *y < kFirstYear || !m || !d) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year(*y), std::chrono::month(static_cast<unsigned>(*m)), std::chrono::day(static_cast<unsigned>(*d))};
  if (!day.ok()) return std::nullopt;
  return Instant(std::chrono::sys_days(day));
}

}  // namespace

Status TableReader::push(std::string_view bytes, const RowFn& row) {
  while (!bytes.empty()) {
    const auto* end = static_cast<const char*>(std::memchr(bytes.data(), '\n', bytes.size()));
    const std::string_view piece = bytes.substr(0, end ? static_cast<std::size_t>(end - bytes.data()) + 1 : bytes.size());
    bytes.remove_prefix(piece.size());
    if (rest_.size() + piece.size() > kLongestLine) return Error(Code::bad_answer, "A report holds a line that is longer than 4 MB.");
    if (!end) {
      rest_ += piece;
    } else if (rest_.empty()) {
      AMZ_CHECK(take(piece, false, row));
    } else {
      const std::string whole = std::move(rest_) + std::string(piece);
      rest_.clear();
      AMZ_CHECK(take(whole, false, row));
    }
  }
  return Done{};
}

Status TableReader::finish(const RowFn& row) {
  const std::string last = std::move(rest_);
  rest_.clear();
  unended_ = !last.empty();
  return take(last, true, row);
}

/// A line: a row, or in the quoted dialect a piece of one, since a line break may stand inside quotes. Lines that do not join into a row as
/// wide as the header are rows one by one: then a quote was text, and would take the rows behind it with it.
Status TableReader::take(std::string_view line, bool last, const RowFn& row) {
  if (open_.empty()) {
    if (!quoted_ || without_end(line).empty()) return single(line, row);
    const Quotes quotes = cut_by_quotes(line);
    if (quotes == Quotes::clean && unquoted_.size() == width_) return give(line, row);
    if (quotes != Quotes::open) return single(line, row);
  }
  std::deque<std::string> waiting{std::string(line)};
  while (!waiting.empty() || (last && !open_.empty())) {
    if (!waiting.empty()) {
      open_.push_back(std::move(waiting.front()));
      waiting.pop_front();
    }
    std::string joined;
    for (const std::string& piece : open_) joined += piece;
    const Quotes quotes = cut_by_quotes(joined);
    if (quotes == Quotes::clean && unquoted_.size() == width_) {
      open_.clear();
      AMZ_CHECK(give(joined, row));
    } else if (quotes != Quotes::open || open_.size() == kMostLinesOfRow || joined.size() > kLongestLine || (last && waiting.empty())) {
      const std::string first = std::move(open_.front());
      waiting.insert(waiting.begin(), std::make_move_iterator(open_.begin() + 1), std::make_move_iterator(open_.end()));
      open_.clear();
      AMZ_CHECK(single(first, row));
    }
  }
  return Done{};
}

/// A line that is a row by itself.
Status TableReader::single(std::string_view text, const RowFn& row) {
  if (first_ && text.starts_with(kBom)) text.remove_prefix(kBom.size());
  text = without_end(text);
  if (text.empty()) return Done{};
  const bool header = std::exchange(first_, false);
  if (header) quoted_ = text.front() == '"';
  if (!quoted_) {
    cells_.clear();
    for (std::string_view rest = text;;) {
      const std::size_t tab = rest.find('\t');
      cells_.push_back(rest.substr(0, tab));
      if (tab == std::string_view::npos) return row(cells_, text);
      rest.remove_prefix(tab + 1);
    }
  }
  const Quotes quotes = cut_by_quotes(text);
  if (header) {
    width_ = unquoted_.size();
  } else if (quotes != Quotes::clean || unquoted_.size() != width_) {
    // Where the quotes do not say it, the tabs may.
    cut_by_tabs(text);
    if (unquoted_.size() != width_ && quotes != Quotes::open) cut_by_quotes(text);
  }
  return give(text, row);
}

Status TableReader::give(std::string_view text, const RowFn& row) {
  cells_.assign(unquoted_.begin(), unquoted_.end());
  return row(cells_, without_end(text));
}

/// Tabs and line breaks are text inside quotes, and quotes stand doubled there.
TableReader::Quotes TableReader::cut_by_quotes(std::string_view text) {
  text = without_end(text);
  unquoted_.clear();
  std::string cell;
  bool inside = false, loose = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inside && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      cell += '"';
      ++i;
    } else if (c == '"' && (inside || cell.empty())) {
      loose |= inside && i + 1 < text.size() && text[i + 1] != '\t';
      inside = !inside;
    } else if (c == '\t' && !inside) {
      unquoted_.push_back(std::move(cell));
      cell.clear();
    } else {
      cell += c;
    }
  }
  unquoted_.push_back(std::move(cell));
  return inside ? Quotes::open : loose ? Quotes::loose : Quotes::clean;
}

/// Every tab parts two cells, whatever the quotes say.
void TableReader::cut_by_tabs(std::string_view text) {
  unquoted_.clear();
  for (;;) {
    const std::size_t tab = text.find('\t');
    std::string_view cell = text.substr(0, tab);
    const bool quoted = cell.starts_with('"');
    if (quoted) cell.remove_prefix(1);
    if (quoted && cell.ends_with('"')) cell.remove_suffix(1);
    std::string& out = unquoted_.emplace_back();
    for (std::size_t i = 0; i < cell.size(); ++i) {
      out += cell[i];
      if (quoted && cell.substr(i, 2) == "\"\"") ++i;
    }
    if (tab == std::string_view::npos) return;
    text.remove_prefix(tab + 1);
  }
}

std::string column_key(std::string_view header) {
  std::string key;
  for (const char c : header) {
    if (c >= 'A' && c <= 'Z') key += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) key += c;
  }
  return key;
}

std::optional<Instant> parse_report_time(std::string_view text) noexcept {
  if (text.ends_with(" UTC")) text.remove_suffix(4);
  if (const auto at = parse_instant(text)) return at;
  // Dates of another form than ISO's may have a time behind them.
  if (const std::size_t blank = text.find(' '); blank != std::string_view::npos && text.find_first_of("/.") < blank) {
    const auto day = parse_report_time(text.substr(0, blank));
    // As the time of any day, since the ISO reader knows times.
    const auto time = parse_instant("1970-01-01T" + std::string(text.substr(blank + 1)) + "Z");
    if (!day || !time) return std::nullopt;
    return *day + time->time_since_epoch();
  }
  // 03/31/2026, 03/2026
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const std::size_t second = text.find('/', slash + 1);
    if (second == std::string_view::npos) return date(digits(text.substr(slash + 1)), digits(text.substr(0, slash)), 1);
    return date(digits(text.substr(second + 1)), digits(text.substr(0, slash)), digits(text.substr(slash + 1, second - slash - 1)));
  }
  // 31.03.2026
  if (const std::size_t dot = text.find('.'); dot != std::string_view::npos) {
    const std::size_t second = text.find('.', dot + 1);
    if (second == std::string_view::npos) return std::nullopt;
    return date(digits(text.substr(second + 1)), digits(text.substr(dot + 1, second - dot - 1)), digits(text.substr(0, dot)));
  }
  // 2026-03
  if (text.size() == 7 && text[4] == '-') return date(digits(text.substr(0, 4)), digits(text.substr(5)), 1);
  return std::nullopt;
}

}  // namespace amzsync::spapi
