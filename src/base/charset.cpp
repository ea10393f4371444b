// SPDX-License-Identifier: Apache-2.0
#include "base/charset.hpp"

#include <iconv.h>

#include <algorithm>
#include <array>

#include "base/crypto.hpp"

namespace amzsync::base {
namespace {

// 0x80 to 0x9F; the five without a character stand for themselves.
constexpr std::array<std::uint16_t, 32> kHigh{0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
                                              0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
                                              0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

std::string from_cp1252(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    const auto b = static_cast<unsigned char>(c);
    const std::uint32_t code = b >= 0x80 && b <= 0x9F ? kHigh[b - 0x80U] : b;
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      out += static_cast<char>(0xE0 | code >> 12);
      out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return out;
}

/// Shift-JIS as Windows writes it; nullopt when the text is none. One converter per thread, because opening one is slow.
std::optional<std::string> from_shift_jis(std::string_view text) {
  struct Converter {
    iconv_t handle = ::iconv_open("UTF-8", "CP932");
    ~Converter() {
      if (handle != reinterpret_cast<iconv_t>(-1)) ::iconv_close(handle);
    }
  };
  thread_local Converter converter;
  if (converter.handle == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  ::iconv(converter.handle, nullptr, nullptr, nullptr, nullptr);
  std::string out(text.size() * 3 + 4, '\0');
  char* from = const_cast<char*>(text.data());   // iconv does not write to it
  char* to = out.data();
  std::size_t from_left = text.size(), to_left = out.size();
  if (::iconv(converter.handle, &from, &from_left, &to, &to_left) == static_cast<std::size_t>(-1)) return std::nullopt;
  out.resize(out.size() - to_left);
  return out;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string_view charset_name(Charset charset) noexcept {
  switch (charset) {
    case Charset::utf8: return "UTF-8";
    case Charset::cp1252: return "Windows-1252";
    case Charset::shift_jis: break;
  }
  return "Shift_JIS";
}

std::optional<Charset> charset_of(std::string_view content_type) noexcept {
  // Letters and digits of what stands behind "charset=", since it is spelt in every way.
  std::string text(content_type);
  std::transform(text.begin(), text.end(), text.begin(), lower);
  const std::size_t at = text.find("charset=");
  if (at == std::string::npos) return std::nullopt;
  std::string name;
  for (std::size_t i = at + 8; i < text.size() && text[i] != ';'; ++i)
    if ((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9')) name += text[i];
  if (name == "utf8") return Charset::utf8;
  if (name == "cp1252" || name == "windows1252" || name == "iso88591" || name == "latin1" || name == "usascii") return Charset::cp1252;
  if (name == "shiftjis" || name == "sjis" || name == "cp932" || name == "windows31j" || name == "ms932" || name == "xsjis" || name == "csshiftjis") return Charset::shift_jis;
  return std::nullopt;
}

std::string to_utf8(std::string_view text, Charset charset) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return std::string(text);
  if (charset == Charset::utf8 && valid_utf8(text)) return std::string(text);
  if (charset == Charset::shift_jis)
    if (auto converted = from_shift_jis(text)) return std::move(*converted);
  return from_cp1252(text);
}

}  // namespace amzsync::base
