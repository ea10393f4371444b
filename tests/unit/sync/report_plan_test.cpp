// SPDX-License-Identifier: Apache-2.0
#include "sync/report_plan.hpp"

#include <doctest/doctest.h>

#include <set>

#include "sim/random.hpp"
#include "spapi/reports/datasets.hpp"

using namespace amzsync::sync;
namespace spapi = amzsync::spapi;
namespace store = amzsync::store;

namespace {

const Instant kNow = *parse_instant("2026-11-23T15:00:00Z");
const Day kToday = day_of(kNow);
Day ago(int days) { return kToday - std::chrono::days(days); }

store::Cell cell(Day day, Instant read) {
  store::Cell c;
  c.day = day;
  c.state = store::CellState::provisional;
  c.digest = Hash128::of("x");
  c.read_at = read;
  c.read_until = std::min(read, Instant(day + std::chrono::days(1)));
  return c;
}

}  // namespace

TEST_SUITE_BEGIN("sync");

TEST_CASE("a first reading asks for every day once, in spans that Amazon makes, what can still be claimed first") {
  for (const spapi::ReportDataset* dataset : {&spapi::kReimbursements, &spapi::kLedger, &spapi::kReturns, &spapi::kRemovals, &spapi::kLedgerSummary, &spapi::kStorageFees}) {
    CAPTURE(std::string(dataset->stream));
    const auto windows = plan_reports(*dataset, ago(540), kNow, {}, {});
    std::set<Day> days;
    bool old_ones = false;
    for (const ReportWindow& w : windows) {
      CHECK((w.until - w.from).count() <= dataset->widest_days);
      for (Day d = w.from; d < w.until; d += std::chrono::days(1)) CHECK(days.insert(d).second);
      const bool claimable = w.until > ago(60);
      CHECK(!(claimable && old_ones));
      old_ones |= !claimable;
    }
    for (int n = 0; n <= 540; ++n) CHECK(days.contains(ago(n)));
  }
  CHECK(plan_reports(spapi::kFeePreview, ago(540), kNow, {}, {}) == std::vector<ReportWindow>{{store::kSnapshotDay, store::kSnapshotDay}});
}

TEST_CASE("where only unread days are asked for, those that failed and those that nobody asked for are") {
  std::vector<store::Cell> cells;
  for (int n = 0; n <= 10; ++n) cells.push_back(cell(ago(n), kNow - std::chrono::hours(30)));
  for (int n = 11; n <= 14; ++n) {
    cells.push_back(cell(ago(n), kNow));
    cells.back().digest.reset();
    cells.back().state = store::CellState::failed;
  }
  const auto days = [&](bool unread_only) {
    std::set<Day> all;
    for (const ReportWindow& w : plan_reports(spapi::kReimbursements, ago(20), kNow, cells, {}, unread_only))
      for (Day d = w.from; d < w.until; d += std::chrono::days(1)) all.insert(d);
    return all;
  };
  std::set<Day> unread;
  for (int n = 11; n <= 20; ++n) unread.insert(ago(n));
  CHECK(days(true) == unread);
  CHECK(days(false).contains(ago(0)));
}

TEST_CASE("an old day in doubt is asked for again the next day, and where that does not help once a week") {
  static constexpr auto kDay = std::chrono::hours(24);
  const auto asked_again = [](Duration first_read, Duration read) {
    std::vector<store::Cell> cells;
    for (int n = 0; n <= 300; ++n) cells.push_back(cell(ago(n), kNow - kDay / 2));
    cells[200].state = store::CellState::assumed;
    cells[200].first_read_at = kNow - first_read;
    cells[200].read_at = kNow - read;
    return !plan_reports(spapi::kReturns, ago(300), kNow, cells, {}).empty();
  };
  CHECK(!asked_again(kDay / 2, kDay / 2));
  CHECK(asked_again(kDay, kDay));
  CHECK(!asked_again(kDay * 3, kDay));
  CHECK(!asked_again(kDay * 90, kDay * 6));
  CHECK(asked_again(kDay * 90, kDay * 7));
}

TEST_CASE("no report is a sliver beside a wide one, on whatever day of the month") {
  for (const spapi::ReportDataset* dataset : {&spapi::kLedger, &spapi::kLedgerSummary, &spapi::kStorageFees})
    for (int history = 1; history <= 560; ++history) {
      CAPTURE(std::string(dataset->stream));
      CAPTURE(history);
      const auto windows = plan_reports(*dataset, ago(history), kNow, {}, {});
      const auto length = [](const ReportWindow& w) { return (w.until - w.from).count(); };
      for (const ReportWindow& a : windows)
        for (const ReportWindow& b : windows) CHECK(length(a) <= length(b) + (dataset->whole_months ? 34 : 1));   // a month more, and the lengths of months
    }
}

