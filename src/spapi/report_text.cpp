// SPDX-License-Identifier: Apache-2.0
#include "spapi/report_text.hpp"

#include <algorithm>
#include <cstring>

namespace amzsync::spapi {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::size_t kLongestLine = 4U << 20;   // a line that is longer is no row of any report

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
  if (!y || !m || !d) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year(*y), std::chrono::month(static_cast<unsigned>(*m)), std::chrono::day(static_cast<unsigned>(*d))};
  if (!day.ok()) return std::nullopt;
  return Instant(std::chrono::sys_days(day));
}

}  // namespace

/// In the quoted dialect a line break may stand inside quotes; then the row goes on.
bool TableReader::ends_inside_quotes(std::string_view text) const { return quoted_ && std::count(text.begin(), text.end(), '"') % 2 == 1; }

Status TableReader::push(std::string_view bytes, const RowFn& row) {
  while (!bytes.empty()) {
    const auto* end = static_cast<const char*>(std::memchr(bytes.data(), '\n', bytes.size()));
    if (!end) {
      rest_ += bytes;
      if (rest_.size() > kLongestLine) return Error(Code::bad_answer, "A report holds a line that is longer than 4 MB.");
      return Done{};
    }
    const std::string_view piece = bytes.substr(0, static_cast<std::size_t>(end - bytes.data()) + 1);
    bytes.remove_prefix(piece.size());
    if (rest_.empty() && !ends_inside_quotes(piece)) {
      AMZ_CHECK(line(piece, row));
      continue;
    }
    rest_ += piece;
    if (rest_.size() > kLongestLine) return Error(Code::bad_answer, "A report holds a line that is longer than 4 MB.");
    if (ends_inside_quotes(rest_)) continue;
    const std::string whole = std::move(rest_);
    rest_.clear();
    AMZ_CHECK(line(whole, row));
  }
  return Done{};
}

Status TableReader::finish(const RowFn& row) {
  if (rest_.empty()) return Done{};
  const std::string last = std::move(rest_);
  rest_.clear();
  return line(last, row);
}

Status TableReader::line(std::string_view text, const RowFn& row) {
  if (first_ && text.starts_with(kBom)) text.remove_prefix(kBom.size());
  text = without_end(text);
  if (text.empty()) return Done{};
  if (std::exchange(first_, false)) quoted_ = text.front() == '"';
  cells_.clear();
  unquoted_.clear();
  if (!quoted_) {
    for (std::string_view rest = text;;) {
      const std::size_t tab = rest.find('\t');
      cells_.push_back(rest.substr(0, tab));
      if (tab == std::string_view::npos) break;
      rest.remove_prefix(tab + 1);
    }
    return row(cells_, text);
  }
  std::string cell;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inside && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      cell += '"';
      ++i;
    } else if (c == '"' && (inside || cell.empty())) {
      inside = !inside;
    } else if (c == '\t' && !inside) {
      unquoted_.push_back(std::move(cell));
      cell.clear();
    } else {
      cell += c;
    }
  }
  unquoted_.push_back(std::move(cell));
  for (const std::string& c : unquoted_) cells_.emplace_back(c);
  return row(cells_, text);
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
