// SPDX-License-Identifier: Apache-2.0
// Randomness that can be asked for at any place: the same seed and place give the same numbers, in any order of asking.
#pragma once

#include <cstdint>

namespace amzsim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  template <class... Places>
  static Random at(std::uint64_t seed, Places... places) {
    Random r(seed);
    ((r.state_ = r.next() ^ (static_cast<std::uint64_t>(places) * 0x9E3779B97F4A7C15ULL)), ...);
    return r;
  }
  /// splitmix64
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  std::int64_t below(std::int64_t n) { return n <= 0 ? 0 : static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(n)); }
  std::int64_t between(std::int64_t low, std::int64_t high) { return low + below(high - low + 1); }
  bool one_in(std::int64_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

}  // namespace amzsim
