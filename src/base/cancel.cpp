// SPDX-License-Identifier: Apache-2.0
#include "base/cancel.hpp"

#include "base/memory.hpp"

namespace amzsync::base {

void CancelSource::cancel(CancelReason reason) {
  if (state_->reason != CancelReason::none) return;
  state_->reason = reason;
  // A callback may drop its own registration, or the last reference to this source.
  const std::shared_ptr<State> keep = state_;
  while (!keep->callbacks.empty()) {
    std::function<void()> callback = std::move(keep->callbacks.front());
    keep->callbacks.front() = nullptr;
    // The entry stays until its registration goes, so the registration's iterator stays valid.
    keep->callbacks.splice(keep->callbacks.end(), keep->callbacks, keep->callbacks.begin());
    if (!callback) break;  // every remaining entry was called
    insist(std::ref(callback));   // else who waits would not hear of it
  }
}

CancelToken CancelSource::token() const { return CancelToken(state_); }

CancelToken::Registration CancelToken::on_cancel(std::function<void()> callback) const {
  Registration registration;
  if (state_ && state_->reason == CancelReason::none) {
    registration.place_ = state_->callbacks.insert(state_->callbacks.end(), std::move(callback));
    registration.state_ = state_;
  }
  return registration;
}

CancelToken::Registration& CancelToken::Registration::operator=(Registration&& other) noexcept {
  if (this != &other) {
    reset();
    state_ = std::move(other.state_);
    place_ = other.place_;
    other.state_.reset();
  }
  return *this;
}

void CancelToken::Registration::reset() noexcept {
  if (const auto state = state_.lock()) state->callbacks.erase(place_);
  state_.reset();
}

}  // namespace amzsync::base
