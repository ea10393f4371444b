// SPDX-License-Identifier: Apache-2.0
#include "spapi/report_dataset.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/money.hpp"

namespace amzsync::spapi {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\r')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

/// Whether a number's one mark may part thousands as well as decimals, as in "1,234". That is not guessed where units or money depend on it.
bool is_ambiguous(std::string_view text, char mark) noexcept {
  std::string_view number = trimmed(text);
  if (number.starts_with('-') || number.starts_with('+')) number.remove_prefix(1);
  const std::size_t at = number.find(mark);
  return at != std::string_view::npos && at >= 1 && at <= 3 && number.size() - at == 4 && number.front() != '0' && number.find_first_of(",.") == at && number.find_last_of(",.") == at;
}

/// Numbers as reports write them: with a sign, or with a decimal comma.
std::string plain_number(std::string_view text) {
  std::string number(trimmed(text));
  // Where both separators stand, or one stands several times, it is plain which of them parts thousands.
  const auto commas = std::count(number.begin(), number.end(), ','), dots = std::count(number.begin(), number.end(), '.');
  const auto grouped_by = [&](char c) {
    std::size_t digits = 0, groups = 0;
    for (std::size_t i = number.find(c); i < number.size(); ++i) {
      if (number[i] == c) {
        if (groups++ > 0 && digits != 3) return false;
        digits = 0;
      } else if (number[i] == ',' || number[i] == '.') {
        break;
      } else {
        ++digits;
      }
    }
    return digits == 3;
  };
  if (commas > 1 || (commas > 0 && dots > 0 && number.find(',') < number.find('.'))) {
    if (dots <= 1 && grouped_by(',')) std::erase(number, ',');
  } else if (dots > 1 || (commas > 0 && dots > 0)) {
    if (commas <= 1 && grouped_by('.')) std::erase(number, '.');
  }
  if (number.starts_with('+')) number.erase(0, 1);
  if (number.find('.') == std::string::npos && std::count(number.begin(), number.end(), ',') == 1) number[number.find(',')] = '.';
  if (number.starts_with('.')) number.insert(0, 1, '0');
  if (number.starts_with("-.")) number.insert(1, 1, '0');
  // "0012" is a number here, though not in JSON.
  const std::size_t sign = number.starts_with('-') ? 1 : 0;
  while (number.size() > sign + 1 && number[sign] == '0' && number[sign + 1] >= '0' && number[sign + 1] <= '9') number.erase(sign, 1);
  return number;
}

std::optional<std::int64_t> integer(std::string_view text) {
  // "1.000" is one where the dot parts decimals, and a thousand where files are written with decimal commas. Of money a dot always parts decimals,
  // which has three of them often enough.
  if (is_ambiguous(text, ',') || is_ambiguous(text, '.')) return std::nullopt;
  std::string number = plain_number(text);
  // "2.0" is two.
  if (const std::size_t dot = number.find('.'); dot != std::string::npos && number.find_first_not_of('0', dot + 1) == std::string::npos) number.resize(dot);
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (number.empty() || failed != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return value;
}

bool is_plain_decimal(std::string_view text) noexcept {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  const auto digits = [](std::string_view part) { return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos; };
  return digits(text.substr(0, dot)) && (dot == std::string_view::npos || digits(text.substr(dot + 1)));
}

bool is_no_value(std::string_view cell) noexcept { return cell.empty() || cell == "--" || cell == "N/A"; }

struct Value {
  store::ReportValue value;
  std::string_view fault;   // empty: none
};

Value read(std::string_view cell, CellKind kind, Charset charset) {
  const std::string_view text = trimmed(cell);
  if (kind == CellKind::text) {
    if (text.empty()) return {};
    return {to_utf8(text, charset), {}};
  }
  if (is_no_value(text)) return {};
  if (kind == CellKind::currency) {
    const auto known = Currency::parse(text);
    return {known ? std::string(known->text()) : to_utf8(text, charset), {}};
  }
  switch (kind) {
    case CellKind::integer: {
      const auto number = integer(text);
      return number ? Value{*number, {}} : Value{{}, "number_malformed"};
    }
    case CellKind::amount: {
      if (is_ambiguous(text, ',')) return {{}, fault_name(AmountFault::malformed)};
      const ParsedAmount parsed = parse_amount(plain_number(text));
      return parsed.fault == AmountFault::none ? Value{parsed.micros.value, {}} : Value{{}, fault_name(parsed.fault)};
    }
    case CellKind::decimal: {
      const std::string number = plain_number(text);
      if (!is_plain_decimal(number)) return {{}, "number_malformed"};
      std::string shortest;
      append_canonical_number(shortest, number);
      return {std::move(shortest), {}};
    }
    case CellKind::instant: {
      const auto at = parse_report_time(text);
      return at ? Value{to_us(*at), {}} : Value{{}, "date_unreadable"};
    }
    case CellKind::day: {
      // The day as it is written, whatever offset may stand behind it.
      const auto at = parse_report_time(text.substr(0, text.find('T')));
      return at ? Value{to_number(day_of(*at)), {}} : Value{{}, "date_unreadable"};
    }
    case CellKind::row_number:
    case CellKind::currency:
    case CellKind::text: break;
  }
  return {};
}

Day first_of_month(Day day) {
  const std::chrono::year_month_day date(day);
  return std::chrono::sys_days(date.year() / date.month() / std::chrono::day(1));
}

void append_value(std::string& text, const store::ReportValue& value) {
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string>) {
          text += v;
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          text += std::to_string(v);
        }
      },
      value);
  text += '\x1f';
}

}  // namespace

