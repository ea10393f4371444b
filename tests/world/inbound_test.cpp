// SPDX-License-Identifier: Apache-2.0
// Shipments to Amazon: what is asked for, what is kept, and what is not.
#include <doctest/doctest.h>

#include <algorithm>

#include "spapi/inbound.hpp"
#include "world/checks.hpp"

using namespace world;
namespace spapi = amzsync::spapi;

namespace {

WorldSettings shipments_alone() {
  WorldSettings settings;
  settings.amazon.events = 100;
  settings.amazon.skus = 60;
  settings.amazon.goes_on = true;
  settings.history_days = settings.amazon.history_days = 150;
  settings.streams = {"transactions", "inventory", "inbound"};
  return settings;
}

/// What the stream's line of a run says.
std::string inbound_of(const std::string& run, std::string_view name) {
  const auto document = JsonDocument::parse(run);
  REQUIRE(document);
  for (const Json stream : (*document)["streams"])
    if (stream["name"].text() == "inbound") return std::string(stream[name].text());
  return "not read";
}

amzsim::Fault answer(const std::string& path, const std::string& body, int times = 1) {
  amzsim::Fault fault;
  fault.path = path;
  fault.kind = "body";
  fault.content_type = "application/json";
  fault.message = body;
  fault.times = times;
  return fault;
}

amzsim::Fault fault_of(const std::string& path, const std::string& kind) {
  amzsim::Fault fault;
  fault.path = path;
  fault.kind = kind;
  fault.times = -1;
  return fault;
}

std::string item(const std::string& sku, int received) {
  return R"({"ShipmentId":"FBA15X","SellerSKU":")" + sku + R"(","FulfillmentNetworkSKU":"X1","QuantityShipped":9,"QuantityReceived":)" + std::to_string(received) + "}";
}
std::string items(const std::string& list, const std::string& token = "") {
  return R"({"payload":{"ItemData":[)" + list + "]" + (token.empty() ? "" : R"(,"NextToken":")" + token + '"') + "}}";
}

}  // namespace

TEST_SUITE_BEGIN("quirks");

TEST_CASE("shipments are asked for by what was updated, and whole once a week; every state is dated by when it was seen") {
  std::vector<std::string> asked_since;
  WorldSettings settings = shipments_alone();
  settings.watch = [&asked_since](const amzsync::net::HttpRequest& request, const Result<amzsync::net::HttpResponse>&) {
    const amzsim::SimRequest call = to_sim(request);
    if (call.path == "/fba/inbound/v0/shipments" && call.param("QueryType") == "DATE_RANGE") asked_since.push_back(call.param("LastUpdatedAfter"));
  };
  World world(settings);
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 2), "status") == "completed");
  check_truth(world, process, 2);
  REQUIRE(asked_since.size() == 2);   // of each marketplace
  const std::string everything = asked_since[0];

  int whole = 0, some = 0;
  for (int day = 1; day <= 16; ++day) {
    CAPTURE(day);
    asked_since.clear();
    world.run_for(std::chrono::hours(24));
    CHECK(member(sync_again(world, process, 2), "status") == "completed");
    check_truth(world, process, 2);
    REQUIRE(asked_since.size() == 2);
    const Instant since = *parse_instant(asked_since[0]);
    (since <= *parse_instant(everything) + std::chrono::hours(24) * day ? whole : some) += 1;
    const std::string again = sync_again(world, process, 2);
    for (const char* count : {"added", "changed", "removed", "rejected"}) CHECK(inbound_of(again, count) == "0");
  }
  CHECK(whole == 2);   // Thursdays, on which the weeks of 1970 began
  CHECK(some == 14);

  // The newest state seen is the shipment's, none comes twice in a row, and those that moved while we looked on have several.
  CHECK(world.count("SELECT count(*) FROM amz_inbound_shipments s WHERE s.status IS NOT (SELECT status FROM amz_inbound_statuses h WHERE h.shipment_id=s.shipment_id ORDER BY seen_at DESC LIMIT 1)") == 0);
  CHECK(world.count("SELECT count(*) FROM (SELECT status, lag(status) OVER (PARTITION BY shipment_id ORDER BY seen_at) AS before FROM amz_inbound_statuses) AS d WHERE status=before") == 0);
  CHECK(world.sql("SELECT group_concat(status, ' ') FROM (SELECT status FROM amz_inbound_statuses WHERE shipment_id=(SELECT shipment_id FROM amz_inbound_statuses WHERE status='CHECKED_IN' ORDER BY seen_at "
                  "DESC LIMIT 1) ORDER BY seen_at) AS d")[0][0] == "WORKING READY_TO_SHIP SHIPPED IN_TRANSIT DELIVERED CHECKED_IN");
}

