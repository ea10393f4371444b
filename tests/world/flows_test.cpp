// SPDX-License-Identifier: Apache-2.0
// The product's flows: the three triggers and the manual one, reconnecting, cancelling, disconnecting.
#include <doctest/doctest.h>

#include "world/checks.hpp"

using namespace world;

namespace {

WorldSettings small() {
  WorldSettings settings;
  settings.amazon.events = 300;
  settings.amazon.skus = 40;
  settings.history_days = settings.amazon.history_days = 90;
  return settings;
}

std::int64_t runs(World& world, int n) { return world.count("SELECT count(*) FROM amz_runs WHERE user_id='user-" + std::to_string(n) + "'"); }

/// Starts a sync by hand.
Result<amzsync::store::TriggerOutcome> start(World& world, Process& process, int n) { return world.wait(process.engine().triggers().start(world.user(n), "")); }

/// Amazon had to refuse no call for its usage plan.
void check_within_plans(World& world) {
  for (const auto& [operation, stats] : world.amazon().stats()) {
    CAPTURE(operation);
    CHECK(stats.throttled == 0);
  }
}

}  // namespace

TEST_SUITE_BEGIN("world");

TEST_CASE("a second sync changes no row and adds none") {
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    WorldSettings settings = small();
    settings.finances_v0 = v0;
    settings.amazon.events = 2'300;
    World world(settings);
    Process& process = world.open();
    world.sync_seller(process, 2);
    const auto dump = [&] {
      std::vector<std::vector<std::string>> all;
      for (const char* table : {"transactions", "transaction_lines", "financial_events", "financial_event_lines", "inventory", "inventory_history", "credits", "shapes", "skus", "quarantine", "participations", "reimbursements", "ledger", "ledger_summary", "returns", "fee_preview", "managed_inventory", "storage_fees", "removals"})
        for (auto& row : world.sql("SELECT * FROM " + std::string(table))) all.push_back(std::move(row));
      return all;
    };
    const auto before = dump();
    for (int i = 0; i < 2; ++i) {
      const auto again = start(world, process, 2);
      REQUIRE(again);
      const std::string run = world.finish(process, world.user(2), again->id);
      CHECK(member(run, "status") == "completed");
      const JsonDocument document = std::move(*JsonDocument::parse(run));
      for (const Json stream : document["streams"]) {
        CAPTURE(std::string(stream["name"].text()));
        for (const char* count : {"added", "changed", "removed", "rejected"}) CHECK(stream[count].integer() == 0);
      }
    }
    CHECK(dump() == before);
    check_truth(world, process, 2);
  }
}

TEST_CASE("what is released later changes its row in place and brings its own; other rows keep their numbers") {
  World world(small());
  Process& process = world.open();
  world.sync_seller(process, 1);
  const auto numbers = [&] { return world.sql("SELECT event_id, native_id, status FROM transactions ORDER BY event_id"); };
  const auto before = numbers();
  const auto deferred = world.count("SELECT count(*) FROM transactions WHERE status='DEFERRED'");
  CHECK(deferred > 0);
  world.run_for(std::chrono::hours(24 * 15));
  const auto again = start(world, process, 1);
  CHECK(member(world.finish(process, world.user(1), again->id), "status") == "completed");
  check_truth(world, process, 1);
  CHECK(world.count("SELECT count(*) FROM transactions WHERE status='DEFERRED'") == 0);
  CHECK(world.count("SELECT count(*) FROM transactions") == static_cast<std::int64_t>(before.size()) + deferred);
  for (const auto& row : before) CHECK(world.count("SELECT count(*) FROM transactions WHERE event_id=" + row[0] + " AND native_id='" + row[1] + "'") == 1);
}

TEST_CASE("the callback is answered once the token endpoint has answered, whatever the rest of Amazon does") {
  World world(small());
  Process& process = world.open();
  for (const char* path : {"/sellers", "/finances", "/fba"}) world.amazon().add_fault(trouble(path, "hang"));
  const Steady before = world.clock().steady();
  const auto connected = world.connect(process, 1);
  REQUIRE(connected);
  CHECK(world.clock().steady() - before < std::chrono::milliseconds(500));   // two latencies of the token endpoint
  CHECK(connected->triggered);
  CHECK(runs(world, 1) == 1);
  CHECK(process.logged("info: Triggered automatic sync after Amazon OAuth callback userId=user-1 syncId=" + connected->sync_id.text()));
}

