// SPDX-License-Identifier: Apache-2.0
// The journal: events as rows, written in the transaction of what they tell, numbered per user without gaps.
#pragma once

#include <vector>

#include "store/sql.hpp"

namespace amzsync::store {

struct Event {
  std::int64_t seq = 0;  ///< 0: passing progress, which has no number and is not replayed
  std::string type;
  std::string payload;   ///< one JSON object
};

/// Appends an event; its number.
std::int64_t append_event(Tx& tx, UserNo user, std::string_view type, std::string_view payload);

/// Whether the user was told an event of this type about this sync, which its payload names first.
bool was_told(Tx& tx, UserNo user, std::string_view type, std::string_view sync_id);

struct JournalRange {
  std::int64_t oldest = 0;  ///< number of the oldest event still kept; newest + 1 when none is
  std::int64_t newest = 0;  ///< 0: there never was one
};
JournalRange journal_range(Tx& tx, UserNo user);

/// Events of one user with a number above `after`, in order.
std::vector<Event> events_after(Tx& tx, UserNo user, std::int64_t after, int limit);

/// An event of any user, at its place in the order of commits; for the operator's own reader.
struct PlacedEvent {
  std::int64_t place = 0;
  UserId user;
  UserNo number;
  Event event;
  Instant at{};
};
std::vector<PlacedEvent> all_events_after(Tx& tx, std::int64_t place, int limit);
std::int64_t newest_place(Tx& tx);
/// Of the last event that is no newer than this; 0: none is.
std::int64_t place_at(Tx& tx, Instant at);

/// Passing progress that was written after `version`; the versions grow over all runs together.
struct PassingProgress {
  std::int64_t version = 0;
  UserId user;
  std::string payload;
};
std::vector<PassingProgress> passing_progress_after(Tx& tx, std::optional<UserNo> user, std::int64_t version);
std::int64_t newest_progress_version(Tx& tx);

/// Removes what is older than `before`, at most `limit` rows a call; the number removed.
std::int64_t trim_journal(Tx& tx, Instant before, int limit);

}  // namespace amzsync::store
