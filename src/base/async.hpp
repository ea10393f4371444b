// SPDX-License-Identifier: Apache-2.0
// The few ways in which a coroutine of this library waits for something that is not a coroutine.
//
// Rules (g++ 12): no capturing lambda is a coroutine, parameters go by value, nothing with a destructor is a temporary
// inside a co_await expression, no co_await stands in a catch.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/cancel.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

namespace amzsync::base {

template <class T>
using Async = asio::awaitable<T, asio::any_io_executor>;
using Executor = asio::any_io_executor;

/// What an exception comes to that escaped from where nobody expects one: want of memory, or a bug.
Error error_of(const std::exception_ptr& escaped) noexcept;

/// A coroutine that waits, and who decides what it wakes to.
class Suspended : public std::enable_shared_from_this<Suspended> {
 public:
  using Handler = asio::async_result<asio::use_awaitable_t<Executor>, void()>::handler_type;
  Suspended() = default;
  virtual ~Suspended() = default;
  Suspended(const Suspended&) = delete;
  Suspended& operator=(const Suspended&) = delete;

  /// From here on it can be woken; by whoever begins what it waits for only once that is begun.
  void suspend(Handler handler) noexcept { handler_.emplace(std::move(handler)); }
  void begun() noexcept;
  void not_begun(std::exception_ptr why) noexcept;
  /// Whoever was to wake it will not.
  void abandon() noexcept;
  /// Of all that would wake it the first one may. Any thread.
  bool claim() noexcept;
  /// Goes on, on its own executor.
  void resume() noexcept;
  const std::exception_ptr& failure() const noexcept { return failure_; }

 private:
  enum class Stage { beginning, waiting, abandoned, claimed };
  void fail(std::exception_ptr why) noexcept;
  std::optional<Handler> handler_;
  std::exception_ptr failure_;
  std::atomic<Stage> stage_ = Stage::beginning;
};

/// Wakes one waiting coroutine with a value, on the coroutine's own executor. To be called once, from any thread. One that goes without having been
/// called wakes it with std::bad_alloc: nothing but want of memory keeps who holds it from calling it.
template <class T>
class Completion {
 public:
  Completion() = default;
  Completion(Completion&&) noexcept = default;
  Completion& operator=(Completion&& other) noexcept {
    if (this != &other) {
      if (waiting_) waiting_->abandon();
      waiting_ = std::move(other.waiting_);
    }
    return *this;
  }
  ~Completion() {
    if (waiting_) waiting_->abandon();
  }
  explicit operator bool() const noexcept { return waiting_ != nullptr; }
  void operator()(T value) noexcept {
    const auto waiting = std::exchange(waiting_, nullptr);
    if (!waiting->claim()) return;
    waiting->value.emplace(std::move(value));
    waiting->resume();
  }

  /// The value stays with who wakes until the coroutine takes it.
  struct Waiting final : Suspended {
    std::optional<T> value;
  };
  explicit Completion(std::shared_ptr<Waiting> waiting) noexcept : waiting_(std::move(waiting)) {}

