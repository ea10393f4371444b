// SPDX-License-Identifier: Apache-2.0
// Which days of a money stream a run must read, cut into slices that one walk of pages can cover. Pure logic.
//
// A slice is as wide as Amazon allows where there is little, and narrow where there is much: the plan learns the density from
// each walk. What can still be claimed comes first, soonest deadline first; older days follow from new to old. In a stream whose events may lack a date, slices keep to a stored grid, because such
// events belong to the request window they came in.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "store/money_rows.hpp"

namespace amzsync::sync {
using namespace base;

struct SlicePolicy {
  bool fixed_grid = false;      ///< keep to stored windows (v0)
  int widest_days = 179;        ///< both APIs answer spans over 180 days with nothing, silently
  std::int64_t events_per_page = 500;
  std::int64_t pages_per_slice = 60;   ///< a walk must end before its page tokens do
  int first_width_days = 14;    ///< before the density is known
  int grid_near_days = 16;      ///< a grid is cut finely here, since these days are read again and again
  int grid_first_width_days = 4;
};

/// Ages at which a day is read again until it stays unchanged (facts F5: rows arrive days and weeks late).
constexpr Duration kAlwaysReadAgain = std::chrono::hours(24 * 3);
constexpr Duration kDailyUntil = std::chrono::hours(24 * 14);
constexpr Duration kSettledAt = std::chrono::hours(24 * 60);

/// Most losses can be claimed for so many days (facts on policy, 1.1): what is nearest to that age is asked for first.
constexpr int kClaimDays = 60;

/// The end of what may be asked for: both APIs refuse the last two minutes; five leave room for clocks that differ.
constexpr Duration kNotYet = std::chrono::minutes(5);

/// Whether a day must be read in this run.
bool is_due(const store::Cell& cell, Instant now);
/// Whether a day that is read now is settled if it is found as it was: until then it stays provisional, and is read again.
bool may_settle(Day day, Instant now);

struct Slice {
  Day first;
  int days = 1;
  bool on_grid = false;         ///< a window of the stored grid
  Day end() const { return first + std::chrono::days(days); }
};

/// When what was too much is tried again: after some walks in a row that met nothing; after more of them where it is too much again, after fewer where it is not.
class Regrowth {
 public:
  void refused() {
    walks_ = 0;
    needed_ = std::min(needed_ * 4, kMost);
  }
  /// True: as much again may be asked for.
  bool walked() {
    if (++walks_ < needed_) return false;
    walks_ = 0;
    needed_ = std::max(needed_ / 2, kFewest);
    return true;
  }

 private:
  static constexpr int kFewest = 2, kMost = 32;
  int walks_ = 0, needed_ = kFewest;
};

class SlicePlan {
 public:
  SlicePlan(SlicePolicy policy, Day history_start, Instant now, const std::vector<store::Cell>& cells, const std::vector<store::Window>& grid);

  /// The next slice to walk; nullopt when all is planned.
  std::optional<Slice> next();
  /// A walk of `slice` ended and showed so many events.
  void walked(const Slice& slice, std::int64_t events);
  /// The slice is too much for one walk: its halves come next, and later slices are narrower until several were walked. Empty for one day.
  std::vector<Slice> split(const Slice& slice);

  std::int64_t days_known() const noexcept { return days_known_; }
  std::int64_t days_done() const noexcept { return days_done_; }
  /// Slices done, and known so far: done, waiting, and those that the rest makes at the present width.
  std::int64_t slices_done() const noexcept { return slices_done_; }
  std::int64_t slices_known() const;

 private:
  int width() const;
  bool claimable(const Slice& slice) const { return slice.end() > claimable_from_; }
  Slice cut_oldest();
  Slice cut_newest();
  int width_near_today() const;

  SlicePolicy policy_;
  Day today_, claimable_from_;
  std::deque<Slice> ready_;       // to be walked as they are: what can be claimed, oldest first, then the rest, newest first
  std::deque<Slice> claims_;      // spans still to be cut, oldest first, that can be claimed
  std::vector<Slice> open_;       // and that can't
  std::optional<double> density_; // events per day
  int widest_;
  Regrowth regrowth_;
  std::int64_t days_known_ = 0, days_done_ = 0, slices_done_ = 0;
};

}  // namespace amzsync::sync
