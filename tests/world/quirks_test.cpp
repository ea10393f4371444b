// SPDX-License-Identifier: Apache-2.0
// Amazon's known quirks, played one by one: the money and the stock. docs/amazon-quirks.md says which quirk is played where.
#include <map>

#include "base/gzip.hpp"
#include "spapi/inventory.hpp"
#include "spapi/reports/datasets.hpp"
#include "spapi/transactions.hpp"
#include "support/test_store.hpp"
#include "world/scenes.hpp"

using namespace world;

TEST_SUITE_BEGIN("quirks");

// ---- money ----

TEST_CASE("a page token that has died begins the walk of its slice anew, in whatever words it is told; one that dies again and again asks for shorter walks") {
  for (const bool v0 : {false, true})
    for (const auto& [status, words] : {std::pair{400, "Token is not valid, token duration is 3 minutes."}, {400, "Token is not valid, token duration is 25 minutes."}, {404, "Not found."}})
      for (const int times : {1, -1}) {
        CAPTURE(v0);
        CAPTURE(std::string(words));
        CAPTURE(times);
        World world(small(v0));
        Process& process = world.open();
        amzsim::Fault died = refusal("/finances", status, "InvalidInput", words, times);
        died.pages_only = true;
        world.amazon().add_fault(died);
        CHECK(member(world.sync_seller(process, 1), "status") == "completed");
        CHECK(halved(process) == (times < 0));
        check_truth(world, process, 1);
      }
}

TEST_CASE("a refusal that is an unfilled template of Amazon's own means nothing, and is asked again") {
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    World world(small(v0));
    Process& process = world.open();
    world.amazon().add_fault(refusal("/finances", 400, "InvalidInput", "$errorResponse.Message", 2));
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    CHECK(!halved(process));
    check_truth(world, process, 1);
  }
}

TEST_CASE("no walk of v0 is as long as those that were seen to fail, however much the days hold") {
  constexpr int kSeenToFail = 153;   // pages
  WorldSettings settings = small(true);
  settings.amazon.events = 26'000;
  settings.amazon.skus = 10;
  settings.history_days = settings.amazon.history_days = 60;   // 260 pages; days that are not near are cut into walks of up to 128 days
  World world(settings);
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  std::map<std::string, int> pages;
  for (const std::string& line : world.trace())
    if (const std::size_t at = line.find("PostedAfter="); at != std::string::npos) ++pages[line.substr(at, line.find_first_of("& ", at) - at)];
  CHECK(pages.size() > 1);
  for (const auto& [window, count] : pages) {
    CAPTURE(window);
    CHECK(count < kSeenToFail);
  }
  check_truth(world, process, 1);
}

TEST_CASE("an empty answer in the middle of a walk of v0 is a token gone bad, never the end of the list") {
  for (const int times : {1, -1}) {
    CAPTURE(times);
    World world(small(true));
    Process& process = world.open();
    amzsim::Fault bad = fault("/finances", "empty", times);
    bad.pages_only = true;
    world.amazon().add_fault(bad);
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    check_truth(world, process, 1);
  }
}

TEST_CASE("an answer with no list in it is no word that there is nothing, until it comes again a day later, and removes nothing even then") {
  for (const bool v0 : {false, true})
    for (const std::string kind : {"empty", "null"}) {
      CAPTURE(v0);
      CAPTURE(kind);
      World world(small(v0));
      Process& process = world.open();
      const std::string stream = v0 ? "financial_events" : "transactions", rows = "SELECT count(*) FROM " + stream;
      const std::string days = "SELECT count(*) FROM cells WHERE stream='" + stream + "'", assumed = days + " AND state='assumed' AND by_word=1", settled = days + " AND state='settled'";
      amzsim::Fault silent = fault("/finances", kind == "empty" ? "empty" : "body", -1, v0 ? R"({"payload":{"FinancialEvents":null,"NextToken":""}})" : R"({"payload":{"transactions":null,"nextToken":null}})");
      silent.content_type = "application/json";
      world.amazon().add_fault(silent);
      const std::string first = world.sync_seller(process, 1);
      CHECK(member(first, "status") == "partial");
      CHECK(first.find("bad_answer") != std::string::npos);
      CHECK(world.count(rows) == 0);
      CHECK(world.count(days) > 80);
      CHECK(world.count(assumed) == world.count(days));

      // Said again a day later it is believed of days that show nothing else, and yet they are asked for again.
      world.run_for(std::chrono::hours(21));
      CHECK(member(world.sync_seller(process, 1), "status") == "completed");
      CHECK(world.count(assumed) <= 4);   // the newest
      CHECK(world.count(settled) == 0);
      world.amazon().clear_faults();
      world.run_for(std::chrono::hours(24 * 8));
      CHECK(member(world.sync_seller(process, 1), "status") == "completed");
      CHECK(world.count(assumed) == 0);
      check_truth(world, process, 1);

      // What was known stays, however often it is said.
      const std::int64_t known = world.count(rows);
      for (int i = 0; i < 3; ++i) {
        world.amazon().add_fault(silent);
        world.run_for(std::chrono::hours(25));
        CHECK(member(world.sync_seller(process, 1), "status") == "partial");
        CHECK(world.count(rows) == known);
        CHECK(world.count(assumed) > 0);
        world.amazon().clear_faults();
      }
      CHECK(member(world.sync_seller(process, 1), "status") == "completed");
      CHECK(world.count(assumed) == 0);
      check_truth(world, process, 1);
    }
}