TEST_CASE("while the token endpoint is silent the callback says so within ten seconds, and the consent is not lost") {
  World world(small());
  Process& process = world.open();
  world.amazon().add_fault(trouble("/auth", "hang", 0, 1));
  const Steady before = world.clock().steady();
  const auto connected = world.connect(process, 1);
  CHECK(connected.code() == Code::amazon_unavailable);
  CHECK(world.clock().steady() - before <= std::chrono::seconds(10));
  CHECK(process.logged("warn: Failed to trigger automatic sync after Amazon connection userId=user-1"));
  CHECK(!process.logged("Triggered automatic sync after Amazon OAuth callback"));
  // Amazon is back before the code dies: the seller need not come again.
  CHECK(world.run_until([&] { return runs(world, 1) == 1; }, std::chrono::minutes(4)));
  CHECK(world.run_until([&] { return world.count("SELECT count(*) FROM runs WHERE status='completed'") == 1; }));
  check_truth(world, process, 1);
}

TEST_CASE("a crash between consent and exchange loses no consent; a code that died asks the seller again") {
  for (const bool in_time : {true, false}) {
    CAPTURE(in_time);
    World world(small());
    {
      Process& process = world.open();
      world.kill_at({World::CallKind::http, world.http_calls() + 1, false});   // the exchange itself
      CHECK(!world.connect(process, 1));
      CHECK(!process.alive());
    }
    world.settle();
    CHECK(world.count("SELECT count(*) FROM consents WHERE code IS NOT NULL AND outcome IS NULL") == 1);
    world.run_for(in_time ? std::chrono::minutes(1) : std::chrono::minutes(6));
    Process& next = world.open();
    if (in_time) {
      CHECK(world.run_until([&] { return world.count("SELECT count(*) FROM runs WHERE status='completed'") == 1; }));
      check_truth(world, next, 1);
    } else {
      world.run_for(std::chrono::minutes(1));
      CHECK(world.count("SELECT count(*) FROM connections WHERE state='needs_reauth'") == 1);
      CHECK(world.count("SELECT count(*) FROM consents WHERE code IS NOT NULL") == 0);
    }
  }
}

TEST_CASE("every wrong callback is told apart and uses nothing up that is not its own") {
  World world(small());
  Process& process = world.open();
  auto& triggers = process.engine().triggers();
  const auto call = [&](const std::string& user, const std::string& state, const std::string& code, const std::string& error = "") {
    amzsync::sync::OAuthCallback params;
    if (!user.empty()) params.user = UserId(user);
    params.state = state;
    params.code = Secret(code);
    params.error = error;
    auto outcome = world.wait(as_result(triggers.on_oauth_callback(std::move(params))));
    auto* failure = std::get_if<amzsync::sync::CallbackFailure>(&*outcome);
    return failure ? failure->error.code : Code::ok;
  };
  const auto link = world.wait(triggers.start_consent(UserId("user-1"), "https://front.example", ""));
  REQUIRE(link);
  CHECK(call("user-1", "made up", "code") == Code::invalid_state);
  CHECK(call("user-1", "", "code") == Code::invalid_state);
  CHECK(call("user-2", link->state, "code") == Code::state_user_mismatch);
  CHECK(call("user-1", link->state, "") == Code::missing_code);
  CHECK(call("user-1", link->state, "", "access_denied") == Code::consent_denied);
  CHECK(call("user-1", link->state, "made up") == Code::invalid_grant);
  CHECK(call("user-1", link->state, "made up") == Code::invalid_state);   // used up by the exchange
  const auto late = world.wait(triggers.start_consent(UserId("user-1"), "https://front.example", ""));
  world.run_for(std::chrono::minutes(11));
  CHECK(call("user-1", late->state, "code") == Code::invalid_state);
  CHECK(runs(world, 1) == 0);
  CHECK(world.wait(triggers.start_consent(UserId("user-1"), "", "XX")).code() == Code::invalid_argument);
  CHECK(world.wait(triggers.start_consent(UserId("user-1"), "", "DE")).code() == Code::invalid_argument);   // another region
}

TEST_CASE("the source of money that the settings did not choose is read when it is named") {
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    WorldSettings settings = small();
    settings.finances_v0 = v0;
    World world(settings);
    Process& process = world.open();
    world.sync_seller(process, 2);
    const auto other = world.wait(process.engine().triggers().start(world.user(2), v0 ? "transactions" : "financial_events"));
    REQUIRE(other);
    const std::string run = world.finish(process, world.user(2), other->id);
    CHECK(member(run, "status") == "completed");
    const JsonDocument truth = world.truth(2);
    CHECK(world.count("SELECT count(*) FROM amz_transactions") == truth["transactions"]["rows"].integer());
    CHECK(world.count("SELECT count(*) FROM amz_financial_events") == truth["financialEvents"]["rows"].integer());
    // Both tell of the same money, and each day is counted from one of them only.
    check_truth(world, process, 2);
  }
}

