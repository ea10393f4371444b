// SPDX-License-Identifier: Apache-2.0
// Which days of a report are to be read, and by which requests, what can still be claimed first. Pure logic.
#pragma once

#include <optional>
#include <vector>

#include "spapi/report_dataset.hpp"
#include "store/money_rows.hpp"

namespace amzsync::sync {
using namespace base;

/// Days that one report is asked for; a snapshot has both at store::kSnapshotDay.
struct ReportWindow {
  Day from{}, until{};   ///< until is exclusive
  friend bool operator==(const ReportWindow&, const ReportWindow&) = default;
};

/// Windows to be read now, in the order in which they are to be asked for: losses of the last two months can still be claimed, the
/// oldest of them not for long, so they come first; the rest follows from new to old. What is `under_way`, asked for before, comes before
/// all, and its days are asked for no second time. `unread_only`: days that were read are not read again for now.
std::vector<ReportWindow> plan_reports(const spapi::ReportDataset& dataset, Day history_from, Instant now, const std::vector<store::Cell>& cells, std::vector<ReportWindow> under_way, bool unread_only = false);

/// The first day that is read of a history that begins then.
Day first_day(const spapi::ReportDataset& dataset, Day history_from, Instant now);

/// Where a window that is too much for one report is cut; nullopt: nowhere.
std::optional<Day> middle_of(const spapi::ReportDataset& dataset, const ReportWindow& window);

}  // namespace amzsync::sync