TEST_CASE("an answer with no list in it that comes once is asked for once more") {
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    World world(small(v0));
    Process& process = world.open();
    world.amazon().add_fault(fault("/finances", "empty", 1));
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    check_truth(world, process, 1);
  }
}

TEST_CASE("rows that show up days and weeks after their date are found, in both finance sources") {
  for (const bool v0 : {false, true})
    for (const int late : {2, 10, 40}) {
      CAPTURE(v0);
      CAPTURE(late);
      WorldSettings settings = small(v0);
      settings.amazon.events = 400;
      settings.amazon.skus = 10;
      settings.amazon.late_every = 7;
      settings.amazon.late_by = std::chrono::hours(24 * late);
      settings.sync_every = std::chrono::hours(24);
      World world(settings);
      Process& process = world.open();
      world.sync_seller(process, 1);
      const std::string rows = "SELECT count(*) FROM " + settings.streams[0];
      const std::int64_t before = world.count(rows);
      world.run_for(std::chrono::hours(24 * (late + 9)));   // a week between two readings, and the jitter of the syncs
      CHECK(world.count(rows) > before);
      check_truth(world, process, 1);
    }
}

TEST_CASE("what is younger than two minutes is never asked for, even where Amazon's clock is behind ours by as much again") {
  for (const bool v0 : {false, true})
    for (const int skew : {-170, 170}) {
      CAPTURE(v0);
      CAPTURE(skew);
      World world(small(v0));
      Process& process = world.open();
      world.amazon().advance(std::chrono::seconds(skew));
      CHECK(member(world.sync_seller(process, 1), "status") == "completed");
      CHECK(!halved(process));
      check_truth(world, process, 1);
    }
}

TEST_CASE("an empty page with a token is not the end") {
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    World world(small(v0));
    Process& process = world.open();
    amzsim::Fault empty = fault("/finances", "empty_page", 3);
    empty.after = 1;
    world.amazon().add_fault(empty);
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    check_truth(world, process, 1);
  }
}

TEST_CASE("money is asked for by its days alone: no filter by status or marketplace, each of which hides rows") {
  const spapi::MoneyWindow window{*parse_instant("2026-08-01"), *parse_instant("2026-08-08")};
  CHECK(text_of_query(spapi::list_transactions(window, "")) == "postedAfter=2026-08-01T00:00:00Z postedBefore=2026-08-08T00:00:00Z");
  CHECK(text_of_query(spapi::list_transactions(window, "t+/=")) == "postedAfter=2026-08-01T00:00:00Z postedBefore=2026-08-08T00:00:00Z nextToken=t+/=");
  CHECK(text_of_query(spapi::list_financial_events(window, "t")) == "MaxResultsPerPage=100 PostedAfter=2026-08-01T00:00:00Z PostedBefore=2026-08-08T00:00:00Z NextToken=t");
}

TEST_CASE("windows that Amazon answers with 500 because they are wide are walked in halves until they are not") {
  for (const auto& [v0, hours] : {std::pair(false, 72), std::pair(true, 72), std::pair(false, 1), std::pair(true, 1)}) {
    CAPTURE(v0);
    CAPTURE(hours);
    WorldSettings settings = small(v0);
    settings.amazon.events = 500;
    settings.history_days = settings.amazon.history_days = 30;
    World world(settings);
    Process& process = world.open();
    amzsim::Fault wide = refusal("/finances", 500, "InternalFailure", "We encountered an internal error. Please try again.", -1);
    wide.wider_than = std::chrono::hours(hours);
    world.amazon().add_fault(wide);
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    CHECK(halved(process));
    check_truth(world, process, 1);
  }
}

