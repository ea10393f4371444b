// SPDX-License-Identifier: Apache-2.0
// Tells when something was committed, by this process or by another: at once for our own commits, within 100 ms for others',
// by asking the database for its change counter, as long as anybody listens.
#pragma once

#include <functional>
#include <map>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "store/store.hpp"

namespace amzsync::events {
using namespace base;

class Hub {
 public:
  Hub(Tasks& tasks, store::Store& store, Clock& clock, CancelToken life) : tasks_(tasks), store_(store), clock_(clock), life_(std::move(life)) {}

  /// Called on the loop after each change that is noticed; does not make anybody look for changes. To be set once.
  void on_change(std::function<void()> told) { told_ = std::move(told); }
  /// Calls `wake` on the loop after each change, until it is removed; changes are looked for meanwhile. Loop thread.
  std::int64_t add(std::function<void()> wake);
  void remove(std::int64_t id);

  /// Our own process committed. Loop thread.
  void committed();

 private:
  Async<void> poll();
  void look() noexcept;
  void tell();

  Tasks& tasks_;
  store::Store& store_;
  Clock& clock_;
  CancelToken life_;
  std::function<void()> told_;
  std::map<std::int64_t, std::function<void()>> listeners_;
  std::int64_t next_id_ = 1;
  std::uint64_t counter_ = 0;
  bool polling_ = false;
};

}  // namespace amzsync::events
