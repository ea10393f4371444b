// SPDX-License-Identifier: Apache-2.0
// Writes JSON into a string. Ours because the core writes little (request bodies, events, answers) and needs exact
// decimals for money, which libraries that write doubles can't give.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/money.hpp"
#include "base/time.hpp"

namespace amzsync::base {

class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag) { return raw(flag ? "true" : "false"); }
  template <class Number>
    requires(std::is_integral_v<Number> && !std::is_same_v<Number, bool>)
  JsonWriter& value(Number number) {
    return raw(std::to_string(number));
  }
  JsonWriter& value(Micros amount) { return raw(format_micros(amount)); }
  JsonWriter& value(Instant at) { return value(format_instant(at)); }
  JsonWriter& null() { return raw("null"); }
  /// Ready JSON, written as it is.
  JsonWriter& raw(std::string_view json);

  template <class Value>
  JsonWriter& field(std::string_view name, const Value& v) {
    key(name);
    return value(v);
  }
  JsonWriter& field_raw(std::string_view name, std::string_view json) { return key(name).raw(json); }
  JsonWriter& field_null(std::string_view name) { return key(name).null(); }
  /// Left out when empty.
  JsonWriter& field_if(std::string_view name, std::string_view text) { return text.empty() ? *this : field(name, text); }

  const std::string& text() const& noexcept { return out_; }
  std::string text() && noexcept { return std::move(out_); }

 private:
  void separate();
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  std::string out_;
  bool first_ = true;  // nothing written yet at this level
};

/// A JSON string literal with its quotes. Bytes that are not UTF-8 become question marks.
void append_json_string(std::string& out, std::string_view text);
/// The same of what is known to be UTF-8, as every name and text of a JsonDocument is.
void append_json_utf8(std::string& out, std::string_view utf8);
/// How many bytes at the front of a text stand in a JSON string as they are: no quote, backslash or control character is among them.
std::size_t plain_in_json(std::string_view text) noexcept;

}  // namespace amzsync::base
