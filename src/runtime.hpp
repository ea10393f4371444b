// SPDX-License-Identifier: Apache-2.0
// An engine with real threads, clock, HTTP client and database: what a host opens. The only place that names concrete adapters
// and gives out executors.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <future>
#include <thread>

#include "base/workers.hpp"
#include "engine.hpp"
#include "open_store.hpp"

namespace amzsync {

struct RuntimeSettings {
  EngineSettings engine;
  StoreSettings store;
  std::string ca_file;
  std::string proxy;
  /// In place of curl's.
  std::function<Result<std::unique_ptr<net::HttpTransport>>(Executor loop, Clock& clock)> make_transport;
  /// For refresh tokens, in place of the database.
  std::function<Result<std::unique_ptr<auth::TokenStore>>(Executor loop, Clock& clock)> make_token_store;
};

class Runtime {
 public:
  /// Opens the database, starts the threads and the engine. Errors: setting_invalid, no_memory (also: no further thread), those of the store.
  static Result<std::unique_ptr<Runtime>> open(RuntimeSettings settings, Log log);
  /// Closes the engine: may take as long as a transaction under way. Not from a callback.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Stops all threads, once what they are at is done, at the process's exit, also from a callback; does nothing on another one of them. Nothing of it may be used afterwards, nor destroyed.
  void halt() noexcept;
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
  /// Runs a coroutine on the loop; `done` is called there, once, before the engine is closed.
  template <class T, class DoneFn>
  void start(Async<T> task, DoneFn done) {
    auto caller = std::make_shared<Caller<T, DoneFn>>(std::move(done));
    asio::post(loop_, [this, t = std::move(task), c = std::move(caller)]() mutable { calls_.spawn(finish(std::move(t), std::move(c))); });
  }
  bool on_own_thread() const noexcept { return std::this_thread::get_id() == loop_thread_.get_id() || engine_->dispatcher().inside_callback(); }

 private:
  Runtime();
  /// Who waits for a coroutine's end. Hears of it once, also where there was no memory to begin it.
  template <class T, class DoneFn>
  struct Caller {
    explicit Caller(DoneFn d) : done(std::move(d)) {}
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;
    ~Caller() {
      if (done) tell(T(Code::no_memory));
    }
    void tell(T value) { (*std::exchange(done, std::nullopt))(std::move(value)); }
    std::optional<DoneFn> done;
  };
  template <class T, class DoneFn>
  static Async<void> finish(Async<T> task, std::shared_ptr<Caller<T, DoneFn>> caller) {
    T value(Code::no_memory);
    try {
      value = co_await std::move(task);
    } catch (...) {
      value = T(error_of(std::current_exception()));
    }
    caller->tell(std::move(value));
  }
  Async<void> stop();
  void begin_to_stop() noexcept;
  Status open_parts(RuntimeSettings settings, Log log);

  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> keep_running_{loop_.get_executor()};
  Tasks calls_{loop_.get_executor(), Log()};
  Workers writer_{1};
  Workers work_{2};        // decoding and judging
  Workers readers_{2};     // of the store: looking for work must not wait behind them
  Workers dispatcher_{1};
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Entropy> entropy_;
  std::unique_ptr<net::HttpTransport> transport_, sign_in_;
  std::unique_ptr<auth::TokenStore> token_store_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Engine> engine_;
  std::thread loop_thread_;
  std::promise<void> stopped_;
};

}  // namespace amzsync
