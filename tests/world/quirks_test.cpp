// SPDX-License-Identifier: Apache-2.0
// Amazon's known quirks, played one by one. docs/amazon-quirks.md says which quirk is played where.
#include <doctest/doctest.h>

#include <map>

#include "base/crypto.hpp"
#include "base/gzip.hpp"
#include "spapi/inventory.hpp"
#include "spapi/report_requests.hpp"
#include "spapi/reports/datasets.hpp"
#include "spapi/transactions.hpp"
#include "support/test_store.hpp"
#include "world/checks.hpp"

using namespace world;
namespace spapi = amzsync::spapi;

namespace {

WorldSettings small(bool v0 = false) {
  WorldSettings settings;
  settings.finances_v0 = v0;
  settings.amazon.events = 1'400;
  settings.amazon.skus = 120;
  settings.history_days = settings.amazon.history_days = 90;
  settings.streams = {v0 ? "financial_events" : "transactions", "inventory"};
  return settings;
}

/// A world that reads one report, of a few days: one request tells all of it.
WorldSettings one_report(const std::string& stream, int days = 20) {
  WorldSettings settings;
  settings.amazon.events = 600;
  settings.amazon.skus = 20;
  settings.amazon.history_days = days - 3;   // the file's days are local ones in part
  settings.history_days = days;
  settings.streams = {stream};
  return settings;
}

amzsim::Fault fault(const std::string& path, const std::string& kind, int times = -1, const std::string& message = "") {
  amzsim::Fault f;
  f.path = path;
  f.kind = kind;
  f.times = times;
  f.message = message;
  return f;
}
amzsim::Fault refusal(const std::string& path, int status, const std::string& code, const std::string& message, int times) {
  amzsim::Fault f = fault(path, "status", times, message);
  f.status = status;
  f.code = code;
  return f;
}
/// What becomes of reports that are asked for.
amzsim::Fault report_fault(const std::string& kind, int times = -1, const std::string& message = "") {
  amzsim::Fault f = fault("/reports", kind, times, message);
  f.method = "POST";
  return f;
}
/// Every document is this text.
amzsim::Fault document(const std::string& text, const std::string& content_type = "text/plain") {
  amzsim::Fault f = fault("/_docs/", "body", -1, text);
  f.content_type = content_type;
  return f;
}

bool halved(const Process& process) { return process.logged("in halves"); }
std::int64_t asked(World& world, const std::string& operation) { return world.amazon().stats()[operation].calls; }

/// Somebody else, by Seller Central or another program, has a report made.
std::string make_elsewhere(World& world, const std::string& body) {
  amzsim::SimRequest token;
  token.method = "POST";
  token.path = "/auth/o2/token";
  token.body = "grant_type=refresh_token&client_id=other&client_secret=other&refresh_token=" + percent_encode(world.amazon().refresh_token(1));
  amzsim::SimRequest request;
  request.method = "POST";
  request.path = "/reports/2021-06-30/reports";
  request.headers = {{"user-agent", "Other/1 (Language=Other)"}, {"x-amz-access-token", member(world.amazon().handle(token).body, "access_token")}};
  request.body = body;
  const amzsim::SimAnswer made = world.amazon().handle(request);
  REQUIRE(made.status == 202);
  return member(made.body, "reportId");
}
std::string wish(const spapi::ReportDataset& dataset, const std::string& marketplace, const std::string& from, const std::string& until) {
  return R"({"reportType":")" + std::string(dataset.report_type) + R"(","marketplaceIds":[")" + marketplace + R"("],"dataStartTime":")" + from + R"(","dataEndTime":")" + until + "\"}";
}

void check_truth_of_stock(World& world, int seller) {
  CHECK(world.count("SELECT count(*) FROM amz_inventory WHERE user_id='" + world.user(seller).text() + "'") == world.truth(seller)["inventory"]["rows"].integer());
}

/// As many rows as the truth has, where a report alone is read.
void check_report(World& world, Process& process, int seller) {
  const std::string stream = world.settings().streams.front();
  CHECK(world.count("SELECT count(*) FROM amz_" + stream + " WHERE user_id='" + world.user(seller).text() + "'") == world.truth(seller)["reports"][stream]["rows"].integer());
  CHECK(process.alive());
  check_runs(world);
}

