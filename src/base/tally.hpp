// SPDX-License-Identifier: Apache-2.0
// What an engine has done since it was opened, for operators: sums that only grow.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <string>

#include "base/time.hpp"

namespace amzsync::base {

class Tally {
 public:
  struct Calls {
    std::int64_t made = 0, throttled = 0, failed = 0;   ///< failed: all that did not succeed and were not throttled either
    Duration took{}, waited{};                          ///< waited: for a usage plan, before they were made
  };
  struct Rows {
    std::int64_t fetched = 0, added = 0, changed = 0, removed = 0, rejected = 0;
  };
  struct Findings {
    std::int64_t opened = 0, changed = 0, closed = 0;
  };
  /// How long something took, by how many times it took up to so long.
  struct Times {
    static constexpr std::array<Duration, 9> kUpTo{std::chrono::milliseconds(1),   std::chrono::milliseconds(5),   std::chrono::milliseconds(10),
                                                   std::chrono::milliseconds(25),  std::chrono::milliseconds(100), std::chrono::milliseconds(500),
                                                   std::chrono::milliseconds(2500), std::chrono::seconds(10),       std::chrono::seconds(60)};
    std::array<std::int64_t, kUpTo.size() + 1> times{};   ///< the last: longer than all of these
    Duration sum{};
    void add(Duration took) noexcept;
  };
  struct Sums {
    std::map<std::string, Calls, std::less<>> calls;             ///< by operation
    std::map<std::string, Rows, std::less<>> rows;               ///< by dataset
    std::map<std::string, std::int64_t, std::less<>> runs_ended; ///< by status
    Findings findings;
    Times writes;                                                ///< of the store, from the asking to the commit
  };

  /// Any thread. Figures are the last to have what memory there is: what it lacks for is not counted.
  template <class Change>
  void add(Change change) noexcept {
    const std::lock_guard lock(mutex_);
    try {
      change(sums_);
    } catch (const std::bad_alloc&) {
      return;
    }
  }
  Sums sums() const;

 private:
  mutable std::mutex mutex_;
  Sums sums_;
};

}  // namespace amzsync::base
