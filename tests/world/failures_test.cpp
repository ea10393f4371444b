// SPDX-License-Identifier: Apache-2.0
// Amazon in trouble: what a run makes of it, against a list of what it has to say. A failure never ends as "no data".
#include <doctest/doctest.h>

#include "world/checks.hpp"

using namespace world;

namespace {

struct Trouble {
  const char* name;
  const char* path;
  const char* kind;
  int status = 0;
  int times = 1;
  int after = 0;
  bool pages_only = false;
  const char* details = "";
  // What the run has to end with.
  const char* run;
  const char* code = "";
  const char* retry = "";
  const char* message = "";
};

// The golden list. Passing trouble leaves no trace but the calls; lasting trouble ends with a code, a hint and a sentence.
const Trouble kTroubles[] = {
    {"429 now and then", "/finances", "status", 429, 3, 2, false, "", "completed"},
    {"500 once", "/finances", "status", 500, 1, 1, false, "", "completed"},
    {"503 with HTML", "/fba/inventory", "html", 503, 2, 0, false, "", "completed"},
    {"HTML with 200", "/finances", "html", 200, 1, 0, false, "", "completed"},
    {"truncated JSON once", "/finances", "truncate", 0, 1, 1, false, "", "completed"},
    {"dropped connection", "/finances", "drop", 0, 2, 0, false, "", "completed"},
    {"connection cut inside a body", "/fba/inventory", "cut", 0, 1, 0, false, "", "completed"},
    {"one hanging answer", "/fba/inventory", "hang", 0, 1, 0, false, "", "completed"},
    {"expired access token", "/finances", "status", 403, 1, 1, false, "The access token you provided has expired.", "completed"},
    {"a token made with a secret that lapsed", "/finances", "status", 403, 1, 1, false, "The LWA secret key used to create the access token has expired.", "completed"},
    {"passing 403", "/fba/inventory", "status", 403, 1, 0, false, "", "completed"},
    {"page token expired once", "/finances", "token_expired", 0, 1, 0, true, "", "completed"},
    {"empty answer in the middle of a walk", "/finances", "empty", 0, 1, 0, true, "", "completed"},
    {"same page token for a while", "/fba/inventory", "token_loop", 0, 3, 0, false, "", "completed"},
    {"pages in a circle for a while", "/finances", "page_loop", 0, 3, 0, false, "", "completed"},

    {"403 on the money for good", "/finances", "status", 403, -1, 0, false, "", "partial", "unauthorised", "after_reauth",
     "Amazon denies access to this data: the application lacks the role, or the seller must authorise it again."},
    {"403 on the stock for good", "/fba/inventory", "status", 403, -1, 0, false, "", "completed"},   // a default stream without its role: told by its coverage
    {"a token of another region", "/finances", "status", 403, -1, 0, false, "The access token you provided is revoked, malformed or invalid.", "partial", "wrong_region", "never",
     "Amazon does not know this seller's token here, although it is new: the seller may belong to another region than the one that is set."},
    {"a client secret that lapsed", "/finances", "status", 403, -1, 0, false, "The client secret used to mint this token has expired.", "failed", "app_credentials_invalid", "never"},
    {"429 for good", "/finances", "status", 429, -1, 0, false, "", "partial", "throttled", "later", "Amazon's quota for this operation is used up."},
    {"500 for good", "/finances", "status", 500, -1, 0, false, "", "partial", "amazon_error", "later", "Amazon answered with an error of its own."},
    {"HTML for good", "/finances", "html", 503, -1, 0, false, "", "partial", "amazon_error", "later", "Amazon answered with an error of its own."},
    {"truncated JSON for good", "/finances", "truncate", 0, -1, 0, false, "", "partial", "bad_answer", "later", ""},
    {"no connection for good", "/finances", "drop", 0, -1, 0, false, "", "partial", "network_error", "later", "The connection to Amazon failed."},
    {"400 on the money for good", "/finances", "status", 400, -1, 0, false, "", "partial", "request_rejected", "never", ""},
    {"403 on all data for good", "/", "status", 403, -1, 1, false, "", "failed", "unauthorised", "after_reauth", ""},
    {"400 for good", "/fba/inventory", "status", 400, -1, 0, false, "", "partial", "request_rejected", "never", ""},
    {"an endless page token", "/fba/inventory", "token_loop", 0, -1, 0, false, "", "partial", "page_loop", "later", "Amazon's pages repeat without end."},
    {"pages in an endless circle", "/finances", "page_loop", 0, -1, 0, false, "", "partial", "page_loop", "later", "Amazon's pages repeat without end."},
    {"everything down", "/", "status", 503, -1, 1, false, "", "failed", "amazon_error", "later", "Amazon answered with an error of its own."},
    {"nobody there", "/sellers", "drop", 0, -1, 0, false, "", "failed", "network_error", "later", "The connection to Amazon failed."},
};

}  // namespace

