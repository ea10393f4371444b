// SPDX-License-Identifier: Apache-2.0
// A store that is lost after so many writes.
#pragma once

#include "store/store.hpp"

namespace support {

class LosingStore final : public amzsync::store::Store {
 public:
  LosingStore(amzsync::store::Store& inner, int writes) : inner_(inner), left_(writes) {}
  amzsync::base::Result<amzsync::base::EngineNo> register_engine() override { return inner_.register_engine(); }
  bool engine_may_live(amzsync::base::EngineNo engine) override { return inner_.engine_may_live(engine); }
  std::uint64_t change_counter() override { return inner_.change_counter(); }
  void on_commit(std::function<void()> listener) override { inner_.on_commit(std::move(listener)); }
  void submit_write(amzsync::store::Urgency urgency, std::unique_ptr<amzsync::store::Job> job) override {
    if (left_-- <= 0) return job->finish(amzsync::base::Code::store_unavailable);
    inner_.submit_write(urgency, std::move(job));
  }
  void submit_read(std::unique_ptr<amzsync::store::Job> job) override { inner_.submit_read(std::move(job)); }
  void perform_read(amzsync::store::Job& job) override { inner_.perform_read(job); }
  void submit_scrub(amzsync::base::Completion<amzsync::base::Result<bool>> done) override { inner_.submit_scrub(std::move(done)); }

 private:
  amzsync::store::Store& inner_;
  int left_;
};

}  // namespace support
