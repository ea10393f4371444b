// SPDX-License-Identifier: Apache-2.0
// When runs run: pauses, turns, tries after failures, notifications, what expires, and clocks that jump.
#include <asio/detached.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "base/json_writer.hpp"
#include "sync/schedule.hpp"
#include "world/checks.hpp"

using namespace world;

namespace {

WorldSettings small() {
  WorldSettings settings;
  settings.amazon.events = 400;
  settings.amazon.skus = 40;
  settings.history_days = settings.amazon.history_days = 60;
  settings.streams = {"transactions", "inventory"};
  return settings;
}

std::int64_t runs(World& world) { return world.count("SELECT count(*) FROM runs"); }
std::int64_t calls(World& world) {
  std::int64_t all = 0;
  for (const auto& [name, stats] : world.amazon().stats()) all += stats.calls;
  return all;
}
std::string seller_of(World& world, int n) { return world.amazon().seller(n).id(); }

/// As Amazon writes them (facts 3.9).
std::string transaction_update(const std::string& seller, const std::string& id) {
  return R"({"NotificationVersion":"1.0","NotificationType":"TRANSACTION_UPDATE","PayloadVersion":"2024-06-19","EventTime":"2026-11-23T15:00:00Z","Payload":{"TransactionUpdateNotification":)"
         R"({"SellingPartnerMetadata":{"SellingPartnerId":")" + seller + R"(","MarketplaceId":"ATVPDKIKX0DER","AccountType":"STANDARD_ORDERS"},"TransactionType":"Shipment"}},)"
         R"("NotificationMetadata":{"ApplicationId":"a","SubscriptionId":"s","PublishTime":"2026-11-23T15:00:01Z","NotificationId":")" + id + R"("}})";
}
std::string stock_change(const std::string& seller, const std::string& id) {
  return R"({"NotificationType":"FBA_INVENTORY_AVAILABILITY_CHANGES","Payload":{"SellerId":")" + seller + R"(","FNSKU":"X","ASIN":"B","SKU":"S","FulfillmentInventoryByMarketplace":[]},)"
         R"("NotificationMetadata":{"NotificationId":")" + id + R"("}})";
}
auto notify(World& world, Process& process, std::optional<int> user, const std::string& message) {
  return world.wait(process.engine().triggers().on_notification(user ? std::optional(world.user(*user)) : std::nullopt, message));
}

}  // namespace

TEST_SUITE_BEGIN("schedule");

TEST_CASE("a user who is paused is left alone within a second, wherever the sync stands, and the sync goes on when the user is resumed") {
  amzsim::Random random(5);
  for (int i = 0; i < 25; ++i) {
    CAPTURE(i);
    WorldSettings settings = small();
    settings.seed = static_cast<std::uint64_t>(i + 1);
    settings.amazon.rows_per_page = 5;
    World world(settings);
    Process& process = world.open();
    if (i % 4 == 1) world.amazon().add_fault(trouble("/finances", "hang", 500, 1, 3));
    if (i % 4 == 2) world.amazon().add_fault(trouble("/finances", "status", 429, 2, 3));
    const auto connected = world.connect(process, 1);
    REQUIRE(connected);
    world.run_for(Duration(random.below(3'000'000)));
    if (world.status_of(process, world.user(1), connected->sync_id) != "in_progress") continue;
    REQUIRE(world.wait(process.engine().pause(world.user(1), "an operator")));
    world.run_for(std::chrono::seconds(1));
    CHECK(world.count("SELECT count(*) FROM runs WHERE holder<>0") == 0);
    const std::int64_t before = calls(world);
    // What is triggered meanwhile is kept, and what reads the state is told.
    const auto attached = world.wait(process.engine().triggers().start(world.user(1), ""));
    REQUIRE(attached);
    CHECK(attached->attached);
    CHECK(attached->paused);
    CHECK(member(*process.engine().status_document(world.user(1)), "paused") == "true");
    CHECK(member(*process.engine().status_document(world.user(1)), "pausedBy") == "an operator");
    CHECK(member(world.recoveries(process, world.user(1)), "syncTriggered") == "false");
    world.run_for(std::chrono::hours(3));
    CHECK(calls(world) == before);
    CHECK(!all_over(world));
    REQUIRE(world.wait(process.engine().pause(world.user(1), "somebody else")));   // changes nothing
    REQUIRE(world.wait(process.engine().resume(world.user(1), "an operator")));
    CHECK(member(world.finish(process, world.user(1), connected->sync_id), "status") == "completed");
    check_truth(world, process, 1);
    CHECK(world.count("SELECT count(*) FROM journal WHERE type IN ('sync.paused', 'sync.resumed')") == 2);
  }
}