TEST_SUITE_BEGIN("failures");

TEST_CASE("a sync that reached nobody has failed, however much was not due") {
  WorldSettings settings;
  settings.amazon.events = 60;
  settings.amazon.skus = 10;
  settings.history_days = settings.amazon.history_days = 30;
  World world(settings);
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  world.run_for(std::chrono::minutes(90));   // the token ends
  world.amazon().add_fault(trouble("/auth/o2/token", "status", 503));
  const std::string run = sync_again(world, process);
  CAPTURE(run);
  CHECK(member(run, "status") == "failed");
  CHECK(member(run, {"error", "retry"}) == "later");
  CHECK(member(run, "calls") == "0");
  CHECK(std::atoi(member(run, "progress").c_str()) < 60);
  check_runs(world);
}

TEST_CASE("where no access token is to be had no request counts as refused: no report is given up or paused, no list is closed, no SKU set apart") {
  for (const char* kind : {"status", "html"}) {
    for (const int seconds : {1, 5, 40}) {
      CAPTURE(std::string(kind));
      CAPTURE(seconds);
      WorldSettings settings;
      settings.amazon.events = 600;
      settings.amazon.skus = 20;
      settings.history_days = settings.amazon.history_days = 40;
      World world(settings);
      Process& process = world.open();
      const auto connected = world.connect(process, 1);
      REQUIRE(connected);
      world.run_for(std::chrono::seconds(seconds));
      world.amazon().handle({"POST", "/_sim/control", {}, {}, R"({"expireAccessTokens":true})"});
      amzsim::Fault none = trouble("/auth/o2/token", kind, 400);
      none.code = "invalid_request";
      world.amazon().add_fault(none);
      const std::string run = world.finish(process, world.user(1), connected->sync_id);
      CAPTURE(run);
      CHECK(member(run, {"error", "code"}) == "amazon_unavailable");
      CHECK(member(run, {"error", "retry"}) == "later");
      CHECK(run.find("request_rejected") == std::string::npos);
      CHECK(run.find("unauthorised") == std::string::npos);
      CHECK(world.count("SELECT count(*) FROM report_pauses") == 0);
      CHECK(world.count("SELECT count(*) FROM report_jobs WHERE outcome='lost'") == 0);
      CHECK(world.count("SELECT count(*) FROM quarantine") == 0);
      world.amazon().clear_faults();
      CHECK(member(sync_again(world, process), "status") == "completed");
      check_truth(world, process, 1);
    }
  }
}