TEST_CASE("rows that come in blocks and not by date are all there, also where a reading broke off among them") {
  for (int calls = 2; calls <= 8; ++calls) {
    CAPTURE(calls);
    WorldSettings settings = small();
    settings.amazon.blocks = true;
    settings.amazon.events = 2'600;
    settings.amazon.skus = 10;
    World world(settings);
    Process& first = world.open();
    const auto connected = world.connect(first, 1);
    REQUIRE(connected);
    world.kill_at({World::CallKind::http, world.http_calls() + calls, true});
    world.run_until([&] { return !first.alive() || world.count("SELECT count(*) FROM runs WHERE status='completed'") == 1; });
    Process& second = world.open();
    CHECK(member(world.finish(second, world.user(1), connected->sync_id), "status") == "completed");
    check_truth(world, second, 1);
  }
}

TEST_CASE("a reimbursement whose items say nothing but their money is credited item by item, and its SKUs are known") {
  const auto answer = JsonDocument::parse(R"({"payload":{"nextToken":null,"transactions":[{"transactionId":"T","transactionType":"FBAInventoryReimbursement","transactionStatus":"RELEASED","postedDate":"2026-08-05T00:00:00Z",
    "totalAmount":{"currencyAmount":30,"currencyCode":"USD"},"items":[{"totalAmount":{"currencyAmount":20,"currencyCode":"USD"},"breakdowns":null,"contexts":[{"contextType":"ProductContext","sku":"A","fulfillmentNetwork":null}]},
    {"totalAmount":{"currencyAmount":10,"currencyCode":"USD"},"breakdowns":null,"contexts":[{"contextType":"ProductContext","sku":"B","fulfillmentNetwork":null}]}],
    "breakdowns":[{"breakdownType":"FBAInventoryReimbursement","breakdownAmount":{"currencyAmount":30,"currencyCode":"USD"},"breakdowns":[]}]},
    {"transactionId":"V","transactionType":"FBAInventoryReimbursement","transactionStatus":"RELEASED","postedDate":"2026-08-05T00:00:00Z","totalAmount":{"currencyAmount":7,"currencyCode":"USD"},"items":null,
    "breakdowns":[{"breakdownType":"FBAInventoryReimbursement","breakdownAmount":{"currencyAmount":7,"currencyCode":"USD"},"breakdowns":null}]}]}})");
  REQUIRE(answer);
  const auto page = spapi::decode_transactions(*answer, {*parse_instant("2026-08-01"), *parse_instant("2026-08-08")});
  REQUIRE(page);
  const auto& batch = page->batch;
  REQUIRE(batch.events.size() == 2);
  std::vector<std::string> credits, skus;
  for (const auto& event : batch.events)
    for (const auto& credit : event.credits) credits.push_back(format_micros(credit.amount));
  CHECK(credits == std::vector<std::string>{"20", "10", "7"});
  for (const auto& line : batch.events[0].lines)
    if (line.sku != amzsync::store::kNone) skus.push_back(batch.skus[line.sku]);
  CHECK(skus == std::vector<std::string>{"A", "B"});
  // Told once, though it stands in the items and in the whole.
  for (const auto& event : batch.events) {
    Micros sum{};
    for (const auto& line : event.lines)
      if (!batch.shapes[line.shape].total) sum = *add(sum, *line.amount);
    CHECK(sum == *event.total);
  }
}

TEST_CASE("an answer about money that takes minutes is waited for, and not asked for twice") {
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    const auto calls = [&](int seconds) {
      World world(small(v0));
      Process& process = world.open();
      amzsim::Fault slow = fault("/finances", "slow", 2);
      slow.delay = std::chrono::seconds(seconds);
      world.amazon().add_fault(slow);
      CHECK(member(world.sync_seller(process, 1), "status") == "completed");
      check_truth(world, process, 1);
      return asked(world, v0 ? "listFinancialEvents" : "listTransactions");
    };
    CHECK(calls(250) == calls(0));
  }
}

// ---- stock ----

TEST_CASE("a page of stock whose token lapsed while it was on its way begins the walk anew") {
  World world(small());
  Process& process = world.open();
  amzsim::Fault slow = fault("/fba/inventory", "slow", 1);
  slow.delay = std::chrono::seconds(40);   // a token of the stock lives for thirty
  world.amazon().add_fault(slow);
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  CHECK(asked(world, "getInventorySummaries") > 3 + 1);   // 120 SKUs are three pages, and one was asked for in vain
  check_truth(world, process, 1);
}