namespace {

/// Who bought something and where it went: in no report that is known, and in any that may come.
bool is_personal(std::string_view key) {
  for (const std::string_view begin : {"buyer", "recipient", "shipaddress", "shippingaddress", "shipcity", "shippostal", "shipphone", "shipname", "billaddress", "billingaddress", "billcity", "billpostal", "billname",
                                       "customername", "customeremail", "customerphone", "customercomment", "customeraddress"})
    if (key.starts_with(begin)) return true;
  return false;
}

}  // namespace

Status RowDecoder::header(std::span<const std::string_view> cells, std::string_view line) {
  const auto refused = [&] {
    return Error(Code::bad_answer, "The document is not the report " + std::string(dataset_.report_type) + ", it begins: " + clean_utf8(to_utf8(line.substr(0, 200), charset_), 300));
  };
  // UTF-16, or no text at all; or lines that end otherwise, so that the rows would pass for names of columns.
  if (std::any_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; }) || line.find("\xE2\x80\xA8") != std::string_view::npos) return refused();
  std::map<std::string, std::size_t> places;
  file_columns_.clear();
  tells_persons_ = persons_inside_ = false;
  for (const std::string_view cell : cells) {
    const std::string key = column_key(cell);
    places.try_emplace(key, file_columns_.size());
    const bool personal = is_personal(key) || std::find(dataset_.personal.begin(), dataset_.personal.end(), key) != dataset_.personal.end();
    persons_inside_ |= tells_persons_ && !personal;
    tells_persons_ |= personal;
    file_columns_.push_back({key.empty() ? to_utf8(trimmed(cell), charset_) : key, personal ? FileColumn::Use::personal : FileColumn::Use::rest});
  }
  tells_persons_ |= !dataset_.personal.empty();
  places_.clear();
  carried_.assign(dataset_.columns.size(), {});
  rows_ = 0;
  for (const ReportColumn& column : dataset_.columns) {
    std::vector<std::size_t>& of_column = places_.emplace_back();
    for (std::string_view rest = column.headers; !rest.empty();) {
      const std::size_t bar = rest.find('|');
      if (const auto found = places.find(std::string(rest.substr(0, bar))); found != places.end()) of_column.push_back(found->second);
      rest = bar == std::string_view::npos ? std::string_view() : rest.substr(bar + 1);
    }
    if (of_column.empty() && column.required) return refused();
    if (!of_column.empty()) file_columns_[of_column.front()].use = FileColumn::Use::column;
  }
  return Done{};
}

