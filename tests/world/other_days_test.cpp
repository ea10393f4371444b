// SPDX-License-Identifier: Apache-2.0
// Rows that come in the report of other days than their own: because days are local, because Amazon tells more than it was asked for, or because the report
// is somebody else's. Each is stored or kept in quarantine, and none counts twice.
#include "spapi/reports/datasets.hpp"
#include "support/test_store.hpp"
#include "world/scenes.hpp"

using namespace world;

namespace {

/// A payment of ten dollars, as a line of a file under kPaymentsHeader.
std::string row(const std::string& day, int id) { return day + "T00:00:00+00:00\t" + std::to_string(id) + "\tLost_Warehouse\tS\tF\tUSD\t10.00\n"; }

}  // namespace

TEST_SUITE_BEGIN("quirks");

TEST_CASE("rows of days that can't be are kept in quarantine, and none goes without a trace") {
  World world(one_report("reimbursements"));
  Process& process = world.open();
  const std::string row = "\t1\tLost_Warehouse\tS\tF\tUSD\t10.00\n";
  world.amazon().add_fault(document(kPaymentsHeader + "2026-11-20T00:00:00+00:00" + row + "2019-11-20T00:00:00+00:00" + row + "2026-12-24T00:00:00+00:00" + row));
  CHECK(member(world.sync_seller(process, 1), "status") == "partial");
  CHECK(world.count("SELECT count(*) FROM reimbursements") == 1);
  CHECK(world.count("SELECT count(*) FROM quarantine WHERE reason='date_not_asked'") == 2);
}

TEST_CASE("of a report's rows each is stored or kept in quarantine, also where its day is none that was asked for") {
  World world(one_report("reimbursements"));   // 2026-11-02 to 23
  Process& process = world.open();
  std::string file = kPaymentsHeader;
  const std::vector<std::string> asked_for{"2026-11-02", "2026-11-20", "2026-11-23"}, tomorrow{"2026-11-24"}, others{"2019-11-20", "2026-08-15", "2026-10-31", "2026-11-25", "2026-11-26", "2026-12-24"};
  for (const auto* days : {&asked_for, &tomorrow, &others})
    for (const std::string& day : *days) file += day + "T00:00:00+00:00\t1\tLost_Warehouse\tS\tF\tUSD\t10.00\n";
  world.amazon().add_fault(document(file));
  CHECK(member(world.sync_seller(process, 1), "status") == "partial");
  // Local dates may be a day ahead of ours, or behind.
  CHECK(world.count("SELECT count(*) FROM reimbursements") == static_cast<std::int64_t>(asked_for.size() + tomorrow.size()));
  CHECK(world.count("SELECT count(*) FROM quarantine WHERE reason='date_not_asked'") == static_cast<std::int64_t>(others.size()));
}

TEST_CASE("what is dated tomorrow is stored, until tomorrow's own report tells of that day") {
  World world(one_report("reimbursements"));
  Process& process = world.open();
  world.amazon().add_fault(document(kPaymentsHeader + row("2026-11-23", 1) + row("2026-11-24", 2)));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM reimbursements") == 2);
  CHECK(world.count("SELECT count(*) FROM quarantine") == 0);
  // Once that day has come it is asked for, however lately the others were read.
  const std::int64_t asked_before = asked(world, "createReport");
  world.amazon().clear_faults();
  world.amazon().add_fault(document(kPaymentsHeader + row("2026-11-23", 1) + row("2026-11-24", 3)));
  world.run_for(std::chrono::hours(10));
  CHECK(member(sync_again(world, process), "status") == "completed");
  CHECK(asked(world, "createReport") == asked_before + 1);
  CHECK(world.sql("SELECT reimbursement_id FROM reimbursements ORDER BY 1") == std::vector<std::vector<std::string>>{{"1"}, {"3"}});
  CHECK(world.count("SELECT count(*) FROM quarantine") == 0);
}

TEST_CASE("what is dated tomorrow is stored whatever the hour, also where the report is somebody else's of before midnight") {
  for (const bool theirs : {false, true}) {
    CAPTURE(theirs);
    WorldSettings settings = one_report("reimbursements");
    settings.start = theirs ? "2026-11-23T22:00:00Z" : "2026-11-24T00:01:00Z";
    World world(settings);
    Process& process = world.open();
    world.amazon().add_fault(document(kPaymentsHeader + row("2026-11-23", 1) + row("2026-11-24", 2)));
    if (theirs) {
      make_elsewhere(world, wish(spapi::kReimbursements, kUs, "2026-10-01T00:00:00Z", "2026-11-23T22:00:00Z"));
      world.run_for(std::chrono::minutes(130));
    }
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    CHECK(asked(world, "createReport") == 1);
    CHECK(world.count("SELECT count(*) FROM reimbursements") == 2);
    CHECK(world.count("SELECT count(*) FROM quarantine") == 0);
  }
}