TEST_CASE("a page token of the stock that Amazon refuses, in whatever words, begins the walk anew") {
  for (const char* words : {"expired", "Invalid Input", "Got get active fnSku map InvalidInputException", ""})
    for (const int status : {400, 404, 413}) {
      CAPTURE(std::string(words));
      CAPTURE(status);
      World world(small());
      Process& process = world.open();
      amzsim::Fault died = refusal("/fba/inventory", status, "InvalidInput", words, 1);
      died.pages_only = true;
      world.amazon().add_fault(died);
      CHECK(member(world.sync_seller(process, 1), "status") == "completed");
      check_truth(world, process, 1);
    }
}

TEST_CASE("stock is always asked for whole, with its details, and never since a date") {
  CHECK(text_of_query(spapi::get_inventory_summaries(MarketplaceId(kUs), "")) == "granularityType=Marketplace granularityId=" + kUs + " marketplaceIds=" + kUs + " details=true");
  CHECK(text_of_query(spapi::get_inventory_summaries(MarketplaceId(kUs), "t")) == "granularityType=Marketplace granularityId=" + kUs + " marketplaceIds=" + kUs + " details=true nextToken=t");
}

TEST_CASE("a token of the stock that never changes, or is the text of an error, ends the walk, and no SKU is taken for gone") {
  for (const std::string token : {"loop", "Got get active fnSku map InvalidInputException"}) {
    CAPTURE(token);
    World world(small());
    Process& process = world.open();
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    world.amazon().add_fault(fault("/fba/inventory", "token_loop", -1, token));
    const std::string run = sync_again(world, process);
    CHECK(member(run, "status") == "partial");
    CHECK(member(run, {"error", "code"}) == "page_loop");
    CHECK(asked(world, "getInventorySummaries") < 20);
    CHECK(world.count("SELECT count(*) FROM amz_inventory") == 120);
    world.amazon().clear_faults();
    CHECK(member(sync_again(world, process), "status") == "completed");
    check_truth(world, process, 1);
  }
}

TEST_CASE("an answer that tells of errors beside what it holds is not all there is: nothing it leaves out is taken for gone") {
  const std::string errors = R"("errors":[{"code":"InternalFailure","message":"One or more unexpected errors occurred."}])";
  for (const auto& [path, payload, v0] : {std::tuple{"/finances", R"({"FinancialEvents":{}})", true}, {"/finances", R"({"transactions":[]})", false}, {"/finances", "{}", false}, {"/sellers", "[]", false},
                                          {"/fba/inventory", R"({"inventorySummaries":[]})", false}, {"/fba/inbound", "{}", false}}) {
    CAPTURE(std::string(path));
    CAPTURE(std::string(payload));
    WorldSettings settings = small(v0);
    settings.streams.push_back("inbound");
    World world(settings);
    Process& process = world.open();
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    const auto gone = [&] { return world.count("SELECT sum(removed) FROM run_streams"); };
    REQUIRE(gone() == 0);
    amzsim::Fault told = fault(path, "body", -1, "{\"payload\":" + std::string(payload) + "," + errors + "}");
    told.content_type = "application/json";
    world.amazon().add_fault(told);
    world.run_for(std::chrono::hours(30));
    const std::string run = sync_again(world, process);
    CHECK(member(run, "status") != "completed");
    CHECK(member(run, {"error", "code"}) == "amazon_error");
    CHECK(gone() == 0);
    world.amazon().clear_faults();
    CHECK(member(sync_again(world, process), "status") == "completed");
    check_truth(world, process, 1);
  }
}

TEST_CASE("one answer with nothing in it, where there were rows, takes none of them away") {
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    World world(small(v0));
    Process& process = world.open();
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    amzsim::Fault nothing = fault("/finances", "body", 1, R"({"payload":{}})");
    nothing.content_type = "application/json";
    world.amazon().add_fault(nothing);
    CHECK(member(sync_again(world, process), "status") == "completed");
    CHECK(world.count("SELECT sum(removed) FROM run_streams") == 0);
    check_truth(world, process, 1);
  }
}

TEST_CASE("where a part of the money can't be read no row is taken away for it, the sync is partial, and the next one asks again") {
  for (const bool v0 : {false, true})
    for (const bool known : {false, true}) {   // whether the rows had been read before
      CAPTURE(v0);
      CAPTURE(known);
      World world(small(v0));
      Process* process = &world.open();
      if (known) {
        CHECK(member(world.sync_seller(*process, 1), "status") == "completed");
        process = &world.pass(*process, std::chrono::hours(25));
      }
      const std::string rows = v0 ? "SELECT count(*) FROM financial_events" : "SELECT count(*) FROM transactions";
      const std::int64_t before = world.count(rows);
      amzsim::Fault part = fault("/finances", "body", 1, v0 ? R"({"payload":{"FinancialEvents":{"AdjustmentEventList":{},"ShipmentEventList":[null]}}})" : R"({"payload":{"transactions":[null]}})");
      part.content_type = "application/json";
      world.amazon().add_fault(part);
      const std::string run = known ? sync_again(world, *process) : world.sync_seller(*process, 1);
      CHECK(member(run, "status") == "partial");
      CHECK(member(run, {"error", "code"}) == "rows_quarantined");
      CHECK(world.count("SELECT sum(removed) FROM run_streams") == 0);
      CHECK(world.count(rows) >= before);
      CHECK(world.count("SELECT count(*) FROM cells WHERE state='assumed'") > 0);
      // The very same once more, in a sync that is not the first to meet it: it is told again.
      world.amazon().add_fault(part);
      CHECK(member(sync_again(world, *process), "status") == "partial");
      CHECK(member(sync_again(world, *process), "status") == "completed");
      world.sql("DELETE FROM quarantine");
      check_truth(world, *process, 1);
    }
}

