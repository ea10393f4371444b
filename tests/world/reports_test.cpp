// SPDX-License-Identifier: Apache-2.0
// Amazon's known quirks, played one by one: which reports are asked for, and what is made of their states. docs/amazon-quirks.md says which quirk is played where.
#include "spapi/reports/datasets.hpp"
#include "world/scenes.hpp"

using namespace world;

TEST_SUITE_BEGIN("quirks");

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

TEST_CASE("days of which Amazon says by a cancelled report that they are empty are asked for once more a day later, however old they are") {
  WorldSettings settings = one_report("reimbursements", 400);
  settings.amazon.events = 3'000;
  World world(settings);
  Process& process = world.open();
  world.amazon().add_fault(report_fault("report_cancelled"));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM reimbursements") == 0);
  world.amazon().clear_faults();
  world.run_for(std::chrono::hours(26));
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_report(world, process, 1);
}

TEST_CASE("what is empty indeed is asked for twice, and then left alone") {
  WorldSettings settings = one_report("reimbursements", 400);
  World world(settings);
  Process& process = world.open();
  world.amazon().add_fault(report_fault("report_cancelled"));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const std::int64_t first = asked(world, "createReport");
  CHECK(first > 1);
  for (int i = 0; i < 2; ++i) {
    world.run_for(std::chrono::hours(26));
    CHECK(member(sync_again(world, process), "status") == "completed");
  }
  CHECK(asked(world, "createReport") == 2 * first + 1);   // and the last days, as ever
}

TEST_CASE("days that were read too early for all of them to be told are read again, however long nobody syncs") {
  for (const char* stream : {"reimbursements", "ledger"}) {
    CAPTURE(std::string(stream));
    WorldSettings settings = one_report(stream, 60);
    settings.amazon.goes_on = true;
    settings.amazon.events = 3'000;
    World world(settings);
    Process& before = world.open();
    CHECK(member(world.sync_seller(before, 1), "status") == "completed");
    Process& process = world.pass(before, std::chrono::hours(24 * 100));
    CHECK(member(sync_again(world, process), "status") == "completed");
    // Late rows of the last days come within the time that a day is read again.
    const std::string early = std::string("SELECT count(*) FROM ") + stream + " WHERE day<" + std::to_string(to_number(day_of(world.clock().now())) - 95);
    const std::int64_t after_one = world.count(early);
    for (int i = 0; i < 3; ++i) {
      world.run_for(std::chrono::hours(26));
      CHECK(member(sync_again(world, process), "status") == "completed");
    }
    CHECK(world.count(early) == after_one);
    CHECK(world.count("SELECT count(*) FROM cells WHERE stream='" + std::string(stream) + "' AND digest IS NOT NULL AND read_at - (day + 1) * 86400000000 < 30 * 86400000000 AND day<" + std::to_string(to_number(day_of(world.clock().now())) - 95)) == 0);
  }
}

