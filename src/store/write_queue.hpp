// SPDX-License-Identifier: Apache-2.0
// What waits to be written by the one thread that writes: triggers before everything else.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "store/store.hpp"

namespace amzsync::store {

class WriteQueue {
 public:
  /// True: nobody writes now, so the caller has to see to it that somebody does.
  bool push(Urgency urgency, std::unique_ptr<Job> job) {
    std::lock_guard lock(mutex_);
    (urgency == Urgency::trigger ? urgent_ : normal_).push_back({++pushed_, std::move(job)});
    return !std::exchange(writing_, true);
  }

  /// nullptr: nothing waits.
  std::unique_ptr<Job> next() {
    std::lock_guard lock(mutex_);
    for (auto* queue : {&urgent_, &normal_}) {
      if (queue->empty()) continue;
      auto job = std::move(queue->front().job);
      queue->pop_front();
      return job;
    }
    return nullptr;
  }

  /// How many have come so far.
  std::uint64_t come() {
    std::lock_guard lock(mutex_);
    return pushed_;
  }
  /// Those of them that still wait: where the database could not be written to for long, they have waited as long as the one that was tried, and trying each in
  /// turn would have the last wait for the sum of it.
  std::vector<std::unique_ptr<Job>> take(std::uint64_t of_first) {
    std::lock_guard lock(mutex_);
    std::vector<std::unique_ptr<Job>> jobs;
    for (auto* queue : {&urgent_, &normal_})
      for (; !queue->empty() && queue->front().number <= of_first; queue->pop_front()) jobs.push_back(std::move(queue->front().job));
    return jobs;
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
  struct Waiting {
    std::uint64_t number = 0;
    std::unique_ptr<Job> job;
  };
  std::deque<Waiting> urgent_, normal_;
  std::uint64_t pushed_ = 0;
  bool writing_ = false;
};

}  // namespace amzsync::store