TEST_CASE("what is never to be read of the money is told until it comes again a day later, and then keeps no sync from being complete") {
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    World world(small(v0));
    Process* process = &world.open();
    CHECK(member(world.sync_seller(*process, 1), "status") == "completed");
    const std::string rows = v0 ? "SELECT count(*) FROM financial_events" : "SELECT count(*) FROM transactions";
    const std::int64_t before = world.count(rows);
    process = &world.pass(*process, std::chrono::hours(25));
    amzsim::Fault part = fault("/finances", "body", -1, v0 ? R"({"payload":{"FinancialEvents":{"ShipmentEventList":[null]}}})" : R"({"payload":{"transactions":[null]}})");
    part.content_type = "application/json";
    world.amazon().add_fault(part);
    CHECK(member(sync_again(world, *process), "status") == "partial");
    CHECK(member(sync_again(world, *process), "status") == "partial");
    process = &world.pass(*process, std::chrono::hours(21));
    const std::string run = sync_again(world, *process);
    CHECK(member(run, "status") == (world.count("SELECT count(*) FROM cells WHERE state='assumed'") == 0 ? "completed" : "partial"));
    CHECK(world.count("SELECT count(*) FROM cells WHERE by_word=3 AND state<>'assumed'") > 0);
    CHECK(world.count(rows) >= before);
    world.amazon().clear_faults();
    CHECK(member(sync_again(world, *process), "status") == "completed");
    world.sql("DELETE FROM quarantine");
    process = &world.pass(*process, std::chrono::hours(24 * 8));   // the next time that older days are looked at
    CHECK(member(sync_again(world, *process), "status") == "completed");
    check_truth(world, *process, 1);
  }
}

TEST_CASE("stock that can't be read is told by each sync that meets it") {
  World world(small());
  Process& process = world.open();
  amzsim::Fault nameless = fault("/fba/inventory", "body", -1, R"({"payload":{"granularity":{},"inventorySummaries":[{"fnSku":"X"}]}})");
  nameless.content_type = "application/json";
  world.amazon().add_fault(nameless);
  CHECK(member(world.sync_seller(process, 1), "status") == "partial");
  CHECK(member(sync_again(world, process), {"error", "code"}) == "rows_quarantined");
  world.amazon().clear_faults();
  CHECK(member(sync_again(world, process), "status") == "completed");
  world.sql("DELETE FROM quarantine");
  check_truth(world, process, 1);
}

TEST_CASE("what is on its way to Amazon is seen although it moves no date") {
  support::TestStore t;
  const auto fence = t.running(t.connected());
  const auto walk = [&](int on_the_way) {
    const auto answer = JsonDocument::parse(R"({"payload":{"inventorySummaries":[{"sellerSku":"A","lastUpdatedTime":"2026-08-05T01:02:03Z","inventoryDetails":{"inboundShippedQuantity":)" + std::to_string(on_the_way) + "}}]}}");
    const auto page = spapi::decode_inventory(*answer);
    REQUIRE(page);
    return *t.in_run(fence, [&](const amzsync::store::RunTx& run) -> Result<amzsync::store::Counts> { return amzsync::store::store_inventory_page(run, MarketplaceId(kUs), page->batch); });
  };
  CHECK(walk(5).added == 1);
  CHECK(walk(9).changed == 1);
  CHECK(t.count("SELECT inbound_shipped FROM amz_inventory") == 9);
}