TEST_CASE("every kind of trouble ends as the golden list says, and what was complete is kept") {
  for (const bool v0 : {false, true})
    for (const Trouble& t : kTroubles) {
      CAPTURE(v0);
      CAPTURE(std::string(t.name));
      WorldSettings settings;
      settings.finances_v0 = v0;
      settings.amazon.events = 1'400;
      settings.amazon.skus = 120;
      settings.history_days = settings.amazon.history_days = 90;
      World world(settings);
      Process& process = world.open();
      const auto connected = world.connect(process, 1);
      REQUIRE(connected);
      amzsim::Fault fault;
      fault.path = t.path;
      fault.kind = t.kind;
      fault.status = t.status;
      fault.times = t.times;
      fault.after = t.after;
      fault.pages_only = t.pages_only;
      fault.details = t.details;
      if (t.status == 403) fault.code = "Unauthorized", fault.message = "Access to requested resource is denied.";
      if (t.status == 429) fault.code = "QuotaExceeded", fault.message = "You exceeded your quota for the requested resource.";
      if (t.status == 400) fault.code = "InvalidInput", fault.message = "Something is wrong.";
      world.amazon().add_fault(fault);
      const Steady start = world.clock().steady();
      const std::string run = world.finish(process, world.user(1), connected->sync_id);
      CAPTURE(run);
      CHECK(member(run, "status") == t.run);
      CHECK(member(run, {"error", "code"}) == t.code);
      CHECK(member(run, {"error", "retry"}) == t.retry);
      if (*t.message) CHECK(member(run, {"error", "message"}) == t.message);
      if (*t.code) CHECK(!member(run, {"error", "message"}).empty());
      CHECK(world.clock().steady() - start < std::chrono::minutes(40));   // it does not try for hours
      check_runs(world);
      // What Amazon refuses for one day alone it refuses for all: it is not asked day by day.
      if (t.status == 400) CHECK(world.amazon().stats()[v0 ? "listFinancialEvents" : "listTransactions"].calls < 60);
      // A run that read nothing shows no progress over what it did not do.
      if (std::string_view(t.run) == "failed") CHECK(std::atoi(member(run, "progress").c_str()) < 60);
      if (!*t.code) {
        if (std::string_view(t.name) != "403 on the stock for good") {
          check_truth(world, process, 1);
        } else {
          CHECK(run.find(R"("coverage":"unauthorised")") != std::string::npos);
          CHECK(world.count("SELECT count(*) FROM inventory") == 0);
        }
        continue;
      }
      // Told as a failure, not as emptiness.
      const std::string answer = world.recoveries(process, world.user(1));
      CAPTURE(answer);
      CHECK(member(answer, "message") != "Your Amazon account was read; it shows no FBA reimbursements.");
      // The other stream was read whole.
      if (std::string_view(t.run) == "partial") {
        const bool money_failed = std::string_view(t.path) == "/finances";
        CHECK(world.count(money_failed ? "SELECT count(*) FROM inventory" : v0 ? "SELECT count(*) FROM financial_events" : "SELECT count(*) FROM transactions") > 100);
      }
      // And once Amazon is itself again, the next sync makes it whole.
      world.amazon().clear_faults();
      Process& later = world.pass(process, std::chrono::hours(25));
      const auto again = world.wait(later.engine().triggers().start(world.user(1), ""));
      REQUIRE(again);
      const std::string healed = world.finish(later, world.user(1), again->id);
      CAPTURE(healed);
      CHECK(member(healed, "status") == "completed");
      check_truth(world, later, 1);
    }
}

TEST_CASE("a list of stock whose last page shows its beginning again ends there") {
  WorldSettings settings;
  settings.amazon.events = 100;
  settings.amazon.skus = 120;
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  amzsim::Fault fault;
  fault.path = "/fba/inventory";
  fault.kind = "last_page_again";
  fault.times = -1;
  world.amazon().add_fault(fault);
  const auto again = world.wait(process.engine().triggers().start(world.user(1), "inventory"));
  REQUIRE(again);
  CHECK(member(world.finish(process, world.user(1), again->id), "status") == "completed");
}

TEST_CASE("money that could not be read is not called none") {
  WorldSettings settings;
  settings.amazon.events = 300;
  settings.amazon.skus = 10;
  settings.streams = {"transactions"};
  World world(settings);
  Process& process = world.open();
  amzsim::Fault fault;
  fault.path = "/finances";
  fault.kind = "wrong_type";
  fault.all = true;
  fault.times = -1;
  world.amazon().add_fault(fault);
  CHECK(member(world.sync_seller(process, 1), {"error", "code"}) == "rows_quarantined");
  const std::string answer = world.recoveries(process, world.user(1));
  CAPTURE(answer);
  CHECK(member(answer, "totalAmount") == "0");
  CHECK(member(answer, "reason") == "rows_quarantined");
}

