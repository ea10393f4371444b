// SPDX-License-Identifier: Apache-2.0
// Text that was spoilt at random.
#pragma once

#include <string>

#include "sim/random.hpp"

namespace support {

/// What means something to a reader of JSON or of tables, and what belongs nowhere.
inline const std::string kAllBits = "\n\"\\{}[],:0189.eE+-tfn u\t\xff\xc3\xa9\x80\x01" + std::string(1, '\0');

inline std::string damaged(amzsim::Random& random, std::string text, const std::string& bits) {
  for (std::int64_t n = random.between(1, 4); n > 0; --n) {
    const auto at = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(text.size())));
    const char bit = bits[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(bits.size())))];
    switch (random.below(3)) {
      case 0: text[at] = bit; break;
      case 1: text.insert(at, 1, bit); break;
      default: text.erase(at, static_cast<std::size_t>(random.between(1, 5)));
    }
  }
  return text;
}

}  // namespace support