TEST_CASE("without the role for the list of marketplaces the one where the seller signed in is read, on every sync") {
  World world(small());
  Process& process = world.open();
  amzsim::Fault refused = trouble("/sellers", "status", 403);
  refused.code = "Unauthorized";
  world.amazon().add_fault(refused);
  const auto connected = world.connect(process, 3, "MX");
  REQUIRE(connected);
  CHECK(member(world.finish(process, world.user(3), connected->sync_id), "status") == "completed");
  const auto rows = [&] { return world.sql("SELECT marketplace_id, count(*) FROM amz_inventory GROUP BY 1"); };
  const auto expected = std::vector<std::vector<std::string>>{{"A1AM78C64UM0Y8", std::to_string(*world.truth(3)["inventory"]["byMarketplace"]["A1AM78C64UM0Y8"].integer())}};
  CHECK(rows() == expected);
  CHECK(member(world.recoveries(process, world.user(3)), "currency") == "MXN");
  world.run_for(std::chrono::hours(50));   // the consent itself is long forgotten
  const auto again = start(world, process, 3);
  CHECK(member(world.finish(process, world.user(3), again->id), "status") == "completed");
  CHECK(rows() == expected);
}

TEST_CASE("orders are counted, shipments to Amazon are not") {
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    WorldSettings settings = small();
    settings.finances_v0 = v0;
    World world(settings);
    Process& process = world.open();
    const std::string run = world.sync_seller(process, 1);
    CHECK(member(run, "ordersProcessed") == std::to_string(*world.truth(1)[v0 ? "financialEvents" : "transactions"]["orders"].integer()));
    if (v0) CHECK(world.count("SELECT count(*) FROM amz_financial_events WHERE order_id LIKE 'FBA%'") > 0);
  }
}

TEST_CASE("a process that has nothing to do keeps no usage plan to itself") {
  World world(small());
  Process& process = world.open();
  world.sync_seller(process, 1);
  CHECK(world.count("SELECT count(*) FROM buckets WHERE holder<>0") > 0);
  world.run_for(std::chrono::seconds(10));
  CHECK(world.count("SELECT count(*) FROM buckets WHERE holder<>0") == 0);
}

TEST_CASE("a refused consent leaves no half connection behind") {
  World world(small());
  Process& process = world.open();
  const auto link = world.wait(process.engine().triggers().start_consent(world.user(1), "https://front.example", ""));
  amzsync::sync::OAuthCallback params;
  params.state = link->state;
  params.code = Secret("made up");
  const auto refused = world.wait(as_result(process.engine().triggers().on_oauth_callback(std::move(params))));
  CHECK(std::get<amzsync::sync::CallbackFailure>(*refused).error.code == Code::invalid_grant);
  CHECK(member(*process.engine().connection_document(world.user(1)), "state") == "disconnected");
  CHECK(world.count("SELECT count(*) FROM connections WHERE state='disconnected' AND state_reason='invalid_grant'") == 1);
}

TEST_CASE("while Amazon makes it wait a run says until when, and how long it may take") {
  WorldSettings settings = small();
  settings.amazon.events = 30'000;
  World world(settings);
  Process& process = world.open();
  amzsim::Fault quota = trouble("/finances", "status", 429, 5);   // somebody else uses the seller's quota
  quota.after = 20;
  world.amazon().add_fault(quota);
  const auto connected = world.connect(process, 1);
  REQUIRE(connected);
  const auto document = [&] { return *process.engine().run_document(world.user(1), connected->sync_id); };
  REQUIRE(world.run_until([&] { return document().find("waitingUntil") != std::string::npos && document().find("etaSeconds") != std::string::npos; }));
  const auto run = *JsonDocument::parse(document());
  for (const Json stream : run["streams"])
    if (!stream["waitingUntil"].is_null()) CHECK(*parse_instant(stream["waitingUntil"].text()) > world.clock().now() - std::chrono::seconds(2));
  const std::string end = world.finish(process, world.user(1), connected->sync_id);
  CHECK(end.find("waitingUntil") == std::string::npos);
  CHECK(end.find("etaSeconds") == std::string::npos);
}

TEST_CASE("a death in the middle of a sync costs none of what is left of Amazon's slow plans, and asks for no more than that") {
  WorldSettings settings = small();
  settings.streams.clear();   // all of them
  const auto lasts = [&](bool dies) {
    World world(settings);
    Process* process = &world.open();
    const auto connected = world.connect(*process, 1);
    REQUIRE(connected);
    const Instant begun = world.clock().now();
    const auto calls = [&] { return world.count("SELECT calls FROM runs"); };
    REQUIRE(world.run_until([&] { return calls() >= 40; }));
    if (dies) {
      world.kill(*process);
      process = &world.open();
    }
    CHECK(member(world.finish(*process, world.user(1), connected->sync_id), "status") == "completed");
    check_within_plans(world);
    check_truth(world, *process, 1);
    return world.clock().now() - begun;
  };
  const Duration alive = lasts(false), died = lasts(true);
  CAPTURE(alive.count() / 1'000'000);
  CAPTURE(died.count() / 1'000'000);
  CHECK(died <= alive + std::chrono::seconds(60));
}