TEST_CASE("a marketplace that can't be read makes the run partial until it can, and gives up none that is known") {
  WorldSettings settings;
  settings.amazon.events = 300;
  settings.amazon.skus = 20;
  settings.streams = {"transactions", "inventory"};
  World world(settings);
  Process& process = world.open();
  const auto told = [](const std::string& id, const std::string& participation) {
    return R"({"marketplace":{"id":")" + id + R"(","name":"N","countryCode":"US","defaultCurrencyCode":"USD","defaultLanguageCode":"en_US","domainName":"d"},"storeName":"S","participation":)" + participation + "}";
  };
  const std::string us = told("ATVPDKIKX0DER", R"({"isParticipating":true,"hasSuspendedListings":false})");
  const auto answers = [&](const std::string& canada) {
    world.amazon().clear_faults();
    amzsim::Fault answer;
    answer.path = "/sellers";
    answer.kind = "body";
    answer.content_type = "application/json";
    answer.message = R"({"payload":[)" + us + "," + told("A2EUQ1WTGCTBG2", canada) + "]}";
    answer.times = -1;
    world.amazon().add_fault(answer);
  };
  const auto known = [&] { return world.count("SELECT count(*) FROM participations"); };

  answers("null");
  const std::string first = world.sync_seller(process, 1);
  CHECK(member(first, "status") == "partial");
  CHECK(member(first, {"error", "code"}) == "rows_quarantined");
  CHECK(known() == 1);
  CHECK(world.count("SELECT count(*) FROM amz_inventory") == world.truth(1)["inventory"]["rows"].integer());   // what is known was read all the same

  answers(R"({"isParticipating":false,"hasSuspendedListings":false})");   // asked for again, though an hour ago there was an answer
  world.run_for(std::chrono::hours(1));
  CHECK(member(world.finish(process, world.user(1), world.wait(process.engine().triggers().start(world.user(1), ""))->id), "status") == "completed");
  CHECK(known() == 2);

  answers("{}");
  world.run_for(std::chrono::hours(25));
  const std::string last = world.finish(process, world.user(1), world.wait(process.engine().triggers().start(world.user(1), ""))->id);
  CHECK(member(last, "status") == "partial");
  CHECK(known() == 2);
}

TEST_CASE("a stream that settings name and that is refused makes the run partial") {
  WorldSettings settings;
  settings.amazon.events = 200;
  settings.amazon.skus = 30;
  settings.streams = {"transactions", "inventory"};
  World world(settings);
  Process& process = world.open();
  amzsim::Fault fault;
  fault.path = "/fba/inventory";
  fault.kind = "status";
  fault.status = 403;
  fault.code = "Unauthorized";
  fault.times = -1;
  world.amazon().add_fault(fault);
  const std::string run = world.sync_seller(process, 1);
  CHECK(member(run, "status") == "partial");
  CHECK(member(run, {"error", "code"}) == "unauthorised");
}

TEST_CASE("a slice that Amazon can't answer as a whole is walked in halves") {
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    WorldSettings settings;
    settings.finances_v0 = v0;
    settings.amazon.events = 900;
    settings.amazon.skus = 10;
    World world(settings);
    Process& process = world.open();
    amzsim::Fault fault;
    fault.path = "/finances";
    fault.kind = "status";
    fault.status = 400;
    fault.code = "InvalidInput";
    fault.message = "The response is larger than 10 MB.";
    fault.times = v0 ? 2 : 3;   // the days near today are cut small where events may lack a date
    fault.after = 1;
    world.amazon().add_fault(fault);
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    CHECK(process.logged("Slice is walked in halves"));
    check_truth(world, process, 1);
    // And again: the grid of a stream with undated events stays as it was cut.
    const auto again = world.wait(process.engine().triggers().start(world.user(1), ""));
    world.finish(process, world.user(1), again->id);
    check_truth(world, process, 1);
  }
}

TEST_CASE("a row that can't be read is kept apart, makes the run partial once, and never again") {
  WorldSettings settings;
  settings.amazon.events = 300;
  settings.amazon.skus = 30;
  World world(settings);
  Process& process = world.open();
  amzsim::Fault fault;
  fault.path = "/finances";
  fault.kind = "wrong_type";
  fault.times = -1;
  world.amazon().add_fault(fault);
  const std::string run = world.sync_seller(process, 1);
  CHECK(member(run, "status") == "partial");
  CHECK(member(run, {"error", "code"}) == "rows_quarantined");
  CHECK(world.count("SELECT count(*) FROM amz_quarantine WHERE reason='amount_malformed'") >= 1);
  CHECK(world.count("SELECT count(*) FROM transactions") == world.truth(1)["transactions"]["rows"].integer());
  const auto again = world.wait(process.engine().triggers().start(world.user(1), ""));
  CHECK(member(world.finish(process, world.user(1), again->id), "status") == "completed");
}

TEST_SUITE_END();