 private:
  std::shared_ptr<Waiting> waiting_;
};

/// Suspends, hands `start` the completion, resumes with what the completion is called with. What escapes from `start` comes out of here.
template <class T, class Start>
Async<T> await_completion(Start start) {
  using Waiting = typename Completion<T>::Waiting;
  auto waiting = std::make_shared<Waiting>();
  // Not owned by what it owns: whoever is to wake it does, and then who resumes it, until it goes on from here.
  Waiting* const outcome = waiting.get();
  // Asio calls this in a function that is noexcept, so that nothing may throw here; moving `start` may. It stays where it is: what resumes the coroutine
  // comes to its executor's turn after this.
  auto initiate = [](Suspended::Handler handler, std::shared_ptr<Waiting> w, Start* s) {
    w->suspend(std::move(handler));
    try {
      (*s)(Completion<T>(w));
      w->begun();
    } catch (...) {
      w->not_begun(std::current_exception());
    }
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(std::move(initiate), asio::use_awaitable_t<Executor>{}, std::move(waiting), &start);
  if (outcome->failure()) std::rethrow_exception(outcome->failure());
  co_return std::move(*outcome->value);
}

/// Runs `work` on another executor and comes back with its result.
template <class Work>
Async<std::invoke_result_t<Work>> run_on(Executor there, Work work) {
  using T = std::invoke_result_t<Work>;
  auto start = [there, w = std::move(work)](Completion<T> done) mutable {
    asio::post(there, [d = std::move(done), w2 = std::move(w)]() mutable {
      std::optional<T> result;
      try {
        result.emplace(w2());
      } catch (...) {   // it must not unwind a thread that nobody watches
        result.emplace(error_of(std::current_exception()));
      }
      d(std::move(*result));
    });
  };
  co_return co_await await_completion<T>(std::move(start));
}

/// Before each co_spawn on a loop's own thread. There Asio takes memory in a function that is noexcept; of what this takes, and throws std::bad_alloc
/// where there is none, it keeps as much for that.
void prepare_to_spawn(const Executor& loop);

/// Coroutines that nobody waits for one by one. Their owner waits for all of them before what they use is torn down.
/// Loop thread only.
class Tasks {
 public:
  Tasks(Executor loop, Log log) : state_(std::make_shared<State>()), loop_(std::move(loop)), log_(std::move(log)) {}

  /// Starts a coroutine. Every task turns what it can expect into values; an exception that escapes is logged as an error
  /// and ends this task alone, because it must not unwind the host's thread. Throws std::bad_alloc: then it does not start.
  void spawn(Async<void> task);
  /// Done when none is running. Not to be awaited by one of them. Waits for the memory that it takes.
  Async<void> all_ended();
  const Executor& loop() const noexcept { return loop_; }

 private:
  struct State {
    int running = 0;
    std::vector<Completion<Done>> waiting;
  };
  /// Counts one task until it has ended.
  class Member {
   public:
    explicit Member(std::shared_ptr<State> state) : state_(std::move(state)) { ++state_->running; }
    Member(Member&&) noexcept = default;
    Member(const Member&) = delete;
    ~Member();

   private:
    std::shared_ptr<State> state_;
  };
  std::shared_ptr<State> state_;
  Executor loop_;
  Log log_;
};

/// Coroutines that whoever begins them waits for, before what they use goes: between the first and the end of all nothing escapes. Loop thread only.
class Group {
 public:
  Group(Executor loop, Log log) : tasks_(std::move(loop), std::move(log)), end_(end()) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  /// Starts the coroutine that `make` makes. What escapes from it, or keeps it from starting (then the answer is false), fails the group.
  template <class Make>
  bool spawn(Make make) noexcept {
    try {
      tasks_.spawn(watch(make()));
      return true;
    } catch (...) {
      fail(std::current_exception());
      return false;
    }
  }
  /// Once all have ended: what the first escape came to. To be awaited once, whether any were started or not.
  Async<Status> all_ended() noexcept { return std::move(end_); }

 private:
  Async<void> watch(Async<void> task);
  Async<Status> end();
  void fail(std::exception_ptr escaped) noexcept {
    if (!failure_) failure_ = std::move(escaped);
  }

  Tasks tasks_;
  std::exception_ptr failure_;
  Async<Status> end_;   // made beforehand: waiting for them can't lack memory
};

/// At most `limit` holders at a time, in the order of asking. Loop thread only.
class Gate {
 public:
  explicit Gate(int limit) : state_(std::make_shared<State>(State{limit, {}})) {}

  /// Given back when it goes out of scope. Empty: the wait was cancelled.
  class Pass {
   public:
    Pass() = default;
    Pass(Pass&&) noexcept = default;
    Pass& operator=(Pass&& other) noexcept {
      if (this != &other) {
        release();
        gate_ = std::move(other.gate_);
      }
      return *this;
    }
    ~Pass() { release(); }
    explicit operator bool() const noexcept { return gate_ != nullptr; }
    void release() noexcept;

   private:
    friend class Gate;
    explicit Pass(std::shared_ptr<void> gate) : gate_(std::move(gate)) {}
    std::shared_ptr<void> gate_;
  };
  Async<Pass> enter(CancelToken cancel);

 private:
  struct Waiter {
    Completion<bool> done;   // true: it holds a place
    CancelToken::Registration cancel;
  };
  struct State {
    int free;
    std::list<std::shared_ptr<Waiter>> waiting;
  };
  std::shared_ptr<State> state_;
};

}  // namespace amzsync::base