TEST_CASE("a pause of everybody holds in every process, outlives restarts, and keeps what is triggered") {
  WorldSettings settings = small();
  settings.sync_every = std::chrono::hours(6);
  World world(settings);
  Process* first = &world.open();
  Process& second = world.open();
  const auto one = world.connect(*first, 1);
  REQUIRE(one);
  world.run_for(std::chrono::milliseconds(800));
  REQUIRE(world.wait(second.engine().pause(std::nullopt, "an operator")));
  world.run_for(std::chrono::seconds(1));
  CHECK(world.count("SELECT count(*) FROM runs WHERE holder<>0") == 0);
  const auto two = world.connect(*first, 2);
  REQUIRE(two);
  CHECK(two->triggered);
  world.kill(*first);
  world.close(second);
  first = &world.open();
  const std::int64_t before = calls(world);
  world.run_for(std::chrono::hours(24));
  CHECK(calls(world) == before);
  CHECK(runs(world) == 2);   // no scheduled one came on top
  REQUIRE(world.wait(first->engine().resume(std::nullopt, "an operator")));
  CHECK(member(world.finish(*first, world.user(1), one->sync_id), "status") == "completed");
  CHECK(member(world.finish(*first, world.user(2), two->sync_id), "status") == "completed");
  for (int n = 1; n <= 2; ++n) {   // what the paused run had read before was a day old
    CHECK(member(sync_again(world, *first, n), "status") == "completed");
    check_truth(world, *first, n);
  }
}

TEST_CASE("a paused sync can be cancelled; nobody is paused who is not known") {
  WorldSettings settings = small();
  settings.amazon.rows_per_page = 5;
  World world(settings);
  Process& process = world.open();
  const auto connected = world.connect(process, 1);
  REQUIRE(connected);
  world.run_for(std::chrono::milliseconds(500));
  REQUIRE(world.wait(process.engine().pause(world.user(1), "a test")));
  world.run_for(std::chrono::seconds(2));
  REQUIRE(world.wait(process.engine().cancel(world.user(1), connected->sync_id, "a test")));
  world.settle();
  CHECK(world.status_of(process, world.user(1), connected->sync_id) == "cancelled");
  const std::string run = *process.engine().run_document(world.user(1), connected->sync_id);
  CHECK(member(run, "cancelledBy") == "a test");
  CHECK(member(run, "cancelRequestedAt") != "");
  check_runs(world);
  CHECK(world.wait(process.engine().pause(UserId("nobody"), "a test")).code() == Code::not_found);
  CHECK(world.wait(process.engine().resume(UserId("nobody"), "a test")).code() == Code::not_found);
}

TEST_CASE("where more sellers wait than may be synced at once they take turns by calls, so that a large one keeps no small one waiting") {
  WorldSettings settings = small();
  settings.amazon.sellers = 5;
  settings.amazon.events = 1'600;
  settings.amazon.rows_per_page = 2;   // some 800 calls for each seller
  settings.max_active_runs = 2;
  World world(settings);
  Process& process = world.open();
  for (int n = 1; n <= 5; ++n) REQUIRE(world.connect(process, n));
  std::int64_t most = 0;
  world.run_until([&] {
    most = std::max(most, world.count("SELECT count(*) FROM runs WHERE holder<>0"));
    return all_over(world);
  });
  CHECK(most <= 2);
  CHECK(world.count("SELECT count(*) FROM runs WHERE status='completed'") == 5);
  // Every one had begun before the first was done.
  CHECK(world.count("SELECT max(started_at) FROM runs") < world.count("SELECT min(completed_at) FROM runs"));
  CHECK(world.count("SELECT max(fence) FROM runs") >= 2);
  for (int n = 1; n <= 5; ++n) check_truth(world, process, n);
}

