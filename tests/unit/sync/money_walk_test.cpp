// SPDX-License-Identifier: Apache-2.0
#include "sync/money_walk.hpp"

#include <doctest/doctest.h>

#include "sim/random.hpp"

using namespace amzsync::sync;
namespace spapi = amzsync::spapi;
namespace store = amzsync::store;

namespace {

/// A page from words: "A1" is event A of list 1; capitals carry an id of Amazon's, small letters do not; '#' is a transaction with
/// an id of its own.
spapi::MoneyPage page(const std::string& words, const std::string& token = "") {
  spapi::MoneyPage p;
  p.next_token = token;
  p.batch.types = {"List1", "List2"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == ' ') continue;
    store::MoneyEvent e;
    e.type = words[i + 1] == '2' ? 1 : 0;
    const std::string name = words.substr(i, 2);
    e.identity = e.content = Hash128::of(name);
    e.named_by_amazon = words[i] < 'a';
    e.unique_id = words[i] == '#';
    e.day = Day(std::chrono::days(20'000));
    p.batch.events.push_back(e);
    ++i;
  }
  return p;
}

/// Kept events over several pages, as "name-count".
std::int64_t kept(std::initializer_list<std::string> pages) {
  MoneyWalk walk;
  int n = 0;
  for (const std::string& words : pages) {
    spapi::MoneyPage p = page(words, "t" + std::to_string(++n));
    REQUIRE(walk.take(p));
  }
  return walk.count();
}

}  // namespace

TEST_SUITE_BEGIN("sync");

TEST_CASE("at a seam, events with Amazon's ids count once, and nameless ones each time") {
  CHECK(kept({"A1 B1 C1", "C1 D1"}) == 4);
  CHECK(kept({"A1 B1 C1", "B1 C1 D1"}) == 4);
  CHECK(kept({"a1 b1", "b1 c1"}) == 4);
  CHECK(kept({"A1 b1", "b1 C1"}) == 4);
  CHECK(kept({"A1 b1 C1", "b1 C1 D1"}) == 5);   // the overlap is two long; its nameless one counts again
  CHECK(kept({"A1 B1", "C1 B1"}) == 4);          // no seam: an equal event elsewhere is one of its own
  CHECK(kept({"A1 A1 B1", "C1"}) == 4);          // twins within a page
}

TEST_CASE("seams are looked for list by list") {
  CHECK(kept({"A1 B2", "B2 A1 C1"}) == 3);
  CHECK(kept({"A1 X2 B1", "B1 Y2"}) == 4);
}

TEST_CASE("an empty page between does not hide a seam") { CHECK(kept({"A1 B1", "", "B1 C1"}) == 3); }

TEST_CASE("a transaction with an id counts once, wherever it comes again") { CHECK(kept({"#1 #2", "#2 #3", "#1 #4"}) == 4); }

TEST_CASE("a transaction that changes while the pages are read is what it was told last") {
  for (const bool same_page : {true, false}) {
    MoneyWalk walk;
    spapi::MoneyPage first = page(same_page ? "#1 #1" : "#1", "t1"), second = page("#1", "t2");
    spapi::MoneyPage& later = same_page ? first : second;
    later.batch.events.back().content = Hash128::of("released");
    const Hash128 identity = first.batch.events.front().identity;
    REQUIRE(walk.take(first));
    if (!same_page) REQUIRE(walk.take(second));
    REQUIRE(later.batch.events.size() == 1);
    CHECK(later.batch.events.front().content == Hash128::of("released"));
    CHECK(later.batch.events.front().occurrence == 0);
    CHECK(walk.count() == 1);
    CHECK(walk.days().begin()->second.count == 1);
    CHECK(walk.days().begin()->second.occurrences.at(identity) > 0);
  }
}

TEST_CASE("twins are numbered in the order of the walk") {
  MoneyWalk walk;
  spapi::MoneyPage p = page("a1 a1 b1 a1");
  REQUIRE(walk.take(p));
  std::vector<std::uint32_t> numbers;
  for (const store::MoneyEvent& e : p.batch.events) numbers.push_back(e.occurrence);
  CHECK(numbers == std::vector<std::uint32_t>{0, 1, 0, 2});
}

TEST_CASE("a token that comes twice, or a page that comes twice, is a circle") {
  MoneyWalk tokens;
  spapi::MoneyPage one = page("A1 B1", "t"), two = page("C1 D1", "t");
  CHECK(tokens.take(one));
  CHECK(!tokens.take(two));
  MoneyWalk pages;
  spapi::MoneyPage first = page("A1 B1", "t1"), second = page("C1 D1", "t2"), again = page("A1 B1", "t3");
  CHECK(pages.take(first));
  CHECK(pages.take(second));
  CHECK(!pages.take(again));
  // A single equal event on the next page may be a twin; not for ever.
  CHECK(kept({"a1", "a1"}) == 2);
  MoneyWalk singles, empties;
  int pages_taken = 0;
  for (int i = 0; i < 1'000; ++i) {
    spapi::MoneyPage single = page("a1", "t" + std::to_string(i));
    if (!singles.take(single)) break;
    ++pages_taken;
  }
  CHECK(pages_taken < 10);
  pages_taken = 0;
  for (int i = 0; i < 1'000; ++i) {
    spapi::MoneyPage empty = page("", "t" + std::to_string(i));
    if (!empties.take(empty)) break;
    ++pages_taken;
  }
  CHECK(pages_taken > 10);
  CHECK(pages_taken < 100);
}

TEST_CASE("however a set of events is cut into pages, with seams or without, the walk counts the truth") {
  amzsim::Random random(4);
  for (int round = 0; round < 400; ++round) {
    // Named events are all different; nameless ones may be twins.
    std::vector<std::string> truth;
    for (std::int64_t i = 0, n = random.between(1, 40); i < n; ++i) {
      const bool named = random.one_in(2);
      truth.push_back(named ? std::string(1, static_cast<char>('A' + i % 26)) + std::string(1, static_cast<char>('1' + i / 26 % 2)) : std::string(1, static_cast<char>('a' + random.below(3))) + "1");
    }
    MoneyWalk walk;
    std::size_t at = 0;
    int n = 0;
    bool circle = false;
    while (at < truth.size() && !circle) {
      const auto size = static_cast<std::size_t>(random.between(1, 9));
      std::string words;
      // A seam repeats the last event before, if it can be recognised.
      if (at > 0 && random.one_in(2) && truth[at - 1][0] < 'a') words = truth[at - 1] + " ";
      for (std::size_t i = at; i < std::min(truth.size(), at + size); ++i) words += truth[i] + " ";
      at = std::min(truth.size(), at + size);
      spapi::MoneyPage p = page(words, "t" + std::to_string(++n));
      circle = !walk.take(p);
    }
    // Pages of twins alone may look like the same page again; then the walk is repeated, never miscounted.
    if (!circle) CHECK(walk.count() == static_cast<std::int64_t>(truth.size()));
  }
}

TEST_CASE("what begins a window is no repetition of what ended the one before, and a window may look like another") {
  MoneyWalk walk;
  for (int window = 0; window < 9; ++window) {
    walk.begin_window();
    spapi::MoneyPage p = page("A1 ", "");
    CHECK(walk.take(p));
    CHECK(p.batch.events.size() == 1);
  }
  CHECK(walk.count() == 9);
}

TEST_SUITE_END();