TEST_CASE("from where a shipment is sent may be a home: no name and no street of it is kept") {
  WorldSettings settings = shipments_alone();
  World world(settings);
  Process& process = world.open();
  // One that lacks its id goes into quarantine, and has an address all the same.
  world.amazon().add_fault(answer("/fba/inbound/v0/shipments", R"({"payload":{"ShipmentData":[{"ShipFromAddress":{"Name":"A person's name","Phone":"of a person","addressLine2":"of a person","City":"Riga","CountryCode":"LV"},"ShipmentStatus":"CLOSED"}]}})"));
  const std::string run = world.sync_seller(process, 2);
  CHECK(member(run, "status") == "partial");   // something could not be read
  CHECK(world.count("SELECT count(*) FROM amz_inbound_shipments WHERE ship_from_country='US' AND detail LIKE '%Seattle%'") > 0);
  CHECK(world.count("SELECT count(*) FROM amz_quarantine WHERE stream='inbound' AND CAST(raw AS TEXT) LIKE '%Riga%'") == 1);
  for (const char* text : {"SELECT detail || name FROM inbound_shipments", "SELECT CAST(raw AS TEXT) FROM quarantine"})
    CHECK(world.count(std::string("WITH t(x) AS (") + text + ") SELECT count(*) FROM t WHERE x LIKE '%person%'") == 0);
}

TEST_CASE("an item that a walk tells twice is one item, as it was told last; its network SKU may come later") {
  World world(shipments_alone());
  Process& process = world.open();
  const std::string bare = R"({"ShipmentId":"FBA15X","SellerSKU":"S4","QuantityShipped":9})", named = R"({"ShipmentId":"FBA15X","SellerSKU":"S4","FulfillmentNetworkSKU":"X4","QuantityShipped":9,"QuantityReceived":7})";
  world.amazon().add_fault(answer("/fba/inbound/v0/shipmentItems", items(item("S1", 1) + "," + item("S2", 2) + "," + item("S2", 4), "t1")));
  world.amazon().add_fault(answer("/fba/inbound/v0/shipmentItems", items(item("S1", 1) + "," + item("S2", 3) + "," + item("S3", 4) + "," + bare)));
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const auto stored = [&] { return world.sql("SELECT seller_sku, fnsku, quantity_received FROM amz_inbound_items WHERE shipment_id='FBA15X' ORDER BY 1"); };
  CHECK(stored() == std::vector<std::vector<std::string>>{{"S1", "X1", "1"}, {"S2", "X1", "3"}, {"S3", "X1", "4"}, {"S4", "NULL", "NULL"}});
  world.amazon().add_fault(answer("/fba/inbound/v0/shipmentItems", items(named)));
  CHECK(member(sync_again(world, process, 1), "status") == "completed");
  CHECK(stored().back() == std::vector<std::string>{"S4", "X4", "7"});
}

TEST_CASE("empty pages whose tokens are ever new end the walk") {
  World world(shipments_alone());
  Process& process = world.open();
  for (int i = 0; i < 100; ++i) world.amazon().add_fault(answer("/fba/inbound/v0/shipments", R"({"payload":{"ShipmentData":[],"NextToken":"t)" + std::to_string(i) + "\"}}"));
  for (int i = 0; i < 100; ++i) world.amazon().add_fault(answer("/fba/inventory", R"({"payload":{"inventorySummaries":[]},"pagination":{"nextToken":"t)" + std::to_string(i) + "\"}}"));
  const std::string run = world.sync_seller(process, 1);
  CHECK(member(run, "status") == "partial");
  CHECK(member(run, {"error", "code"}) == "page_loop");
}