TEST_CASE("an engine that stands still while its first calls of a slow plan are on their way asks for no more than the plan allows") {
  WorldSettings settings = small();
  settings.streams.clear();
  settings.amazon.events = 300;
  settings.amazon.skus = 30;
  settings.history_days = settings.amazon.history_days = 540;   // more reports than can be asked for at once
  for (const int seconds : {1, 3, 25, 44}) {
    CAPTURE(seconds);
    World world(settings);
    bool stood = false;
    world.set_fates([&](Process&, World::Point point) -> World::Fate {
      if (stood || point != World::Point::http_out || world.count("SELECT count(*) FROM buckets WHERE operation='createReport' AND level<14.5") == 0) return {};
      stood = true;
      return {World::Fate::What::freeze, std::chrono::seconds(seconds), {}};
    });
    Process& process = world.open();
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    CHECK(stood);
    CHECK(world.amazon().stats().at("createReport").calls > 20);
    check_within_plans(world);
  }
}

TEST_CASE("a seller who is erased and connects again is asked for by the plans as they stand") {
  WorldSettings settings = small();
  settings.streams.clear();
  World world(settings);
  Process& process = world.open();
  for (int round = 0; round < 3; ++round) {
    CHECK(member(world.sync_seller(process, 1), "status") != "failed");
    REQUIRE(world.wait(process.engine().erase(world.user(1), "the user")));
  }
  check_within_plans(world);
}

TEST_CASE("spans of days that were walked stay told when another worker goes on") {
  WorldSettings settings = small();
  settings.finances_v0 = true;   // spans of a fixed grid: there are many
  settings.history_days = settings.amazon.history_days = 180;
  settings.streams = {"financial_events"};
  World world(settings);
  Process* process = &world.open();
  REQUIRE(world.connect(*process, 1));
  const auto done = [&] { return world.count("SELECT slices_done FROM run_streams WHERE stream='financial_events'"); };
  std::int64_t most = 0;
  const auto grows = [&] {
    const std::int64_t now = done();
    CHECK(now >= most);
    most = std::max(most, now);
    CHECK(world.count("SELECT slices_known FROM run_streams WHERE stream='financial_events'") >= now);
    return false;
  };
  REQUIRE(world.run_until([&] { return grows() || most >= 3; }));
  world.kill(*process);
  process = &world.open();
  CHECK(world.run_until([&] { return grows() || world.count("SELECT count(*) FROM runs WHERE status='completed'") == 1; }));
  CHECK(most > 4);
  CHECK(world.count("SELECT slices_known=slices_done FROM run_streams WHERE stream='financial_events'") == 1);
}

TEST_CASE("who takes over a sync whose reports were all asked for asks for no list of reports") {
  WorldSettings settings = small();
  settings.streams.clear();
  World world(settings);
  Process* process = &world.open();
  const auto connected = world.connect(*process, 1);
  REQUIRE(connected);
  const auto asked = [&] { return world.count("SELECT count(*) FROM report_jobs WHERE report_id<>''") >= 8 && world.count("SELECT count(*) FROM report_jobs WHERE report_id=''") == 0; };
  REQUIRE(world.run_until(asked));
  const std::int64_t jobs = world.count("SELECT count(*) FROM report_jobs");
  const auto lists = [&] { return world.amazon().stats().at("getReports").calls; };
  const auto before = lists();
  world.kill(*process);
  process = &world.open();
  CHECK(member(world.finish(*process, world.user(1), connected->sync_id), "status") == "completed");
  const std::int64_t later = world.count("SELECT count(*) FROM report_jobs") - jobs;   // each may need its stream's list
  CAPTURE(later);
  CHECK(lists() <= before + later + 3);   // settlements, whose reports are Amazon's own
  check_truth(world, *process, 1);
}

