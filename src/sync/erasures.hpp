// SPDX-License-Identifier: Apache-2.0
// Everything of a user's goes: the sync under way is cancelled, the tokens and the name go at once, then all rows, then what the files still hold of them.
#pragma once

#include "store/erasure.hpp"
#include "sync/manager.hpp"
#include "sync/services.hpp"

namespace amzsync::sync {

class Erasures {
 public:
  Erasures(Services& services, Manager& manager, CancelToken life) : services_(services), manager_(manager), life_(std::move(life)) {}

  /// Finishes, now and then, what was begun by whoever is gone. Loop thread.
  void start();
  /// The receipt, as JSON: {userId, known, state, pending, rows, total, outOfReach}. `state` "erased", or "pending" where after half a minute rows are still
  /// being deleted or somebody still reads what was there before; that goes on by itself, and nobody finds the rows meanwhile. Errors: store_*.
  Async<Result<std::string>> erase(UserId user, std::string by);

 private:
  /// One user's end while it is under way.
  struct Job {
    UserNo user;
    store::ErasedRows rows;
    bool tokens_gone = false, rows_gone = false, files_clean = false;
    bool over() const { return rows_gone && files_clean; }
  };
  Async<Status> end_syncs(UserNo user);
  Async<void> end_tokens(std::shared_ptr<Job> job);
  Async<void> perform(std::shared_ptr<Job> job);
  Async<void> finish_what_was_begun();

  Services& services_;
  Manager& manager_;
  CancelToken life_;
};

}  // namespace amzsync::sync
