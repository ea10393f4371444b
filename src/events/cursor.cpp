// SPDX-License-Identifier: Apache-2.0
#include "events/cursor.hpp"

#include <algorithm>
#include <utility>

#include "store/users.hpp"

namespace amzsync::events {
namespace {

constexpr int kAtOnce = 200;

}  // namespace

Result<std::unique_ptr<Cursor>> Cursor::open_all(store::Store& store) {
  auto cursor = std::unique_ptr<Cursor>(new Cursor(store));
  const auto load = [&](store::Tx& tx) -> Status {
    cursor->position_ = store::newest_place(tx);
    cursor->told_until_ = tx.now();
    cursor->progress_version_ = store::newest_progress_version(tx);
    return Done{};
  };
  AMZ_CHECK(store.read_now(load));
  return cursor;
}

Result<std::unique_ptr<Cursor>> Cursor::open(store::Store& store, UserId user, std::int64_t after) {
  auto cursor = std::unique_ptr<Cursor>(new Cursor(store));
  cursor->user_ = std::move(user);
  const auto load = [&](store::Tx& tx) -> Status {
    const auto number = store::find_user(tx, *cursor->user_);
    cursor->number_ = number;
    store::JournalRange range;
    range.oldest = 1;
    if (number) range = store::journal_range(tx, *number);
    cursor->progress_version_ = store::newest_progress_version(tx);
    if (after == kLive) {
      cursor->position_ = range.newest;
    } else if (after > range.newest || after < 0) {
      cursor->gap_ = true;  // a number of another database, or a made-up one
      cursor->position_ = range.newest;
    } else {
      cursor->gap_ = after + 1 < range.oldest;
      cursor->position_ = after;
    }
    return Done{};
  };
  AMZ_CHECK(store.read_now(load));
  cursor->began_after_ = cursor->position_;
  return cursor;
}

Status Cursor::fill() {
  const auto load = [&](store::Tx& tx) -> Status {
    std::optional<UserNo> number;
    if (user_) {
      number = store::find_user(tx, *user_);
      if (!number) return Done{};
      // Who was erased and has come again is another one, whose numbers begin anew.
      if (std::exchange(number_, number) != number) position_ = 0;
      for (store::Event& e : store::events_after(tx, *number, position_, kAtOnce)) {
        const std::int64_t seq = e.seq;
        ready_.push_back({*user_, std::move(e), number->value});
        position_ = seq;
      }
    } else {
      for (store::PlacedEvent& e : store::all_events_after(tx, position_, kAtOnce)) {
        ready_.push_back({std::move(e.user), std::move(e.event), e.number.value});
        position_ = e.place;
        told_until_ = e.at;
      }
    }
    // A server that takes another one's place may lack some of what that one told last, and gives its places out again.
    if (ready_.empty() && std::max(user_ ? 0 : position_, progress_version_) >= tx.place_to_come()) {
      if (!user_) position_ = store::place_at(tx, told_until_);
      progress_version_ = store::newest_progress_version(tx);
      return Done{};
    }
    // Behind the milestones: what passes now is newer than any of them. Not while more of those are to come.
    if (static_cast<int>(ready_.size()) >= kAtOnce) return Done{};
    for (store::PassingProgress& p : store::passing_progress_after(tx, number, progress_version_)) {
      ready_.push_back({std::move(p.user), {0, "sync_progress", std::move(p.payload)}, 0});
      progress_version_ = p.version;
    }
    return Done{};
  };
  return store_.read_now(load);
}

Result<std::optional<Item>> Cursor::next() {
  if (ready_.empty()) AMZ_CHECK(fill());
  if (ready_.empty()) return std::optional<Item>();
  std::optional<Item> item(std::move(ready_.front()));
  ready_.pop_front();
  return item;
}

}  // namespace amzsync::events