TEST_CASE("a seller whose reports Amazon is long in making keeps nobody waiting, and gets them") {
  WorldSettings settings = small();
  settings.amazon.sellers = 3;
  settings.max_active_runs = 1;
  settings.streams.emplace_back("reimbursements");
  settings.amazon.report_time = std::chrono::minutes(50);
  World world(settings);
  Process& process = world.open();
  for (int n = 1; n <= 3; ++n) REQUIRE(world.connect(process, n));
  world.run_for(std::chrono::minutes(45));
  // Nobody's report is there, and everybody's was asked for.
  CHECK(world.count("SELECT count(*) FROM runs WHERE completed_at IS NOT NULL") == 0);
  CHECK(world.count("SELECT count(DISTINCT user_no) FROM report_jobs") == 3);
  CHECK(world.run_until([&] { return all_over(world); }, std::chrono::hours(6)));
  CHECK(world.count("SELECT count(*) FROM runs WHERE status='completed'") == 3);
  for (int n = 1; n <= 3; ++n) check_truth(world, process, n);
}

TEST_CASE("what a person asks for goes before what the clock asks for, which is not put off for ever") {
  WorldSettings settings = small();
  settings.amazon.sellers = 3;
  settings.sync_every = std::chrono::hours(6);
  settings.max_active_runs = 1;
  World world(settings);
  Process& process = world.open();
  for (int n = 1; n <= 3; ++n) world.sync_seller(process, n);
  REQUIRE(world.wait(process.engine().pause(std::nullopt, "a test")));
  REQUIRE(world.wait(process.engine().triggers().start(world.user(3), "")));
  // The scheduled ones come to wait while everything is paused by hand in the database, the person's after them.
  const auto order = [&] {
    std::string text;
    for (const auto& row : world.sql("SELECT cause FROM runs WHERE run_no>3 ORDER BY started_at, run_no")) text += row[0] + " ";
    return text;
  };
  REQUIRE(world.wait(process.engine().resume(std::nullopt, "a test")));
  world.run_until([&] { return all_over(world); });
  world.run_for(std::chrono::hours(8));
  world.run_until([&] { return all_over(world); });
  CHECK(order().starts_with("manual schedule"));
  CHECK(runs(world) >= 6);
}

TEST_CASE("a sync that failed is tried again by itself, soon, then less and less often, and as usual once it succeeds") {
  WorldSettings settings = small();
  settings.sync_every = std::chrono::hours(6);
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  world.amazon().add_fault(trouble("/finances", "status", 503));
  world.run_for(std::chrono::hours(20));
  const auto times = world.sql("SELECT created_at, status, completed_at FROM runs ORDER BY run_no");
  REQUIRE(times.size() >= 7);
  CHECK(times[1][1] == "partial");
  std::int64_t last = 0;
  for (std::size_t i = 2; i + 1 < times.size(); ++i) {
    const std::int64_t gap = (std::atoll(times[i][0].c_str()) - std::atoll(times[i - 1][2].c_str())) / 60'000'000;
    CAPTURE(i);
    CHECK(gap >= last);
    CHECK(gap <= 7 * 60 + 12);
    if (i == 2) CHECK(gap <= 7);
    last = gap * 3 / 2;
    if (gap >= 5 * 60) break;
  }
  CHECK(world.count("SELECT failed_syncs FROM connections") >= 5);
  CHECK(member(*process.engine().connection_document(world.user(1)), "nextSyncAt") != "");   // what the seller is told is what will happen
  world.amazon().clear_faults();
  world.run_for(std::chrono::hours(8));
  CHECK(world.count("SELECT failed_syncs FROM connections") == 0);
  CHECK(world.sql("SELECT status FROM runs ORDER BY run_no DESC LIMIT 1")[0][0] == "completed");
  check_truth(world, process, 1);
}

