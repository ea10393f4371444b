// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <asio/basic_waitable_timer.hpp>

#include <thread>

namespace amzsync::base {
namespace {

class SystemClock final : public Clock {
 public:
  explicit SystemClock(Executor loop) : loop_(std::move(loop)) {}

  Instant now() const override { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }
  Steady steady() const override {
    return Steady(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
  }

  std::unique_ptr<Timer> call_at(Steady at, std::function<void()> fire) override {
    return std::make_unique<AsioTimer>(loop_, at, std::move(fire));
  }
  void block_for(Duration span) const override { std::this_thread::sleep_for(span); }

 private:
  class AsioTimer final : public Timer {
   public:
    AsioTimer(const Executor& loop, Steady at, std::function<void()> fire)
        : timer_(loop, std::chrono::steady_clock::time_point(at.time_since_epoch())), fire_(std::make_shared<std::function<void()>>(std::move(fire))) {
      std::weak_ptr<std::function<void()>> weak = fire_;
      timer_.async_wait([weak](std::error_code) {
        // The handle may be gone although the wait had already completed: then nothing is called.
        if (const auto call = weak.lock()) (*call)();
      });
    }

   private:
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> timer_;
    std::shared_ptr<std::function<void()>> fire_;
  };

  Executor loop_;
};

/// One sleeping coroutine: woken by its timer or by its token, whichever comes first.
struct Sleeper {
  Completion<Done> done;
  std::unique_ptr<Clock::Timer> timer;
  CancelToken::Registration cancel;

  void wake() {
    if (done) done(Done{});
  }
};

}  // namespace

Async<void> Clock::sleep_until(Steady at, CancelToken cancel) {
  if (cancel.cancelled()) co_return;
  Sleeper sleeper;
  auto start = [this, at, &cancel, &sleeper](Completion<Done> done) {
    sleeper.done = std::move(done);
    sleeper.cancel = cancel.on_cancel([&sleeper] { sleeper.wake(); });
    sleeper.timer = call_at(at, [&sleeper] { sleeper.wake(); });
  };
  co_await await_completion<Done>(std::move(start));
}

Async<void> Clock::sleep_for(Duration span, CancelToken cancel) { return sleep_until(steady() + span, std::move(cancel)); }

std::unique_ptr<Clock> make_system_clock(Executor loop) { return std::make_unique<SystemClock>(std::move(loop)); }

}  // namespace amzsync::base
