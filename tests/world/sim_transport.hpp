// SPDX-License-Identifier: Apache-2.0
// The simulator of Amazon as the engine's HTTP client: no sockets, latency on the virtual clock.
#pragma once

#include "net/http.hpp"
#include "sim/simulator.hpp"
#include "world/virtual_clock.hpp"

namespace world {

class SimTransport final : public amzsync::net::HttpTransport {
 public:
  using Request = amzsync::net::HttpRequest;
  using Response = amzsync::net::HttpResponse;
  /// Asked before each exchange and again when its answer is there, with the exchange's number: 1, 2, …; false: the process is
  /// dead, so nothing goes out, or nothing comes of it.
  using Guard = std::function<bool(std::int64_t number, bool after)>;
  /// Told after each exchange.
  using Observer = std::function<void(const Request&, const Result<Response>&)>;

  SimTransport(amzsim::Simulator& simulator, VirtualClock& clock, std::uint64_t seed) : simulator_(simulator), clock_(clock), random_(seed) {}

  Async<Result<Response>> send(Request request, CancelToken cancel) override;

  /// `numbers` counts the exchanges of all processes of a world.
  void set_guard(Guard guard, std::int64_t& numbers) {
    guard_ = std::move(guard);
    numbers_ = &numbers;
  }
  /// What becomes of an exchange before it goes out, and when its answer is there: how long it waits, whether it is lost.
  struct Fate {
    Duration wait{};
    bool lost = false;
  };
  void set_fates(std::function<Fate(bool back)> fates) { fates_ = std::move(fates); }
  void set_observer(Observer observer) { observer_ = std::move(observer); }
  /// Calls that hang end only when they are cancelled.
  void set_deaf(bool deaf) { deaf_ = deaf; }
  /// Latency is spread evenly over [least, most].
  void set_latency(Duration least, Duration most) {
    least_ = least;
    most_ = most;
  }

 private:
  Async<Result<Response>> exchange(const Request& request, CancelToken cancel);
  amzsim::SimAnswer ask(const Request& request);
  Async<bool> meet_fate(bool back, CancelToken cancel);

  amzsim::Simulator& simulator_;
  VirtualClock& clock_;
  amzsim::Random random_;
  Guard guard_;
  std::function<Fate(bool back)> fates_;
  std::int64_t* numbers_ = nullptr;
  Observer observer_;
  bool deaf_ = false;
  Duration least_ = std::chrono::milliseconds(40), most_ = std::chrono::milliseconds(160);
};

amzsim::SimRequest to_sim(const amzsync::net::HttpRequest& request);

}  // namespace world
