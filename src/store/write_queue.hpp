// SPDX-License-Identifier: Apache-2.0
// What waits to be written by the one thread that writes: triggers before everything else.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "store/store.hpp"

namespace amzsync::store {

class WriteQueue {
 public:
  /// True: nobody writes now, so the caller has to see to it that somebody does.
  bool push(Urgency urgency, std::unique_ptr<Job> job) {
    std::lock_guard lock(mutex_);
    (urgency == Urgency::trigger ? urgent_ : normal_).push_back(std::move(job));
    return !std::exchange(writing_, true);
  }

  /// nullptr: nothing waits.
  std::unique_ptr<Job> next() {
    std::lock_guard lock(mutex_);
    for (auto* queue : {&urgent_, &normal_}) {
      if (queue->empty()) continue;
      auto job = std::move(queue->front());
      queue->pop_front();
      return job;
    }
    return nullptr;
  }

  /// Whoever writes has nothing left to do. False: something came meanwhile.
  bool rest() {
    std::lock_guard lock(mutex_);
    if (!urgent_.empty() || !normal_.empty()) return false;
    writing_ = false;
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<std::unique_ptr<Job>> urgent_, normal_;
  bool writing_ = false;
};

}  // namespace amzsync::store
