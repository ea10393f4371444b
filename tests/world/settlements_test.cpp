// SPDX-License-Identifier: Apache-2.0
// Settlements: reports that nobody can ask for, found in the list of reports.
#include <doctest/doctest.h>

#include "world/checks.hpp"

using namespace world;

namespace {

WorldSettings settlements_alone() {
  WorldSettings settings;
  settings.amazon.events = 1'500;
  settings.amazon.skus = 60;
  settings.amazon.goes_on = true;
  settings.history_days = settings.amazon.history_days = 150;
  settings.streams = {"transactions", "inventory", "settlements"};
  return settings;
}

amzsim::Fault fault(const std::string& path, const std::string& kind, int after, const std::string& message = "", int status = 404) {
  amzsim::Fault f;
  f.path = path;
  f.kind = kind;
  f.after = after;
  f.message = message;
  f.status = status;
  f.code = "NotFound";
  return f;
}

}  // namespace

TEST_SUITE_BEGIN("quirks");

TEST_CASE("settlements are found in the list of reports, page by page, each is read once, and all that was ever listed stays") {
  std::vector<std::string> with_token;
  WorldSettings settings = settlements_alone();
  settings.amazon.rows_per_page = 4;   // of the list, too
  settings.watch = [&with_token](const amzsync::net::HttpRequest& request, const Result<amzsync::net::HttpResponse>&) {
    const amzsim::SimRequest call = to_sim(request);
    if (call.has_param("nextToken") && call.path.starts_with("/reports")) with_token.push_back(std::to_string(call.query.size()));
  };
  World world(settings);
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 3), "status") == "completed");   // three marketplaces, whose settlements end at the same moment
  check_truth(world, process, 3);
  CHECK(with_token.size() > 2);
  for (const std::string& parameters : with_token) CHECK(parameters == "1");   // a token stands alone

  const std::string settled = "SELECT count(DISTINCT settlement_id) FROM amz_settlements";
  const std::int64_t first = world.count(settled);
  CHECK(first > 12);
  // The first row of each says what the others add up to, and all have its currency and dates.
  CHECK(world.count("SELECT count(*) FROM (SELECT settlement_id, sum(amount_micros) AS parts, sum(total_amount_micros) AS total, count(total_amount_micros) AS totals FROM amz_settlements GROUP BY 1) AS d "
                    "WHERE parts<>total OR totals<>1") == 0);
  CHECK(world.count("SELECT count(*) FROM amz_settlements WHERE currency IS NULL OR started_at IS NULL OR ended_at IS NULL OR deposited_at IS NULL") == 0);
  CHECK(world.count("SELECT count(*) FROM (SELECT settlement_id FROM amz_settlements GROUP BY 1 HAVING count(DISTINCT currency)<>1 OR max(line)<>count(*)) AS d") == 0);
  CHECK(world.sql("SELECT count(*), sum(row_count) FROM cells WHERE stream='settlements' AND day>0")[0][1] == std::to_string(world.count("SELECT count(*) FROM amz_settlements")));

  const auto documents = [&] { return world.amazon().stats()["getReportDocument"].calls; };
  const auto lists = [&] { return world.amazon().stats()["getReports"].calls; };
  const std::int64_t had = documents(), listed = lists();
  CHECK(member(sync_again(world, process, 3), "status") == "completed");
  CHECK(documents() == had);
  CHECK(lists() == listed);   // once a day
  for (int month = 0; month < 4; ++month) {   // longer than Amazon lists them
    world.run_for(std::chrono::hours(24 * 30));
    CHECK(member(sync_again(world, process, 3), "status") == "completed");
    check_truth(world, process, 3);
  }
  CHECK(world.count(settled) == documents());
  CHECK(world.count(settled) > first);
}

TEST_CASE("a list of settlements whose page token lapses is walked anew") {
  WorldSettings settings = settlements_alone();
  settings.amazon.rows_per_page = 4;
  World world(settings);
  Process& process = world.open();
  amzsim::Fault lapsed = fault("/reports/2021-06-30/reports", "status", 0, "Invalid Input", 400);
  lapsed.method = "GET";
  lapsed.pages_only = true;
  lapsed.times = 1;
  world.amazon().add_fault(lapsed);
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  check_truth(world, process, 1);
}

