// SPDX-License-Identifier: Apache-2.0
#include "sync/slice_plan.hpp"

#include <algorithm>
#include <map>

namespace amzsync::sync {
namespace {

using std::chrono::days;

Instant end_of(Day day) { return Instant(day + days(1)); }

}  // namespace

bool is_due(const store::Cell& cell, Instant now) {
  if (!cell.digest || !cell.read_at || !cell.read_until || is_to_come(*cell.read_at, now)) return true;
  if (cell.state == store::CellState::assumed) return true;
  if (*cell.read_until < end_of(cell.day)) return true;  // only a part of the day was there to be read
  const Duration age = now - end_of(cell.day);
  if (age < kAlwaysReadAgain) return true;
  if (cell.state == store::CellState::settled) return false;
  const Duration since = now - *cell.read_at;
  return since >= (age < kDailyUntil ? days(1) : days(7));
}

bool may_settle(Day day, Instant now) { return now - end_of(day) >= kSettledAt; }

SlicePlan::SlicePlan(SlicePolicy policy, Day history_start, Instant now, const std::vector<store::Cell>& cells, const std::vector<store::Window>& grid)
    : policy_(policy), today_(day_of(now - kNotYet)), claimable_from_(today_ - days(kClaimDays)), widest_(policy.widest_days) {
  std::map<Day, bool> due;  // every day from the start of the history to today
  for (Day d = history_start; d <= today_; d += days(1)) due[d] = true;
  std::int64_t rows = 0, known_days = 0;
  for (const store::Cell& cell : cells) {
    if (const auto found = due.find(cell.day); found != due.end()) found->second = is_due(cell, now);
    if (!cell.digest) continue;
    rows += cell.row_count;
    ++known_days;
  }
  if (known_days > 0) density_ = static_cast<double>(rows) / static_cast<double>(known_days);

  if (policy_.fixed_grid) {
    for (const store::Window& w : grid) {
      bool any = false;
      for (Day d = w.first; d < w.end(); d += days(1))
        if (const auto found = due.find(d); found != due.end()) {
          any |= found->second;
          due.erase(found);  // whatever becomes of it, it is no new territory
        }
      if (!any) continue;
      const Slice slice{w.first, w.days, true};
      claimable(slice) ? ready_.push_back(slice) : ready_.push_front(slice);
      days_known_ += w.days;
    }
    // The grid is in order of days; what can be claimed is, too, and goes before the rest.
    const auto first_claim = std::find_if(ready_.begin(), ready_.end(), [this](const Slice& s) { return claimable(s); });
    std::rotate(ready_.begin(), first_claim, ready_.end());
  }
  for (const auto& [day, is] : due) {
    if (!is) continue;
    ++days_known_;
    const auto extend = [day = day](auto& spans) {
      if (!spans.empty() && spans.back().end() == day) {
        ++spans.back().days;
      } else {
        spans.push_back({day, 1, false});
      }
    };
    day >= claimable_from_ ? extend(claims_) : extend(open_);
  }
}

int SlicePlan::width() const {
  if (!density_) return std::min(policy_.first_width_days, widest_);
  const auto target = static_cast<double>(policy_.events_per_page * policy_.pages_per_slice);
  const double fit = *density_ > 0 ? target / *density_ : widest_;
  return static_cast<int>(std::clamp(fit, 1.0, static_cast<double>(widest_)));
}

/// One page per window where days are read again often; at first a guess.
int SlicePlan::width_near_today() const {
  if (!density_ || *density_ <= 0) return policy_.grid_first_width_days;
  return static_cast<int>(std::clamp(static_cast<double>(policy_.events_per_page) / *density_, 1.0, static_cast<double>(policy_.grid_near_days) / 2));
}

Slice SlicePlan::cut_oldest() {
  Slice& span = claims_.front();
  int wide = width();
  const Day near = today_ - days(policy_.grid_near_days);
  if (policy_.fixed_grid) wide = span.first >= near ? width_near_today() : std::min(wide, static_cast<int>((near - span.first).count()));
  Slice slice{span.first, std::min(wide, span.days), policy_.fixed_grid};
  span.first = slice.end();
  span.days -= slice.days;
  if (span.days == 0) claims_.pop_front();
  // A window that begins today goes on into the days to come, as wide as the density allows.
  if (policy_.fixed_grid && slice.first == today_ && wide > slice.days) {
    days_known_ += wide - slice.days;
    slice.days = wide;
  }
  return slice;
}

Slice SlicePlan::cut_newest() {
  Slice& span = open_.back();
  const int wide = std::min(width(), span.days);
  const Slice slice{span.end() - days(wide), wide, policy_.fixed_grid};
  span.days -= wide;
  if (span.days == 0) open_.pop_back();
  return slice;
}

std::optional<Slice> SlicePlan::next() {
  const bool ready_claim = !ready_.empty() && claimable(ready_.front());
  if (!claims_.empty() && (!ready_claim || claims_.front().first <= ready_.front().first)) return cut_oldest();
  if (!ready_claim && !open_.empty() && (ready_.empty() || open_.back().first >= ready_.front().end())) return cut_newest();
  if (ready_.empty()) return std::nullopt;
  const Slice slice = ready_.front();
  ready_.pop_front();
  return slice;
}

void SlicePlan::walked(const Slice& slice, std::int64_t events) {
  days_done_ += slice.days;
  ++slices_done_;
  if (widest_ < policy_.widest_days && regrowth_.walked()) widest_ = std::min(policy_.widest_days, widest_ * 2);
  const auto elapsed = std::max<std::int64_t>(1, std::min<std::int64_t>(slice.days, (today_ - slice.first).count() + 1));
  const double seen = static_cast<double>(events) / static_cast<double>(elapsed);
  // Half old, half new: one quiet week must not make the next slice too wide.
  density_ = density_ ? (*density_ + seen) / 2 : seen;
}

std::vector<Slice> SlicePlan::split(const Slice& slice) {
  if (slice.days <= 1) return {};
  const int newer = slice.days / 2;
  const Slice older_half{slice.first, slice.days - newer, slice.on_grid};
  const Slice newer_half{older_half.end(), newer, slice.on_grid};
  widest_ = std::max(1, std::min(widest_, older_half.days));
  regrowth_.refused();
  ready_.push_front(claimable(newer_half) ? newer_half : older_half);
  ready_.push_front(claimable(newer_half) ? older_half : newer_half);
  return {newer_half, older_half};
}

std::int64_t SlicePlan::slices_known() const {
  std::int64_t open_days = 0;
  for (const Slice& span : open_) open_days += span.days;
  for (const Slice& span : claims_) open_days += span.days;
  return slices_done_ + static_cast<std::int64_t>(ready_.size()) + (open_days + width() - 1) / width();
}

}  // namespace amzsync::sync
