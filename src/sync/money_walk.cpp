// SPDX-License-Identifier: Apache-2.0
#include "sync/money_walk.hpp"

#include <algorithm>

namespace amzsync::sync {
namespace {

constexpr int kMostEqualPages = 5;
constexpr int kMostIdlePages = 50;

/// Length of the longest suffix of `before` that is a prefix of `now`.
std::size_t seam_length(const std::vector<Hash128>& before, const std::vector<Hash128>& now) {
  for (std::size_t n = std::min(before.size(), now.size()); n > 0; --n)
    if (std::equal(before.end() - static_cast<std::ptrdiff_t>(n), before.end(), now.begin())) return n;
  return 0;
}

/// Some of a content's bits, never 0.
std::uint32_t mark_of(const Hash128& content) {
  std::uint32_t mark = 0;
  for (std::size_t i = 0; i < 4; ++i) mark = mark << 8U | content.bytes[i];
  return mark | 1U;
}

}  // namespace

void MoneyWalk::begin_window() {
  tokens_.clear();
  pages_.clear();
  previous_page_.clear();
  idle_pages_ = 0;
}

bool MoneyWalk::take(spapi::MoneyPage& page) {
  if (!page.next_token.empty() && !tokens_.insert(page.next_token).second) return false;

  std::map<std::string, std::vector<Hash128>> lists;
  std::string all;
  for (const store::MoneyEvent& e : page.batch.events) {
    lists[page.batch.types[e.type]].push_back(e.content);
    all += e.content.view();
  }
  // A few pages may be equal because all their events are twins, which nothing of Amazon's tells apart; others are the same page again.
  const auto& events = page.batch.events;
  const bool twins = std::all_of(events.begin(), events.end(), [&](const store::MoneyEvent& e) { return !e.named_by_amazon && e.content == events.front().content; });
  if (!events.empty() && ++pages_[Hash128::of(all)] > (twins || events.size() == 1 ? kMostEqualPages : 1)) return false;
  const std::int64_t count_before = count_;

  std::map<std::string, std::size_t> seams;
  for (const auto& [list, contents] : lists) seams[list] = seam_length(previous_page_[list], contents);

  std::vector<store::MoneyEvent> kept;
  kept.reserve(page.batch.events.size());
  std::map<std::string, std::size_t> place;
  std::string told;
  for (store::MoneyEvent& e : page.batch.events) {
    const std::string& list = page.batch.types[e.type];
    const bool at_seam = place[list]++ < seams[list];
    // Equal events without any id of Amazon's are twins, at a seam too: each counts.
    if (at_seam && e.named_by_amazon) continue;
    store::SeenDay& day = days_[e.day];
    day.day = e.day;
    std::uint32_t& seen = day.occurrences[e.identity];
    if (e.unique_id) {
      // Of what Amazon gave an id there is one; how it was told last is kept in place of how often it was told, which is more than never.
      const std::uint32_t mark = mark_of(e.content);
      if (seen == mark) continue;
      if (seen != 0) {
        // It changed while the pages were read, and is what it is now. The day's digest tells of both, so the day is read again.
        std::erase_if(kept, [&](const store::MoneyEvent& former) { return former.identity == e.identity && former.day == e.day; });
        --day.count;
        --count_;
      }
      seen = mark;
    } else {
      e.occurrence = seen++;
    }
    told.assign(e.identity.view()).append(std::to_string(e.occurrence)).append(e.content.view());
    day.digest += Hash128::of(told);
    ++day.count;
    ++count_;
    kept.push_back(std::move(e));
  }
  page.batch.events = std::move(kept);
  // Empty pages come, but not without end.
  idle_pages_ = count_ > count_before ? 0 : idle_pages_ + 1;
  if (idle_pages_ > kMostIdlePages) return false;
  // An empty page with a token says nothing about the list before it.
  if (!lists.empty()) previous_page_ = std::move(lists);
  return true;
}

}  // namespace amzsync::sync