TEST_CASE("a marketplace that Amazon refuses keeps nobody from reading the others") {
  WorldSettings settings = shipments_alone();
  settings.streams = {};
  settings.history_days = settings.amazon.history_days = 30;
  World world(settings);
  Process& process = world.open();
  for (const char* path : {"/fba/inbound/v0/shipments", "/fba/inventory"}) {
    amzsim::Fault refused;
    refused.path = path;
    refused.kind = "status";
    refused.status = 403;
    refused.code = "Unauthorized";
    refused.times = 2;   // the first marketplace, and once more
    world.amazon().add_fault(refused);
  }
  const std::string run = world.sync_seller(process, 2);
  // A role is missing of all marketplaces, or of none.
  CHECK(member(run, "status") == "partial");
  CHECK(member(run, {"error", "code"}) == "unauthorised");
  CHECK(inbound_of(run, "coverage") == "failed");
  CHECK(world.count("SELECT count(*) FROM amz_inbound_shipments") > 0);
  CHECK(world.count("SELECT count(DISTINCT marketplace_id) FROM amz_inventory") == 2);   // of the one whose list was refused by name, as the managed inventory names them
  CHECK(world.count("SELECT count(DISTINCT shipment_id) FROM amz_inbound_items") > world.count("SELECT count(*) FROM amz_inbound_shipments"));
}

TEST_CASE("what one marketplace failed by is not forgotten for a refusal by another, whichever comes first") {
  for (const std::string path : {"/fba/inbound/v0/shipment", "/fba/inventory"})   // both lists of shipments
    for (const bool refused_first : {false, true}) {
      CAPTURE(path);
      CAPTURE(refused_first);
      WorldSettings settings = shipments_alone();
      settings.streams = {};
      settings.history_days = settings.amazon.history_days = 30;
      World world(settings);
      Process& process = world.open();
      std::vector<std::string> markets = {"ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"};
      if (refused_first) std::reverse(markets.begin(), markets.end());
      for (const std::string& market : markets) {
        amzsim::Fault fault;
        fault.path = path;
        fault.kind = "status";
        fault.status = &market == &markets[0] ? 500 : 403;
        fault.code = "Whatever";
        fault.query_holds = market;
        fault.times = -1;
        world.amazon().add_fault(fault);
      }
      const std::string run = world.sync_seller(process, 2);
      CHECK(member(run, "status") == "partial");
      CHECK(member(run, {"error", "code"}) == "amazon_error");
    }
}

TEST_CASE("a history that reaches further back than before is read of shipments too") {
  World world([] {
    WorldSettings settings = shipments_alone();
    settings.streams = {"inbound"};
    settings.history_days = 20;
    return settings;
  }());
  Process& before = world.open();
  CHECK(member(world.sync_seller(before, 1), "status") == "completed");
  const std::int64_t few = world.count("SELECT count(*) FROM amz_inbound_shipments");
  world.close(before);
  world.use_history(150);
  Process& after = world.open();
  CHECK(member(sync_again(world, after), "status") == "completed");
  const std::int64_t all = world.count("SELECT count(*) FROM amz_inbound_shipments");
  CHECK(all > few);
  // Once: from then on what was updated lately.
  const std::int64_t calls = world.amazon().stats()["getShipments"].calls;
  world.run_for(std::chrono::hours(24));
  CHECK(member(sync_again(world, after), "status") == "completed");
  CHECK(world.amazon().stats()["getShipments"].calls <= calls + 2);
  World whole([] {
    WorldSettings settings = shipments_alone();
    settings.streams = {"inbound"};
    return settings;
  }());
  whole.sync_seller(whole.open(), 1);
  CHECK(all == whole.count("SELECT count(*) FROM amz_inbound_shipments"));
}

TEST_CASE("a walk of shipments that loses its token begins anew, one whose token never changes ends, and neither is taken for the whole") {
  World world(shipments_alone());
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  world.run_for(std::chrono::hours(24 * 8));   // a week that has not been read
  const auto calls = [&] { return world.amazon().stats()["getShipmentItems"].calls; };

  const std::int64_t before = calls();
  world.amazon().add_fault(answer("/fba/inbound/v0/shipmentItems", items(item("S1", 1), "t1")));
  world.amazon().add_fault(answer("/fba/inbound/v0/shipmentItems", R"({"payload":{}})"));
  CHECK(member(sync_again(world, process, 1), "status") == "completed");
  CHECK(calls() > before);
  check_runs(world);

  world.run_for(std::chrono::hours(24 * 8));
  int n = 0;
  for (int i = 0; i < 6; ++i) world.amazon().add_fault(answer("/fba/inbound/v0/shipmentItems", items(item("S" + std::to_string(++n), 1), "always the same")));
  const std::string run = sync_again(world, process, 1);
  CHECK(member(run, "status") == "partial");
  CHECK(member(run, {"error", "code"}) == "page_loop");
  // What was not read whole is read whole next time.
  CHECK(member(sync_again(world, process, 1), "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM amz_inbound_items WHERE shipment_id<>'FBA15X'") == world.truth(1, false)["inbound"]["items"].integer());
}

