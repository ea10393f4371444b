// SPDX-License-Identifier: Apache-2.0
#include "base/workers.hpp"

#include <algorithm>
#include <system_error>

namespace amzsync::base {

void run_to_the_end(asio::io_context& loop, const Log& log) noexcept {
  for (;;) {
    try {
      loop.run();
      return;
    } catch (const std::exception& e) {
      try {
        log.error("A step failed in a way that nobody expected", {{"error", e.what()}});
      } catch (...) {   // NOLINT: there is no memory to say so
      }
    }
  }
}

Result<std::thread> start_thread(asio::io_context& loop, Log log) {
  try {
    return std::thread([&loop, l = std::move(log)] { run_to_the_end(loop, l); });
  } catch (const std::system_error&) {
    return Error(Code::no_memory, "The system gives this process no further thread.");
  } catch (const std::bad_alloc&) {
    return Code::no_memory;
  }
}

Status Workers::start(Log log) {
  threads_.reserve(static_cast<std::size_t>(wanted_));
  while (threads_.size() < static_cast<std::size_t>(wanted_)) {
    AMZ_TRY(thread, start_thread(context_, log));
    threads_.push_back(std::move(thread));
  }
  return Done{};
}

void Workers::join() noexcept {
  keep_running_.reset();
  for (std::thread& t : threads_) t.join();
  threads_.clear();
}

void Workers::halt() noexcept {
  context_.stop();
  join();
}

bool Workers::on_own_thread() const noexcept {
  return std::any_of(threads_.begin(), threads_.end(), [](const std::thread& t) { return t.get_id() == std::this_thread::get_id(); });
}

}  // namespace amzsync::base
