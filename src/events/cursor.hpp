// SPDX-License-Identifier: Apache-2.0
// A reader's place in the journal: of one user by event number, or (the operator's) of all users by order of commit. Reads
// blocking on its caller's thread; one thread at a time.
#pragma once

#include <deque>

#include "store/journal.hpp"
#include "store/store.hpp"

namespace amzsync::events {
using namespace base;

struct Item {
  UserId user;
  store::Event event;   ///< seq 0: passing progress
  std::int64_t journal = 0;   ///< whose number it is: who was erased and has come again has another journal; 0 of passing progress
};

class Cursor {
 public:
  /// From now on.
  static constexpr std::int64_t kLive = -1;

  /// All users, from now on. Errors: those of the store.
  static Result<std::unique_ptr<Cursor>> open_all(store::Store& store);
  /// One user, from after event number `after` (kLive: from now on).
  static Result<std::unique_ptr<Cursor>> open(store::Store& store, UserId user, std::int64_t after);

  /// Some of what was asked for is gone, or the number never existed.
  bool replay_gap() const noexcept { return gap_; }
  /// The event number (or place) after which this cursor began.
  std::int64_t began_after() const noexcept { return began_after_; }
  /// The journal of one user that it is in; 0: there is no such user yet, or it is a reader of all.
  std::int64_t journal() const noexcept { return number_ ? number_->value : 0; }
  /// The next item, nullopt when there is none now.
  Result<std::optional<Item>> next();

 private:
  explicit Cursor(store::Store& store) : store_(store) {}
  Status fill();

  store::Store& store_;
  std::optional<UserId> user_;
  std::optional<UserNo> number_;        // whose events the position counts; nobody's before there is such a user
  std::int64_t position_ = 0;   // event number, or place in the order of commits
  Instant told_until_{};         // of all users
  std::int64_t progress_version_ = 0;
  std::int64_t began_after_ = 0;
  bool gap_ = false;
  std::deque<Item> ready_;
};

}  // namespace amzsync::events
