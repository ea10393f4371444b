// SPDX-License-Identifier: Apache-2.0
// Money as Amazon states it: an exact decimal, read from the number's text, and the currency beside it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace amzsync::base {

/// An ISO 4217 code: three capital letters. Amounts of different currencies never meet in one sum.
class Currency {
 public:
  /// nullopt unless the text is three ASCII letters (small ones are raised).
  static std::optional<Currency> parse(std::string_view text) noexcept;
  std::string_view text() const noexcept { return {letters_.data(), letters_.size()}; }
  friend auto operator<=>(const Currency&, const Currency&) = default;

 private:
  std::array<char, 3> letters_{};
};

/// An amount in millionths of the currency's unit.
struct Micros {
  std::int64_t value = 0;
  friend auto operator<=>(const Micros&, const Micros&) = default;
};

enum class AmountFault : std::uint8_t {
  none,
  malformed,      ///< not a JSON number
  out_of_range,   ///< beyond ±9,223,372,036,854.775807
  finer_than_micros
};

struct ParsedAmount {
  Micros micros;
  AmountFault fault = AmountFault::none;
};

/// Reads a JSON number's text exactly; `1e-2`, `12345678901.23` and `-0` included. Never rounds.
ParsedAmount parse_amount(std::string_view number_text) noexcept;

std::string_view fault_name(AmountFault fault) noexcept;

/// The shortest exact decimal: 12340000 → "12.34", -500000 → "-0.5", 0 → "0".
std::string format_micros(Micros amount);

/// a + b, or nullopt where the sum leaves the range.
std::optional<Micros> add(Micros a, Micros b) noexcept;

}  // namespace amzsync::base
