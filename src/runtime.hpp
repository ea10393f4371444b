// SPDX-License-Identifier: Apache-2.0
// An engine with real threads, clock, HTTP client and database: what a host opens. The only place that names concrete adapters
// and gives out executors.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>
#include <future>
#include <thread>

#include "engine.hpp"
#include "open_store.hpp"

namespace amzsync {

struct RuntimeSettings {
  EngineSettings engine;
  StoreSettings store;
  std::string ca_file;
  std::string proxy;
  /// In place of curl's.
  std::function<std::unique_ptr<net::HttpTransport>(Executor loop, Clock& clock)> make_transport;
  /// For refresh tokens, in place of the database.
  std::function<std::unique_ptr<auth::TokenStore>(Executor loop, Clock& clock)> make_token_store;
};

class Runtime {
 public:
  /// Opens the database, starts the threads and the engine. Errors: setting_invalid, those of the store.
  static Result<std::unique_ptr<Runtime>> open(RuntimeSettings settings, Log log);
  /// Closes the engine: may take as long as a transaction under way. Not from a callback.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Ends what waits for Amazon, for time or for a sync, as the close does; whoever waited hears `cancelled`. Any thread.
  void break_off() noexcept;

  Engine& engine() noexcept { return *engine_; }
  Clock& clock() noexcept { return *clock_; }

  /// Runs a coroutine on the loop and blocks until it has ended. Not on one of the engine's own threads.
  template <class T>
  T wait(Async<T> task) {
    std::promise<T> promise;
    auto future = promise.get_future();
    start(std::move(task), [&promise](T value) { promise.set_value(std::move(value)); });
    return future.get();
  }
  /// Runs a coroutine on the loop; `done` is called there, before the engine is closed.
  template <class T, class DoneFn>
  void start(Async<T> task, DoneFn done) {
    asio::post(loop_, [this, t = std::move(task), d = std::move(done)]() mutable { calls_.spawn(finish(std::move(t), std::move(d))); });
  }
  bool on_own_thread() const noexcept { return std::this_thread::get_id() == loop_thread_.get_id() || engine_->dispatcher().inside_callback(); }

 private:
  Runtime();
  template <class T, class DoneFn>
  static Async<void> finish(Async<T> task, DoneFn done) {
    T value(Code::internal);  // what escapes is a bug, most likely no memory; the caller gets it as an error like any other
    try {
      value = co_await std::move(task);
    } catch (const std::exception&) {
      value = T(Code::internal);
    }
    done(std::move(value));
  }
  Async<void> stop();
  Status open_parts(RuntimeSettings settings, Log log);

  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> keep_running_{loop_.get_executor()};
  Tasks calls_{loop_.get_executor(), Log()};
  asio::thread_pool writer_{1};
  asio::thread_pool work_{2};        // decoding and judging
  asio::thread_pool readers_{2};     // of the store: looking for work must not wait behind them
  asio::thread_pool dispatcher_{1};
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Entropy> entropy_;
  std::unique_ptr<net::HttpTransport> transport_, sign_in_;
  std::unique_ptr<auth::TokenStore> token_store_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Engine> engine_;
  std::thread loop_thread_;
};

}  // namespace amzsync
