// SPDX-License-Identifier: Apache-2.0
// Claims runs and has them performed, as long as the engine is open; keeps their leases, hears of cancellations, takes over
// from engines that died, and starts the syncs whose time has come. Loop thread only.
#pragma once

#include <map>

#include "sync/run.hpp"

namespace amzsync::sync {

class Manager {
 public:
  explicit Manager(Services& services) : services_(services), runs_(services.tasks.loop(), services.log), duties_(services.tasks.loop(), services.log) {}

  /// Begins to work. Runs of engines that died are taken over at once.
  void start();
  /// Looks for runs to claim; after a trigger, a cancel, a commit of another process. Cheap, may be called often.
  void wake();
  /// Stops claiming, tells the runs to stop, waits until they have let go of what they hold. The runs themselves go on
  /// elsewhere, or at the next open.
  Async<void> stop();

  std::size_t active() const noexcept { return active_.size(); }

 private:
  struct Active {
    store::Fence fence;
    CancelSource cancel;
  };
  Async<void> claim_all();
  Async<void> work_on(store::ClaimedRun run);
  Async<void> keep_house();
  Async<Status> renew_leases();
  Async<Result<bool>> look_around();
  Async<Status> bury_the_dead();
  Async<Status> trigger_due();
  Async<Status> tidy();

  Services& services_;
  Tasks runs_;
  Tasks duties_;
  CancelSource closing_;
  std::map<std::int64_t, Active> active_;   // by run number
  bool claiming_ = false;
  bool claim_again_ = false;
};

}  // namespace amzsync::sync