/// The cells by their columns' names, but for personal ones; `all`: also those that have a column of their own. Where a file has personal
/// columns, a cell beyond its header may be a part of one.
std::string RowDecoder::rest_of(std::span<const std::string_view> cells, bool all) const {
  // By name, so that the order of the columns in the file makes no difference.
  std::map<std::string, std::string> rest;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const bool named = i < file_columns_.size();
    if (named && (file_columns_[i].use == FileColumn::Use::personal || (!all && file_columns_[i].use == FileColumn::Use::column))) continue;
    const std::string_view cell = trimmed(cells[i]);
    if (cell.empty() || (!named && tells_persons_)) continue;
    std::string name = named && !file_columns_[i].key.empty() ? file_columns_[i].key : "column" + std::to_string(i + 1);
    while (!rest.emplace(name, to_utf8(cell, charset_)).second) name += '\'';   // a name may stand twice
  }
  JsonWriter json;
  json.begin_object();
  for (const auto& [key, text] : rest) json.field(key, text);
  return std::move(json.end_object()).text();
}

std::string RowDecoder::kept_of(std::span<const std::string_view> cells) const {
  if (!tells_persons_ || cells.size() == file_columns_.size()) return rest_of(cells, true);
  JsonWriter json;
  json.begin_object().field("cells", static_cast<std::int64_t>(cells.size())).end_object();
  return std::move(json).text();
}

DecodedRow RowDecoder::decode(std::span<const std::string_view> cells, bool unended) {
  DecodedRow out;
  ++rows_;
  std::string identity, content;
  std::optional<Day> day;
  bool fault_of_day = false, has_part = false;
  for (std::size_t i = 0; i < dataset_.columns.size(); ++i) {
    const ReportColumn& column = dataset_.columns[i];
    std::string_view cell;
    for (const std::size_t place : places_[i])
      if (place < cells.size() && trimmed(cell).empty()) cell = cells[place];
    if (column.carried) {
      if (!trimmed(cell).empty()) carried_[i] = cell;
      cell = carried_[i];
    }
    Value value = column.kind == CellKind::row_number ? Value{rows_, {}} : read(cell, column.kind, charset_);
    if (!value.fault.empty()) {
      if (column.name == dataset_.day_column) fault_of_day = true;
      JsonWriter raw;
      raw.value(to_utf8(cell, charset_));
      out.row.faults.push_back({std::string(value.fault), std::string(column.name), std::move(raw).text()});
      // What can't be read still tells one row from another.
      (column.role == CellRole::identity ? identity : content) += cell;
    }
    if (column.name == dataset_.day_column)
      if (const auto* number = std::get_if<std::int64_t>(&value.value)) day = column.kind == CellKind::day ? day_from(*number) : day_of(from_us(*number));
    if (column.name == dataset_.part) has_part = std::holds_alternative<std::string>(value.value);
    append_value(column.role == CellRole::identity ? identity : content, value.value);
    out.row.values.push_back(std::move(value.value));
  }
  out.row.detail = rest_of(cells, false);
  out.row.identity = Hash128::of(identity);
  out.row.content = Hash128::of(identity + '\x1e' + content + '\x1e' + out.row.detail);

  if (dataset_.day_column.empty()) {
    out.row.day = store::kSnapshotDay;
  } else if (day) {
    out.row.day = dataset_.whole_months ? first_of_month(*day) : *day;   // some files date a month by its last day
  } else {
    // Without its day a row has no cell to belong to.
    out.readable = false;
    out.row.faults.assign(1, store::Fault{fault_of_day ? "date_unreadable" : "row_without_date", std::string(dataset_.day_column), kept_of(cells)});
  }
  if (persons_inside_ && cells.size() > file_columns_.size()) {
    out.readable = false;
    out.row.faults.assign(1, store::Fault{"row_shifted", std::string(dataset_.columns.front().name), kept_of(cells)});
  }
  if (out.readable && unended && cells.size() < file_columns_.size()) {
    out.readable = false;
    out.row.faults.assign(1, store::Fault{"row_cut", std::string(dataset_.columns.front().name), kept_of(cells)});
  }
  if (out.readable && expected_ && !expected_->contains(out.row.day)) {
    out.readable = false;
    out.row.faults.assign(1, store::Fault{"date_not_asked", std::string(dataset_.day_column), kept_of(cells)});
  }
  if (out.readable && !dataset_.part.empty() && !has_part) {
    out.readable = false;
    out.row.faults.assign(1, store::Fault{"row_without_id", std::string(dataset_.part), kept_of(cells)});
  }
  return out;
}

}  // namespace amzsync::spapi
