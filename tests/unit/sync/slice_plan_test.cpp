// SPDX-License-Identifier: Apache-2.0
#include "sync/slice_plan.hpp"

#include <doctest/doctest.h>

#include <set>

#include "sim/random.hpp"

using namespace amzsync::sync;
namespace store = amzsync::store;

namespace {

const Instant kNow = *parse_instant("2026-11-23T15:00:00Z");
const Day kToday = day_of(kNow);

Day ago(int days) { return kToday - std::chrono::days(days); }

/// A cell read at `read`, up to the end of its day or to then.
store::Cell cell(Day day, Instant read) {
  store::Cell c;
  c.day = day;
  c.state = store::CellState::provisional;
  c.row_count = 10;
  c.digest = Hash128::of("x");
  c.read_until = std::min(read - kNotYet, Instant(day + std::chrono::days(1)));
  c.first_read_at = c.read_at = read;
  return c;
}

struct Walked {
  std::set<Day> days;
  int slices = 0;
  int widest = 0;
  bool overlap = false;
};
/// Walks the whole plan, as if each day showed `per_day` events.
Walked walk(SlicePlan& plan, std::int64_t per_day) {
  Walked w;
  while (const auto slice = plan.next()) {
    ++w.slices;
    w.widest = std::max(w.widest, slice->days);
    for (Day d = slice->first; d < slice->end(); d += std::chrono::days(1)) w.overlap |= !w.days.insert(d).second;
    plan.walked(*slice, per_day * slice->days);
    REQUIRE(w.slices < 10'000);
  }
  return w;
}

}  // namespace

TEST_SUITE_BEGIN("sync");

TEST_CASE("a first sync covers every day of the history once, in slices that Amazon answers") {
  for (const bool grid : {false, true})
    for (const std::int64_t per_day : {0, 1, 50, 400, 20'000}) {
      CAPTURE(grid);
      CAPTURE(per_day);
      SlicePolicy policy;
      policy.fixed_grid = grid;
      if (grid) policy.events_per_page = 100;
      SlicePlan plan(policy, ago(540), kNow, {}, {});
      Walked w = walk(plan, per_day);
      CHECK(!w.overlap);
      CHECK(w.widest <= 179);
      for (int d = 0; d <= 540; ++d) CHECK(w.days.contains(ago(d)));
      CHECK(plan.days_done() == plan.days_known());
      CHECK(plan.slices_done() == plan.slices_known());
      // Sparse: few slices. Dense: none that could not be walked while its page tokens live.
      if (per_day <= 1) CHECK(w.slices <= (grid ? 14 : 6));
    }
}

TEST_CASE("after a complete sync only what may still change is read again") {
  std::vector<store::Cell> cells;
  for (int d = 0; d <= 540; ++d) cells.push_back(cell(ago(d), kNow));
  const auto due = [&](Instant now) {
    std::vector<int> days;
    for (const store::Cell& c : cells)
      if (is_due(c, now)) days.push_back(static_cast<int>((kToday - c.day).count()));
    return days;
  };
  using std::chrono::hours;
  CHECK(due(kNow).size() == 3 + 1);                       // today, and the last three days
  CHECK(due(kNow + hours(6)).size() == 3 + 1);
  CHECK(due(kNow + hours(25)).size() == 14);              // once a day the last fourteen
  const auto weekly = due(kNow + hours(24 * 7 + 1));
  CHECK(weekly.size() > 50);                              // once a week the last sixty
  CHECK(weekly.size() == 541);                            // and what is older until it is found unchanged
  for (store::Cell& c : cells)
    if (may_settle(c.day, kNow)) c.state = store::CellState::settled;
  for (const int d : due(kNow + hours(24 * 7 + 1))) CHECK(d <= 60);
  // What was read by a clock that was ahead was read nobody knows when.
  CHECK(due(kNow - hours(1)).size() < 20);
  CHECK(due(kNow - hours(2)).size() == 541);
}

TEST_CASE("what can still be claimed comes first, what expires soonest before the rest; then from new to old") {
  for (const bool grid : {false, true}) {
    CAPTURE(grid);
    SlicePolicy policy;
    policy.fixed_grid = grid;
    SlicePlan first(policy, ago(540), kNow, {}, {});
    std::vector<store::Window> windows;
    std::vector<store::Cell> cells;
    std::vector<Slice> order;
    const auto take = [&](SlicePlan& plan) {
      order.clear();
      while (const auto slice = plan.next()) {
        order.push_back(*slice);
        plan.walked(*slice, 2 * slice->days);
      }
      const auto claim = [](const Slice& s) { return s.end() > ago(kClaimDays); };
      for (std::size_t i = 1; i < order.size(); ++i) {
        CHECK((claim(order[i - 1]) || !claim(order[i])));
        if (claim(order[i])) CHECK(order[i - 1].first < order[i].first);
        if (!claim(order[i - 1])) CHECK(order[i - 1].first > order[i].first);
      }
      CHECK(order.front().first == ago(kClaimDays));
    };
    take(first);
    if (!grid) continue;
    // The same of windows that are read again.
    for (const Slice& s : order) windows.push_back({s.first, s.days});
    std::sort(windows.begin(), windows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (int d = 0; d <= 540; ++d) cells.push_back(cell(ago(d), kNow - std::chrono::hours(24 * 8)));
    SlicePlan second(policy, ago(540), kNow, cells, windows);
    take(second);
  }
}

TEST_CASE("a second sync asks for the due days in one slice") {
  std::vector<store::Cell> cells;
  for (int d = 0; d <= 540; ++d) cells.push_back(cell(ago(d), kNow));
  SlicePlan plan({}, ago(540), kNow + std::chrono::hours(6), cells, {});
  const Walked w = walk(plan, 10);
  CHECK(w.slices == 1);
  CHECK(w.days.size() == 4);
}

TEST_CASE("a slice that is too much is halved down to a day, and later slices are narrower, until some in a row were not too much") {
  SlicePlan plan({}, ago(60), kNow, {}, {});
  auto slice = plan.next();
  REQUIRE(slice);
  const int whole = slice->days;
  std::vector<Slice> halves = plan.split(*slice);
  REQUIRE(halves.size() == 2);
  CHECK(halves[0].days + halves[1].days == whole);
  CHECK(halves[0].first == halves[1].end());
  CHECK(plan.next()->first == halves[1].first);   // the older one can be claimed for a shorter time
  CHECK(plan.split({ago(1), 1, false}).empty());
  int walks = 0;
  for (bool again = false; const auto next = plan.next(); ++walks) {
    if (walks < 4) CHECK(next->days <= whole / 2 + 1);
    again |= next->days == whole;
    if (next->days == 1) CHECK(again);   // the last one
    plan.walked(*next, 100);
  }
  CHECK(walks > 4);
}

TEST_CASE("after a time of trouble a history is not walked day by day to its end") {
  SlicePlan plan({}, ago(540), kNow, {}, {});
  int trouble = 12, walks = 0;
  while (const auto slice = plan.next()) {
    ++walks;
    if (slice->days > 1 && trouble > 0) {
      --trouble;
      plan.split(*slice);
    } else {
      plan.walked(*slice, 1);
    }
  }
  CHECK(trouble == 0);
  CHECK(walks < 150);
}

TEST_CASE("what is always too much is tried again less and less often") {
  SlicePlan plan({}, ago(540), kNow, {}, {});
  int refused = 0, walks = 0;
  while (const auto slice = plan.next()) {
    if (slice->days > 1) {
      ++refused;
      plan.split(*slice);
    } else {
      ++walks;
      plan.walked(*slice, 1);
    }
  }
  CHECK(walks == 541);
  CHECK(refused < 60);
}

TEST_CASE("windows of the grid are read again as a whole, or not at all") {
  SlicePolicy policy;
  policy.fixed_grid = true;
  policy.events_per_page = 100;
  std::vector<store::Window> grid;
  std::vector<store::Cell> cells;
  for (int d = 540; d > 0; d -= 4) {
    grid.push_back({ago(d), 4});
    for (int k = 0; k < 4; ++k) cells.push_back(cell(ago(d - k), kNow - std::chrono::hours(24)));
  }
  SlicePlan plan(policy, ago(540), kNow, cells, grid);
  while (const auto slice = plan.next()) {
    CHECK(slice->on_grid);
    bool known = false;
    for (const store::Window& w : grid) known |= w.first == slice->first && w.days == slice->days;
    CHECK((known || slice->first >= ago(0)));
    plan.walked(*slice, 5);
  }
}

TEST_CASE("whatever was read before, the plan covers what is due, once") {
  amzsim::Random random(9);
  for (int round = 0; round < 300; ++round) {
    const bool fixed = random.one_in(2);
    SlicePolicy policy;
    policy.fixed_grid = fixed;
    std::vector<store::Cell> cells;
    std::vector<store::Window> grid;
    for (int d = 540; d >= 0;) {
      const int days = static_cast<int>(std::min<std::int64_t>(random.between(1, 30), d + 1));
      if (!random.one_in(3)) {
        if (fixed) grid.push_back({ago(d), days});
        for (int k = 0; k < days; ++k)
          if (!random.one_in(4)) cells.push_back(cell(ago(d - k), kNow - std::chrono::hours(random.below(24 * 40))));
      }
      d -= days;
    }
    std::set<Day> due;
    for (int d = 0; d <= 540; ++d) due.insert(ago(d));
    for (const store::Cell& c : cells)
      if (!is_due(c, kNow)) due.erase(c.day);
    SlicePlan plan(policy, ago(540), kNow, cells, grid);
    std::set<Day> planned;
    bool overlap = false;
    while (const auto slice = plan.next()) {
      if (random.one_in(6) && slice->days > 1) {
        plan.split(*slice);
        continue;
      }
      for (Day d = slice->first; d < slice->end(); d += std::chrono::days(1)) overlap |= !planned.insert(d).second;
      plan.walked(*slice, random.below(5'000));
    }
    CHECK(!overlap);
    for (const Day d : due) CHECK(planned.contains(d));
    if (!fixed) CHECK(planned == due);
  }
}

TEST_SUITE_END();