TEST_CASE("a report of somebody else's tells nothing of what came after it, also where its reader died") {
  World world(one_report("reimbursements"));
  Process* process = &world.open();
  make_elsewhere(world, wish(spapi::kReimbursements, kUs, "2026-10-01T00:00:00Z", "2026-11-23T15:00:00Z"));
  world.run_for(std::chrono::hours(2));
  const auto connected = world.connect(*process, 1);
  REQUIRE(connected);
  REQUIRE(world.run_until([&] { return world.count("SELECT count(*) FROM report_jobs WHERE state='waiting'") == 1; }));
  world.kill(*process);
  process = &world.open();
  CHECK(member(world.finish(*process, world.user(1), connected->sync_id), "status") == "completed");
  CHECK(asked(world, "createReport") == 1);
  CHECK(world.count("SELECT max(read_until)/1000000 FROM cells WHERE stream='reimbursements'") < 1'795'447'800);   // 2026-11-23T15:30
}

TEST_CASE("a movement of a day beside those that are read again, which the ledger tells because its days are local, is kept when it is new") {
  World world(one_report("ledger", 100));
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  amzsim::Fault late = document("\"Date\"\t\"FNSKU\"\t\"Event Type\"\t\"Quantity\"\t\"Reference ID\"\r\n\"08/29/2026\"\t\"F\"\t\"Adjustments\"\t\"-1\"\t\"LATE\"\r\n");
  late.times = 1;   // of the days that are read again those at the beginning are read first
  world.amazon().add_fault(late);
  world.run_for(std::chrono::hours(25));
  const std::int64_t jobs = world.count("SELECT max(job_no) FROM report_jobs");
  CHECK(member(sync_again(world, process), "status") == "partial");
  CHECK(world.count("SELECT min(from_day) FROM report_jobs WHERE job_no>" + std::to_string(jobs)) == 20'695);   // 2026-08-30
  CHECK(world.count("SELECT count(*) FROM ledger WHERE reference_id='LATE'") == 0);
  CHECK(world.count("SELECT count(*) FROM quarantine WHERE reason='date_not_asked' AND instr(CAST(raw AS TEXT), 'LATE')>0") == 1);
}

TEST_CASE("a row of a day beside those that are read again, which says something else than is stored, is kept") {
  World world(one_report("reimbursements", 85));
  Process& process = world.open();
  const auto row = [](const std::string& amount) { return "2026-09-11T00:00:00+00:00\t4\tLost_Warehouse\tS\tF\tUSD\t" + amount + "\n"; };
  world.amazon().add_fault(document(kPaymentsHeader + row("10.00")));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  for (const auto& [amount, kept] : {std::pair{"10.00", 0}, {"12.00", 1}, {"12.00", 1}, {"10.00", 1}}) {
    world.amazon().clear_faults();
    world.amazon().add_fault(document(kPaymentsHeader + row(amount)));
    world.run_for(std::chrono::hours(25));
    sync_again(world, process);
    CHECK(world.count("SELECT amount_micros FROM reimbursements") == 10'000'000);
    CHECK(world.count("SELECT count(*) FROM quarantine WHERE reason='date_not_asked' AND instr(CAST(raw AS TEXT), '12.00')>0") == kept);
  }
}

TEST_CASE("a document that a newer report overtook before it was read is read by no replay") {
  World world(one_report("reimbursements"));
  Process* process = &world.open();
  CHECK(member(world.sync_seller(*process, 1), "status") == "completed");
  REQUIRE(world.count("SELECT count(*) FROM archive WHERE whole=1") == 1);
  // As it is when the host dies between keeping a document and reading it.
  world.kill(*process);
  world.sql("UPDATE report_jobs SET state='archived', outcome=''");
  world.sql("UPDATE cells SET digest=NULL WHERE stream='reimbursements'");
  world.run_for(std::chrono::hours(49));
  process = &world.open();
  CHECK(member(sync_again(world, *process), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM report_jobs WHERE reason='A newer report takes its place.'") == 1);
  CHECK(world.count("SELECT count(*) FROM archive WHERE whole=1") == 1);
}

TEST_CASE("of equal rows that came in the report of other days as many are kept as are not stored") {
  World world(one_report("reimbursements", 85));
  Process& process = world.open();
  const std::string old = "2026-09-11T00:00:00+00:00\t4\tLost_Warehouse\tS\tF\tUSD\t10.00\n";
  world.amazon().add_fault(document(kPaymentsHeader + old));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  world.amazon().clear_faults();
  world.amazon().add_fault(document(kPaymentsHeader + old + old + old));
  for (int i = 0; i < 2; ++i) {   // again changes nothing
    world.run_for(std::chrono::hours(25));
    CHECK(member(sync_again(world, process), "status") == (i == 0 ? "partial" : "completed"));
    CHECK(world.count("SELECT count(*) FROM reimbursements") == 1);
    CHECK(world.count("SELECT count(*) FROM quarantine WHERE reason='date_not_asked'") == 2);
  }
}

TEST_CASE("a row that came in the report of other days, and that its own day's report does not tell, is kept") {
  // Two reports; each time both documents are the same, so most rows come in the report of other days too.
  WorldSettings settings = one_report("reimbursements", 85);
  World world(settings);
  Process& process = world.open();
  world.amazon().add_fault(document(kPaymentsHeader + row("2026-09-10", 1) + row("2026-10-01", 2) + row("2026-11-20", 3)));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM reimbursements") == 3);
  CHECK(world.count("SELECT count(*) FROM quarantine") == 0);
  // Later only the last days are asked for.
  world.amazon().clear_faults();
  world.amazon().add_fault(document(kPaymentsHeader + row("2026-09-10", 1) + row("2026-09-11", 4) + row("2026-11-20", 3)));
  world.run_for(std::chrono::hours(25));
  CHECK(member(sync_again(world, process), "status") == "partial");
  CHECK(world.count("SELECT count(*) FROM quarantine WHERE reason='date_not_asked'") == 1);
  CHECK(world.sql("SELECT CAST(raw AS TEXT) FROM quarantine")[0][0].find("2026-09-11") != std::string::npos);
}

TEST_CASE("where every report tells all rows of all days nothing of them is kept as a stray, however many there are and whoever dies in between") {
  std::string all = kPaymentsHeader;
  constexpr int kRows = 4'500, kPairs = kRows / 2;   // every row is there twice
  for (int i = 0; i < kRows; ++i) all += format_day(day_of(*parse_instant("2026-09-05")) + std::chrono::days(i % 75)) + "T00:00:00+00:00\t" + std::to_string(i % kPairs) + "\tLost_Warehouse\tS\tF\tUSD\t10.00\n";
  for (const bool dies : {false, true}) {
    World world(one_report("reimbursements", 85));   // two reports
    Process* process = &world.open();
    world.amazon().add_fault(document(all));
    const auto connected = world.connect(*process, 1);
    REQUIRE(connected);
    if (dies) {
      REQUIRE(world.run_until([&] { return world.count("SELECT count(*) FROM report_jobs WHERE outcome='imported'") == 1; }));
      CHECK(world.count("SELECT count(*) FROM quarantine") > 0);
      world.kill(*process);
      process = &world.open();
    }
    const std::string run = world.finish(*process, world.user(1), connected->sync_id);
    CHECK(member(run, "status") == "completed");
    CHECK(world.count("SELECT count(*) FROM reimbursements") == kRows);
    CHECK(world.count("SELECT count(*) FROM quarantine") == 0);
    CHECK(world.count("SELECT fetched FROM run_streams WHERE stream='reimbursements'") == kRows);
    CHECK(world.count("SELECT rejected FROM run_streams WHERE stream='reimbursements'") == 0);
  }
}

TEST_CASE("rows that a report of somebody else's tells from before the history are no strays") {
  WorldSettings settings = one_report("reimbursements");
  settings.amazon.history_days = 80;
  World world(settings);
  Process& process = world.open();
  make_elsewhere(world, wish(spapi::kReimbursements, kUs, "2026-09-20T00:00:00Z", "2026-11-23T15:00:00Z"));
  world.run_for(std::chrono::minutes(40));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM report_jobs WHERE rows_from=20715") == 1);   // 2026-09-20, and its first hours a day before
  CHECK(process.logged("left to the reports of their own days"));
  CHECK(world.count("SELECT count(*) FROM quarantine") == 0);
  CHECK(world.count("SELECT count(*) FROM reimbursements") > 0);
  CHECK(world.count("SELECT count(*) FROM reimbursements WHERE day<20759") == 0);   // 2026-11-02
}

TEST_SUITE_END();