TEST_CASE("each of the streams that wait for one plan of Amazon's says until when, one call after the other") {
  WorldSettings settings = small();
  settings.streams = {"returns", "reimbursements", "removals", "ledger", "ledger_summary", "storage_fees"};
  World world(settings);
  {
    Process& first = world.open();
    world.sync_seller(first, 1);
    world.close(first);
  }
  world.run_for(std::chrono::hours(48));
  world.sql("UPDATE buckets SET level=0, as_of=" + std::to_string(world.clock().now().time_since_epoch().count()) + " WHERE operation='createReport'");
  Process& process = world.open();
  const auto begun = world.wait(process.engine().triggers().start(world.user(1), ""));
  REQUIRE(begun);
  std::vector<Instant> waits;
  std::optional<std::int64_t> eta;
  const auto all_wait = [&] {
    waits.clear();
    const auto run = *JsonDocument::parse(*process.engine().run_document(world.user(1), begun->id));
    eta = run["etaSeconds"].integer();
    for (const Json stream : run["streams"])
      if (!stream["waitingUntil"].is_null()) waits.push_back(*parse_instant(stream["waitingUntil"].text()));
    return waits.size() >= settings.streams.size();
  };
  REQUIRE(world.run_until(all_wait, std::chrono::seconds(20)));   // before the first of them has its turn
  std::sort(waits.begin(), waits.end());
  constexpr Duration kBetween = std::chrono::seconds(55);   // createReport: one a minute
  for (std::size_t i = 1; i < waits.size(); ++i) CHECK(waits[i] - waits[i - 1] > kBetween);
  REQUIRE(eta);
  CHECK(std::chrono::seconds(*eta) >= waits.back() - world.clock().now() - std::chrono::seconds(2));
  // It is counted down while nothing else happens, and stays no less than the longest wait.
  const std::int64_t told = *eta;
  world.run_for(std::chrono::seconds(40));
  REQUIRE(all_wait());
  REQUIRE(eta);
  CHECK(*eta <= told - 30);
  CHECK(std::chrono::seconds(*eta) >= *std::max_element(waits.begin(), waits.end()) - world.clock().now());
  CHECK(world.finish(process, world.user(1), begun->id).find("waitingUntil") == std::string::npos);
}

TEST_CASE("a seller is one user's; somebody else is told so") {
  World world(small());
  Process& process = world.open();
  world.sync_seller(process, 1);
  const auto link = world.wait(process.engine().triggers().start_consent(UserId("thief"), "https://front.example", ""));
  amzsync::net::HttpRequest page;
  page.url = link->url + "&sim_seller=1";
  amzsync::net::HttpRequest back;
  for (const auto& [name, value] : world.amazon().handle(to_sim(page)).headers)
    if (name == "Location") back.url = value;
  const amzsim::SimRequest query = to_sim(back);
  amzsync::sync::OAuthCallback params;
  params.user = UserId("thief");
  params.state = query.param("state");
  params.code = Secret(query.param("spapi_oauth_code"));
  params.seller_id = query.param("selling_partner_id");
  auto outcome = world.wait(as_result(process.engine().triggers().on_oauth_callback(std::move(params))));
  CHECK(std::get<amzsync::sync::CallbackFailure>(*outcome).error.code == Code::seller_already_connected);
  CHECK(world.count("SELECT count(*) FROM connections WHERE state='connected'") == 1);
  CHECK(world.count("SELECT count(*) FROM consents WHERE code IS NOT NULL") == 0);
}

TEST_CASE("the appstore's trip goes back to Amazon and nowhere else") {
  World world(small());
  Process& process = world.open();
  auto& triggers = process.engine().triggers();
  const auto login = [&](const std::string& uri, const std::string& state = "s") { return world.wait(triggers.start_appstore_login(UserId("u"), "https://front.example", uri, state)); };
  for (const char* good : {"https://amazon.com/apps/authorize/confirm/app", "https://sellercentral.amazon.com/apps/authorize/confirm/app", "https://sellercentral-europe.amazon.com/x", "https://sellercentral.amazon.com.br/x",
                           "https://amazon.sim/apps/authorize/confirm/app"}) {
    CAPTURE(good);
    const auto link = login(good);
    REQUIRE(link);
    CHECK(link->url.find(std::string(good) + "?amazon_state=s&state=") == 0);
  }
  for (const char* bad : {"https://evil.example/", "https://amazon.com.evil.example/", "https://evilamazon.com/", "http://amazon.com/", "https://amazon.com@evil.example/", "javascript:alert(1)", "", "https://evil.example/?amazon.com"}) {
    CAPTURE(bad);
    CHECK(login(bad).code() == Code::invalid_argument);
  }
  CHECK(login("https://amazon.com/x", "").code() == Code::invalid_argument);
  const auto marked = login("https://amazon.com/x#part");   // what follows the mark would never reach Amazon
  REQUIRE(marked);
  CHECK(marked->url.find("https://amazon.com/x?amazon_state=s&state=") == 0);
}

