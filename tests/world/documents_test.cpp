// SPDX-License-Identifier: Apache-2.0
// Amazon's known quirks, played one by one: what documents hold, and what of it becomes rows. docs/amazon-quirks.md says which quirk is played where.
#include "base/gzip.hpp"
#include "support/test_store.hpp"
#include "spapi/inventory.hpp"
#include "spapi/transactions.hpp"
#include "store/inventory_rows.hpp"
#include "world/scenes.hpp"

using namespace world;

TEST_SUITE_BEGIN("quirks");

TEST_CASE("a report's file that ends inside a row: the row is kept in quarantine, and one that is whole without a line's end is stored") {
  World world(one_report("reimbursements"));
  Process& process = world.open();
  const std::string whole = "2026-11-20T00:00:00+00:00\t1\tLost_Warehouse\tS\tF\tUSD\t10.00", cut = "2026-11-20T00:00:00+00:00\t2\tLost_Ware";
  world.amazon().add_fault(document(kPaymentsHeader + whole + "\n" + cut));
  CHECK(member(world.sync_seller(process, 1), "status") == "partial");
  CHECK(world.count("SELECT count(*) FROM reimbursements") == 1);
  CHECK(world.count("SELECT count(*) FROM quarantine WHERE reason='row_cut'") == 1);
  world.amazon().clear_faults();
  world.amazon().add_fault(document(kPaymentsHeader + whole));
  world.run_for(std::chrono::hours(25));
  CHECK(member(sync_again(world, process), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM reimbursements") == 1);
}

TEST_CASE("rows of a report that can't be read may be those that it does not show: none goes for them, and the money tells of their days meanwhile") {
  WorldSettings settings = one_report("reimbursements");
  settings.streams.emplace_back("transactions");
  World world(settings);
  Process* process = &world.open();
  CHECK(member(world.sync_seller(*process, 1), "status") == "completed");
  const std::int64_t rows = world.count("SELECT count(*) FROM reimbursements");
  REQUIRE(rows > 0);
  CHECK(member(world.recoveries(*process, world.user(1)), "source") == "reimbursements");
  process = &world.pass(*process, std::chrono::hours(26));
  const std::string unreadable = "30 Nov\t1\tLost_Warehouse\tS\tF\tUSD\t10.00\n";
  std::string half;   // of each day that has rows, a row that is none
  for (const auto& row : world.sql("SELECT DISTINCT day FROM reimbursements")) {
    const std::string day = format_day(day_from(std::stoll(row[0])));
    half += day + "T00:00:00+00:00\tR-" + day + "\tLost_Warehouse\tS\tF\tUSD\t10.00\n";
  }
  world.amazon().add_fault(document(kPaymentsHeader + unreadable + half));
  CHECK(member(sync_again(world, *process), {"error", "code"}) == "rows_quarantined");
  CHECK(world.count("SELECT count(*) FROM reimbursements") > rows);
  CHECK(world.count("SELECT count(*) FROM cells WHERE stream='reimbursements' AND state='assumed'") > 0);
  const std::int64_t asked_for = asked(world, "getReportDocument");
  CHECK(member(sync_again(world, *process), "status") == "completed");
  CHECK(asked(world, "getReportDocument") == asked_for);   // not before Amazon makes it anew
  world.amazon().clear_faults();
  process = &world.pass(*process, std::chrono::hours(26));
  CHECK(member(sync_again(world, *process), "status") == "completed");
  check_report(world, *process, 1);
  CHECK(world.count("SELECT count(*) FROM cells WHERE stream='reimbursements' AND (state='assumed' OR by_word<>0)") == 0);

  // Where nothing was known before, what is missing is told by the money.
  World other(settings);
  process = &other.open();
  other.amazon().add_fault(document(kPaymentsHeader + unreadable));
  CHECK(member(other.sync_seller(*process, 1), "status") == "partial");
  const std::string told = other.recoveries(*process, other.user(1));
  CHECK(member(told, "source") == "transactions");
  CHECK(member(told, "totalAmount") != "0");
  other.amazon().clear_faults();
  process = &other.pass(*process, std::chrono::hours(26));
  CHECK(member(sync_again(other, *process), "status") == "completed");   // all of its days are asked for again
  check_report(other, *process, 1);
}

TEST_CASE("a report that is done and names no document is no word that there is nothing") {
  World world(one_report("reimbursements"));
  Process& process = world.open();
  amzsim::Fault no_document = fault("/reports/2021-06-30/reports/", "body", -1, R"({"reportId":"1","reportType":"GET_FBA_REIMBURSEMENTS_DATA","processingStatus":"DONE","createdTime":"2026-11-23T15:00:00Z"})");
  no_document.content_type = "application/json";
  world.amazon().add_fault(no_document);
  CHECK(member(world.sync_seller(process, 1), {"error", "code"}) == "report_failed");
  CHECK(world.count("SELECT count(*) FROM cells WHERE stream='reimbursements' AND digest IS NOT NULL") == 0);
}

TEST_CASE("a report whose lines end by something else than a line feed is refused, and takes no row away") {
  World world(one_report("reimbursements"));
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const std::int64_t rows = world.count("SELECT count(*) FROM reimbursements");
  CHECK(rows > 0);
  const std::string header = "approval-date\treimbursement-id\treason\tsku\tfnsku\tcurrency-unit\tamount-total", row = "2026-11-20T00:00:00+00:00\t1\tLost_Warehouse\tS\tF\tUSD\t10.00";
  for (const std::string end : {"\r", "\v", "\xE2\x80\xA8"}) {
    world.amazon().clear_faults();
    world.amazon().add_fault(document(header + end + row + end));
    world.run_for(std::chrono::hours(50));
    CHECK(member(sync_again(world, process), {"error", "code"}) == "bad_answer");
    CHECK(world.count("SELECT count(*) FROM reimbursements") == rows);
  }
}

TEST_CASE("what buyers wrote is not kept where a tab in it moves it into another column") {
  World world(one_report("returns"));
  Process& process = world.open();
  const std::string header = "return-date\torder-id\tsku\tcustomer-comments\tquantity\n", good = "2026-11-20T00:00:00+00:00\t1-2-3\tS\tfine\t1\n";
  world.amazon().add_fault(document(header + good + "2026-11-20T00:00:00+00:00\t1-2-4\tS\tI am\tJANE DOE\t1\n"));
  CHECK(member(world.sync_seller(process, 1), "status") == "partial");
  CHECK(world.count("SELECT count(*) FROM returns") == 1);
  CHECK(world.count("SELECT count(*) FROM quarantine WHERE reason='row_shifted' AND instr(CAST(raw AS TEXT), 'JANE')=0") == 1);
  CHECK(world.count("SELECT count(*) FROM quarantine") == 1);
}

TEST_CASE("what buyers wrote is gone with a document that is refused") {
  World world(one_report("returns"));
  Process& process = world.open();
  world.amazon().add_fault(document("return-date\torder-id\tsku\tcustomer-comments\n2026-11-20T00:00:00+00:00\t1-2-3\tS\tMY NAME IS JANE DOE\n"));
  CHECK(member(world.sync_seller(process, 1), {"error", "code"}) == "bad_answer");
  world.run_for(std::chrono::hours(2));
  CHECK(world.count("SELECT count(*) FROM archive_pieces WHERE instr(CAST(bytes AS TEXT), 'JANE DOE')>0") == 0);
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
                {"text/plain; charset=Cp1252", "\xEF\xBB\xBF" + file("caf\xC3\xA9"), "café"},   // its mark says otherwise
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

TEST_CASE("wherever a worker dies while it stores a report, the run tells of all that was stored, and that some could not be read") {
  std::string text = kPaymentsHeader + "no date\tR-0\tLost_Warehouse\tSKU-1\tX001\tUSD\t5.00\n";
  constexpr int kRows = 12;
  for (int i = 1; i <= kRows; ++i) text += "2026-11-1" + std::to_string(i % 10) + "T08:00:00+00:00\tR-" + std::to_string(i) + "\tLost_Warehouse\tSKU-1\tX001\tUSD\t5.00\n";
  int deaths = 0;
  for (std::int64_t call = 1;; ++call) {
    CAPTURE(call);
    World world(one_report("reimbursements"));
    world.amazon().add_fault(document(text));
    Process* process = &world.open();
    const auto connected = world.connect(*process, 1);
    REQUIRE(connected);
    world.kill_at({World::CallKind::store, world.store_calls() + call, true});
    world.run_until([&] { return !process->alive() || world.count("SELECT count(*) FROM runs WHERE completed_at IS NOT NULL") == 1; });
    const bool died = !process->alive();
    deaths += died ? 1 : 0;
    if (died) process = &world.open();
    const std::string run = world.finish(*process, world.user(1), connected->sync_id);
    CHECK(member(run, "status") == "partial");
    const auto told = *JsonDocument::parse(run);
    for (const Json stream : told["streams"]) {
      if (stream["name"].text() != "reimbursements") continue;
      CHECK(stream["added"].integer() == kRows);
      CHECK(stream["rejected"].integer() == 1);
      // What can't be read is read again by the next worker, and not kept twice.
      const std::int64_t kept = *stream["added"].integer() + *stream["unchanged"].integer() + *stream["rejected"].integer();
      CHECK(*stream["fetched"].integer() >= kept);
      CHECK(*stream["fetched"].integer() <= kept + (died ? 1 : 0));
    }
    if (!died) break;
  }
  CHECK(deaths > 20);
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

TEST_SUITE_END();