TEST_CASE("the next sync never comes before a report may be asked for again, nor later than usual, and what can't pass by itself waits as usual") {
  struct Chance final : Entropy {
    explicit Chance(std::uint64_t seed) : random(seed) {}
    std::string bytes(std::size_t count) override {
      std::string some;
      while (some.size() < count) some += static_cast<char>(random.below(256));
      return some;
    }
    amzsim::Random random;
  };
  Chance chance(7);
  amzsync::sync::SyncSettings settings;
  const Instant now = *parse_instant("2026-11-23T15:00:00Z");
  using amzsync::store::RunStatus;
  for (int i = 0; i < 2'000; ++i) {
    settings.sync_every = std::chrono::minutes(chance.random.between(30, 2'000));
    amzsync::sync::RunVerdict verdict;
    verdict.status = static_cast<RunStatus>(chance.random.between(static_cast<int>(RunStatus::completed), static_cast<int>(RunStatus::cancelled)));
    constexpr Code kCodes[]{Code::throttled, Code::amazon_error, Code::report_failed, Code::store_busy, Code::app_credentials_invalid, Code::rows_quarantined, Code::unauthorised};
    const bool failed = verdict.status == RunStatus::failed || verdict.status == RunStatus::partial;
    if (failed) verdict.error = kCodes[chance.random.below(std::size(kCodes))];
    verdict.failures_before = chance.random.below(12);
    if (chance.random.one_in(2)) verdict.reports_paused_until = now + std::chrono::minutes(chance.random.between(-60, 600));
    const auto next = amzsync::sync::next_sync(settings, now, verdict, chance);
    REQUIRE(next.at);
    CHECK(*next.at > now);
    CHECK(*next.at <= now + settings.sync_every * 6 / 5);
    const bool passes = failed && code_retry(*verdict.error) == Retry::later;
    CHECK(next.failures == (passes ? verdict.failures_before + 1 : 0));
    if (!passes) CHECK(*next.at >= now + settings.sync_every * 9 / 10);
    if (passes && *verdict.error == Code::report_failed && verdict.reports_paused_until && *verdict.reports_paused_until < now + settings.sync_every) CHECK(*next.at >= *verdict.reports_paused_until);
  }
  settings.sync_every = {};
  CHECK(!amzsync::sync::next_sync(settings, now, {RunStatus::failed, Code::amazon_error, 0, std::nullopt}, chance).at);
}

TEST_CASE("a notification starts a sync of what it is about, once; those that follow are read together") {
  WorldSettings settings = small();
  settings.streams.clear();
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  const std::string seller = seller_of(world, 1);
  const auto first = notify(world, process, 1, transaction_update(seller, "n-1"));
  REQUIRE(first);
  REQUIRE(first->size() == 1);
  CHECK((*first)[0].known);
  REQUIRE((*first)[0].sync_id);
  const auto run = JsonDocument::parse(world.finish(process, world.user(1), *(*first)[0].sync_id));
  CHECK((*run)["trigger"].text() == "notification");
  std::string read;
  for (const Json stream : (*run)["streams"]) read += std::string(stream["name"].text()) + " ";
  CHECK(read == "participations transactions ");
  // Amazon delivers at least once.
  const auto again = notify(world, process, 1, transaction_update(seller, "n-1"));
  REQUIRE(again);
  CHECK((*again)[0].duplicate);
  CHECK(!(*again)[0].sync_id);
  CHECK(runs(world) == 2);
  // A hundred more within minutes are one sync, of all that they are about.
  for (int i = 0; i < 100; ++i) {
    const auto more = notify(world, process, std::nullopt, i % 2 ? transaction_update(seller, "m-" + std::to_string(i)) : stock_change(seller, "m-" + std::to_string(i)));
    REQUIRE(more);
    REQUIRE((*more)[0].planned_at);
    CHECK(member(*process.engine().connection_document(world.user(1)), "nextSyncAt") == format_instant(*(*more)[0].planned_at));
    world.run_for(std::chrono::seconds(1));
  }
  world.run_for(std::chrono::minutes(10));
  CHECK(runs(world) == 3);
  read.clear();
  for (const auto& row : world.sql("SELECT stream FROM run_streams WHERE run_no=3 ORDER BY 1")) read += row[0] + " ";
  CHECK(read == "inventory participations transactions ");
  check_truth(world, process, 1);
}

TEST_CASE("a notification during a sync is read after it, and does not put the usual sync off") {
  WorldSettings settings = small();
  settings.sync_every = std::chrono::hours(6);
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  const std::int64_t planned = world.count("SELECT next_sync_at FROM connections");
  const auto told = notify(world, process, 1, stock_change(seller_of(world, 1), "n-1"));
  REQUIRE(told);
  world.run_for(std::chrono::milliseconds(300));
  world.run_for(std::chrono::minutes(6));
  CHECK(notify(world, process, 1, stock_change(seller_of(world, 1), "n-2")));
  CHECK(notify(world, process, 1, transaction_update(seller_of(world, 1), "n-3")));
  world.run_for(std::chrono::minutes(20));
  CHECK(runs(world) == 4);
  CHECK(world.count("SELECT next_sync_at FROM connections") == planned);
}

TEST_CASE("streams that the usual sync leaves out are asked for beside it, and read by the one that follows") {
  const auto read_by = [](World& world, int nth) {
    std::string read;
    for (const auto& row : world.sql("SELECT stream FROM run_streams WHERE run_no=(SELECT run_no FROM runs ORDER BY 1 LIMIT 1 OFFSET " + std::to_string(nth - 1) + ") AND status='complete' ORDER BY 1"))
      read += row[0] + " ";
    return read;
  };
  for (const bool by_settings : {false, true}) {
    CAPTURE(by_settings);
    WorldSettings settings = small();
    settings.streams = by_settings ? std::vector<std::string>{"transactions", "inventory"} : std::vector<std::string>{};
    const std::string left_out = by_settings ? "returns" : "financial_events";
    World world(settings);
    Process& process = world.open();
    const SyncId usual = world.connect(process, 1)->sync_id;
    const auto told = world.wait(process.engine().triggers().start(world.user(1), left_out));
    REQUIRE(told);
    CHECK(told->id == usual);
    CHECK(told->runs_again);
    world.finish(process, world.user(1), usual);
    world.run_for(std::chrono::hours(4));
    REQUIRE(runs(world) == 2);
    CHECK(read_by(world, 1).find(left_out) == std::string::npos);
    CHECK(read_by(world, 2) == (by_settings ? "participations returns " : "financial_events participations "));
    // Somebody who asks for the usual ones takes nothing from what was asked for before.
    const auto narrow = world.wait(process.engine().triggers().start(world.user(1), "inventory"));
    REQUIRE(narrow);
    CHECK(world.wait(process.engine().triggers().start(world.user(1), left_out))->runs_again);
    CHECK(world.wait(process.engine().triggers().start(world.user(1), ""))->runs_again);
    world.finish(process, world.user(1), narrow->id);
    world.run_for(std::chrono::hours(4));
    REQUIRE(runs(world) == 4);
    CHECK(read_by(world, 4) == (by_settings ? "inventory participations returns transactions " : read_by(world, 1).insert(read_by(world, 1).find("inbound"), left_out + " ")));
    check_truth(world, process, 1);
  }
}

TEST_CASE("notifications come in every wrapping, and what is none, or is somebody else's, is refused whole") {
  World world(small());
  Process& process = world.open();
  world.sync_seller(process, 1);
  world.sync_seller(process, 2);
  const std::string seller = seller_of(world, 1);
  const auto quoted = [](const std::string& text) {
    std::string out;
    append_json_string(out, text);
    return out;
  };
  const std::string plain = transaction_update(seller, "w-1");
  const std::string wrappings[]{R"({"Records":[{"body":)" + quoted(plain) + R"(},{"body":)" + quoted(stock_change(seller, "w-2")) + "}]}",
                                R"({"version":"0","id":"e","detail-type":"x","source":"aws.partner/sellingpartnerapi.amazon.com","detail":)" + transaction_update(seller, "w-3") + "}",
                                R"({"MessageId":"m","Body":)" + quoted(transaction_update(seller, "w-4")) + "}",
                                R"({"notificationVersion":"2020-09-04","notificationType":"REPORT_PROCESSING_FINISHED","payload":{"reportProcessingFinishedNotification":{"sellerId":")" + seller +
                                    R"(","reportId":"1","reportType":"GET_LEDGER_DETAIL_VIEW_DATA","processingStatus":"DONE"}},"notificationMetadata":{"notificationId":"w-5"}})"};
  for (const std::string& message : wrappings) {
    CAPTURE(message);
    const auto taken = notify(world, process, std::nullopt, message);
    REQUIRE(taken);
    for (const auto& one : *taken) CHECK(!one.duplicate);
  }
  CHECK(world.count("SELECT count(*) FROM notifications") == 5);
  const auto known = notify(world, process, std::nullopt, wrappings[3]);
  CHECK((*known)[0].duplicate);
  CHECK(!(*known)[0].known);   // the settings name no such stream
  for (const std::string& wrong : {std::string("hello"), std::string("[]"), std::string("{}"), std::string(R"({"NotificationType":"TRANSACTION_UPDATE"})"), std::string(R"({"Body":"hello"})"),
                                   std::string(R"({"Body":"{\"Body\":\"{\\\"Body\\\":\\\"{}\\\"}\"}"})")}) {
    CAPTURE(wrong);
    CHECK(notify(world, process, std::nullopt, wrong).code() == Code::invalid_argument);
  }
  CHECK(notify(world, process, 2, transaction_update(seller, "w-6")).code() == Code::not_found);   // another user's seller
  CHECK(notify(world, process, std::nullopt, transaction_update("A-STRANGER", "w-7")).code() == Code::not_found);
  CHECK(world.count("SELECT count(*) FROM notifications") == 5);
}