TEST_CASE("a SKU is gone only after a walk that was complete and readable") {
  World world(small());
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  // The summary of one SKU does not say of which.
  amzsim::Fault nameless = fault("/fba/inventory", "omit", 1);
  nameless.member = "sellerSku";
  world.amazon().add_fault(nameless);
  const std::string run = sync_again(world, process);
  CHECK(member(run, {"error", "code"}) == "rows_quarantined");
  CHECK(world.count("SELECT count(*) FROM amz_inventory") == 120);
  CHECK(world.count("SELECT count(*) FROM quarantine WHERE reason='summary_without_sku'") == 1);
  // A walk that breaks off in the middle.
  amzsim::Fault broken = refusal("/fba/inventory", 400, "InvalidInput", "Something is wrong.", -1);
  broken.after = 1;
  world.amazon().add_fault(broken);
  CHECK(member(sync_again(world, process), "status") == "partial");
  CHECK(world.count("SELECT count(*) FROM amz_inventory") == 120);
}

TEST_CASE("SKUs that never come in the list of stock are asked for by name, where another report or an earlier list tells of them") {
  WorldSettings settings = small();
  settings.streams.push_back("managed_inventory");
  World world(settings);
  Process& process = world.open();
  world.amazon().hide_stock(1, 55);
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  check_truth(world, process, 1);
  // What the next list leaves out too is no more gone than it was, and no row changes by it.
  const std::int64_t history = world.count("SELECT count(*) FROM inventory_history");
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_truth(world, process, 1);
  CHECK(world.count("SELECT count(*) FROM inventory_history") == history);
  // A gap that opens later is seen without the report.
  world.amazon().hide_stock(1, 70);
  amzsim::Fault unmade = report_fault("report_fatal");
  world.amazon().add_fault(unmade);
  (void)sync_again(world, process);
  check_truth(world, process, 1);
  // Stock that is gone in truth is closed all the same.
  world.amazon().clear_faults();
  world.amazon().lose_stock(1, 9);
  world.run_for(std::chrono::hours(26));
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_truth(world, process, 1);
  CHECK(world.count("SELECT count(*) FROM inventory WHERE closed_at IS NOT NULL") == 9);
}

TEST_CASE("a gap in the list of one of several marketplaces is filled there, page by page, and what a marketplace does not have is asked for once a month") {
  WorldSettings settings = small();
  settings.streams.push_back("managed_inventory");
  settings.amazon.rows_per_page = 10;   // also of answers by name
  World world(settings);
  Process& process = world.open();
  world.amazon().hide_stock(2, 20);
  CHECK(member(world.sync_seller(process, 2), "status") == "completed");
  check_truth(world, process, 2);
  const std::int64_t before = asked(world, "getInventorySummaries");
  CHECK(member(sync_again(world, process, 2), "status") == "completed");
  const std::int64_t rows = world.count("SELECT count(*) FROM amz_inventory");
  // A page for ten rows of each list, and one for each ten of the twenty that each list leaves out.
  CHECK(asked(world, "getInventorySummaries") - before <= (rows + 9) / 10 + 6);
  check_truth(world, process, 2);
}

TEST_CASE("a SKU that could not be read when it was asked for by name is not gone") {
  World world(small());
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  world.amazon().hide_stock(1, 5);
  amzsim::Fault nameless = fault("/fba/inventory", "omit", 1);
  nameless.member = "sellerSku";
  nameless.after = 3;   // pages of the list
  world.amazon().add_fault(nameless);
  CHECK(member(sync_again(world, process), {"error", "code"}) == "rows_quarantined");
  CHECK(world.count("SELECT count(*) FROM amz_inventory") == 120);
}

TEST_CASE("a SKU that Amazon refuses to be asked for keeps no other from being asked for, or from being closed") {
  World world(small());
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  world.amazon().lose_stock(1, 9);
  amzsim::Fault refused = refusal("/fba/inventory", 400, "InvalidInput", "The SKU is not valid.", -1);
  refused.query_holds = "SKU-1-00115";
  world.amazon().add_fault(refused);
  CHECK(member(sync_again(world, process), {"error", "code"}) == "rows_quarantined");
  CHECK(world.count("SELECT count(*) FROM inventory WHERE closed_at IS NOT NULL") == 8);
  CHECK(world.count("SELECT count(*) FROM quarantine WHERE reason='sku_refused'") == 1);
  // It is told once.
  CHECK(member(sync_again(world, process), "status") == "completed");
  world.amazon().clear_faults();
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_truth_of_stock(world, 1);
}

TEST_CASE("a replay of the archive reads the lists of stock, whatever was asked for by name after them") {
  WorldSettings settings = small();
  settings.archive_pages = true;
  settings.streams.push_back("managed_inventory");
  World world(settings);
  Process& process = world.open();
  world.amazon().hide_stock(1, 5);
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const auto replay = world.wait(process.engine().triggers().replay(world.user(1), "inventory"));
  REQUIRE(replay);
  const auto run = JsonDocument::parse(world.finish(process, world.user(1), replay->id));
  for (const Json stream : (*run)["streams"]) {
    CHECK(stream["fetched"].integer() == 115);
    CHECK(stream["unchanged"].integer() == 115);
  }
  check_truth(world, process, 1);
}