TEST_CASE("a settlement that is refused, or in whose place an error stands, is asked for as long as it is listed; the others are read meanwhile") {
  World world(settlements_alone());
  Process& process = world.open();
  const auto refuse_one = [&] {
    for (const char* path : {"/reports/2021-06-30/documents/", "/_docs/"}) {
      amzsim::Fault refused = fault(path, "status", 0);
      refused.times = 3;
      world.amazon().add_fault(refused);
    }
  };
  refuse_one();
  world.amazon().add_fault(fault("/_docs/", "body", 1, "An error occurred\n"));
  CHECK(member(world.sync_seller(process, 1), "status") == "partial");
  const auto read = [&] { return world.count("SELECT count(*) FROM report_jobs WHERE outcome='imported'"); };
  CHECK(read() > 0);
  const std::int64_t waiting = world.count("SELECT count(*) FROM report_jobs WHERE state<>'over'"), done = read();
  CHECK(waiting > 0);
  CHECK(world.count("SELECT count(DISTINCT settlement_id) FROM amz_settlements") == done);

  CHECK(member(sync_again(world, process, 1), "status") == "completed");
  CHECK(read() == done + waiting);

  // One that is refused until it is no longer listed is given up then, and told.
  world.run_for(std::chrono::hours(24 * 15));
  amzsim::Fault refused = fault("/reports/2021-06-30/documents/", "status", 0);
  refused.times = -1;
  world.amazon().add_fault(refused);
  CHECK(member(sync_again(world, process, 1), "status") == "partial");
  world.run_for(std::chrono::hours(24 * 92));
  CHECK(member(sync_again(world, process, 1), "status") == "partial");
  world.amazon().clear_faults();
  CHECK(world.count("SELECT count(*) FROM report_jobs WHERE outcome='lost'") > 0);
  CHECK(member(sync_again(world, process, 1), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM report_jobs WHERE state<>'over'") == 0);
}

TEST_CASE("an entry of the list of settlements that can't be read makes the sync partial, and the list is walked anew with the next") {
  const std::string type = R"("reportType":"GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2")", id = R"("reportId":"1")", done = R"("processingStatus":"DONE")";
  for (const std::string& entry : {std::string("null"), "{" + type + "," + id + "," + done + "}", "{" + type + "," + id + R"(,"processingStatus":"Done","reportDocumentId":"d"})", "{" + type + "," + id + R"(,"reportDocumentId":"d"})",
                                   "{" + type + "," + done + R"(,"reportDocumentId":"d"})", "{" + id + "," + done + R"(,"reportDocumentId":"d"})"}) {
    CAPTURE(entry);
    WorldSettings settings = settlements_alone();
    settings.streams = {"settlements"};
    World world(settings);
    Process& process = world.open();
    amzsim::Fault list = fault("/reports/2021-06-30/reports", "body", 0, R"({"reports":[)" + entry + "]}");
    list.whole_path = true;
    list.method = "GET";
    list.content_type = "application/json";
    list.times = 1;
    world.amazon().add_fault(list);
    const std::string run = world.sync_seller(process, 1);
    CHECK(member(run, {"error", "code"}) == "bad_answer");
    CHECK(member(run, "status") != "completed");
    CHECK(member(sync_again(world, process, 1), "status") == "completed");
    CHECK(world.count("SELECT count(*) FROM amz_settlements") == world.truth(1)["reports"]["settlements"]["rows"].integer());
  }
}

TEST_CASE("where Amazon does not list settlements a sync is complete all the same, and says so") {
  WorldSettings settings = settlements_alone();
  settings.streams = {};
  settings.history_days = settings.amazon.history_days = 30;
  World world(settings);
  Process& process = world.open();
  amzsim::Fault unknown;
  unknown.path = "/reports/2021-06-30/reports";
  unknown.whole_path = true;
  unknown.method = "GET";
  unknown.kind = "status";
  unknown.status = 400;
  unknown.code = "InvalidInput";
  unknown.message = "The report type is not known.";
  unknown.times = -1;
  world.amazon().add_fault(unknown);
  const std::string run = world.sync_seller(process, 1);
  CHECK(member(run, "status") == "completed");
  const auto document = JsonDocument::parse(run);
  REQUIRE(document);
  for (const Json stream : (*document)["streams"])
    CHECK((stream["coverage"].text() == "unauthorised") == (stream["name"].text() == "settlements"));
}

TEST_SUITE_END();