TEST_CASE("what ends in a year or in half a year is told in time, each warning once") {
  WorldSettings settings = small();
  settings.sync_every = std::chrono::hours(24 * 7);
  World world(settings);
  Process* process = &world.open();
  world.sync_seller(*process, 1);
  const auto told = [&](const std::string& what) {
    std::string days;
    for (const auto& row : world.sql("SELECT payload FROM journal WHERE type='connection.expiring' ORDER BY journal_no"))
      if (member(row[0], "what") == what) days += member(row[0], "daysLeft") + " ";
    return days;
  };
  // Of each day an hour and more.
  const auto live = [&](int days) {
    for (int i = 0; i < days; ++i) {
      process = &world.pass(*process, std::chrono::hours(22));
      world.run_for(std::chrono::hours(2));
    }
  };
  live(140);
  CHECK(told("client_secret") == "");
  live(14);
  CHECK(told("client_secret") == "30 ");
  std::map<std::string, int> seen;
  for (int day = 154; day < 182; ++day) {
    live(1);
    // Events are kept for a week.
    for (const auto& row : world.sql("SELECT payload FROM journal WHERE type='connection.expiring'")) seen[member(row[0], "what") + member(row[0], "daysLeft") + member(row[0], "timestamp")] = 1;
  }
  CHECK(seen.size() == 5);
  REQUIRE(world.wait(process->engine().set_client_secret(Secret("another-secret"))));
  world.use_client_secret("another-secret");
  for (int day = 182; day < 366; ++day) {
    live(1);
    if (day == 335) {
      CHECK(told("authorisation") == "30 ");
    }
    for (const auto& row : world.sql("SELECT payload FROM journal WHERE type='connection.expiring'")) seen[member(row[0], "what") + member(row[0], "daysLeft") + member(row[0], "timestamp")] = 1;
  }
  CHECK(seen.size() >= 5 + 5 + 4);   // the second secret is 184 days old
}

