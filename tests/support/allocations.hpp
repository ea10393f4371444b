// SPDX-License-Identifier: Apache-2.0
// Memory that runs out, at one allocation of this thread that a test chooses: operator new of the test program is replaced. (What C libraries take is their own.)
#pragma once

#include <cstdint>
#include <limits>

namespace support {

/// Counts what this thread allocates while it is exposed, and refuses the n-th (0: the first); the next ones succeed again. One at a time.
class Scarcity {
 public:
  explicit Scarcity(std::int64_t nth = std::numeric_limits<std::int64_t>::max()) noexcept;
  ~Scarcity();
  Scarcity(const Scarcity&) = delete;
  Scarcity& operator=(const Scarcity&) = delete;
  /// How many allocations there were.
  std::int64_t asked() const noexcept;
  bool refused() const noexcept;
};

/// While one of these lives, what is allocated counts: it is the code under test that asks.
class Exposed {
 public:
  Exposed() noexcept;
  ~Exposed();
  Exposed(const Exposed&) = delete;
  Exposed& operator=(const Exposed&) = delete;

 private:
  bool before_;
};

/// While one of these lives, it does not: it is the test's own.
class Sheltered {
 public:
  Sheltered() noexcept;
  ~Sheltered();
  Sheltered(const Sheltered&) = delete;
  Sheltered& operator=(const Sheltered&) = delete;

 private:
  bool before_;
};

}  // namespace support
