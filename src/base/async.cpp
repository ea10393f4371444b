// SPDX-License-Identifier: Apache-2.0
#include "base/async.hpp"

#include <exception>

namespace amzsync::base {

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
  asio::co_spawn(loop_, std::move(task), std::move(ended));
}

Async<void> Tasks::all_ended() {
  if (state_->running == 0) co_return;
  auto start = [state = state_](Completion<Done> done) { state->waiting.push_back(std::move(done)); };
  co_await await_completion<Done>(std::move(start));
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
