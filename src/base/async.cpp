// SPDX-License-Identifier: Apache-2.0
#include "base/async.hpp"

#include <asio/dispatch.hpp>

#include <array>
#include <new>
#include <string>

#include "base/memory.hpp"

namespace amzsync::base {

Error error_of(const std::exception_ptr& escaped) noexcept {
  try {
    try {
      std::rethrow_exception(escaped);
    } catch (const std::bad_alloc&) {
      return Error(Code::no_memory);
    } catch (const std::exception& e) {
      return Error(Code::internal, std::string("A step failed in a way that nobody expected: ") + e.what());
    } catch (...) {
      return Error(Code::internal);
    }
  } catch (const std::bad_alloc&) {
    return Error(Code::no_memory);   // its sentence is short enough to need none
  }
}

void Suspended::begun() noexcept {
  Stage stage = Stage::beginning;
  if (!stage_.compare_exchange_strong(stage, Stage::waiting) && stage == Stage::abandoned) fail(std::make_exception_ptr(std::bad_alloc()));
}

void Suspended::not_begun(std::exception_ptr why) noexcept {
  if (stage_.exchange(Stage::claimed) != Stage::claimed) fail(std::move(why));
}

void Suspended::abandon() noexcept {
  Stage stage = Stage::beginning;
  if (stage_.compare_exchange_strong(stage, Stage::abandoned)) return;   // whoever begins it tells why
  if (claim()) fail(std::make_exception_ptr(std::bad_alloc()));
}

bool Suspended::claim() noexcept { return stage_.exchange(Stage::claimed) != Stage::claimed; }

void Suspended::fail(std::exception_ptr why) noexcept {
  failure_ = std::move(why);
  resume();
}

void Suspended::resume() noexcept {
  insist([this] {
    asio::post(handler_->get_executor(), [self = shared_from_this()] {
      Handler handler = std::move(*self->handler_);
      self->handler_.reset();
      handler();
    });
  });
}

void prepare_to_spawn(const Executor& loop) {
  constexpr std::size_t kAsMuch = 512;
  asio::dispatch(loop, [room = std::array<char, kAsMuch>()] { (void)room; });
}

Tasks::Member::~Member() {
  if (!state_ || --state_->running > 0) return;
  auto waiting = std::move(state_->waiting);
  state_->waiting.clear();
  for (Completion<Done>& done : waiting) done(Done{});
}

void Tasks::spawn(Async<void> task) {
  auto ended = [member = Member(state_), log = log_](const std::exception_ptr& escaped) {
    if (!escaped) return;
    try {
      std::rethrow_exception(escaped);
    } catch (const std::exception& e) {
      log.error("A task of the engine ended by an exception", {{"error", e.what()}});
    } catch (...) {
      log.error("A task of the engine ended by an unknown exception");
    }
  };
  prepare_to_spawn(loop_);
  asio::co_spawn(loop_, std::move(task), std::move(ended));
}

Async<void> Tasks::all_ended() {
  while (state_->running > 0) {
    auto start = [state = state_](Completion<Done> done) { state->waiting.push_back(std::move(done)); };
    try {
      co_await await_completion<Done>(std::move(start));
    } catch (const std::bad_alloc&) {
      std::this_thread::yield();
    }
  }
}

Async<void> Group::watch(Async<void> task) {
  try {
    co_await std::move(task);
  } catch (...) {
    fail(std::current_exception());
  }
}

Async<Status> Group::end() {
  for (bool over = false; !over;) {
    try {
      co_await tasks_.all_ended();
      over = true;
    } catch (const std::bad_alloc&) {
      std::this_thread::yield();
    }
  }
  if (failure_) co_return error_of(failure_);
  co_return Done{};
}

Async<Gate::Pass> Gate::enter(CancelToken cancel) {
  if (cancel.cancelled()) co_return Pass();
  if (state_->free > 0) {
    --state_->free;
    co_return Pass(state_);
  }
  const auto waiter = std::make_shared<Waiter>();
  auto start = [this, waiter, cancel](Completion<bool> done) {
    waiter->done = std::move(done);
    waiter->cancel = cancel.on_cancel([waiter] {
      if (waiter->done) waiter->done(false);
    });
    state_->waiting.push_back(waiter);
  };
  const bool holds = co_await await_completion<bool>(std::move(start));
  waiter->cancel.reset();
  co_return holds ? Pass(state_) : Pass();
}

void Gate::Pass::release() noexcept {
  const auto gate = std::static_pointer_cast<Gate::State>(std::exchange(gate_, nullptr));
  if (!gate) return;
  while (!gate->waiting.empty()) {
    const std::shared_ptr<Waiter> next = std::move(gate->waiting.front());
    gate->waiting.pop_front();
    if (!next->done) continue;  // it was cancelled meanwhile
    next->done(true);
    return;
  }
  ++gate->free;
}

}  // namespace amzsync::base