std::string text_of_query(const spapi::Request& request) {
  std::string text;
  for (const auto& p : request.query) text += (text.empty() ? "" : " ") + p.name + "=" + p.value;
  return text;
}

const std::string kUs = "ATVPDKIKX0DER";

}  // namespace

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
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    WorldSettings settings = small(v0);
    settings.amazon.events = 500;
    settings.history_days = settings.amazon.history_days = 30;
    World world(settings);
    Process& process = world.open();
    amzsim::Fault wide = refusal("/finances", 500, "InternalFailure", "We encountered an internal error. Please try again.", -1);
    wide.wider_than_days = 3;
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

// ---- reports ----

TEST_CASE("a report that is cancelled for want of data is taken as that until the next day, is not asked for in between, and takes no row away") {
  World world(one_report("reimbursements"));
  Process& process = world.open();
  world.amazon().add_fault(report_fault("report_cancelled"));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM reimbursements") == 0);
  CHECK(asked(world, "createReport") == 1);
  for (int i = 0; i < 3; ++i) {
    world.run_for(std::chrono::hours(2));
    CHECK(member(sync_again(world, process), "status") == "completed");
    CHECK(asked(world, "createReport") == 1);
  }
  world.amazon().clear_faults();
  world.run_for(std::chrono::hours(24));
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_report(world, process, 1);
  // It says nothing against what is there.
  const std::int64_t rows = world.count("SELECT count(*) FROM reimbursements");
  CHECK(rows > 0);
  world.amazon().add_fault(report_fault("report_cancelled"));
  world.run_for(std::chrono::hours(25));
  CHECK(member(sync_again(world, process), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM reimbursements") == rows);
}

TEST_CASE("a report that is cancelled because it was made a while ago proves no emptiness, and is asked for again after hours") {
  World world(one_report("ledger_summary", 60));
  Process& process = world.open();
  // Its options are not told, so it can't be read in place of ours (and Amazon makes no second one so soon).
  make_elsewhere(world, wish(spapi::kLedgerSummary, kUs, "2026-09-01T00:00:00Z", "2026-11-20T00:00:00Z"));
  const std::string run = world.sync_seller(process, 1);
  CHECK(member(run, {"error", "code"}) == "report_failed");
  CHECK(world.count("SELECT count(*) FROM cells WHERE stream='ledger_summary' AND digest IS NOT NULL") == 0);
  const std::int64_t calls = asked(world, "createReport");
  world.run_for(std::chrono::hours(3));
  CHECK(member(sync_again(world, process), {"error", "code"}) == "report_failed");
  CHECK(asked(world, "createReport") == calls);
  world.run_for(std::chrono::hours(2));
  CHECK(member(sync_again(world, process), "status") == "completed");
  CHECK(asked(world, "createReport") == calls + 1);
  check_report(world, process, 1);
}

TEST_CASE("after three failures in a row a report is left alone for a day, and every sync says so") {
  World world(one_report("reimbursements"));
  Process& process = world.open();
  world.amazon().add_fault(report_fault("report_fatal"));
  CHECK(member(world.sync_seller(process, 1), {"error", "code"}) == "report_failed");
  CHECK(asked(world, "createReport") == 2);   // the whole, and a half of it
  world.run_for(std::chrono::hours(5));       // the pause after a failure is over
  CHECK(member(sync_again(world, process), {"error", "code"}) == "report_failed");
  const std::int64_t calls = asked(world, "createReport");
  CHECK(calls == 4);
  for (int i = 0; i < 4; ++i) {
    world.run_for(std::chrono::hours(5));
    CHECK(member(sync_again(world, process), {"error", "code"}) == "report_failed");
    CHECK(asked(world, "createReport") == calls);
  }
  world.amazon().clear_faults();
  world.run_for(std::chrono::hours(5));
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_report(world, process, 1);
}

TEST_CASE("a report that is never finished is given up after hours and asked for anew, once") {
  for (const int times : {1, -1}) {
    CAPTURE(times);
    World world(one_report("reimbursements", 100));   // two requests, the older days first
    Process& process = world.open();
    world.amazon().add_fault(report_fault("report_stuck", times));
    const std::string run = world.sync_seller(process, 1);
    CAPTURE(run);
    CHECK(asked(world, "createReport") == (times > 0 ? 3 : 4));
    if (times > 0) {
      CHECK(member(run, "status") == "completed");
      check_report(world, process, 1);
    } else {
      CHECK(member(run, {"error", "code"}) == "report_failed");
    }
  }
}

TEST_CASE("a report that was left half read is read on within a day; after that a newer one takes its place") {
  for (const int hours : {5, 49}) {
    CAPTURE(hours);
    WorldSettings settings = one_report("returns", 40);
    settings.amazon.goes_on = true;
    settings.history_days = settings.amazon.history_days = 40;
    settings.streams.push_back("transactions");
    settings.streams.push_back("inventory");
    World world(settings);
    Process& process = world.open();
    world.amazon().add_fault(refusal("/_docs/", 403, "AccessDenied", "", -1));
    CHECK(member(world.sync_seller(process, 1), "status") == "partial");
    world.amazon().clear_faults();
    const std::int64_t made = asked(world, "createReport");
    CHECK(made > 0);
    world.run_for(std::chrono::hours(hours));
    CHECK(member(sync_again(world, process), "status") == "completed");
    CHECK((asked(world, "createReport") > made) == (hours > 24));
    if (hours > 24) check_truth(world, process, 1);
  }
}

TEST_CASE("a report whose document is gone is asked for anew; a failed one without its explanation has failed all the same") {
  WorldSettings settings = one_report("removals", 40);
  settings.history_days = settings.amazon.history_days = 40;
  settings.streams = {"transactions", "inventory", "removals"};
  World world(settings);
  Process& process = world.open();
  world.amazon().add_fault(refusal("/reports/2021-06-30/documents/", 404, "NotFound", "The document was not found.", -1));
  CHECK(member(world.sync_seller(process, 1), "status") == "partial");
  CHECK(world.count("SELECT count(*) FROM report_jobs WHERE outcome='lost'") > 0);
  CHECK(world.count("SELECT count(*) FROM report_jobs WHERE state<>'over'") == 0);
  world.amazon().clear_faults();
  world.run_for(std::chrono::hours(25));
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_truth(world, process, 1);

  world.run_for(std::chrono::hours(25));
  world.amazon().add_fault(report_fault("report_fatal", 1, "Try a shorter one."));
  world.amazon().add_fault(refusal("/reports/2021-06-30/documents/", 404, "NotFound", "The document was not found.", 1));
  CHECK(member(sync_again(world, process), "status") == "partial");   // a half that begins where the failed one did is made again later only
  CHECK(halved(process));
  CHECK(world.count("SELECT count(*) FROM report_jobs WHERE state<>'over'") == 0);
  world.run_for(std::chrono::hours(25));
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_truth(world, process, 1);
}

TEST_CASE("no report is asked for of days that Amazon does not keep") {
  WorldSettings settings;
  settings.amazon.events = 900;
  settings.amazon.skus = 5;
  settings.amazon.history_days = settings.history_days = 700;
  settings.streams = {"reimbursements", "ledger"};
  World world(settings);
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM report_jobs WHERE outcome<>'imported' AND outcome<>'no_data'") == 0);
  CHECK(world.count("SELECT min(from_day) FROM report_jobs") >= to_number(day_of(world.clock().now())) - 548);
}

TEST_CASE("a report that Amazon can't make is asked for in halves, once; what is cancelled so soon after a failure is not taken for empty") {
  for (const int times : {1, -1}) {
    CAPTURE(times);
    World world(one_report("reimbursements"));
    Process& process = world.open();
    world.amazon().add_fault(report_fault("report_fatal", times, "Something went wrong in here."));
    const std::string run = world.sync_seller(process, 1);
    CAPTURE(run);
    CHECK(halved(process));
    CHECK(member(run, {"error", "code"}) == "report_failed");
    const std::int64_t rows = world.count("SELECT count(*) FROM reimbursements"), all = *world.truth(1)["reports"]["reimbursements"]["rows"].integer();
    if (times > 0) {
      // The newer half is made; the older one begins like the report that failed, and that is too soon for Amazon.
      CHECK(asked(world, "createReport") == 3);
      CHECK(rows > 0);
      CHECK(rows < all);
    } else {
      CHECK(asked(world, "createReport") == 2);
      CHECK(rows == 0);
      CHECK(member(run, {"error", "message"}) == "Amazon could not make the report: Something went wrong in here.");
    }
    world.amazon().clear_faults();
    world.run_for(std::chrono::hours(5));
    CHECK(member(sync_again(world, process), "status") == "completed");
    check_report(world, process, 1);
  }
}

TEST_CASE("a report that is cut in halves is told as more pieces than were known") {
  World world(one_report("reimbursements"));
  Process& process = world.open();
  world.amazon().add_fault(report_fault("report_fatal", 1, "Something went wrong in here."));
  REQUIRE(world.connect(process, 1));
  bool told = false;
  while (!told && !all_over(world)) {
    world.run_for(std::chrono::seconds(1));
    told = world.count("SELECT count(*) FROM run_progress WHERE payload LIKE '%reimbursements turns out larger: 2 pieces, 1 were known at first%'") > 0;
  }
  CHECK(told);
}

TEST_CASE("a report that is done and whose document is an error, damaged, or of another kind is refused as a whole with its words, and every row stays") {
  const struct {
    const char* name;
    std::string text;
    const char* told;
  } documents[]{{"an error line", "Date range exceeded. Report can be requested only upto 30 days", "Date range exceeded"},
                {"HTML", "<html><body><h1>503</h1></body></html>", "<h1>503</h1>"},
                {"cut off", gzipped("approval-date\treimbursement-id\tcurrency-unit\tamount-total\n2026-11-20\t1\tUSD\t1.00\n").substr(0, 70), "cut off"},
                {"another report", "sku\tcurrency\nA\tUSD\n", "not the report GET_FBA_REIMBURSEMENTS_DATA"},
                {"UTF-16", std::string("a\0p\0p\0r\0o\0v\0a\0l\0-\0d\0a\0t\0e\0", 26), "not the report"}};
  for (const auto& d : documents) {
    CAPTURE(std::string(d.name));
    World world(one_report("reimbursements"));
    Process& process = world.open();
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    const std::int64_t rows = world.count("SELECT count(*) FROM reimbursements");
    REQUIRE(rows > 0);
    world.amazon().add_fault(document(d.text));
    world.run_for(std::chrono::hours(25));
    const std::string run = sync_again(world, process);
    CAPTURE(run);
    CHECK(member(run, {"error", "code"}) == "bad_answer");
    CHECK(member(run, {"error", "message"}).find(d.told) != std::string::npos);
    CHECK(world.count("SELECT count(*) FROM reimbursements") == rows);
    CHECK(world.count("SELECT count(*) FROM quarantine") == 0);
  }
}

TEST_CASE("a document with nothing in it, not even a header, tells of no day and takes no row away") {
  for (const std::string text : {"", "\r\n\n"}) {
    World world(one_report("reimbursements"));
    Process& process = world.open();
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    const std::int64_t rows = world.count("SELECT count(*) FROM reimbursements");
    REQUIRE(rows > 0);
    world.amazon().add_fault(document(text));
    world.run_for(std::chrono::hours(25));
    CHECK(member(sync_again(world, process), "status") == "completed");
    CHECK(world.count("SELECT count(*) FROM reimbursements") == rows);
    world.amazon().clear_faults();
    world.run_for(std::chrono::hours(25));
    CHECK(member(sync_again(world, process), "status") == "completed");
    check_report(world, process, 1);
  }
}

TEST_CASE("reports and documents are asked for no faster than their plans of one a minute, and no document twice") {
  WorldSettings settings;
  settings.amazon.events = 900;
  settings.amazon.skus = 20;
  World world(settings);
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  for (const char* operation : {"createReport", "getReport", "getReports", "getReportDocument"}) {
    CAPTURE(std::string(operation));
    CHECK(world.amazon().stats()[operation].throttled == 0);
  }
  CHECK(asked(world, "createReport") > spapi::kCreateReport.burst);   // beyond what is free at first
  const std::int64_t documents = world.count("SELECT count(*) FROM report_jobs WHERE document_id<>''");
  CHECK(documents > spapi::kGetReportDocument.burst);
  CHECK(asked(world, "getReportDocument") == documents);
  CHECK(member(sync_again(world, process), "status") == "completed");
  CHECK(asked(world, "getReportDocument") == documents);
  check_truth(world, process, 1);
}

TEST_CASE("the list of reports is asked for by its own words, and never paged: a token would stand no word beside it") {
  const spapi::Request request = spapi::get_reports(spapi::kLedger, *parse_instant("2026-08-01"));
  CHECK(text_of_query(request) == "reportTypes=GET_LEDGER_DETAIL_VIEW_DATA createdSince=2026-08-01T00:00:00Z pageSize=100");
  CHECK(!request.has_page_token);
}

TEST_CASE("documents are read in the charset that they name, or else show, through the whole of the way") {
  const std::string header = "approval-date\treimbursement-id\tsku\tproduct-name\tcurrency-unit\tamount-total\n";
  const auto file = [&](const std::string& title) { return header + "2026-11-20T08:00:00+00:00\t1\tA\t" + title + "\tUSD\t1.00\n"; };
  const struct {
    const char* content_type;
    std::string bytes;
    const char* title;
    bool japan = false;
  } documents[]{{"text/plain; charset=Cp1252", file("caf\xE9 \x80"), "café €"},
                {"text/plain; charset=windows-1252", file("caf\xE9"), "café"},
                {"text/plain;charset=UTF-8", file("caf\xC3\xA9"), "café"},
                {"text/plain;charset=UTF-8", file("caf\xE9"), "café"},   // it is not
                {"text/plain; charset=Shift_JIS", file("\x83\x65\x83\x58\x83\x67"), "テスト"},
                {"text/plain", file("caf\xE9"), "café"},
                {"text/plain", file("caf\xC3\xA9"), "café"},
                {"binary/octet-stream", "\xEF\xBB\xBF" + file("caf\xC3\xA9"), "café"},
                {"text/plain; charset=x-unknown", file("caf\xE9"), "café"},
                {"", file("\x83\x65\x83\x58\x83\x67"), "テスト", true},
                {"text/plain", gzipped(gzipped(file("caf\xE9"))), "café"}};
  for (const auto& d : documents) {
    CAPTURE(std::string(d.content_type));
    CAPTURE(std::string(d.title));
    WorldSettings settings = one_report("reimbursements");
    if (d.japan) settings.amazon.region = spapi::Region::fe;
    World world(settings);
    Process& process = world.open();
    world.amazon().add_fault(document(d.bytes, d.content_type));
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    CHECK(world.sql("SELECT product_name FROM amz_reimbursements") == std::vector<std::vector<std::string>>{{d.title}});
  }
}

TEST_CASE("equal movements of the ledger are as many rows as they are, whichever columns a file has") {
  const auto file = [](bool moment, bool with_store) {
    const auto line = [&](std::string_view day, std::string_view quantity, std::string_view at, std::string_view store) {
      std::string text = "\"" + std::string(day) + "\"\t\"X1\"\t\"B0\"\t\"SKU\"\t\"A thing\"\t\"Adjustments\"\t\"\"\t\"" + std::string(quantity) + "\"\t\"PHX7\"\t\"SELLABLE\"\t\"M\"\t\"US\"\t\"0\"\t\"1\"";
      if (moment) text += "\t\"" + std::string(at) + "\"";
      if (with_store) text += "\t\"" + std::string(store) + "\"";
      return text + "\r\n";
    };
    std::string text = "\xEF\xBB\xBF\"Date\"\t\"FNSKU\"\t\"ASIN\"\t\"MSKU\"\t\"Title\"\t\"Event Type\"\t\"Reference ID\"\t\"Quantity\"\t\"Fulfillment Center\"\t\"Disposition\"\t\"Reason\"\t\"Country\"\t\"Reconciled Quantity\"\t\"Unreconciled Quantity\"";
    if (moment) text += "\t\"Date and Time\"";
    if (with_store) text += "\t\"Store\"";
    text += "\r\n";
    for (int i = 0; i < 3; ++i) text += line("11/20/2026", "-1", "2026-11-20T00:00:00-0700", "shop");
    return text + line("11/20/2026", "-2", "2026-11-20T00:00:00-0700", "shop") + line("11/21/2026", "-1", "2026-11-21T00:00:00-0700", "");
  };
  World world(one_report("ledger"));
  Process& process = world.open();
  world.amazon().add_fault(document(file(true, false)));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const auto rows = [&] { return world.sql("SELECT count(*), count(DISTINCT occurrence), sum(quantity) FROM ledger"); };
  const auto expected = std::vector<std::vector<std::string>>{{"5", "3", "-6"}};
  CHECK(rows() == expected);
  for (const auto& [moment, with_store] : {std::pair{true, true}, {true, true}, {false, false}, {true, true}}) {
    CAPTURE(moment);
    CAPTURE(with_store);
    world.amazon().clear_faults();
    world.amazon().add_fault(document(file(moment, with_store)));
    world.run_for(std::chrono::hours(25));
    CHECK(member(sync_again(world, process), "status") == "completed");
    CHECK(rows() == expected);
    CHECK(world.count("SELECT count(*) FROM ledger WHERE store='shop'") == (with_store ? 4 : 0));
  }
}

TEST_CASE("a report that somebody else had made is read in place of ours where it tells the same: days, marketplaces and options") {
  const struct {
    const char* name;
    const spapi::ReportDataset& dataset;
    std::string marketplace, from;
    bool taken;
  } cases[]{{"all of it", spapi::kReimbursements, kUs, "2026-10-01T00:00:00Z", true},
            {"too few days", spapi::kReimbursements, kUs, "2026-11-15T00:00:00Z", false},
            {"another marketplace", spapi::kReimbursements, "A1AM78C64UM0Y8", "2026-10-01T00:00:00Z", false},
            {"options that are not told", spapi::kLedgerSummary, kUs, "2026-10-01T00:00:00Z", false}};
  for (const auto& c : cases) {
    CAPTURE(std::string(c.name));
    World world(one_report(std::string(c.dataset.stream)));
    Process& process = world.open();
    const std::string id = make_elsewhere(world, wish(c.dataset, c.marketplace, c.from, "2026-11-23T15:00:00Z"));
    world.run_for(std::chrono::minutes(40));
    const std::int64_t before = asked(world, "createReport");
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    CHECK((asked(world, "createReport") == before) == c.taken);
    CHECK(world.count("SELECT count(*) FROM report_jobs WHERE report_id='" + id + "'") == (c.taken ? 1 : 0));
    check_report(world, process, 1);
  }
}

TEST_CASE("a report is asked for in the model's own words, for all marketplaces at once") {
  const std::vector<MarketplaceId> both{MarketplaceId(kUs), MarketplaceId("A2EUQ1WTGCTBG2")};
  const spapi::ReportSpan span{*parse_instant("2026-08-01"), *parse_instant("2026-08-31T12:34:56Z")};
  const spapi::Request plain = spapi::create_report(spapi::kReimbursements, both, span);
  CHECK(plain.body == R"({"reportType":"GET_FBA_REIMBURSEMENTS_DATA","marketplaceIds":["ATVPDKIKX0DER","A2EUQ1WTGCTBG2"],"dataStartTime":"2026-08-01T00:00:00Z","dataEndTime":"2026-08-31T12:34:56Z"})");
  CHECK(!plain.repeatable);
  CHECK(spapi::create_report(spapi::kLedgerSummary, both, span).body ==
        R"({"reportType":"GET_LEDGER_SUMMARY_VIEW_DATA","marketplaceIds":["ATVPDKIKX0DER","A2EUQ1WTGCTBG2"],"dataStartTime":"2026-08-01T00:00:00Z","dataEndTime":"2026-08-31T12:34:56Z",)"
        R"("reportOptions":{"aggregateByLocation":"COUNTRY","aggregatedByTimePeriod":"MONTHLY"}})");
  // One report tells of all marketplaces of the account, so its rows are there once.
  WorldSettings settings = one_report("reimbursements");
  World world(settings);
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 3), "status") == "completed");
  CHECK(world.truth(3)["marketplaces"].size() == 3);
  CHECK(asked(world, "createReport") == 1);
  check_report(world, process, 3);
}

