// SPDX-License-Identifier: Apache-2.0
// The changes feed: what became of a user's entity rows, in the order in which it was committed, for hosts that keep a copy of their own.
// Every change has a number; a reader goes on after the last one that it has dealt with, and hears of each change at least once. What
// a row says is read when it is handed out, so a reader who comes late gets the newest state.
#pragma once

#include <string>
#include <vector>

#include "store/sql.hpp"

namespace amzsync::store {

/// Writes down what a transaction does to rows of one stream. The user's row is locked by it, so numbers are committed in order.
class ChangeLog {
 public:
  ChangeLog(Tx& tx, UserNo user, std::string_view stream) : tx_(tx), user_(user), stream_(stream) {}
  void put(std::int64_t row) { add(row, false); }
  void gone(std::int64_t row) { add(row, true); }
  /// To be called once, after the last of them.
  void write();

 private:
  struct Rows {
    std::int64_t first = 0, count = 0;
    bool gone = false;
  };
  void add(std::int64_t row, bool gone);

  Tx& tx_;
  UserNo user_;
  std::string_view stream_;
  std::vector<Rows> changes_;
};

struct Change {
  std::int64_t seq = 0;       ///< 0: part of the snapshot that a new reader begins with
  std::string_view stream;
  std::int64_t row = 0;
  std::string content;        ///< JSON of the row as its view shows it; empty: the row is gone
};

struct ChangeEntity;

/// A reader's place. `after` 0, or one that is no longer kept, begins with all rows that are there.
class ChangeReader {
 public:
  /// `streams`: names of change_streams(); empty: all.
  ChangeReader(Tx& tx, UserNo user, std::int64_t after, const std::vector<std::string>& streams);

  /// The next changes, some at a time; none when all that is committed was read.
  std::vector<Change> next(Tx& tx);
  /// After which change to go on; stays behind until the snapshot is through, since only a whole one is worth anything.
  std::int64_t position() const noexcept { return place_ < streams_.size() ? 0 : after_; }
  /// Whether what was asked for is no longer kept, so that it began anew.
  bool began_anew() const noexcept { return began_anew_; }

 private:
  bool fill_from_snapshot(Tx& tx, std::vector<Change>& out);

  UserNo user_;
  std::string user_id_;
  std::vector<const ChangeEntity*> streams_;
  std::int64_t after_;
  bool began_anew_ = false;
  // The snapshot: which stream, after which day, and which rows of the day.
  std::size_t place_ = 0;
  std::optional<std::int64_t> day_;
  std::vector<std::int64_t> rows_;   // last first
};

/// What a reader of the host's has dealt with, by the reader's own word; 0: nothing yet. Never goes back.
void acknowledge_changes(Tx& tx, UserNo user, std::string_view reader, std::int64_t seq);
std::int64_t acknowledged_changes(Tx& tx, UserNo user, std::string_view reader);

/// Forgets changes that are older; how many rows.
std::int64_t trim_changes(Tx& tx, Instant before, int limit);

/// Streams that a copy can be kept of, by name.
std::vector<std::string_view> change_streams();

}  // namespace amzsync::store
