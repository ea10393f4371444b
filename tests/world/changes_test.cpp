// SPDX-License-Identifier: Apache-2.0
// The changes feed: a copy that is kept by it alone says what the views say, whenever it has caught up.
#include <doctest/doctest.h>

#include "store/changes.hpp"
#include "store/users.hpp"
#include "world/checks.hpp"

using namespace world;
namespace store = amzsync::store;

namespace {

/// A host's copy of one user's rows.
class Copy {
 public:
  Copy(World& world, Process& process, int n) : world_(world), process_(process), user_(world.user(n)) {}

  /// Opens a reader where the copy stands, as after a restart, and takes some changes, or all.
  void follow(std::size_t most = SIZE_MAX) {
    std::optional<store::ChangeReader> reader;
    const auto in_store = [&](auto work) { return process_.engine().store().read_now(std::move(work)); };
    CHECK(in_store([&](store::Tx& tx) -> Status {
      reader.emplace(tx, *store::find_user(tx, user_), position_, std::vector<std::string>());
      return Done{};
    }));
    if (reader->began_anew() || position_ == 0) rows_.clear();
    std::int64_t last = position_;
    for (std::size_t taken = 0; taken < most;) {
      const auto some = in_store([&](store::Tx& tx) -> Result<std::vector<store::Change>> { return reader->next(tx); });
      REQUIRE(some);
      if (some->empty()) break;
      for (const store::Change& c : *some) {
        if (c.seq > 0) CHECK(c.seq > std::exchange(last, c.seq));   // in order, each number once
        const auto key = std::pair(std::string(c.stream), c.row);
        if (c.content.empty()) {
          rows_.erase(key);
        } else {
          rows_[key] = c.content;
        }
        ++taken;
      }
    }
    position_ = reader->position();
  }
  std::int64_t position() const { return position_; }

  void check() const {
    std::map<std::string, std::size_t> counts;
    for (const auto& [key, content] : rows_) ++counts[key.first];
    for (const std::string_view stream : store::change_streams()) {
      CAPTURE(std::string(stream));
      const std::string view = "amz_" + std::string(stream), key = stream == "inventory" ? "inventory_id" : stream == "transactions" || stream == "financial_events" ? "event_id" : "row_id";
      const auto ids = world_.sql("SELECT " + key + " FROM " + view + " WHERE user_id='" + user_.text() + "'");
      CHECK(counts[std::string(stream)] == ids.size());
      for (const auto& id : ids) CHECK(rows_.contains({std::string(stream), std::atoll(id[0].c_str())}));
    }
    // And what the rows say: of a few columns, one for each kind of stream.
    for (const auto& [view, key, column] : {std::tuple{"transactions", "event_id", "status"}, {"inventory", "inventory_id", "total_quantity"}, {"ledger", "row_id", "unreconciled_quantity"}, {"returns", "row_id", "status"}})
      for (const auto& row : world_.sql("SELECT " + std::string(key) + ", " + column + " FROM amz_" + view + " WHERE user_id='" + user_.text() + "'"))
        CHECK(member(rows_.at({view, std::atoll(row[0].c_str())}), {column}) == (row[1] == "NULL" ? "" : row[1]));
  }

 private:
  World& world_;
  Process& process_;
  UserId user_;
  std::map<std::pair<std::string, std::int64_t>, std::string> rows_;
  std::int64_t position_ = 0;
};

}  // namespace

TEST_SUITE_BEGIN("world");

TEST_CASE("a copy kept by the changes feed equals the views, through late releases, vanished stock and restarts of its reader") {
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    WorldSettings settings;
    settings.finances_v0 = v0;
    settings.amazon.events = 1'200;
    settings.amazon.skus = 50;
    settings.history_days = settings.amazon.history_days = 90;
    World world(settings);
    Process& process = world.open();
    const auto connected = world.connect(process, 2);
    REQUIRE(connected);
    world.sync_seller(process, 1);   // another user's rows are none of this one's
    Copy copy(world, process, 2);
    copy.follow(300);                 // breaks off in the middle of what was there
    world.finish(process, world.user(2), connected->sync_id);
    copy.follow();
    copy.check();
    const std::int64_t first = copy.position();
    for (int round = 0; round < 4; ++round) {
      CAPTURE(round);
      world.run_for(std::chrono::hours(24 * 9));
      world.amazon().lose_stock(2, 7);
      const auto again = world.wait(process.engine().triggers().start(world.user(2), ""));
      REQUIRE(again);
      CHECK(member(world.finish(process, world.user(2), again->id), "status") == "completed");
      copy.follow(40);
      copy.follow();
      copy.check();
    }
    CHECK(copy.position() > first);
    // Nothing happened: nothing is told.
    const std::int64_t last = copy.position();
    copy.follow();
    CHECK(copy.position() == last);
  }
}

TEST_CASE("a reader who was away for longer than changes are kept begins anew and is told so") {
  WorldSettings settings;
  settings.amazon.events = 200;
  settings.amazon.skus = 20;
  settings.streams = {"transactions", "inventory"};
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  const auto open = [&](std::int64_t after) {
    return *process.engine().store().read_now([&](store::Tx& tx) -> Result<bool> { return store::ChangeReader(tx, *store::find_user(tx, world.user(1)), after, {}).began_anew(); });
  };
  CHECK(!open(0));
  CHECK(!open(1));
  CHECK(open(1'000'000));   // a number of another database
  world.run_for(std::chrono::hours(24 * 91));
  CHECK(open(1));
  CHECK(world.count("SELECT count(*) FROM changes") == 0);
  CHECK(!open(world.count("SELECT change_seq FROM users")));
}

TEST_SUITE_END();
