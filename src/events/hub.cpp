// SPDX-License-Identifier: Apache-2.0
#include "events/hub.hpp"

#include <thread>
#include <vector>

namespace amzsync::events {
namespace {

constexpr Duration kPollEvery = std::chrono::milliseconds(100);

}  // namespace

std::int64_t Hub::add(std::function<void()> wake) {
  const std::int64_t id = next_id_++;
  listeners_.emplace(id, std::move(wake));
  if (!std::exchange(polling_, true)) {
    counter_ = store_.change_counter();
    try {
      tasks_.spawn(poll());
    } catch (...) {
      polling_ = false;
      listeners_.erase(id);
      throw;
    }
  }
  return id;
}

void Hub::remove(std::int64_t id) { listeners_.erase(id); }

void Hub::committed() { tell(); }

void Hub::tell() {
  if (told_) told_();
  // A listener may remove itself, or another one.
  std::vector<std::int64_t> ids;
  for (const auto& [id, wake] : listeners_) ids.push_back(id);
  for (const std::int64_t id : ids)
    if (const auto found = listeners_.find(id); found != listeners_.end()) {
      const auto wake = found->second;
      wake();
    }
}

Async<void> Hub::poll() {
  while (!life_.cancelled() && !listeners_.empty()) {
    try {
      look();
      co_await clock_.sleep_for(kPollEvery, life_);
    } catch (const std::bad_alloc&) {
      std::this_thread::yield();   // and looks again
    }
  }
  polling_ = false;
}

void Hub::look() noexcept {
  try {
    const std::uint64_t counter = store_.change_counter();
    if (counter == counter_) return;
    tell();
    counter_ = counter;
  } catch (const std::bad_alloc&) {
    // They are told at the next look.
  }
}

}  // namespace amzsync::events
