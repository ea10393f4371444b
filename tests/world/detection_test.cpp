// SPDX-License-Identifier: Apache-2.0
// Findings over time: what a later sync makes of them, what the host wrote, and what could not be read.
#include <doctest/doctest.h>

#include <set>

#include "world/checks.hpp"

using namespace world;

namespace {

WorldSettings planted() {
  WorldSettings settings;
  settings.seed = 11;
  settings.amazon.events = 60;
  settings.amazon.skus = 20;
  settings.amazon.planted = 150;
  settings.history_days = settings.amazon.history_days = 210;
  return settings;
}

/// More cases, some of which are yet to come.
WorldSettings going_on(std::uint64_t seed) {
  WorldSettings settings = planted();
  settings.seed = seed;
  settings.amazon.planted = 260;
  settings.amazon.goes_on = true;
  settings.history_days = settings.amazon.history_days = 300;
  return settings;
}

std::string findings(World& world, Process& process, const char* status) {
  const auto answer = process.engine().findings_document(world.user(1), {.readiness = status, .rule = {}, .state = {}, .limit = 1'000, .offset = 0});
  REQUIRE(answer);
  return *answer;
}

}  // namespace

TEST_SUITE_BEGIN("detect");

TEST_CASE("a finding keeps its identity, its first day and the host's word through later syncs") {
  World world(planted());
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const std::int64_t ready = world.count("SELECT claims FROM runs ORDER BY run_no DESC LIMIT 1");
  CHECK(ready > 5);
  CHECK(ready == JsonDocument::parse(findings(world, process, "claim_ready"))->root()["total"].integer());
  CHECK(world.count("SELECT count(*) FROM journal WHERE type='detection.completed'") == 1);
  // It comes before the end of the sync.
  CHECK(world.count("SELECT max(seq) FROM journal WHERE type='detection.completed'") < world.count("SELECT max(seq) FROM journal WHERE type='sync.completed'"));
  const std::string id = world.sql("SELECT finding_id FROM findings WHERE closed_at IS NULL AND blocked='' ORDER BY deadline DESC LIMIT 1")[0][0];
  const auto filed = world.wait(process.engine().set_finding_state(world.user(1), id, "filed", "case-7"));
  REQUIRE(filed);
  CHECK(member(*filed, "caseId") == "case-7");
  const auto opened = world.sql("SELECT finding_id, opened_at FROM findings ORDER BY finding_id");
  world.run_for(std::chrono::hours(26));
  CHECK(member(sync_again(world, process, 1), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM findings WHERE state='filed' AND case_id='case-7' AND finding_id='" + id + "'") == 1);
  for (const auto& row : opened) CHECK(world.count("SELECT count(*) FROM findings WHERE finding_id='" + row[0] + "' AND opened_at=" + row[1]) == 1);
  CHECK(world.count("SELECT count(DISTINCT rule || variant || subject) FROM findings") == world.count("SELECT count(*) FROM findings"));

  // A day and a sync later nothing but time has passed for most: no row is written that says what it said before.
  CHECK(world.count("SELECT count(*) FROM findings WHERE updated_at=opened_at") > world.count("SELECT count(*) FROM findings") / 2);

  CHECK(world.wait(process.engine().set_finding_state(world.user(1), id, "paid", "")).code() == amzsync::base::Code::invalid_argument);
  CHECK(world.wait(process.engine().set_finding_state(world.user(2), id, "won", "")).code() == amzsync::base::Code::not_found);
}

TEST_CASE("a finding keeps its identity and the host's word when it comes to be known whose it is") {
  World world(planted());
  Process& process = world.open();
  const auto connect = [&](const char* seller) {
    const auto run = world.wait(process.engine().triggers().connect_with_refresh_token(world.user(1), Secret(world.amazon().refresh_token(1)), seller));
    REQUIRE(run);
    world.finish(process, world.user(1), run->id);
  };
  const auto findings = [&] { return world.sql("SELECT finding_id, state FROM findings WHERE closed_at IS NULL ORDER BY finding_id"); };
  connect("");
  REQUIRE(!findings().empty());
  world.sql("UPDATE findings SET state='filed' WHERE finding_id='" + findings().front().front() + "'");
  const auto before = findings();
  connect("A1");
  CHECK(findings() == before);
  world.run_for(std::chrono::hours(24));   // and is judged anew
  world.finish(process, world.user(1), world.wait(process.engine().triggers().start(world.user(1), ""))->id);
  CHECK(world.count("SELECT count(*) FROM findings WHERE state='filed'") == 1);
  CHECK(world.count("SELECT count(DISTINCT rule || variant || subject) FROM findings") == world.count("SELECT count(*) FROM findings"));
}

TEST_CASE("nothing matures by the calendar alone: while a seller is paused no new claim comes up, and what comes up later holds") {
  for (const int seed : {11, 12}) {
    CAPTURE(seed);
    World world(going_on(static_cast<std::uint64_t>(seed)));
    Process& process = world.open();
    const auto ready = [&] {
      std::set<std::string> ids;
      const auto document = JsonDocument::parse(findings(world, process, "claim_ready"));
      for (const Json f : (*document)["findings"]) ids.emplace(f["id"].text());
      return ids;
    };
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    const auto first = ready();
    CHECK(first.size() > 5);
    REQUIRE(world.wait(process.engine().pause(world.user(1), "an operator")));
    world.run_for(std::chrono::hours(24 * 12));
    const auto later = ready();
    CHECK(std::includes(first.begin(), first.end(), later.begin(), later.end()));
    CHECK(world.count("SELECT count(*) FROM amz_findings WHERE readiness='claim_ready'") <= static_cast<std::int64_t>(first.size()));
    REQUIRE(world.wait(process.engine().resume(world.user(1), "an operator")));
    CHECK(member(sync_again(world, process, 1), "status") == "completed");
    const auto then = ready();
    CHECK_FALSE(std::includes(first.begin(), first.end(), then.begin(), then.end()));   // what has matured meanwhile
  }
}

TEST_CASE("a charge is held against what Amazon expected at its time, also after Amazon expects something else") {
  for (const int seed : {12, 13}) {
    CAPTURE(seed);
    World world(going_on(static_cast<std::uint64_t>(seed)));
    Process& process = world.open();
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    const auto found = world.sql("SELECT finding_id FROM findings WHERE rule='referral_fee_overcharge' AND closed_at IS NULL");
    REQUIRE(!found.empty());
    for (const auto& row : found) REQUIRE(world.wait(process.engine().set_finding_state(world.user(1), row[0], "filed", "case-1")));
    for (int day = 0; day < 10; ++day) {
      world.run_for(std::chrono::hours(24));
      sync_again(world, process, 1);
    }
    for (const auto& row : found) CHECK(world.count("SELECT count(*) FROM findings WHERE finding_id='" + row[0] + "' AND closed_at IS NULL") == 1);
  }
}

TEST_CASE("what was filed stays told when it would not be found any more") {
  World world(planted());
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const std::string id = world.sql("SELECT finding_id FROM findings WHERE closed_at IS NULL ORDER BY finding_id LIMIT 1")[0][0];
  REQUIRE(world.wait(process.engine().set_finding_state(world.user(1), id, "filed", "case-7")));
  world.sql("UPDATE findings SET closed_at=updated_at WHERE finding_id='" + id + "'");
  const auto told = [&](const char* status) { return findings(world, process, status).find(id) != std::string::npos; };
  CHECK(told(""));
  CHECK(told("filed"));
  CHECK(findings(world, process, "filed").find("\"readiness\":\"review\"") != std::string::npos);   // it is owed no more, as far as anybody can tell
  CHECK_FALSE(told("claim_ready"));
  CHECK_FALSE(told("open"));
}

TEST_CASE("a stream that is not read blocks what needs it by name, and nothing is claimed by those rules") {
  const std::vector<std::string> all{"transactions", "inventory", "inbound", "reimbursements", "ledger", "ledger_summary", "returns", "removals", "storage_fees", "fee_preview"};
  for (const std::string stream : {"reimbursements", "ledger", "returns", "removals", "inbound", "transactions"}) {
    CAPTURE(stream);
    WorldSettings settings = planted();
    for (const std::string& name : all)
      if (name != stream) settings.streams.push_back(name);
    World world(settings);
    Process& process = world.open();
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    const std::string source = stream == "transactions" ? "money" : stream;
    CHECK(world.count("SELECT count(*) FROM rule_states WHERE blocked='" + source + ": not synced'") > 0);
    const auto ready = JsonDocument::parse(findings(world, process, "claim_ready"));
    for (const Json f : (*ready)["findings"]) {
      CAPTURE(std::string(f["rule"].text()));
      CHECK(world.count("SELECT count(*) FROM rule_states WHERE rule='" + std::string(f["rule"].text()) + "' AND blocked='" + source + ": not synced'") == 0);
    }
  }
}

TEST_CASE("a report that somebody cancelled, and Amazon does not say so, brings no claim that all rows would not") {
  WorldSettings settings = planted();
  settings.seed = 3;
  settings.amazon.events = 300;
  settings.amazon.skus = 40;
  settings.history_days = settings.amazon.history_days = 400;
  const auto claims = [&](const std::string& cancelled, int after) {
    World world(settings);
    Process& process = world.open();
    amzsim::Fault fault;
    fault.path = "/reports/2021-06-30/reports";
    fault.whole_path = true;
    fault.method = "POST";
    fault.body_holds = cancelled;
    fault.kind = "report_cancelled";
    fault.after = after;
    if (!cancelled.empty()) world.amazon().add_fault(fault);
    world.sync_seller(process, 1);
    std::set<std::string> ids;
    const auto document = JsonDocument::parse(findings(world, process, "claim_ready"));
    REQUIRE(document);
    for (const Json finding : (*document)["findings"]) ids.insert(std::string(finding["rule"].text()) + " " + std::string(finding["id"].text()));
    return ids;
  };
  const auto right = claims("", 0);
  CHECK(right.size() > 10);
  for (const char* type : {"GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA", "GET_LEDGER_DETAIL_VIEW_DATA", "GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA", "GET_FBA_REIMBURSEMENTS_DATA"})
    for (const int window : {0, 1}) {
      CAPTURE(std::string(type));
      CAPTURE(window);
      for (const std::string& claim : claims(type, window)) CHECK_MESSAGE(right.contains(claim), claim);
    }
}

TEST_CASE("a report of which a sync that was stopped stored a part blocks what rests on it, until it is read whole") {
  World world(planted());
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const auto blocked = [&] { return world.count("SELECT count(*) FROM findings WHERE closed_at IS NULL AND blocked LIKE '%read in part%'"); };
  CHECK(blocked() == 0);
  world.sql("INSERT INTO report_jobs(user_no, report_type, from_day, until_day, state, asked_at) "
            "SELECT user_no, 'GET_LEDGER_DETAIL_VIEW_DATA', min(day), max(day), 'archived', " + std::to_string(to_us(world.clock().now())) + " FROM cells WHERE stream='ledger' GROUP BY user_no");
  world.run_for(std::chrono::hours(1));
  world.finish(process, world.user(1), world.wait(process.engine().triggers().start(world.user(1), "inventory"))->id);
  CHECK(blocked() > 0);
  Process& later = world.pass(process, std::chrono::hours(26));
  CHECK(member(sync_again(world, later, 1), "status") == "completed");
  CHECK(blocked() == 0);
}

TEST_CASE("where Amazon refuses every report, nothing is claimed that needs one") {
  World world(planted());
  Process& process = world.open();
  world.amazon().add_fault(trouble("/reports", "status", 403, -1, 0));
  (void)world.sync_seller(process, 1);
  CHECK(world.count("SELECT count(*) FROM rule_states WHERE blocked LIKE 'reimbursements:%'") > 0);
  const auto ready = JsonDocument::parse(findings(world, process, "claim_ready"));
  for (const Json f : (*ready)["findings"]) CHECK(world.count("SELECT count(*) FROM rule_states WHERE rule='" + std::string(f["rule"].text()) + "' AND blocked LIKE 'reimbursements:%'") == 0);
}

TEST_CASE("it is told why something is claimed, and why not") {
  World world(planted());
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const auto row = world.sql("SELECT finding_id, fnsku FROM findings WHERE closed_at IS NULL AND rule='lost_warehouse' LIMIT 1")[0];
  const auto why = process.engine().explain_document(world.user(1), row[0]);
  REQUIRE(why);
  const auto document = JsonDocument::parse(*why);
  CHECK((*document)["findings"].size() == 1);
  const auto paid = world.sql("SELECT fnsku FROM ledger WHERE event_type='Adjustments' AND reason='M' AND quantity<0 AND fnsku NOT IN (SELECT fnsku FROM findings) LIMIT 1");
  REQUIRE(!paid.empty());
  const auto why_not = process.engine().explain_document(world.user(1), paid[0][0]);
  REQUIRE(why_not);
  CHECK((*JsonDocument::parse(*why_not))["notClaimed"].size() > 0);
  // By its ASIN, and by the reference that a row of its evidence bears.
  const auto named = world.sql("SELECT f.finding_id, f.asin, l.reference_id FROM findings f JOIN ledger l ON l.row_id=json_extract(f.evidence, '$[0].row') WHERE json_extract(f.evidence, '$[0].table')='ledger' AND "
                               "l.reference_id<>'' AND f.asin<>'' AND f.closed_at IS NULL LIMIT 1");
  REQUIRE(named.size() == 1);
  for (const std::string& name : {named[0][1], named[0][2]}) {
    const auto told = process.engine().explain_document(world.user(1), name);
    REQUIRE(told);
    CHECK(told->find(named[0][0]) != std::string::npos);
  }
  CHECK(process.engine().explain_document(world.user(1), "nothing of that name").code() == amzsync::base::Code::not_found);
  CHECK(process.engine().explain_document(world.user(2), row[0]).code() == amzsync::base::Code::not_found);
}

TEST_CASE("what is supplied is checked row by row, and takes effect with the next detection") {
  World world(planted());
  Process& process = world.open();
  const auto wrong = world.wait(process.engine().supply(world.user(1), "costs", R"([{"product": "A", "from": "2026-01-01", "amount": 1, "currency": "USD"}, {"product": "B", "from": "soon", "amount": 1, "currency": "USD"}])"));
  REQUIRE(!wrong);
  CHECK(wrong.error().message == "Row 2: from must be a date, such as 2026-04-17.");
  CHECK(world.count("SELECT count(*) FROM supplied") == 0);
  CHECK(!world.wait(process.engine().supply(world.user(1), "wishes", "[]")));
  CHECK(!world.wait(process.engine().supply(world.user(1), "costs", "{}")));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const auto row = world.sql("SELECT fnsku FROM findings WHERE rule='lost_warehouse' AND basis<>'seller_cost' LIMIT 1");
  REQUIRE(!row.empty());
  REQUIRE(world.wait(process.engine().supply(world.user(1), "costs", R"([{"product": ")" + row[0][0] + R"(", "from": "2025-01-01", "amount": 3.21, "currency": "USD"}])")));
  world.run_for(std::chrono::hours(26));
  CHECK(member(sync_again(world, process, 1), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM findings WHERE closed_at IS NULL AND rule='lost_warehouse' AND fnsku='" + row[0][0] + "' AND basis='seller_cost' AND amount_micros=3210000*quantity") > 0);
}

TEST_CASE("a cancel is heard in the middle of a detection, which then concludes nothing") {
  std::int64_t steps = 0;
  for (const std::int64_t at : {0, 1, 2, 4, 6}) {
    CAPTURE(at);
    World world(planted());
    Process& process = world.open();
    const auto connected = world.connect(process, 1);
    REQUIRE(connected);
    // Each step of the detection takes a tenth of a second, and what goes before enough for the test to see it begin.
    bool slow = false;
    std::int64_t reads = 0;
    world.set_fates([&](Process&, World::Point point) {
      if (point != World::Point::store_read) return World::Fate{};
      reads += slow;
      return World::Fate{World::Fate::What::delay, std::chrono::milliseconds(slow ? 100 : 1)};
    });
    REQUIRE(world.run_until([&] { return world.status_of(process, world.user(1), connected->sync_id) == "detecting"; }));
    slow = true;
    REQUIRE(world.run_until([&] { return reads > at; }));
    const Steady asked = world.clock().steady();
    REQUIRE(world.wait(process.engine().cancel(world.user(1), connected->sync_id, "a test")));
    CHECK(member(world.finish(process, world.user(1), connected->sync_id), "status") == "cancelled");
    CHECK(world.clock().steady() - asked <= std::chrono::seconds(1));
    CHECK(world.count("SELECT count(*) FROM findings") == 0);
    CHECK(world.count("SELECT count(*) FROM journal WHERE type='detection.completed'") == 0);
    steps = std::max(steps, reads);
    check_runs(world);
  }
  CHECK(steps > 5);   // it was in the middle
}

TEST_CASE("where nothing has changed since the last detection of the day nothing is judged, and what it found still holds") {
  World world(planted());
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const auto judged = [&] { return world.count("SELECT at FROM detections"); };
  const auto stock = [&] {
    world.run_for(std::chrono::minutes(5));
    const auto run = world.wait(process.engine().triggers().start(world.user(1), "inventory"));
    REQUIRE(run);
    CHECK(member(world.finish(process, world.user(1), run->id), "status") == "completed");
    return world.count("SELECT claims FROM runs ORDER BY run_no DESC LIMIT 1");
  };
  const std::int64_t claims = world.count("SELECT claims FROM runs"), first = judged();
  const auto findings = world.sql("SELECT * FROM findings ORDER BY finding_id");
  CHECK(stock() == claims);
  CHECK(judged() == first);
  CHECK(world.count("SELECT count(*) FROM journal WHERE type='detection.completed'") == 2);
  CHECK(world.sql("SELECT json_extract(payload, '$.claimable'), json_extract(payload, '$.blocked') FROM journal WHERE type='detection.completed' GROUP BY 1, 2").size() == 1);

  // Judged all the same it comes to the same.
  REQUIRE(world.wait(process.engine().supply(world.user(1), "costs", R"([{"product": "nothing that is known", "from": "2025-01-01", "amount": 1, "currency": "USD"}])")));
  CHECK(stock() == claims);
  CHECK(judged() > first);
  CHECK(world.sql("SELECT * FROM findings ORDER BY finding_id") == findings);

  // A new day, though no row is new, is judged anew: claims mature and run out.
  const std::int64_t second = judged();
  world.run_for(std::chrono::hours(24));
  (void)stock();
  CHECK(judged() > second);
}

TEST_SUITE_END();