TEST_CASE("where no report is made of what was paid, the money tells what was") {
  WorldSettings settings = one_report("reimbursements");
  settings.streams = {"reimbursements", "transactions"};
  World world(settings);
  Process& process = world.open();
  world.amazon().add_fault(report_fault("report_cancelled"));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  std::int64_t paid = world.count("SELECT coalesce(sum(micros), 0) FROM credits WHERE source='transactions'");
  REQUIRE(paid != 0);
  const auto told = [&] { return parse_amount(member(world.recoveries(process, world.user(1)), "totalAmount")).micros.value; };
  CHECK(told() == paid);
  CHECK(world.count("SELECT count(*) FROM cells WHERE stream='reimbursements' AND by_word=0 AND digest IS NOT NULL") == 0);
  // Told a second time it is no more certain.
  world.run_for(std::chrono::hours(26));
  CHECK(member(sync_again(world, process), "status") == "completed");
  paid = world.count("SELECT coalesce(sum(micros), 0) FROM credits WHERE source='transactions'");
  CHECK(told() == paid);
  // And the report, when it is made, is what counts.
  world.amazon().clear_faults();
  world.run_for(std::chrono::hours(26));
  CHECK(member(sync_again(world, process), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM cells WHERE stream='reimbursements' AND by_word=0 AND digest IS NOT NULL") > 0);
}

TEST_CASE("when one half of a report can't be made, the other is read all the same") {
  WorldSettings settings = one_report("reimbursements", 20);
  settings.amazon.events = 3'000;
  World world(settings);
  Process& process = world.open();
  amzsim::Fault up_to_now = report_fault("report_fatal", -1, "No.");
  up_to_now.body_holds = "\"dataEndTime\":\"2026-11-23";   // the whole, and its newer half
  world.amazon().add_fault(up_to_now);
  CHECK(member(world.sync_seller(process, 1), {"error", "code"}) == "report_failed");
  CHECK(halved(process));
  CHECK(asked(world, "createReport") == 3);
  CHECK(world.count("SELECT count(*) FROM report_jobs WHERE outcome='fatal'") == 2);
  CHECK(world.count("SELECT count(*) FROM report_jobs WHERE outcome<>'fatal' AND until_day<(SELECT max(until_day) FROM report_jobs)") == 1);
}

TEST_CASE("a report that says nothing of days of which rows are known is not asked for again at every trigger") {
  World world(one_report("reimbursements"));
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  world.amazon().add_fault(report_fault("report_cancelled"));
  world.run_for(std::chrono::hours(25));
  const std::int64_t before = asked(world, "createReport");
  for (int i = 0; i < 6; ++i) {
    CHECK(member(sync_again(world, process), "status") == "completed");
    world.run_for(std::chrono::minutes(31));
  }
  CHECK(asked(world, "createReport") == before + 1);
  world.amazon().clear_faults();
  world.run_for(std::chrono::hours(4));
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_report(world, process, 1);
}

TEST_CASE("a pause for want of data holds back no day that was never read") {
  WorldSettings settings = one_report("reimbursements", 90);
  settings.history_days = 20;
  World world(settings);
  Process& before = world.open();
  CHECK(member(world.sync_seller(before, 1), "status") == "completed");
  world.run_for(std::chrono::hours(25));
  world.amazon().add_fault(report_fault("report_cancelled"));
  CHECK(member(sync_again(world, before), "status") == "completed");
  world.amazon().clear_faults();
  world.close(before);
  world.use_history(90);
  Process& after = world.open();
  const std::int64_t calls = asked(world, "createReport");
  CHECK(member(sync_again(world, after), "status") == "completed");
  CHECK(asked(world, "createReport") > calls);
  check_report(world, after, 1);
  // What was read has to wait until the pause is over.
  const std::int64_t again = asked(world, "createReport");
  CHECK(member(sync_again(world, after), "status") == "completed");
  CHECK(asked(world, "createReport") == again);
}

TEST_CASE("days that a report failed for are asked for in a pause for want of data, which forgets no failure") {
  World world(one_report("reimbursements", 90));
  Process& process = world.open();
  amzsim::Fault older = report_fault("report_fatal", 3);   // of one window, and its halves
  world.amazon().add_fault(older);
  CHECK(member(world.sync_seller(process, 1), "status") == "partial");
  world.amazon().clear_faults();
  world.amazon().add_fault(report_fault("report_cancelled"));
  for (int i = 0; i < 4; ++i) {
    const std::string run = sync_again(world, process);
    CHECK(member(run, "status") != "completed");
    world.run_for(std::chrono::hours(1));
  }
  world.amazon().clear_faults();
  world.run_for(std::chrono::hours(26));
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_report(world, process, 1);
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

TEST_CASE("where Amazon's list of reports is not to be had, a cancelled report is no word that there is nothing") {
  World world(one_report("ledger_summary", 60));
  Process& process = world.open();
  make_elsewhere(world, wish(spapi::kLedgerSummary, kUs, "2026-09-01T00:00:00Z", "2026-11-20T00:00:00Z"));
  // However it fails; what was asked for stays, and is judged once the list is there.
  amzsim::Fault failing = refusal("/reports", 500, "InternalFailure", "", -1), unreadable = fault("/reports", "body", -1, "{}");
  amzsim::Fault refused = refusal("/reports", 400, "InvalidInput", "no", -1);
  for (amzsim::Fault of : {failing, refused, unreadable}) {
    of.method = "GET";
    of.query_holds = std::string(spapi::kLedgerSummary.report_type);
    world.amazon().add_fault(of);
    const std::string run = world.count("SELECT count(*) FROM runs") == 0 ? world.sync_seller(process, 1) : sync_again(world, process);
    CHECK(member(run, "status") != "completed");
    CHECK(member(run, {"error", "code"}) == (of.kind == "body" ? "bad_answer" : of.status == 500 ? "amazon_error" : "request_rejected"));
    CHECK(world.count("SELECT count(*) FROM cells WHERE stream='ledger_summary' AND digest IS NOT NULL") == 0);
    CHECK(world.count("SELECT count(*) FROM report_jobs WHERE outcome='no_data'") == 0);
    world.amazon().clear_faults();
  }
  CHECK(asked(world, "createReport") == 1 + 1);
  CHECK(member(sync_again(world, process), {"error", "code"}) == "report_failed");   // too soon
  world.run_for(std::chrono::hours(5));
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_report(world, process, 1);
}

TEST_CASE("a report that somebody had made after the list was told, and before ours, is no word that there is nothing") {
  WorldSettings settings = one_report("reimbursements", 60);
  World* all = nullptr;
  settings.watch = [&all](const amzsync::net::HttpRequest& request, const Result<amzsync::net::HttpResponse>& response) {
    if (!all || !response || response->status != 429) return;
    World& world = *std::exchange(all, nullptr);
    CHECK(to_sim(request).path == "/reports/2021-06-30/reports");
    make_elsewhere(world, request.body);   // just the same
  };
  World world(settings);
  all = &world;
  amzsim::Fault busy = refusal("/reports", 429, "QuotaExceeded", "You exceeded your quota for the requested resource.", 1);
  busy.method = "POST";
  world.amazon().add_fault(busy);
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") != "completed");
  CHECK(!all);
  CHECK(world.count("SELECT count(*) FROM report_jobs WHERE outcome='no_data'") == 0);
  CHECK(world.count("SELECT count(*) FROM report_jobs WHERE outcome='too_soon'") > 0);
}

TEST_CASE("what a report was judged by is looked for as far back as it was asked for, however late it is judged") {
  WorldSettings settings = one_report("reimbursements", 60);
  std::vector<std::string> bodies;
  settings.watch = [&bodies](const amzsync::net::HttpRequest& request, const Result<amzsync::net::HttpResponse>&) {
    if (to_sim(request).path == "/reports/2021-06-30/reports" && !request.body.empty()) bodies.push_back(request.body);
  };
  {
    World like(settings);
    like.sync_seller(like.open(), 1);
  }
  settings.watch = nullptr;
  World world(settings);
  for (const std::string& body : bodies) make_elsewhere(world, body);
  world.run_for(std::chrono::minutes(20));
  amzsim::Fault refused = refusal("/reports", 400, "InvalidInput", "no", -1);
  refused.method = "GET";
  refused.query_holds = std::string(spapi::kReimbursements.report_type);
  world.amazon().add_fault(refused);
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") != "completed");
  world.amazon().clear_faults();
  const std::string judged = "SELECT outcome, count(*) FROM report_jobs WHERE asked_at<" + std::to_string(to_us(world.clock().now())) + " GROUP BY outcome";
  CHECK(world.sql(judged) == std::vector<std::vector<std::string>>{{"", std::to_string(bodies.size())}});
  // Nearly a day after they were asked for: what they are judged by was made more than a day ago.
  world.run_for(from_us(world.count("SELECT min(asked_at) FROM report_jobs")) + std::chrono::hours(24) - std::chrono::minutes(5) - world.clock().now());
  sync_again(world, process);
  CHECK(world.sql(judged) == std::vector<std::vector<std::string>>{{"too_soon", std::to_string(bodies.size())}});
}

TEST_CASE("after three failures in a row a report is left alone for a day, and every sync says so") {
  World world(one_report("reimbursements"));
  Process& process = world.open();
  world.amazon().add_fault(report_fault("report_fatal"));
  CHECK(member(world.sync_seller(process, 1), {"error", "code"}) == "report_failed");
  CHECK(asked(world, "createReport") == 3);   // the whole, and both halves of it
  for (int i = 0; i < 2; ++i) {
    world.run_for(std::chrono::hours(5));     // the pause after a failure is over
    CHECK(member(sync_again(world, process), {"error", "code"}) == "report_failed");
  }
  const std::int64_t calls = asked(world, "createReport");
  CHECK(calls == 9);
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

TEST_CASE("reports that never end are not taken up again by the next sync, which asks anew") {
  World world(one_report("reimbursements"));
  Process& process = world.open();
  world.amazon().add_fault(report_fault("report_stuck"));
  CHECK(member(world.sync_seller(process, 1), {"error", "code"}) == "report_failed");
  world.amazon().clear_faults();
  const std::int64_t before = asked(world, "createReport");
  world.run_for(std::chrono::hours(5));
  CHECK(member(sync_again(world, process), "status") == "completed");
  CHECK(asked(world, "createReport") == before + 1);
  check_report(world, process, 1);
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
      CHECK(asked(world, "createReport") == 3);
      CHECK(rows == 0);
      CHECK(member(run, {"error", "message"}) == "Amazon could not make the report: Something went wrong in here.");
    }
    world.amazon().clear_faults();
    world.run_for(std::chrono::hours(5));
    CHECK(member(sync_again(world, process), "status") == "completed");
    check_report(world, process, 1);
  }
}

TEST_CASE("a report of months that Amazon can't make is asked for in halves too") {
  World world(one_report("ledger_summary", 100));
  Process& process = world.open();
  world.amazon().add_fault(report_fault("report_fatal", 1, "Something went wrong in here."));
  world.sync_seller(process, 1);
  CHECK(halved(process));
  CHECK(world.count("SELECT count(*) FROM ledger_summary") > 0);
}

TEST_CASE("a report of ours that came to nothing while nobody waited for it is not asked for again") {
  World world(one_report("reimbursements"));
  Process& first = world.open();
  world.amazon().add_fault(report_fault("report_cancelled", -1));
  const auto connected = world.connect(first, 1);
  REQUIRE(connected);
  // Dead as soon as Amazon has heard it.
  bool died = false;
  world.set_fates([&](Process&, World::Point point) {
    World::Fate fate;
    if (point != World::Point::http_back || died || asked(world, "createReport") == 0) return fate;
    died = true;
    fate.what = World::Fate::What::die;
    return fate;
  });
  world.run_until([&] { return !first.alive(); });
  REQUIRE(asked(world, "createReport") == 1);
  world.run_for(std::chrono::minutes(3));
  Process& second = world.open();
  CHECK(member(world.finish(second, world.user(1), connected->sync_id), "status") == "completed");
  CHECK(asked(world, "createReport") == 1);
}

TEST_CASE("a report of somebody else's whose document is gone is asked for anew") {
  World world(one_report("reimbursements"));
  Process& process = world.open();
  const std::string id = make_elsewhere(world, wish(spapi::kReimbursements, kUs, "2026-10-01T00:00:00Z", "2026-11-23T15:00:00Z"));
  amzsim::Fault gone = refusal("/reports/2021-06-30/documents/amzn1.spdoc.1.4.na." + hex(std::string_view(id)), 404, "NotFound", "There is no such document.", -1);
  world.amazon().add_fault(gone);
  world.run_for(std::chrono::minutes(40));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  CHECK(asked(world, "createReport") == 2);
  check_report(world, process, 1);
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
  CHECK(text_of_query(request) == "reportTypes=GET_LEDGER_DETAIL_VIEW_DATA pageSize=100 createdSince=2026-08-01T00:00:00Z");
  CHECK(text_of_query(spapi::get_reports(spapi::kLedger, std::nullopt)) == "reportTypes=GET_LEDGER_DETAIL_VIEW_DATA pageSize=100");
  CHECK(!request.has_page_token);
}

TEST_CASE("a seller who is older than the history that is asked for has no row in quarantine: the first hours of a report are of the local day before") {
  for (const char* stream : {"ledger", "ledger_summary", "returns", "removals", "storage_fees", "reimbursements"}) {
    CAPTURE(std::string(stream));
    WorldSettings settings = one_report(stream, 60);
    settings.amazon.events = 3'000;
    settings.amazon.history_days = 120;
    World world(settings);
    Process& process = world.open();
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    CHECK(world.count("SELECT count(*) FROM quarantine") == 0);
    CHECK(world.count("SELECT count(*) FROM amz_" + std::string(stream)) > 0);
  }
}

TEST_CASE("a slow clock hides no settlement: how far back Amazon's list goes is left to Amazon's own clock") {
  for (const auto slow : {std::chrono::minutes(59), std::chrono::minutes(61), std::chrono::minutes(48 * 60)}) {
    CAPTURE(slow.count());
    World world(one_report("settlements", 150));
    Process& process = world.open();
    world.clock().jump(-slow);
    const std::string run = world.sync_seller(process, 1);
    CHECK(member(run, "status") == "completed");
    CHECK(run.find("unauthorised") == std::string::npos);
    check_report(world, process, 1);
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

TEST_CASE("of a report that tells of more days than one of ours, and was read in its place, no row is taken for impossible") {
  WorldSettings settings = one_report("reimbursements", 85);   // two of ours, of which the second tells of the later days
  World world(settings);
  Process& process = world.open();
  make_elsewhere(world, wish(spapi::kReimbursements, kUs, "2026-08-27T00:00:00Z", "2026-11-23T15:00:00Z"));
  world.run_for(std::chrono::minutes(40));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM quarantine") == 0);
  check_report(world, process, 1);
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

TEST_CASE("a report that ends before the days that it was asked for is taken for those that it tells, and the others are read later") {
  World world(one_report("returns", 100));
  Process& process = world.open();
  world.amazon().add_fault(report_fault("report_short"));
  const std::string run = world.sync_seller(process, 1);
  CHECK(member(run, "status") == "partial");
  CHECK(member(run, {"error", "message"}).find("fewer days") != std::string::npos);
  const auto days_read = [&] { return world.count("SELECT count(*) FROM cells WHERE stream='returns' AND digest IS NOT NULL"); };
  const std::int64_t before = days_read();
  world.amazon().clear_faults();
  Process& later = world.pass(process, std::chrono::hours(24));
  CHECK(member(sync_again(world, later), "status") == "completed");
  CHECK(days_read() == before + 2);   // the one that was left out, and today
  check_report(world, later, 1);
}

TEST_SUITE_END();
