// SPDX-License-Identifier: Apache-2.0
// The archive read anew: rows are what today's decoders make of the newest document of their day, and Amazon is not asked.
#include <doctest/doctest.h>

#include "world/scenes.hpp"

using namespace world;

namespace {

WorldSettings reports() {
  WorldSettings settings;
  settings.amazon.events = 1'500;
  settings.amazon.skus = 40;
  settings.history_days = settings.amazon.history_days = 90;
  return settings;
}

constexpr const char* kTables[]{"reimbursements", "ledger", "ledger_summary", "removals", "storage_fees", "fee_preview", "managed_inventory", "settlements"};

/// Every column of every report's rows but the run that wrote it last.
std::vector<std::vector<std::string>> dump(World& world) {
  std::vector<std::vector<std::string>> all;
  for (const char* table : kTables)
    for (auto& row : world.sql("SELECT * FROM " + std::string(table) + " ORDER BY row_id")) {
      row.pop_back();
      all.push_back(std::move(row));
    }
  return all;
}
std::vector<std::vector<std::string>> readings(World& world) { return world.sql("SELECT user_no, stream, day, state, row_count, hex(digest), read_until, read_at FROM cells ORDER BY 1, 2, 3"); }

std::int64_t calls(World& world) {
  std::int64_t all = 0;
  for (const auto& [operation, stats] : world.amazon().stats()) all += stats.calls;
  return all;
}

std::map<std::string, std::map<std::string, std::int64_t>> counts(const std::string& run) {
  std::map<std::string, std::map<std::string, std::int64_t>> all;
  const auto document = JsonDocument::parse(run);
  for (const Json stream : (*document)["streams"])
    for (const char* name : {"added", "changed", "removed"}) all[std::string(stream["name"].text())][name] = stream[name].integer().value_or(-1);
  return all;
}

std::string replay(World& world, Process& process, const std::string& streams = "") {
  const auto run = world.wait(process.engine().triggers().replay(world.user(1), streams));
  REQUIRE(run);
  return world.finish(process, world.user(1), run->id);
}

/// The second before the first has got far: a replay waits for nothing.
using Outcome = Result<amzsync::store::TriggerOutcome>;
Async<std::pair<Outcome, Outcome>> replay_then_sync(amzsync::sync::Triggers& triggers, UserId user) {
  auto replay = co_await triggers.replay(user, "ledger");
  auto sync = co_await triggers.start(user, "");
  co_return std::pair(std::move(replay), std::move(sync));
}

}  // namespace

TEST_SUITE_BEGIN("world");

TEST_CASE("a replay makes of every row what its newest document says, tells what changed, and asks Amazon nothing") {
  World world(reports());
  Process& process = world.open();
  world.sync_seller(process, 1);
  // Later readings: what is unreconciled was reconciled since, so days have documents that differ.
  for (int i = 0; i < 2; ++i) {
    world.run_for(std::chrono::hours(24 * 20));
    const auto again = world.wait(process.engine().triggers().start(world.user(1), ""));
    CHECK(member(world.finish(process, world.user(1), again->id), "status") == "completed");
  }
  const auto rows = dump(world), cells = readings(world);
  const std::int64_t asked = calls(world);

  const std::string nothing = replay(world, process);
  CHECK(member(nothing, "status") == "completed");
  CHECK(member(nothing, "trigger") == "replay");
  CHECK(counts(nothing).size() == std::size(kTables));
  for (const auto& [stream, of] : counts(nothing))
    for (const auto& [name, n] : of) CHECK(n == 0);
  CHECK(dump(world) == rows);

  // As if an older decoder had read less, or wrong, and rows had been lost or made up.
  const auto titles = world.count("SELECT count(*) FROM ledger WHERE title IS NOT NULL AND occurrence=0");
  world.sql("UPDATE ledger SET title=NULL WHERE occurrence=0");
  world.sql("UPDATE storage_fees SET content=x'00', monthly_fee_micros=1 WHERE row_id%2=0");
  const auto wrong = world.count("SELECT count(*) FROM storage_fees WHERE row_id%2=0");
  world.sql("DELETE FROM reimbursements WHERE row_id%3=0");
  const auto lost = static_cast<std::int64_t>(rows.size()) - static_cast<std::int64_t>(dump(world).size());
  world.sql("INSERT INTO removals(user_no, day, identity, occurrence, content, detail, run_no, order_id) SELECT user_no, day, x'0102', 0, x'03', '{}', 1, order_id FROM removals LIMIT 1");
  const auto mended = counts(replay(world, process));
  CHECK(mended.at("ledger").at("changed") == titles);
  CHECK(mended.at("storage_fees").at("changed") == wrong);
  CHECK(mended.at("reimbursements").at("added") == lost);
  CHECK(mended.at("removals").at("removed") == 1);
  CHECK(world.count("SELECT count(*) FROM ledger WHERE title IS NULL") == 0);
  auto healed = dump(world);
  CHECK(healed.size() == rows.size());
  // Rows that were there kept their numbers; those that had been lost came back under new ones.
  const auto without_number = [](std::vector<std::vector<std::string>> all) {
    for (auto& row : all) row.erase(row.begin());
    std::sort(all.begin(), all.end());
    return all;
  };
  CHECK(without_number(healed) == without_number(rows));
  CHECK(readings(world) == cells);   // when Amazon was read is no matter of a replay
  CHECK(calls(world) == asked);
  check_truth(world, process, 1);
}

