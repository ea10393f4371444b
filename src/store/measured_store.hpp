// SPDX-License-Identifier: Apache-2.0
// A store whose writes are counted, with how long each took: waiting for the writer, the work, the commit.
#pragma once

#include "base/clock.hpp"
#include "base/tally.hpp"
#include "store/store.hpp"

namespace amzsync::store {

class MeasuredStore final : public Store {
 public:
  /// All outlive it, and every job that it was given.
  MeasuredStore(Store& inner, const Clock& clock, Tally& tally) : inner_(inner), clock_(clock), tally_(tally) {}

  Result<EngineNo> register_engine() override { return inner_.register_engine(); }
  bool engine_may_live(EngineNo engine) override { return inner_.engine_may_live(engine); }
  void hurry() noexcept override { inner_.hurry(); }
  bool has_room() override { return inner_.has_room(); }
  std::uint64_t change_counter() override { return inner_.change_counter(); }
  void on_commit(std::function<void()> listener) override { inner_.on_commit(std::move(listener)); }
  void submit_write(Urgency urgency, std::unique_ptr<Job> job) override {
    auto measured = std::make_unique<Measured>(*this, std::move(job));
    inner_.submit_write(urgency, std::move(measured));
  }
  void submit_read(std::unique_ptr<Job> job) override { inner_.submit_read(std::move(job)); }
  void perform_read(Job& job) override { inner_.perform_read(job); }
  void perform_read_aside(Job& job) override { inner_.perform_read_aside(job); }
  void submit_scrub(Completion<Result<bool>> done) override { inner_.submit_scrub(std::move(done)); }

 private:
  struct Measured final : Job {
    Measured(MeasuredStore& in, std::unique_ptr<Job> what) : store(in), job(std::move(what)), since(in.clock_.steady()) {}
    Status attempt(Tx& tx) override { return job->attempt(tx); }
    void finish(Status outcome) override {
      store.tally_.add([took = store.clock_.steady() - since](Tally::Sums& sums) { sums.writes.add(took); });
      job->finish(std::move(outcome));
    }
    MeasuredStore& store;
    std::unique_ptr<Job> job;
    Steady since;
  };

  Store& inner_;
  const Clock& clock_;
  Tally& tally_;
};

}  // namespace amzsync::store