TEST_CASE("an answer without a list is no word that there are no shipments, nor that they hold nothing") {
  for (const char* path : {"/fba/inbound/v0/shipments", "/fba/inbound/v0/shipmentItems"}) {
    CAPTURE(std::string(path));
    World world(shipments_alone());
    Process& process = world.open();
    const auto none = [&](int times) {
      amzsim::Fault nothing = answer(path, R"({"payload":{}})", times);
      nothing.whole_path = true;
      world.amazon().add_fault(nothing);
    };
    none(-1);
    const std::string run = world.sync_seller(process, 1);
    CHECK(member(run, "status") == "partial");
    CHECK(inbound_of(run, "coverage") == "failed");
    world.amazon().clear_faults();
    none(1);   // in passing
    CHECK(member(sync_again(world, process, 1), "status") == "completed");
    check_truth(world, process, 1);
  }
}

TEST_CASE("items of shipments that can't be read are told by each sync that meets them, and then all are read again") {
  World world(shipments_alone());
  Process& process = world.open();
  world.amazon().add_fault(answer("/fba/inbound/v0/shipmentItems", items("null"), 2));
  CHECK(member(world.sync_seller(process, 1), {"error", "code"}) == "rows_quarantined");
  CHECK(world.count("SELECT count(*) FROM inbound_items") == 0);
  const std::string run = sync_again(world, process, 1);
  CHECK(member(run, "status") == "partial");
  CHECK(inbound_of(run, "coverage") == "failed");
  CHECK(member(sync_again(world, process, 1), "status") == "completed");
  world.sql("DELETE FROM quarantine");
  check_truth(world, process, 1);
}

TEST_CASE("shipments of a reading that was cancelled stand beside quantities of an earlier one, so nothing is concluded from them until they are read whole") {
  World world(shipments_alone());
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const auto coverage = [&] { return world.sql("SELECT coverage FROM stream_states WHERE stream='inbound'")[0][0]; };
  CHECK(coverage() == "complete");
  world.run_for(std::chrono::hours(2));
  world.amazon().add_fault(answer("/fba/inbound/v0/shipments", R"({"payload":{"ShipmentData":[{"ShipmentId":"FBA15X","ShipmentName":"new","ShipmentStatus":"CLOSED"}]}})"));
  world.amazon().add_fault(fault_of("/fba/inbound/v0/shipmentItems", "hang"));
  const auto begun = world.wait(process.engine().triggers().start(world.user(1), "inbound"));
  REQUIRE(begun);
  REQUIRE(world.run_until([&] { return world.count("SELECT count(*) FROM inbound_shipments WHERE shipment_id='FBA15X'") == 1; }));
  CHECK(world.wait(process.engine().cancel(world.user(1), begun->id, "the test")));
  CHECK(member(world.finish(process, world.user(1), begun->id), "status") == "cancelled");
  CHECK(coverage() == "failed");
  world.amazon().clear_faults();
  CHECK(member(sync_again(world, process, 1), "status") == "completed");
  CHECK(coverage() == "complete");
}

TEST_CASE("without the role for shipments a sync is complete all the same, and says what it lacks; one that was asked for them is not") {
  WorldSettings settings = shipments_alone();
  settings.streams = {};
  settings.history_days = settings.amazon.history_days = 30;
  World world(settings);
  Process& process = world.open();
  amzsim::Fault refused;
  refused.path = "/fba/inbound";
  refused.kind = "status";
  refused.status = 403;
  refused.code = "Unauthorized";
  refused.times = -1;
  world.amazon().add_fault(refused);
  const std::string run = world.sync_seller(process, 2);
  CHECK(member(run, "status") == "completed");
  CHECK(inbound_of(run, "coverage") == "unauthorised");
  const auto named = world.wait(process.engine().triggers().start(world.user(2), "transactions,inbound"));
  REQUIRE(named);
  CHECK(member(world.finish(process, world.user(2), named->id), "status") == "partial");
}

TEST_SUITE_END();