TEST_CASE("a warning that comes late tells the days that are left, and of what has ended that it has") {
  WorldSettings settings = small();
  settings.sync_every = std::chrono::hours(24 * 7);
  World world(settings);
  Process* process = &world.open();
  world.sync_seller(*process, 1);
  const auto told = [&] {
    std::string all;
    for (const auto& row : world.sql("SELECT payload FROM journal WHERE type='connection.expiring' ORDER BY journal_no")) all += member(row[0], "daysLeft") + ": " + member(row[0], "message") + "\n";
    return all;
  };
  const auto off_for = [&](int days) {
    world.close(*process);
    world.run_for(std::chrono::hours(24 * days));
    process = &world.open();
    world.run_for(std::chrono::hours(2));
  };
  off_for(180 - 22);
  CHECK(told() == "22: The application's client secret must be renewed at Amazon before then.\n");
  off_for(365 - 158);
  CHECK(told().find("0: The seller must authorise the application again: it has ended.\n") != std::string::npos);
  CHECK(told().find("0: The application's client secret must be renewed at Amazon: it has ended.\n") != std::string::npos);
}

TEST_CASE("a new client secret is taken without a restart, and whoever failed for want of it is synced") {
  World world(small());
  Process& process = world.open();
  world.sync_seller(process, 1);
  amzsim::SimRequest rotate;
  rotate.method = "POST";
  rotate.path = "/_sim/control";
  rotate.body = R"({"clientSecret":"rotated"})";
  CHECK(world.amazon().handle(rotate).status == 200);
  world.run_for(std::chrono::hours(2));   // the access token has lapsed
  CHECK(member(sync_again(world, process), {"error", "code"}) == "app_credentials_invalid");
  CHECK(member(*process.engine().connection_document(world.user(1)), "state") == "connected");   // the fault is not the seller's
  CHECK(world.wait(process.engine().set_client_secret(Secret())).code() == Code::invalid_argument);
  REQUIRE(world.wait(process.engine().set_client_secret(Secret("rotated"))));
  world.run_until([&] { return all_over(world); });
  CHECK(world.sql("SELECT status, cause FROM runs ORDER BY run_no DESC LIMIT 1") == std::vector<std::vector<std::string>>{{"completed", "schedule"}});
  check_truth(world, process, 1);
}

