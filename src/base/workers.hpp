// SPDX-License-Identifier: Apache-2.0
// Threads that work off what is posted to them.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <thread>
#include <vector>

#include "base/async.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

namespace amzsync::base {

/// One thread does it in the order in which it came, several take turns. What asio::thread_pool is, which waits for ever where the system gives it the first of its threads and not the
/// second, and ends the process where something is thrown.
class Workers {
 public:
  explicit Workers(int threads) : wanted_(threads), context_(threads) {}
  ~Workers() { join(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// What was posted before is done from then on. Once. Errors: no_memory (also: the system gives no thread).
  Status start(Log log = {});
  /// Any thread.
  Executor executor() noexcept { return context_.get_executor(); }
  /// Returns when all that was posted is done; what is posted later is not. Not by one of them. A second time does nothing.
  void join() noexcept;
  /// Returns when what is being done is done; what else was posted is not. Not by one of them.
  void halt() noexcept;
  bool on_own_thread() const noexcept;

 private:
  int wanted_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> keep_running_{context_.get_executor()};
  std::vector<std::thread> threads_;
};

/// Does what is posted until `loop` is stopped or has nothing more to do. What escapes from a handler, want of memory most likely, ends that handler alone: the host's process goes on.
void run_to_the_end(asio::io_context& loop, const Log& log) noexcept;
/// A thread that does so. Errors: no_memory (also: the system gives no thread).
Result<std::thread> start_thread(asio::io_context& loop, Log log);

}  // namespace amzsync::base
