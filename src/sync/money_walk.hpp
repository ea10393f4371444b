// SPDX-License-Identifier: Apache-2.0
// What one walk over the pages of a slice has seen: numbers equal events, tells twins from the repetition at a page seam, and
// notices pages that go in circles. Pure logic.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "spapi/financial_events.hpp"

namespace amzsync::sync {
using namespace base;

class MoneyWalk {
 public:
  /// A window begins: no page of it repeats the end of one before, and it may look like one.
  void begin_window();
  /// Numbers the page's events and drops those that stand in it only because Amazon repeats the end of the page before.
  /// False: this page, or its token, was seen before, and the walk must begin anew.
  bool take(spapi::MoneyPage& page);

  /// How many events the walk holds in memory.
  std::int64_t count() const noexcept { return count_; }
  /// Days that showed something; the rest of the slice showed nothing.
  const std::map<Day, store::SeenDay>& days() const noexcept { return days_; }

 private:
  std::map<Day, store::SeenDay> days_;
  std::int64_t count_ = 0;
  std::set<std::string> tokens_;
  std::map<Hash128, int> pages_;                                // how often each page came so far
  int idle_pages_ = 0;                                          // in a row, that showed nothing new
  std::map<std::string, std::vector<Hash128>> previous_page_;   // list → contents, in order
};

}  // namespace amzsync::sync