TEST_CASE("while SKUs that are known to be missing can't be asked for, the stock is not called complete") {
  WorldSettings settings = small();
  settings.streams.push_back("managed_inventory");
  World world(settings);
  Process& process = world.open();
  world.amazon().hide_stock(1, 5);
  amzsim::Fault broken = refusal("/fba/inventory", 403, "Unauthorized", "Access to requested resource is denied.", -1);
  broken.after = 3;   // pages of the list
  world.amazon().add_fault(broken);
  const std::string run = world.sync_seller(process, 1);
  CHECK(member(run, "status") == "partial");
  CHECK(member(run, {"error", "code"}) == "request_rejected");
  CHECK(world.count("SELECT count(*) FROM amz_inventory") == 115);
  // Also on a later day on which the list is whole, and the report is not made.
  world.amazon().clear_faults();
  world.amazon().add_fault(report_fault("report_fatal"));
  world.run_for(std::chrono::hours(26));
  (void)sync_again(world, process);
  CHECK(world.count("SELECT count(*) FROM amz_inventory") == 120);
}

TEST_CASE("a report that only checks another stream makes no sync partial where Amazon will not make it, unless it was named") {
  for (const bool named : {false, true}) {
    CAPTURE(named);
    WorldSettings settings = one_report("");
    settings.streams.clear();
    if (named) settings.streams = {"transactions", "inventory", "managed_inventory"};
    World world(settings);
    Process& process = world.open();
    amzsim::Fault unknown = refusal("/reports", 400, "InvalidInput", "The report type is not known.", -1);
    unknown.method = "POST";
    unknown.body_holds = "GET_FBA_MYI_UNSUPPRESSED_INVENTORY_DATA";
    world.amazon().add_fault(unknown);
    CAPTURE(unknown.status);
    const std::string run = world.sync_seller(process, 1);
    CAPTURE(run);
    CHECK(member(run, "status") == (named ? "partial" : "completed"));
    CHECK(world.sql("SELECT coverage FROM run_streams WHERE stream='managed_inventory'") == std::vector<std::vector<std::string>>{{"failed"}});
  }
}