TEST_CASE("however many processes need a token at once, Amazon is asked for one") {
  WorldSettings settings = small();
  int asked = 0;
  settings.watch = [&](const SimTransport::Request& request, const Result<SimTransport::Response>&) { asked += request.url.find("/auth/o2/token") != std::string::npos; };
  World world(settings);
  std::vector<Process*> processes;
  for (int i = 0; i < 5; ++i) processes.push_back(&world.open());
  world.sync_seller(*processes[0], 1);
  for (int hour = 0; hour < 3; ++hour) {
    world.run_for(std::chrono::hours(2));
    asked = 0;
    int answered = 0;
    // Each process verifies the connection in the same moment, and one syncs.
    for (Process* process : processes) {
      auto use = [](Process* p, UserId user, int& done) -> Async<void> {
        const auto used = co_await p->engine().triggers().use_existing_connection(user);
        done += used && used->verified;
      };
      asio::co_spawn(process->engine().parts().loop, use(process, world.user(1), answered), asio::detached);
    }
    world.run_until([&] { return answered == 5 && all_over(world); });
    CHECK(answered == 5);
    CHECK(asked == 1);
  }
  check_truth(world, *processes[0], 1);
}

TEST_CASE("a process that dies while it asks for a token keeps nobody else from asking") {
  World world(small());
  Process& first = world.open();
  Process& second = world.open();
  world.sync_seller(first, 1);
  world.run_for(std::chrono::hours(2));
  world.amazon().add_fault(trouble("/auth", "hang", 500, 1));
  auto use = [](Process* p, UserId user) -> Async<void> { (void)co_await p->engine().triggers().use_existing_connection(user); };
  asio::co_spawn(first.engine().parts().loop, use(&first, world.user(1)), asio::detached);
  world.run_for(std::chrono::milliseconds(500));
  world.kill(first);
  CHECK(member(sync_again(world, second), "status") == "completed");
}

TEST_CASE("403 after a burst of quota errors is Amazon's cooling-off, no lost role") {
  World world(small());
  Process& burst = world.open();
  world.sync_seller(burst, 1);
  world.run_for(std::chrono::hours(24));
  world.amazon().add_fault(trouble("/finances", "status", 429, 4));
  world.amazon().add_fault(trouble("/finances", "status", 403));
  const std::string run = sync_again(world, burst);
  CHECK(member(run, "status") == "partial");
  CHECK(member(run, {"error", "code"}) == "throttled");
  CHECK(world.sql("SELECT coverage FROM stream_states WHERE stream='transactions'")[0][0] == "throttled");
  // Every process knows of them.
  world.run_for(std::chrono::seconds(10));
  world.close(burst);
  Process& process = world.open();
  CHECK(member(sync_again(world, process), {"error", "code"}) == "throttled");
  world.amazon().clear_faults();
  world.run_for(std::chrono::minutes(20));
  CHECK(member(sync_again(world, process), "status") == "completed");
  // Without quota errors before it, it is what it says.
  world.run_for(std::chrono::hours(24));
  world.amazon().add_fault(trouble("/finances", "status", 403));
  CHECK(member(sync_again(world, process), {"error", "code"}) == "unauthorised");
}