TEST_CASE("an existing connection is verified, synced, and its end is noticed") {
  World world(small());
  Process& process = world.open();
  auto& triggers = process.engine().triggers();
  CHECK(world.wait(triggers.use_existing_connection(world.user(1))).code() == Code::not_connected);
  CHECK(process.logged("warn: Failed to trigger automatic sync after bypass userId=user-1"));
  world.sync_seller(process, 1);

  // Within the hour no call is needed; after it, one refresh.
  const auto tokens = [&] { return world.amazon().stats()["token"].calls; };
  const auto before = tokens();
  auto used = world.wait(triggers.use_existing_connection(world.user(1)));
  REQUIRE(used);
  CHECK(used->verified);
  CHECK(used->triggered);
  CHECK(tokens() == before);
  CHECK(process.logged("info: Triggered automatic sync after bypass userId=user-1 syncId=" + used->sync_id->text()));
  const auto joined = world.wait(triggers.use_existing_connection(world.user(1)));
  CHECK(!joined->triggered);
  CHECK(joined->sync_id == used->sync_id);
  CHECK(process.logged("info: Sync already in progress, skipping automatic trigger userId=user-1"));
  world.finish(process, world.user(1), *used->sync_id);

  world.run_for(std::chrono::hours(2));
  world.amazon().add_fault(trouble("/auth", "hang", 0, 1));
  const Steady asked = world.clock().steady();
  const auto silent = world.wait(triggers.use_existing_connection(world.user(1)));
  REQUIRE(silent);
  CHECK(!silent->verified);
  CHECK(silent->triggered);
  CHECK(world.clock().steady() - asked <= std::chrono::milliseconds(2'100));
  world.finish(process, world.user(1), *silent->sync_id);

  world.run_for(std::chrono::hours(2));
  world.amazon().revoke(1);
  CHECK(world.wait(triggers.use_existing_connection(world.user(1))).code() == Code::needs_reauth);
  CHECK(world.wait(triggers.use_existing_connection(world.user(1))).code() == Code::needs_reauth);
  CHECK(world.count("SELECT count(*) FROM journal WHERE type='connection.needs_reauth'") == 1);
  check_runs(world);
}

TEST_CASE("names that stand for nobody never sync by a bypass") {
  World world(small());
  Process& process = world.open();
  for (const char* name : {"demo-user", "default-user"}) {
    const auto connected = world.wait(process.engine().triggers().connect_with_refresh_token(UserId(name), Secret(world.amazon().refresh_token(name[2] == 'm' ? 1 : 2)), ""));
    REQUIRE(connected);
    world.finish(process, UserId(name), connected->id);
    const auto used = world.wait(process.engine().triggers().use_existing_connection(UserId(name)));
    REQUIRE(used);
    CHECK(used->verified);
    CHECK(!used->triggered);
    CHECK(!used->sync_id);
  }
}

TEST_CASE("empty recoveries start a sync when that can help, by the rules of the back-off, and say why not") {
  WorldSettings settings = small();
  settings.amazon.events = 0;
  World world(settings);
  Process& process = world.open();
  const UserId user = world.user(1);
  const auto reason = [&] { return member(world.recoveries(process, user), "reason"); };
  const auto triggered = [&] { return member(world.recoveries(process, user), "syncTriggered") == "true"; };
  CHECK(reason() == "not_connected");

  // Connected, and its first run is under way: attached, not doubled.
  const auto connected = world.connect(process, 1);
  REQUIRE(connected);
  CHECK(reason() == "sync_in_progress");
  world.finish(process, user, connected->sync_id);
  CHECK(runs(world, 1) == 1);

  // Nothing there. Looking again and again does not sync again and again: 15 minutes, then 30, then an hour, …
  Duration pause = std::chrono::minutes(15);
  for (int n = 2; n <= 10; ++n) {
    CAPTURE(n);
    for (int i = 0; i < 5; ++i) CHECK(reason() == "no_reimbursements_found");
    CHECK(runs(world, 1) == n - 1);
    world.run_for(pause - std::chrono::seconds(30));
    CHECK(reason() == "no_reimbursements_found");
    world.run_for(std::chrono::seconds(31));
    const std::string answer = world.recoveries(process, user);
    CHECK(member(answer, "syncTriggered") == "true");
    CHECK(member(answer, "message") == "No data found. Syncing your Amazon account... Please refresh in a few moments.");
    CHECK(member(answer, "totalAmount") == "0");
    CHECK(process.logged("info: Triggered automatic sync from recoveries endpoint userId=user-1 syncId=" + member(answer, "syncId")));
    world.finish(process, user, SyncId(member(answer, "syncId")));
    pause = std::min<Duration>(pause * 2, std::chrono::hours(24));
  }

  // Neither a sync of something else, nor one that was cancelled, says anything of recoveries, or makes the pause short again.
  const auto start = [&](const char* streams) { return world.wait(process.engine().triggers().start(user, streams))->id; };
  world.finish(process, user, start("inventory"));
  CHECK(reason() == "no_reimbursements_found");
  CHECK(world.count("SELECT empty_syncs FROM connections") == 10);
  const SyncId cancelled = start("");
  REQUIRE(world.wait(process.engine().cancel(user, cancelled, "a person")));
  world.finish(process, user, cancelled);
  CHECK(reason() == "cancelled");
  world.run_for(std::chrono::hours(23));
  CHECK(reason() == "cancelled");

  // A failure that needs a person is not repeated by reading.
  world.amazon().revoke(1);
  world.run_for(std::chrono::hours(25));
  CHECK(triggered());
  world.run_for(std::chrono::minutes(5));
  CHECK(reason() == "needs_reauth");
  world.run_for(std::chrono::hours(48));
  CHECK(reason() == "needs_reauth");
  check_runs(world);
}

TEST_CASE("where no money is synced, a look at the recoveries begins nothing and says why") {
  WorldSettings settings = small();
  settings.streams = {"inventory"};
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  for (int i = 0; i < 3; ++i) {
    const std::string answer = world.recoveries(process, world.user(1));
    CHECK(member(answer, "reason") == "money_not_synced");
    CHECK(member(answer, "needsSync") == "false");
  }
  CHECK(runs(world, 1) == 1);
}

TEST_CASE("where only the report of reimbursements is synced, recoveries are told by it, and none are there when it says so") {
  WorldSettings settings = small();
  settings.amazon.events = 0;
  settings.streams = {"reimbursements"};
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  CHECK(member(world.recoveries(process, world.user(1)), "reason") == "no_reimbursements_found");
  CHECK(runs(world, 1) == 1);
  world.run_for(std::chrono::minutes(16));
  CHECK(member(world.recoveries(process, world.user(1)), "syncTriggered") == "true");
}

TEST_CASE("with both sources of money, none are said to be there only where both were read") {
  for (const auto& [path, read] : {std::pair<const char*, bool>{"/finances/2024-06-19", false}, {"/finances/v0", false}, {"/nowhere", true}}) {
    CAPTURE(path);
    WorldSettings settings = small();
    settings.amazon.events = 0;
    settings.streams = {"transactions", "financial_events"};
    World world(settings);
    world.amazon().add_fault(trouble(path, "status", 400));
    Process& process = world.open();
    CHECK(member(world.sync_seller(process, 1), "status") == (read ? "completed" : "partial"));
    CHECK((member(world.recoveries(process, world.user(1)), "reason") == "no_reimbursements_found") == read);
  }
}

TEST_CASE("a stream that is asked for by name beside a usual sync must be readable") {
  WorldSettings settings = small();
  settings.streams.clear();
  World world(settings);
  world.amazon().add_fault(trouble("/fba/inbound", "status", 403));
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const auto usual = world.wait(process.engine().triggers().start(world.user(1), ""));
  REQUIRE(usual);
  world.run_for(std::chrono::milliseconds(500));   // its worker has begun
  const auto named = world.wait(process.engine().triggers().start(world.user(1), "inbound"));
  REQUIRE(named);
  CHECK(named->id == usual->id);
  CHECK(!named->runs_again);
  const std::string ended = world.finish(process, world.user(1), named->id);
  CHECK(member(ended, "status") == "partial");
  CHECK(member(ended, {"error", "code"}) == "unauthorised");
  CHECK(runs(world, 1) == 2);
}

TEST_CASE("a sync of all that is configured ends the back-off of failures, whatever that is") {
  WorldSettings settings = small();
  settings.streams = {"inventory"};
  settings.sync_every = std::chrono::hours(6);
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  world.sql("UPDATE connections SET failed_syncs=3");
  world.finish(process, world.user(1), world.wait(process.engine().triggers().start(world.user(1), "participations"))->id);
  CHECK(world.count("SELECT failed_syncs FROM connections") == 3);
  world.finish(process, world.user(1), world.wait(process.engine().triggers().start(world.user(1), ""))->id);
  CHECK(world.count("SELECT failed_syncs FROM connections") == 0);
}

TEST_CASE("a seller of another region than the engine's is refused in words, and syncs where that is right") {
  WorldSettings settings = small();
  World world(settings);
  Process* process = &world.open();
  world.sync_seller(*process, 1);
  const SyncId waiting = world.wait(process->engine().triggers().start(world.user(1), ""))->id;
  world.close(*process);
  world.sql("UPDATE connections SET region='eu'");
  Process* other = &world.open();
  CHECK(world.wait(other->engine().triggers().start(world.user(1), "")).code() == Code::wrong_region);
  CHECK(member(world.recoveries(*other, world.user(1)), "syncTriggered") == "false");
  world.run_for(std::chrono::hours(30));
  CHECK(world.count("SELECT count(*) FROM runs WHERE status IN ('queued', 'in_progress')") == 1);   // it is the other region's
  world.close(*other);
  world.sql("UPDATE connections SET region='na'");
  process = &world.open();
  CHECK(member(world.finish(*process, world.user(1), waiting), "status") == "completed");
}

TEST_CASE("a reconnect while a run dies of a revoked token ends in a new run that succeeds") {
  for (int moment = 0; moment < 12; ++moment) {
    CAPTURE(moment);
    World world(small());
    Process& process = world.open();
    world.sync_seller(process, 1);
    world.run_for(std::chrono::hours(2));
    world.amazon().revoke(1);
    const auto dying = start(world, process, 1);
    REQUIRE(dying);
    for (int i = 0; i < moment; ++i) world.run_for(std::chrono::milliseconds(20));
    const auto connected = world.connect(process, 1);   // the consent makes Amazon accept the seller again
    REQUIRE(connected);
    CHECK(world.run_until([&] { return world.count("SELECT count(*) FROM runs WHERE status IN ('queued','in_progress','detecting')") == 0; }));
    CHECK(world.sql("SELECT status FROM runs ORDER BY run_no DESC LIMIT 1")[0][0] == "completed");
    CHECK(world.count("SELECT count(*) FROM connections WHERE state='connected'") == 1);
    check_truth(world, process, 1);
  }
}

TEST_CASE("a sync is cancelled within a second wherever it stands, tells so once, and stays cancelled") {
  amzsim::Random random(8);
  for (int i = 0; i < 40; ++i) {
    CAPTURE(i);
    WorldSettings settings = small();
    settings.seed = static_cast<std::uint64_t>(i + 1);
    settings.amazon.events = 6'000;
    World world(settings);
    Process& process = world.open();
    if (i % 4 == 1) world.amazon().add_fault(trouble("/finances", "hang"));
    if (i % 4 == 2) world.amazon().add_fault(trouble("/fba", "status", 503));
    if (i % 4 == 3) world.amazon().add_fault(trouble("/finances", "status", 429));
    const auto connected = world.connect(process, 1);
    REQUIRE(connected);
    world.run_for(Duration(random.below(8'000'000)));
    if (world.status_of(process, world.user(1), connected->sync_id) != "in_progress") continue;
    const Steady asked = world.clock().steady();
    REQUIRE(world.wait(process.engine().cancel(world.user(1), connected->sync_id, "a test")));
    world.finish(process, world.user(1), connected->sync_id);
    CHECK(world.clock().steady() - asked <= std::chrono::seconds(1));
    CHECK(world.status_of(process, world.user(1), connected->sync_id) == "cancelled");
    CHECK(world.wait(process.engine().cancel(world.user(1), connected->sync_id, "a test")).code() == Code::sync_over);
    world.run_for(std::chrono::minutes(10));
    CHECK(world.status_of(process, world.user(1), connected->sync_id) == "cancelled");
    check_runs(world);
  }
}

TEST_CASE("disconnecting forgets the tokens, cancels the run, and keeps the data") {
  World world(small());
  Process& process = world.open();
  world.sync_seller(process, 1);
  const auto again = start(world, process, 1);
  CHECK(world.wait(process.engine().disconnect(world.user(1), "user-1")));
  CHECK(member(world.finish(process, world.user(1), again->id), "status") == "cancelled");
  CHECK(world.count("SELECT count(*) FROM connections WHERE refresh_token IS NOT NULL OR access_token IS NOT NULL") == 0);
  CHECK(world.count("SELECT count(*) FROM transactions") > 0);
  CHECK(start(world, process, 1).code() == Code::not_connected);
  CHECK(world.wait(process.engine().disconnect(world.user(1), "user-1")).code() == Code::not_connected);
}

TEST_CASE("a connected seller is synced again by itself, with jitter, and stays current") {
  WorldSettings settings = small();
  settings.sync_every = std::chrono::hours(6);
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  world.run_for(std::chrono::hours(24 * 15 + 12));
  CHECK(runs(world, 1) >= 55);
  CHECK(runs(world, 1) <= 70);
  CHECK(world.count("SELECT count(*) FROM amz_runs WHERE status<>'completed'") == 0);
  CHECK(world.count("SELECT count(DISTINCT started_at / 1000000 % 3600) FROM runs") > 20);   // not at the same second of an hour
  check_truth(world, process, 1);
}

TEST_CASE("no secret is in any log, event, answer or file") {
  World world(small());
  Process& process = world.open();
  world.sync_seller(process, 1);
  world.amazon().revoke(1);
  world.run_for(std::chrono::hours(2));
  const auto again = start(world, process, 1);
  world.finish(process, world.user(1), again->id);
  std::vector<std::string> secrets{"Atzr|", "Atza|", "client-secret", "sim-code-", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE", "01234567890123456789012345678901", "%7Csim"};
  std::string everything;
  for (const std::string& line : process.log()) everything += line + "\n";
  for (const auto& row : world.sql("SELECT payload FROM journal")) everything += row[0];
  everything += world.recoveries(process, world.user(1)) + *process.engine().status_document(world.user(1)) + *process.engine().connection_document(world.user(1)) +
                *process.engine().connected_document(world.user(1), 0, false) + *process.engine().history_document(world.user(1), 10, 0);
  for (const auto& [name, content] : world.files().snapshot(MemoryVfs::Loss::process)) everything += content;
  for (const std::string& secret : secrets) {
    CAPTURE(secret);
    CHECK(everything.find(secret) == std::string::npos);
  }
  CHECK(everything.find("user-1") != std::string::npos);   // the search itself works
}

TEST_SUITE_END();