TEST_CASE("SKUs are asked for by name in as few requests as Amazon and an address allow; one with a comma alone") {
  const auto requests = [](std::vector<std::string> skus) {
    std::vector<std::size_t> sizes;
    for (std::span<const std::string> rest = skus; !rest.empty(); rest = rest.subspan(sizes.back())) sizes.push_back(spapi::skus_of_one_request(rest));
    return sizes;
  };
  CHECK(requests(std::vector<std::string>(120, "A-1")) == std::vector<std::size_t>{50, 50, 20});
  CHECK(requests({"a", "b,c", "d", "e"}) == std::vector<std::size_t>{1, 1, 2});
  CHECK(requests(std::vector<std::string>(3, std::string(1'500, 'x'))) == std::vector<std::size_t>{2, 1});
  CHECK(requests({std::string(9'000, 'x')}) == std::vector<std::size_t>{1});
  const std::string base = "granularityType=Marketplace granularityId=" + kUs + " marketplaceIds=" + kUs + " details=true ";
  const std::vector<std::string> two{"a", "b"}, one{"b,c"};
  CHECK(text_of_query(spapi::get_inventory_of(MarketplaceId(kUs), two, "")) == base + "sellerSkus=a,b");
  CHECK(text_of_query(spapi::get_inventory_of(MarketplaceId(kUs), one, "t")) == base + "nextToken=t sellerSku=b,c");
}

// ---- names and numbers ----

TEST_CASE("the day of a ledger row is the one that is written, whatever offset stands behind it; an instant is put to UTC") {
  spapi::RowDecoder decoder(spapi::kLedger, Charset::utf8);
  const std::vector<std::string_view> header{"Date", "FNSKU", "Event Type", "Quantity", "Date and Time"};
  REQUIRE(decoder.header(header, "Date"));
  for (const char* day : {"11/20/2026", "2026-11-20", "2026-11-20T23:00:00-0800", "20.11.2026"}) {
    CAPTURE(std::string(day));
    const std::vector<std::string_view> cells{day, "X", "Adjustments", "-1", "2026-11-20T23:00:00-0800"};
    const spapi::DecodedRow row = decoder.decode(cells);
    CHECK(row.readable);
    CHECK(format_day(row.row.day) == "2026-11-20");
    for (std::size_t i = 0; i < spapi::kLedger.columns.size(); ++i)
      if (spapi::kLedger.columns[i].name == "occurred_at") CHECK(std::get<std::int64_t>(row.row.values[i]) == to_us(*parse_instant("2026-11-21T07:00:00Z")));
  }
}

TEST_CASE("an end of the pages that is told by null is a token gone bad, and takes nothing away") {
  WorldSettings settings;
  settings.amazon.events = 900;
  settings.amazon.skus = 10;
  settings.amazon.rows_per_page = 20;
  settings.history_days = settings.amazon.history_days = 30;
  settings.streams = {"transactions"};
  for (const int times : {1, -1}) {
    CAPTURE(times);
    World world(settings);
    Process& process = world.open();
    world.sync_seller(process, 1);
    const std::int64_t rows = world.count("SELECT count(*) FROM transactions");
    amzsim::Fault null = trouble("/finances", "body", 200, times);
    null.pages_only = true;
    null.content_type = "application/json";
    null.message = R"({"payload":{"nextToken":null,"transactions":null}})";
    world.amazon().add_fault(null);
    world.run_for(std::chrono::hours(30));
    CHECK(member(sync_again(world, process), "status") == "completed");
    CHECK(world.count("SELECT count(*) FROM transactions") >= rows);
  }
}

TEST_CASE("a character that is none keeps nothing that stands beside it from being read") {
  for (const std::string bad : {"\\ud83d", "\xE9", "\\udc00x\\ud83d"}) {
    WorldSettings settings;
    settings.amazon.events = 0;
    settings.amazon.skus = 0;
    settings.streams = {"inventory"};
    World world(settings);
    Process& process = world.open();
    amzsim::Fault stock = trouble("/fba/inventory", "body", 200, -1);
    stock.content_type = "application/json";
    stock.message = R"({"payload":{"granularity":{},"inventorySummaries":[{"sellerSku":"A","productName":"caf)" + bad + R"(","totalQuantity":3},{"sellerSku":"B","productName":"\ud83d\ude00 \\ud83d","totalQuantity":4}]}})";
    world.amazon().add_fault(stock);
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    CHECK(world.count("SELECT count(*) FROM amz_inventory WHERE seller_sku IN ('A', 'B')") == 2);
    CHECK(world.sql("SELECT product_name FROM amz_inventory WHERE seller_sku='B'")[0][0] == "\xF0\x9F\x98\x80 \\ud83d");
  }
}

TEST_CASE("of a day whose pages are too large smaller ones are asked for") {
  WorldSettings settings;
  settings.finances_v0 = true;
  settings.amazon.events = 300;
  settings.amazon.skus = 10;
  settings.history_days = settings.amazon.history_days = 20;
  settings.streams = {"financial_events", "inventory"};
  World world(settings);
  Process& process = world.open();
  amzsim::Fault large = trouble("/finances/v0", "status", 400, -1);
  large.code = "InvalidInput";
  large.query_holds = "100";
  world.amazon().add_fault(large);
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  check_truth(world, process, 1);
}

TEST_CASE("where reports are denied the sync is over soon, however slow the plan is that tells so") {
  WorldSettings settings = small();
  settings.streams.clear();
  World world(settings);
  Process& process = world.open();
  world.amazon().add_fault(refusal("/reports", 403, "Unauthorized", "Access to requested resource is denied.", -1));
  const Instant begun = world.clock().now();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");   // of what this application may see
  CHECK(world.clock().now() - begun < std::chrono::minutes(1));
  CHECK(world.count("SELECT count(*) FROM run_streams WHERE status='unauthorised'") == 9);
  CHECK(world.amazon().stats()["getReports"].calls <= 10);   // what may be asked at once
}

TEST_CASE("a 403 that passes costs no report, though all of them meet it at once") {
  WorldSettings settings = small();
  settings.streams.clear();
  World world(settings);
  Process& process = world.open();
  world.amazon().add_fault(refusal("/reports", 403, "Unauthorized", "Access to requested resource is denied.", 8));   // one for each that is asked for
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM run_streams WHERE status<>'complete'") == 0);
}

TEST_CASE("a page of a proxy's with 400 is no word on a report, nor on anything else") {
  WorldSettings settings = one_report("reimbursements");
  World world(settings);
  Process& process = world.open();
  for (const std::string path : {"/reports", "/sellers"}) {
    amzsim::Fault page = fault(path, "html", 2);
    page.status = 400;
    world.amazon().add_fault(page);
  }
  amzsim::Fault of_report = fault("/reports/2021-06-30/reports/", "html", 2);
  of_report.status = 400;
  world.amazon().add_fault(of_report);
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  check_report(world, process, 1);
}

TEST_SUITE_END();
