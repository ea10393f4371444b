// SPDX-License-Identifier: Apache-2.0
#include "base/json_writer.hpp"

#include <cstring>

#include "base/crypto.hpp"

namespace amzsync::base {

void append_json_string(std::string& out, std::string_view text) {
  if (valid_utf8(text)) {
    append_json_utf8(out, text);
  } else {
    append_json_utf8(out, clean_utf8(text, text.size()));
  }
}

std::size_t plain_in_json(std::string_view text) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101U, kHighs = kOnes << 7;
  std::size_t n = 0;
  // Eight bytes at a look: the highest bit of a byte is set where it is 0 once the character that is looked for is taken off by xor, or is less than a blank.
  for (std::uint64_t eight = 0; n + sizeof eight <= text.size(); n += sizeof eight) {
    std::memcpy(&eight, text.data() + n, sizeof eight);
    const std::uint64_t quote = eight ^ kOnes * '"', backslash = eight ^ kOnes * '\\';
    const std::uint64_t found = ((eight - kOnes * 0x20) & ~eight) | ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash);
    if ((found & kHighs) != 0) break;
  }
  for (; n < text.size(); ++n) {
    const auto c = static_cast<unsigned char>(text[n]);
    if (c < 0x20 || c == '"' || c == '\\') break;
  }
  return n;
}

void append_json_utf8(std::string& out, std::string_view utf8) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (;;) {
    const std::size_t plain = plain_in_json(utf8);
    out.append(utf8, 0, plain);
    if (plain == utf8.size()) break;
    const auto c = static_cast<unsigned char>(utf8[plain]);
    utf8.remove_prefix(plain + 1);
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out += '"';
}

void JsonWriter::separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  first_ = true;  // the value itself brings no comma
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace amzsync::base