TEST_CASE("a report that tells of other days than it was asked for is refused, and takes no row away") {
  World world(one_report("reimbursements"));
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const std::int64_t rows = world.count("SELECT count(*) FROM reimbursements");
  REQUIRE(rows > 0);
  world.amazon().add_fault(report_fault("report_moved"));
  world.run_for(std::chrono::hours(25));
  const std::string run = sync_again(world, process);
  CHECK(member(run, {"error", "code"}) == "report_failed");
  CHECK(world.count("SELECT count(*) FROM reimbursements") == rows);
  world.amazon().clear_faults();
  world.run_for(std::chrono::hours(25));
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_report(world, process, 1);
}

TEST_CASE("whatever lines a document holds, each is a row or in quarantine, and a second reading keeps none twice") {
  const std::string header = "approval-date\treimbursement-id\tsku\tproduct-name\tcurrency-unit\tamount-total\tquantity-reimbursed-cash\n";
  const auto good = [](int n, const std::string& amount = "1.00") { return "2026-11-20T08:00:00+00:00\t" + std::to_string(n) + "\tA\t12\" pan\tUSD\t" + amount + "\t1\n"; };
  std::string thousands = header;
  for (int n = 0; n < 10'500; ++n) thousands += "no date " + std::to_string(n) + "\t" + std::to_string(n) + "\n";
  thousands += good(1);
  const struct {
    const char* name;
    std::string text;
    std::int64_t stored, unreadable, faults;   ///< faults: amounts and the like that are NULL
  } documents[]{{"good lines", header + good(1) + good(2), 2, 0, 0},
                {"twins", header + good(1) + good(1) + good(1), 3, 0, 0},
                {"lines without a date", header + good(1) + "words between\n" + good(2) + "\t3\tA\n", 2, 2, 0},
                {"unreadable twins", header + "oops\n" + good(1) + "oops\noops\n", 1, 3, 0},
                {"amounts that can't be held", header + good(1, "many") + good(2, "1e400") + good(3, "0.1234567") + good(4, "1,000") + good(5, ""), 5, 0, 4},
                {"more unreadable lines than memory should hold", thousands, 1, 10'500, 0},
                {"NUL bytes", header + good(1) + std::string("a\0b\n", 4) + good(2), 2, 1, 0}};
  for (const auto& d : documents) {
    CAPTURE(std::string(d.name));
    World world(one_report("reimbursements"));
    Process& process = world.open();
    world.amazon().add_fault(document(d.text));
    const bool clean = d.unreadable + d.faults == 0;
    for (int reading = 1; reading <= 2; ++reading) {
      CAPTURE(reading);
      const std::string run = reading == 1 ? world.sync_seller(process, 1) : sync_again(world, process);
      CHECK(member(run, "status") == (clean || reading == 2 ? "completed" : "partial"));
      CHECK(world.count("SELECT count(*) FROM amz_reimbursements") == d.stored);
      CHECK(world.count("SELECT count(*) FROM amz_quarantine WHERE stream='reimbursements' AND day IS NULL") == d.unreadable);
      CHECK(world.count("SELECT count(*) FROM amz_quarantine WHERE stream='reimbursements' AND day IS NOT NULL") == d.faults);
      CHECK(world.count("SELECT count(*) FROM amz_reimbursements WHERE amount_micros IS NULL") == d.faults + (std::string_view(d.name).starts_with("amounts") ? 1 : 0));
      const auto document = JsonDocument::parse(run);
      for (const Json stream : (*document)["streams"])
        if (stream["name"].text() == "reimbursements") {
          CHECK(stream["fetched"].integer() == d.stored + d.unreadable);
          CHECK(stream["rejected"].integer() == (reading == 1 ? d.unreadable + d.faults : 0));
        }
      world.run_for(std::chrono::hours(25));
    }
  }
}

TEST_CASE("elements of a page that are no rows are each kept, equal ones too") {
  support::TestStore t;
  const auto fence = t.running(t.connected());
  const auto answer = JsonDocument::parse(R"({"payload":{"transactions":[5,5,"x",{"transactionId":"T"},5],"inventorySummaries":[{"asin":"B"},{"asin":"B"},{"sellerSku":"A"}]}})");
  const auto money = spapi::decode_transactions(*answer, {*parse_instant("2026-08-01"), *parse_instant("2026-08-08")});
  const auto stock = spapi::decode_inventory(*answer);
  REQUIRE(money);
  REQUIRE(stock);
  for (int reading = 1; reading <= 2; ++reading) {
    CAPTURE(reading);
    const auto counts = *t.in_run(fence, [&](const amzsync::store::RunTx& run) -> Result<amzsync::store::Counts> {
      amzsync::store::Counts all = amzsync::store::store_page(run, amzsync::store::MoneyStream::transactions, money->batch, amzsync::store::Existing::possible);
      all += amzsync::store::store_inventory_page(run, MarketplaceId(kUs), stock->batch);
      return all;
    });
    CHECK(counts.fetched == 8);
    CHECK(counts.added + counts.unchanged == 2);
    CHECK(counts.rejected == (reading == 1 ? 6 : 0));
    CHECK(t.count("SELECT count(*) FROM amz_quarantine") == 6);
  }
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

TEST_SUITE_END();