TEST_CASE("a replay has the data to itself, needs no connection, and what is triggered meanwhile runs after it") {
  World world(reports());
  Process& process = world.open();
  auto& triggers = process.engine().triggers();
  CHECK(world.wait(triggers.replay(world.user(1), "")).code() == Code::not_connected);
  const auto connected = world.connect(process, 1);
  REQUIRE(connected);
  CHECK(world.wait(triggers.replay(world.user(1), "")).code() == Code::sync_in_progress);
  world.finish(process, world.user(1), connected->sync_id);

  const auto [running, sync] = world.wait(replay_then_sync(triggers, world.user(1)));
  REQUIRE(running);
  REQUIRE(sync);
  CHECK(sync->attached);
  const auto streams = counts(world.finish(process, world.user(1), running->id));
  CHECK(streams.size() == 1);
  CHECK(streams.contains("ledger"));
  CHECK(world.run_until([&] { return world.count("SELECT count(*) FROM runs WHERE cause='manual' AND status='completed'") == 1; }));

  CHECK(world.wait(process.engine().disconnect(world.user(1), "user-1")));
  CHECK(member(replay(world, process, "removals"), "status") == "completed");
  check_runs(world);
}

TEST_CASE("a document with what buyers wrote goes once it was read") {
  WorldSettings settings = reports();
  settings.streams = {"returns", "removals"};
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  CHECK(world.count("SELECT count(*) FROM returns") > 0);
  CHECK(world.count("SELECT count(*) FROM archive WHERE stream='returns' AND whole=1") == 0);
  world.run_for(std::chrono::hours(3));
  CHECK(world.count("SELECT count(*) FROM archive WHERE stream='returns'") == 0);
  CHECK(world.count("SELECT count(*) FROM archive_pieces p WHERE NOT EXISTS (SELECT 1 FROM archive a WHERE a.archive_no=p.piece_id>>20)") == 0);
  CHECK(world.count("SELECT count(*) FROM archive WHERE stream='removals'") > 0);
}

TEST_CASE("documents are kept for as long as the settings say") {
  for (const int days : {0, 5}) {
    CAPTURE(days);
    WorldSettings settings = reports();
    settings.archive_days = days;
    World world(settings);
    Process& process = world.open();
    world.sync_seller(process, 1);
    CHECK(world.count("SELECT count(*) FROM archive_pieces") > 0);
    world.run_for(std::chrono::hours(24 * days) - std::chrono::hours(2) * (days > 0 ? 1 : 0));
    if (days > 0) CHECK(world.count("SELECT count(*) FROM archive_pieces") > 0);
    world.run_for(std::chrono::hours(5));
    CHECK(world.count("SELECT count(*) FROM archive_pieces") == 0);
    CHECK(world.count("SELECT count(*) FROM archive") == 0);
    CHECK(counts(replay(world, process)).empty());
  }
}

