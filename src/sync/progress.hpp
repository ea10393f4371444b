// SPDX-License-Identifier: Apache-2.0
// The progress bar of one run: milestones that are durable rows, and what passes between them. Never a number that no work
// stands behind: the share between 30 and 60 is units done of units known.
#pragma once

#include <list>
#include <map>
#include <string>

#include "spapi/client.hpp"
#include "store/runs.hpp"
#include "sync/services.hpp"

namespace amzsync::sync {

struct Milestone {
  int progress;
  std::string_view message;
  std::string_view phase;
};
constexpr Milestone kStarting{10, "Starting sync", "starting"};
constexpr Milestone kFetchingInventory{30, "Fetching inventory", "fetching"};
constexpr Milestone kProcessing{60, "Processing data", "processing"};
constexpr Milestone kFinalizing{90, "Finalizing", "finalizing"};

class Progress {
 public:
  /// Calls of one operation that are known to come: Amazon's slowest plans give one a minute, which is where the time goes. Each is `made`
  /// once; those that were not by the end of this will not be.
  class Calls {
   public:
    Calls(Progress& progress, const spapi::Caller& caller, const spapi::Operation& operation, std::int64_t calls = 1) : at_(progress.to_come(caller.account, operation)), left_(calls) { at_ += left_; }
    Calls(const Calls&) = delete;
    Calls& operator=(const Calls&) = delete;
    ~Calls() { at_ -= left_; }
    void made() noexcept {
      if (left_ == 0) return;
      --left_;
      --at_;
    }

   private:
    std::int64_t& at_;
    std::int64_t left_;
  };

  /// All of them outlive it.
  Progress(Services& services, const store::Fence& fence, const spapi::Meter& meter) : services_(services), fence_(fence), meter_(meter) {}

  /// Writes a milestone in a transaction of its own. Errors: fenced, those of the store.
  Async<Status> reach(Milestone milestone, std::string detail);

  /// What a stream has done of what it knows; kept until the next write.
  void set_units(std::string_view stream, std::int64_t done, std::int64_t known);
  void set_detail(std::string detail) { detail_ = std::move(detail); }
  /// A stream waits for Amazon until then; nullopt: no longer.
  void set_waiting(std::string_view stream, std::optional<Instant> until);

  /// What to write along with the next transaction of the run (store::pass_progress); nullopt within a second of the last.
  std::optional<store::PassingState> due();
  /// Writes what is not told yet of waits, during which no page is stored, as soon as it is due. One of these at a time does it for all.
  Async<void> tell();
  /// Nothing is told any more but by the run itself.
  void end() noexcept { over_.cancel(CancelReason::engine_closing); }

 private:
  store::PassingState state() const;
  std::string growth() const;
  std::optional<std::int64_t> eta_seconds() const;
  std::int64_t& to_come(const std::string& account, const spapi::Operation& operation);

  Services& services_;
  store::Fence fence_;
  const spapi::Meter& meter_;
  struct Units {
    std::int64_t done = 0, known = 0;
    std::int64_t done_at_first = 0, known_at_first = 0;
    Steady since;                         // when it was first known how much there is
    std::optional<Instant> waiting_until;
  };
  std::map<std::string, Units, std::less<>> streams_;
  struct ToCome {
    std::string account;
    spapi::Operation operation;
    std::int64_t calls = 0;
  };
  std::list<ToCome> calls_;
  std::string detail_;
  std::string grown_;                     // the stream that last turned out larger than was known
  int reached_ = kStarting.progress, told_ = kStarting.progress;   // the newest milestone, and the newest that is stored
  std::optional<Steady> last_told_;
  bool telling_ = false, untold_ = false;
  CancelSource over_;
};

}  // namespace amzsync::sync
