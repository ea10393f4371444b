// SPDX-License-Identifier: Apache-2.0
// A cancellation that travels as a token into every wait of a run: sleeping, throttled, in an HTTP exchange. Loop thread only.
// A wait on the store takes no token, because its outcome must always be learnt.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>

namespace amzsync::base {

enum class CancelReason : std::uint8_t {
  none,
  by_user,         ///< somebody asked for it; the run ends as cancelled
  lease_lost,      ///< another worker owns the run now; this one writes nothing more
  engine_closing,  ///< the run goes on elsewhere or at the next open
  paused,          ///< the run goes on when its user, or the whole engine, is resumed
  turn_over,       ///< others wait and this run has had many calls; it goes on when its turn comes again
  no_room,         ///< the disk is nearly full; the run ends with what it has
  stalled,         ///< nothing has happened for long that it could be waiting for; the run ends as failed
  sibling_failed   ///< another stream of the same run failed for good
};

class CancelToken;

/// The side that cancels. Copies share one state.
class CancelSource {
 public:
  CancelSource() : state_(std::make_shared<State>()) {}
  /// The first reason wins; the callbacks of all waits run before this returns.
  void cancel(CancelReason reason);
  CancelToken token() const;
  CancelReason reason() const noexcept { return state_->reason; }

 private:
  friend class CancelToken;
  struct State {
    CancelReason reason = CancelReason::none;
    std::list<std::function<void()>> callbacks;
  };
  std::shared_ptr<State> state_;
};

/// The side that waits. A default token is never cancelled.
class CancelToken {
 public:
  CancelToken() = default;
  bool cancelled() const noexcept { return state_ && state_->reason != CancelReason::none; }
  CancelReason reason() const noexcept { return state_ ? state_->reason : CancelReason::none; }

  /// Keeps a callback registered for as long as it lives.
  class Registration {
   public:
    Registration() = default;
    Registration(Registration&& other) noexcept : state_(std::move(other.state_)), place_(other.place_) { other.state_.reset(); }
    Registration& operator=(Registration&& other) noexcept;
    ~Registration() { reset(); }
    void reset() noexcept;

   private:
    friend class CancelToken;
    std::weak_ptr<CancelSource::State> state_;
    std::list<std::function<void()>>::iterator place_;
  };
  /// Not called when the token is cancelled already: ask first.
  Registration on_cancel(std::function<void()> callback) const;

 private:
  friend class CancelSource;
  explicit CancelToken(std::shared_ptr<CancelSource::State> state) : state_(std::move(state)) {}
  std::shared_ptr<CancelSource::State> state_;
};

}  // namespace amzsync::base