TEST_CASE("nothing is asked for that Amazon no longer has, on any day of any month") {
  for (const spapi::ReportDataset* dataset : {&spapi::kLedger, &spapi::kLedgerSummary, &spapi::kStorageFees, &spapi::kReimbursements})
    for (int later = 0; later < 800; ++later) {
      CAPTURE(std::string(dataset->stream));
      CAPTURE(later);
      const Instant now = kNow + std::chrono::hours(24 * later);
      const std::chrono::year_month_day today(day_of(now));
      const auto kept = today.year() / today.month() - std::chrono::months(18);
      const Day oldest = std::min(std::chrono::sys_days(kept.year() / kept.month() / today.day()), std::chrono::sys_days(kept.year() / kept.month() / std::chrono::last));
      Day first = day_of(now);
      for (const ReportWindow& w : plan_reports(*dataset, day_of(now) - std::chrono::days(541), now, {}, {})) first = std::min(first, w.from);
      CHECK(first - std::chrono::days(dataset->edge_days) >= oldest);
      CHECK(first <= day_of(now) - std::chrono::days(dataset->whole_months ? 510 : 540));
    }
}

TEST_CASE("what was read by a clock that was ahead is read again") {
  std::vector<store::Cell> cells;
  for (int n = 120; n >= 0; --n) cells.push_back(cell(ago(n), kNow + std::chrono::hours(24 * 30)));
  std::set<Day> days;
  for (const ReportWindow& w : plan_reports(spapi::kLedger, ago(120), kNow, cells, {}))
    for (Day d = w.from; d < w.until; d += std::chrono::days(1)) days.insert(d);
  for (int n = 120; n > 0; --n) CHECK(days.contains(ago(n)));
}

TEST_CASE("what is under way is gone on with first and its days are asked for no second time; what was read lately is left alone") {
  amzsim::Random random(3);
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    std::vector<store::Cell> cells;
    std::set<Day> fresh;
    for (int n = 120; n >= 0; --n) {
      if (random.one_in(3)) continue;
      const auto hours = random.below(72);
      cells.push_back(cell(ago(n), kNow - std::chrono::hours(hours)));
      // Read within the day after it had begun, or when it was too old to change.
      const Instant end = ago(n) + std::chrono::days(1);
      if ((hours < 22 && cells.back().read_until > ago(n)) || (*cells.back().read_at - end >= std::chrono::days(spapi::kLedger.read_again_days) && cells.back().read_until >= end)) fresh.insert(ago(n));
    }
    std::vector<ReportWindow> under_way;
    for (int n = 110; n > 20; n -= 30)
      if (random.one_in(2)) under_way.push_back({ago(n), ago(n - 1 - static_cast<int>(random.below(20)))});
    const auto windows = plan_reports(spapi::kLedger, ago(120), kNow, cells, under_way);
    REQUIRE(windows.size() >= under_way.size());
    CHECK(std::equal(under_way.begin(), under_way.end(), windows.begin()));
    std::set<Day> days;
    for (const ReportWindow& w : windows)
      for (Day d = w.from; d < w.until; d += std::chrono::days(1)) CHECK(days.insert(d).second);
    for (int n = 120; n >= 0; --n) {
      const bool taken = std::any_of(under_way.begin(), under_way.end(), [&](const ReportWindow& w) { return w.from <= ago(n) && ago(n) < w.until; });
      CHECK(days.contains(ago(n)) == (taken || !fresh.contains(ago(n))));
    }
  }
}

TEST_CASE("a window is cut in its middle, one of months between two of them, and one that can't be cut nowhere") {
  const auto day = [](const char* text) { return day_of(*parse_instant(std::string(text) + "T00:00:00Z")); };
  CHECK(middle_of(spapi::kLedger, {day("2026-08-01"), day("2026-08-05")}) == day("2026-08-03"));
  CHECK(middle_of(spapi::kLedger, {day("2026-08-01"), day("2026-08-02")}) == std::nullopt);
  CHECK(middle_of(spapi::kLedgerSummary, {day("2026-01-01"), day("2026-07-01")}) == day("2026-04-01"));
  CHECK(middle_of(spapi::kLedgerSummary, {day("2026-01-01"), day("2026-04-01")}) == day("2026-02-01"));
  CHECK(middle_of(spapi::kLedgerSummary, {day("2026-01-01"), day("2026-03-01")}) == day("2026-02-01"));
  CHECK(middle_of(spapi::kLedgerSummary, {day("2026-02-01"), day("2026-03-01")}) == std::nullopt);
  CHECK(middle_of(spapi::kFeePreview, {store::kSnapshotDay, store::kSnapshotDay}) == std::nullopt);
}

TEST_SUITE_END();
