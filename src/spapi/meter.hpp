// SPDX-License-Identifier: Apache-2.0
// What a run does, while it does it: for taking turns with others, and for noticing that nothing happens any more.
#pragma once

#include "base/clock.hpp"

namespace amzsync::spapi {

class Meter {
 public:
  /// `before`: calls of the run before it was taken up.
  Meter(base::Clock& clock, std::int64_t before) : clock_(clock), before_(before), begun_(clock.steady()), last_work_(begun_) {}

  void call() noexcept { ++calls_; }
  /// Something came to its end: a call was answered or failed, a page was stored.
  void work() { last_work_ = clock_.steady(); }

  /// Since the run was taken up, and of the run in all.
  std::int64_t calls() const noexcept { return calls_; }
  std::int64_t total() const noexcept { return before_ + calls_; }
  /// Since the run was taken up.
  base::Duration age() const { return clock_.steady() - begun_; }
  base::Duration idle() const { return clock_.steady() - last_work_; }

 private:
  base::Clock& clock_;
  std::int64_t before_, calls_ = 0;
  base::Steady begun_, last_work_;
};

}  // namespace amzsync::spapi
