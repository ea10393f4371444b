// SPDX-License-Identifier: Apache-2.0
#include "sync/report_plan.hpp"

#include <algorithm>
#include <map>

#include "sync/slice_plan.hpp"

namespace amzsync::sync {
namespace {

using std::chrono::days;

constexpr days kKept(544);                                  // eighteen months, which are 546 days at least; Amazon refuses what is older
constexpr Duration kAlmost = std::chrono::hours(2);         // a sync that comes a little early is not sent away

bool report_due(const spapi::ReportDataset& dataset, const store::Cell& cell, Instant now) {
  if (!cell.digest || !cell.read_at || !cell.read_until || is_to_come(*cell.read_at, now)) return true;
  if (!dataset.day_column.empty() && *cell.read_until <= Instant(cell.day)) return true;   // only what the report of the day before told of it
  if (now - *cell.read_at < dataset.cadence - kAlmost) return false;
  if (dataset.day_column.empty()) return true;
  // What is in doubt is asked for the next day; where that does not help, once a week.
  constexpr Duration kNew = std::chrono::hours(48), kWeek = std::chrono::hours(24 * 7);
  if (cell.state == store::CellState::assumed && (!cell.first_read_at || now - *cell.first_read_at < kNew || now - *cell.read_at >= kWeek - kAlmost)) return true;
  // Not before it was read once at an age at which nothing comes any more, however long nobody asked.
  const Instant end = cell.day + days(1);
  return *cell.read_until < end || *cell.read_at - end < std::chrono::hours(24) * dataset.read_again_days;
}

Day month_start(Day day) {
  const std::chrono::year_month_day date(day);
  return std::chrono::sys_days(date.year() / date.month() / std::chrono::day(1));
}
Day month_after(Day day) {
  const std::chrono::year_month_day date(day);
  return std::chrono::sys_days((date.year() / date.month() + std::chrono::months(1)) / std::chrono::day(1));
}

/// No wider than the dataset allows, and none much narrower than its neighbours: a sliver beside a wide report looks to Amazon like the same
/// report once more, and its refusal like a want of data. A span is its pieces, days or months, and the end of the last.
std::vector<ReportWindow> cut_evenly(const std::vector<std::vector<Day>>& spans, std::size_t widest) {
  std::vector<ReportWindow> windows;
  for (const std::vector<Day>& edges : spans) {
    const std::size_t length = edges.size() - 1, parts = (length + widest - 1) / widest;
    for (std::size_t i = 0; i < parts; ++i) windows.push_back({edges[length * i / parts], edges[length * (i + 1) / parts]});
  }
  return windows;
}

}  // namespace

std::vector<ReportWindow> plan_reports(const spapi::ReportDataset& dataset, Day history_from, Instant now, const std::vector<store::Cell>& cells, std::vector<ReportWindow> under_way, bool unread_only) {
  std::map<Day, const store::Cell*> known;
  for (const store::Cell& cell : cells) known.emplace(cell.day, &cell);
  const auto due = [&](Day day) {
    for (const ReportWindow& w : under_way)
      if (w.from <= day && (day < w.until || w.from == w.until)) return false;
    const auto found = known.find(day);
    return found == known.end() || !found->second->digest || (!unread_only && report_due(dataset, *found->second, now));
  };
  if (dataset.day_column.empty()) {
    if (due(store::kSnapshotDay)) under_way.push_back({store::kSnapshotDay, store::kSnapshotDay});
    return under_way;
  }

  const Day today = day_of(now - std::chrono::minutes(5)), first = first_day(dataset, history_from, now);
  const auto next = [&](Day day) { return dataset.whole_months ? month_after(day) : day + days(1); };
  std::vector<std::vector<Day>> spans;
  for (Day day = first; day <= today; day = next(day)) {
    if (!due(day)) continue;
    if (spans.empty() || spans.back().back() != day) spans.push_back({day});
    spans.back().push_back(next(day));
  }
  constexpr int kLongestMonth = 31;
  std::vector<ReportWindow> windows = cut_evenly(spans, static_cast<std::size_t>(dataset.whole_months ? dataset.widest_days / kLongestMonth : dataset.widest_days));
  const Day claimable = today - days(kClaimDays);
  std::stable_sort(windows.begin(), windows.end(), [&](const ReportWindow& a, const ReportWindow& b) {
    const bool a_first = a.until > claimable, b_first = b.until > claimable;
    if (a_first != b_first) return a_first;
    return a_first ? a.from < b.from : a.from > b.from;
  });
  windows.insert(windows.begin(), under_way.begin(), under_way.end());
  return windows;
}

Day first_day(const spapi::ReportDataset& dataset, Day history_from, Instant now) {
  const Day kept = day_of(now) - kKept;
  if (!dataset.whole_months) return std::max(history_from, kept);
  // Of months the first that Amazon still has whole; the day that a history has for the sake of local dates begins no month more.
  const Day month = month_start(history_from + days(1));
  return month >= kept ? month : month_after(std::max(history_from, kept) - days(1));
}

std::optional<Day> middle_of(const spapi::ReportDataset& dataset, const ReportWindow& window) {
  Day middle = window.from + (window.until - window.from) / 2;
  if (dataset.whole_months && month_start(middle) > window.from) {
    middle = month_start(middle);
  } else if (dataset.whole_months) {
    middle = month_after(middle);
  }
  return middle > window.from && middle < window.until ? std::optional(middle) : std::nullopt;
}

}  // namespace amzsync::sync