TEST_CASE("where all is archived a replay makes the rows of every stream anew, from pages, and tells what it changed") {
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    WorldSettings settings = reports();
    settings.finances_v0 = v0;
    settings.archive_pages = true;
    settings.amazon.goes_on = true;
    World world(settings);
    Process& process = world.open();
    const auto sync = [&] {
      const auto again = world.wait(process.engine().triggers().start(world.user(1), ""));
      REQUIRE(again);
      return world.finish(process, world.user(1), again->id);
    };
    world.sync_seller(process, 1);
    for (int i = 0; i < 2; ++i) {
      world.run_for(std::chrono::hours(24 * 20));
      CHECK(member(sync(), "status") == "completed");
    }
    const std::string table = v0 ? "financial_events" : "transactions", line_table = v0 ? "financial_event_lines" : "transaction_lines";
    const std::vector<std::string> everything{"SELECT * FROM " + table + " ORDER BY event_id", "SELECT * FROM " + line_table + " ORDER BY line_id", "SELECT * FROM credits ORDER BY 1, 2, 3, 4, 5",
                                              "SELECT * FROM inventory ORDER BY inventory_id", "SELECT * FROM inventory_history", "SELECT * FROM inbound_shipments ORDER BY row_id",
                                              "SELECT * FROM inbound_items ORDER BY row_id", "SELECT * FROM cells ORDER BY user_no, stream, day"};
    const auto look = [&] {
      std::vector<std::vector<std::vector<std::string>>> all;
      for (const std::string& rows : everything) all.push_back(world.sql(rows));
      return all;
    };
    const auto before = look();
    const std::int64_t asked = calls(world);
    for (const auto& [stream, of] : counts(replay(world, process)))
      for (const auto& [what, n] : of) {
        CAPTURE(stream + " " + what);
        CHECK(n == 0);
      }
    const auto after = look();
    for (std::size_t i = 0; i < everything.size(); ++i) {
      CAPTURE(everything[i]);
      CHECK((after[i] == before[i]));
    }

    // As if an older decoder had misread some, lost some, and made some up.
    world.sql("UPDATE " + table + " SET detail='{}', order_id='wrong' WHERE event_id=(SELECT min(event_id) FROM " + table + " WHERE detail<>'{}')");
    world.sql("UPDATE " + line_table + " SET micros=micros+1 WHERE line_id=(SELECT max(line_id) FROM " + line_table + ")");
    const std::string lost = world.sql("SELECT event_id FROM " + table + " WHERE continues IS NULL AND posted_at IS NOT NULL ORDER BY event_id LIMIT 1 OFFSET 7")[0][0];
    for (const char* part : {"credits", "lines", "row"})
      world.sql("DELETE FROM " + (part == std::string("row") ? table + " WHERE event_id=" + lost : part == std::string("credits") ? "credits WHERE event_id=" + lost : line_table + " WHERE line_id>>12=" + lost));
    world.sql("UPDATE inventory SET fulfillable=999 WHERE inventory_id=(SELECT min(inventory_id) FROM inventory)");
    world.sql("UPDATE inbound_items SET quantity_received=-1 WHERE row_id=(SELECT max(row_id) FROM inbound_items)");
    world.sql("DELETE FROM inbound_shipments WHERE row_id=(SELECT min(row_id) FROM inbound_shipments)");
    auto changed = counts(replay(world, process));
    CHECK(changed[table]["changed"] == 2);
    CHECK(changed[table]["added"] == 1);
    CHECK(changed["inventory"]["changed"] == 1);
    CHECK(changed["inbound"]["changed"] == 1);
    CHECK(changed["inbound"]["added"] == 1);
    check_truth(world, process, 1);
    CHECK(calls(world) == asked);

    // What a sync that came after the kept pages told is not taken back.
    world.run_for(std::chrono::hours(24 * 3));
    CHECK(member(sync(), "status") == "completed");
    check_truth(world, process, 1);
    CHECK(member(replay(world, process), "status") == "completed");
    check_truth(world, process, 1);
    const auto document = JsonDocument::parse(sync());
    REQUIRE(document);
    for (const Json stream : (*document)["streams"])
      for (const char* count : {"added", "changed", "removed", "rejected"}) CHECK(stream[count].integer() == 0);
  }
}

TEST_CASE("what has no date is replayed as its newest reading told it: an older one brings nothing back") {
  WorldSettings settings = small(true);
  settings.amazon.events = 0;
  settings.history_days = settings.amazon.history_days = 3;
  settings.streams = {"financial_events"};
  settings.archive_pages = true;
  World world(settings);
  Process& process = world.open();
  const auto tell = [&](const std::string& fee) {
    world.amazon().clear_faults();
    const std::string event = fee.empty() ? "" : R"({"AmazonOrderId":"111-1","FeeReason":"Disposal","FeeList":[{"FeeType":"FBADisposal","FeeAmount":{"CurrencyCode":"USD","CurrencyAmount":)" + fee + "}}]}";
    amzsim::Fault page = fault("/finances", "body", -1, R"({"payload":{"FinancialEvents":{"ServiceFeeEventList":[)" + event + "]}}}");
    page.content_type = "application/json";
    world.amazon().add_fault(page);
  };
  const auto sums = [&] { return world.sql("SELECT count(*), coalesce(sum(amount_micros), 0) FROM amz_financial_event_lines"); };
  tell("-3");
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  REQUIRE(world.count("SELECT count(*) FROM amz_financial_events") > 0);
  for (const char* then : {"-4", ""}) {
    tell(then);
    CHECK(member(sync_again(world, process), "status") == "completed");
    const auto before = sums();
    CHECK(member(replay(world, process), "status") == "completed");
    CHECK(sums() == before);
  }
}

TEST_SUITE_END();
