// SPDX-License-Identifier: Apache-2.0
#include "base/money.hpp"

#include <charconv>
#include <limits>

namespace amzsync::base {
namespace {

constexpr int kScale = 6;  // micros: six digits behind the point

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<Currency> Currency::parse(std::string_view text) noexcept {
  if (text.size() != 3) return std::nullopt;
  Currency currency;
  for (std::size_t i = 0; i < 3; ++i) {
    char c = text[i];
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c < 'A' || c > 'Z') return std::nullopt;
    currency.letters_[i] = c;
  }
  return currency;
}

ParsedAmount parse_amount(std::string_view text) noexcept {
  const ParsedAmount malformed{{}, AmountFault::malformed};
  std::size_t i = 0;
  const bool negative = i < text.size() && text[i] == '-';
  if (negative) ++i;

  // Collect the significant digits as one integer and the place of the decimal point as an exponent.
  std::uint64_t digits = 0;
  int exponent = 0;
  bool dropped_nonzero = false;  // a digit that no longer fits in `digits` but is not zero
  auto take = [&](char c, bool fraction) {
    const auto d = static_cast<unsigned>(c - '0');
    if (digits > (std::numeric_limits<std::uint64_t>::max() - d) / 10) {
      dropped_nonzero |= d != 0;
      if (!fraction) ++exponent;
      return;
    }
    digits = digits * 10 + d;
    if (fraction) --exponent;
  };

  const std::size_t int_start = i;
  while (i < text.size() && is_digit(text[i])) take(text[i++], false);
  const std::size_t int_digits = i - int_start;
  if (int_digits == 0 || (int_digits > 1 && text[int_start] == '0')) return malformed;
  if (i < text.size() && text[i] == '.') {
    const std::size_t start = ++i;
    while (i < text.size() && is_digit(text[i])) take(text[i++], true);
    if (i == start) return malformed;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    const bool minus = i < text.size() && text[i] == '-';
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    int value = 0;
    const char* begin = text.data() + i;
    const char* end = text.data() + text.size();
    auto [rest, ec] = std::from_chars(begin, end, value);
    if (rest == begin || !is_digit(*begin)) return malformed;
    if (ec == std::errc::result_out_of_range) value = 1'000'000;
    i = static_cast<std::size_t>(rest - text.data());
    value = value > 1'000'000 ? 1'000'000 : value;
    exponent += minus ? -value : value;
  }
  if (i != text.size()) return malformed;

  if (digits == 0) return {};
  // Bring digits·10^exponent to micros without losing a digit.
  int shift = exponent + kScale;
  // Nineteen digits and more behind them: either too large, or finer than micros.
  if (dropped_nonzero) return {{}, shift >= 0 ? AmountFault::out_of_range : AmountFault::finer_than_micros};
  for (; shift < 0 && digits % 10 == 0; ++shift) digits /= 10;
  if (shift < 0) return {{}, AmountFault::finer_than_micros};
  for (; shift > 0; --shift) {
    if (digits > std::numeric_limits<std::uint64_t>::max() / 10) return {{}, AmountFault::out_of_range};
    digits *= 10;
  }
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (digits > kMax) return {{}, AmountFault::out_of_range};
  const auto value = static_cast<std::int64_t>(digits);
  return {{negative ? -value : value}, AmountFault::none};
}

std::string_view fault_name(AmountFault fault) noexcept {
  switch (fault) {
    case AmountFault::malformed: return "amount_malformed";
    case AmountFault::out_of_range: return "amount_out_of_range";
    case AmountFault::finer_than_micros: return "amount_finer_than_micros";
    case AmountFault::none: break;
  }
  return "none";
}

std::string format_micros(Micros amount) {
  const bool negative = amount.value < 0;
  const auto magnitude = negative ? ~static_cast<std::uint64_t>(amount.value) + 1 : static_cast<std::uint64_t>(amount.value);
  std::string text = (negative ? "-" : "") + std::to_string(magnitude / 1'000'000);
  if (std::uint64_t fraction = magnitude % 1'000'000; fraction != 0) {
    std::string digits = std::to_string(fraction);
    digits.insert(0, static_cast<std::size_t>(kScale) - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    text += '.' + digits;
  }
  return text;
}

std::optional<Micros> add(Micros a, Micros b) noexcept {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a.value, b.value, &sum)) return std::nullopt;
  return Micros{sum};
}

}  // namespace amzsync::base