TEST_CASE("a sync that does nothing any more is ended, and the user can sync again") {
  WorldSettings settings = small();
  settings.deaf_transport = true;
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  world.amazon().add_fault(trouble("/finances", "hang"));
  world.amazon().add_fault(trouble("/fba", "hang"));
  const auto stuck = world.wait(process.engine().triggers().start(world.user(1), ""));
  REQUIRE(stuck);
  world.run_for(std::chrono::minutes(30));
  CHECK(world.status_of(process, world.user(1), stuck->id) == "in_progress");
  world.run_for(std::chrono::minutes(30));
  CHECK(world.status_of(process, world.user(1), stuck->id) == "failed");
  CHECK(member(*process.engine().run_document(world.user(1), stuck->id), {"error", "code"}) == "stalled");
  check_runs(world);
  world.amazon().clear_faults();
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_truth(world, process, 1);
}

TEST_CASE("a disk that is nearly full ends syncs while there is room to say so, and they are tried again by themselves") {
  WorldSettings settings = small();
  settings.amazon.rows_per_page = 5;
  settings.sync_every = std::chrono::hours(6);
  World world(settings);
  Process& process = world.open();
  const auto connected = world.connect(process, 1);
  REQUIRE(connected);
  world.run_for(std::chrono::seconds(1));
  world.set_room(false);
  world.run_for(std::chrono::seconds(7));
  const std::string run = *process.engine().run_document(world.user(1), connected->sync_id);
  CHECK(member(run, {"error", "code"}) == "store_full");
  CHECK(member(run, "status") == "failed");
  const std::int64_t rows = world.count("SELECT count(*) FROM transactions");
  CHECK(rows > 0);   // what it had stays
  CHECK(member(sync_again(world, process), {"error", "code"}) == "store_full");
  CHECK(world.count("SELECT count(*) FROM transactions") == rows);
  world.set_room(true);
  world.run_for(std::chrono::minutes(30));
  CHECK(world.sql("SELECT status, cause FROM runs ORDER BY run_no DESC LIMIT 1") == std::vector<std::vector<std::string>>{{"completed", "schedule"}});
  check_truth(world, process, 1);
}

TEST_CASE("waiting long for one plan of Amazon's is no standing still") {
  WorldSettings settings = small();
  settings.streams = {"reimbursements", "ledger", "returns", "removals"};
  settings.history_days = settings.amazon.history_days = 540;
  settings.amazon.foreign_use = 0.9;   // of one report a minute
  World world(settings);
  Process& process = world.open();
  const auto connected = world.connect(process, 1);
  REQUIRE(connected);
  const std::string run = world.finish(process, world.user(1), connected->sync_id);
  CHECK(member(run, {"error", "code"}) != "stalled");
  CHECK(world.clock().steady() - Steady{} > std::chrono::hours(2));
}

TEST_CASE("a wall clock that jumps delays nothing for long, doubles no run, and loses none") {
  for (const auto jump : {std::chrono::hours(1), std::chrono::hours(-1), std::chrono::hours(24 * 30), std::chrono::hours(-24 * 3)}) {
    for (const bool two : {false, true}) {
      CAPTURE(jump.count());
      CAPTURE(two);
      WorldSettings settings = small();
      settings.amazon.rows_per_page = 5;
      World world(settings);
      Process& process = world.open();
      if (two) world.open();
      const auto connected = world.connect(process, 1);
      REQUIRE(connected);
      world.run_for(std::chrono::milliseconds(1'200));
      world.clock().jump(jump);
      CHECK(world.run_until([&] { return all_over(world); }, std::chrono::hours(2)));
      check_runs(world);
      world.clock().jump(-jump);
      world.run_for(std::chrono::hours(1));
      const std::string run = sync_again(world, process);
      CAPTURE(run);
      CHECK(member(run, "status") == "completed");
      check_truth(world, process, 1);
    }
  }
}

TEST_SUITE_END();
