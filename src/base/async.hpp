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
#include <functional>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "base/cancel.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

namespace amzsync::base {

template <class T>
using Async = asio::awaitable<T, asio::any_io_executor>;
using Executor = asio::any_io_executor;

/// Wakes one waiting coroutine with a value, on the coroutine's own executor. To be called once, from any thread: a coroutine
/// that is never woken is never freed, so whoever holds one wakes it before going.
template <class T>
class Completion {
 public:
  Completion() = default;
  explicit operator bool() const noexcept { return static_cast<bool>(wake_); }
  void operator()(T value) {
    auto wake = std::move(wake_);
    (*wake)(std::move(value));
  }

  template <class Handler>
  static Completion of(Handler handler) {
    struct Impl final : Wake {
      explicit Impl(Handler h) : handler(std::move(h)), executor(asio::get_associated_executor(handler)) {}
      void operator()(T value) override {
        asio::post(executor, [h = std::move(handler), v = std::move(value)]() mutable { h(std::move(v)); });
      }
      Handler handler;
      Executor executor;
    };
    Completion completion;
    completion.wake_ = std::make_unique<Impl>(std::move(handler));
    return completion;
  }

 private:
  struct Wake {
    virtual ~Wake() = default;
    virtual void operator()(T value) = 0;
  };
  std::unique_ptr<Wake> wake_;
};

/// Suspends, hands `start` the completion, resumes with what the completion is called with.
template <class T, class Start>
Async<T> await_completion(Start start) {
  auto initiate = [](auto handler, Start s) { s(Completion<T>::of(std::move(handler))); };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void(T)>(
      std::move(initiate), asio::use_awaitable_t<Executor>{}, std::move(start));
}

/// Runs `work` on another executor and comes back with its result.
template <class Work>
Async<std::invoke_result_t<Work>> run_on(Executor there, Work work) {
  using T = std::invoke_result_t<Work>;
  auto start = [there, w = std::move(work)](Completion<T> done) mutable {
    // What escapes is a bug, or want of memory; it must not unwind a thread that nobody watches.
    asio::post(there, [d = std::move(done), w2 = std::move(w)]() mutable {
      std::optional<T> result;
      try {
        result.emplace(w2());
      } catch (const std::bad_alloc&) {
        result.emplace(Code::no_memory);
      } catch (const std::exception& e) {
        result.emplace(Error(Code::internal, std::string("A step failed in a way that nobody expected: ") + e.what()));
      }
      d(std::move(*result));
    });
  };
  co_return co_await await_completion<T>(std::move(start));
}

/// Coroutines that nobody waits for one by one. Their owner waits for all of them before what they use is torn down.
/// Loop thread only.
class Tasks {
 public:
  Tasks(Executor loop, Log log) : state_(std::make_shared<State>()), loop_(std::move(loop)), log_(std::move(log)) {}

  /// Starts a coroutine. Every task turns what it can expect into values; an exception that escapes is logged as an error
  /// and ends this task alone, because it must not unwind the host's thread.
  void spawn(Async<void> task);
  /// Done when none is running. Not to be awaited by one of them.
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
