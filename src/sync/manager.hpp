// SPDX-License-Identifier: Apache-2.0
// Claims runs and has them performed, as long as the engine is open; keeps their leases, hears of cancellations and pauses, takes over
// from engines that died, lets runs take turns where there are more than it may perform at once, ends those that do nothing any more, and starts
// the syncs whose time has come. Loop thread only.
#pragma once

#include <deque>
#include <map>

#include "events/hub.hpp"
#include "sync/run.hpp"

namespace amzsync::sync {

class Manager {
 public:
  Manager(Services& services, events::Hub& hub) : services_(services), hub_(hub), runs_(services.tasks.loop(), services.log), duties_(services.tasks.loop(), services.log) {}

  /// Begins to work. Runs of engines that died are taken over at once.
  void start();
  /// Looks for runs to claim; after a trigger, a cancel, a commit of another process. Cheap, may be called often.
  void wake() noexcept;
  /// Stops claiming, tells the runs to stop, waits until they have let go of what they hold. The runs themselves go on
  /// elsewhere, or at the next open.
  Async<void> stop();

  std::size_t active() const noexcept { return active_.size(); }

 private:
  struct Active {
    store::Fence fence;
    bool replay;
    CancelSource cancel;
    CancelSource turn;   // also cancelled where others wait
    std::shared_ptr<spapi::Meter> meter;
    Steady stopped_at;   // meaningless before

    void stop(const Clock& clock, CancelReason reason) {
      if (!cancel.token().cancelled()) stopped_at = clock.steady();
      cancel.cancel(reason);
      turn.cancel(reason);
    }
  };
  Async<void> claim_all();
  Async<void> claim_while_there_are();
  Async<void> end_if_deaf();
  Async<void> end_of_others();
  std::optional<store::ClaimedRun> claim_one(store::Tx& tx);
  Async<void> work_on(store::ClaimedRun run);
  Async<void> let_go();
  Async<void> keep_house();
  Async<void> tidy_and_tell();
  Active* performed(const store::Fence& fence);
  Async<Status> renew_leases();
  Async<Status> free_forgotten();
  Async<Result<store::Unheld>> look_around();
  Async<Status> refresh_outlook();
  Async<Status> bury_the_dead();
  Async<Status> end_stalled();
  Async<Status> take_turns();
  Async<Status> trigger_due();
  Async<Status> tidy();
  bool something_is_due();

  Services& services_;
  events::Hub& hub_;
  Tasks runs_;
  Tasks duties_;
  CancelSource closing_;
  std::map<std::int64_t, Active> active_;   // by run number
  struct LetGo {
    store::Fence fence;
    store::CallCount calls;
    bool in_order;
  };
  std::deque<LetGo> to_let_go_;
  std::int64_t listening_ = 0;              // at the hub, while runs are active: their cancellations may come from elsewhere
  /// What an idle engine has to look out for, as of the last change of the database; so that looking costs it next to nothing.
  struct Outlook {
    std::uint64_t counter = 0;
    std::vector<EngineNo> others;
    std::optional<Instant> next_sync, next_lease_end;
    bool own_lapsed = false;
  };
  std::optional<Outlook> outlook_;
  bool ending_ = false;       // cancelled runs of other engines
  bool claiming_ = false;
  bool claim_again_ = false;
  bool look_again_ = false;   // the last look failed: what it would have seen is still there
};

}  // namespace amzsync::sync
